"""The skeleton that a category of a COCO keypoints file describes."""

from __future__ import annotations

import reprlib
from collections.abc import Sequence

from vatl_core.errors import InputError
from vatl_core.video import DEFAULT_SIGMA, PERSON_17, Pair, Skeleton
from vatl_formats.rows import Rows
from vatl_formats.sides import flip_pairs_from_names, named_pairs


def skeleton_of(
    categories: Rows, sigmas: Sequence[float] | None = None, flip_pairs: Sequence[str] | None = None
) -> Skeleton:
    """The skeleton of the first category.

    Args:
        categories: at least one.
        sigmas: K OKS constants; None for a person's where the names are a person's 17, else 0.05 each.
        flip_pairs: left/right pairs, ``LEFT:RIGHT`` each; None for the category's own ``flip_pairs``, pairs of names,
            or else those that the keypoints' names tell.

    Raises:
        InputError: the category has no keypoints, an edge or a pair is none, or the sigmas are not one a keypoint.
    """
    names = _names(categories)
    try:
        return Skeleton(
            name=str(categories.objects[0].get("name") or "coco"),
            keypoints=names,
            edges=_edges(categories, len(names)),
            flip_pairs=_pairs(categories, names, flip_pairs),
            sigmas=tuple(sigmas) if sigmas is not None else _known_sigmas(names),
        )
    except InputError as error:
        raise InputError(f"{categories.path}: {error}") from error


def _pairs(categories: Rows, names: tuple[str, ...], told: Sequence[str] | None) -> tuple[Pair, ...]:
    own = categories.objects[0].get("flip_pairs")
    if told is not None or own is None:
        return flip_pairs_from_names(names) if told is None else named_pairs(told, names)
    pairs = [pair for pair in own if isinstance(pair, list) and len(pair) == 2] if isinstance(own, list) else []
    if not pairs or len(pairs) != len(own):
        raise categories.error(0, f"has flip_pairs {reprlib.repr(own)}: they must be a list of pairs of keypoints")
    return named_pairs([f"{left}:{right}" for left, right in pairs], names)


def _names(categories: Rows) -> tuple[str, ...]:
    names = categories.objects[0].get("keypoints")
    if names is None:
        raise categories.error(0, "has no keypoints: an instances or captions file will not do, give a keypoints file")
    if not isinstance(names, list) or not all(isinstance(name, str) and name for name in names):
        raise categories.error(0, f"has keypoints {reprlib.repr(names)}: they must be a list of names")
    if not names:
        raise categories.error(0, "has an empty list of keypoints: name at least one")
    return tuple(names)


def _edges(categories: Rows, keypoints: int) -> tuple[Pair, ...]:
    """Pairs counted from 0; the file counts from 1. An edge that is there twice, either way round, counts once."""
    edges = categories.objects[0].get("skeleton")
    if edges is None:
        return ()
    if not isinstance(edges, list):
        raise categories.error(0, f"has skeleton {reprlib.repr(edges)}: it must be a list of pairs of keypoints")
    for edge in edges:
        if not _is_edge(edge, keypoints):
            said = f"has the edge {reprlib.repr(edge)} in its skeleton"
            raise categories.error(0, f"{said}: an edge joins two of the keypoints 1 to {keypoints}, counted from 1")
    once: dict[frozenset[int], Pair] = {}
    for start, end in edges:
        once.setdefault(frozenset((start, end)), (start - 1, end - 1))
    return tuple(once.values())


def _is_edge(edge: object, keypoints: int) -> bool:
    if not isinstance(edge, list) or len(edge) != 2 or edge[0] == edge[1]:
        return False
    return all(type(end) is int and 1 <= end <= keypoints for end in edge)


def _known_sigmas(names: Sequence[str]) -> tuple[float, ...]:
    person = dict(zip(PERSON_17.keypoints, PERSON_17.sigmas, strict=True))
    if set(names) == set(person):
        return tuple(person[name] for name in names)
    return (DEFAULT_SIGMA,) * len(names)

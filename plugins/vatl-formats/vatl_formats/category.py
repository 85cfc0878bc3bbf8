"""The skeleton that a category of a COCO keypoints file describes."""

from __future__ import annotations

import reprlib
import warnings
from collections.abc import Sequence
from typing import Final

from vatl_core.errors import InputError
from vatl_core.video import DEFAULT_SIGMA, PERSON_17, Pair, Skeleton
from vatl_formats.rows import Mask, Rows
from vatl_formats.sides import flip_pairs_from_names, named_pairs
from vatl_formats.sieve import kinds

NO_EDGE: Final = "edge of the skeleton that joins no two of its keypoints"
"""Why an edge is left out."""


def described(categories: Rows) -> int:
    """The position of the first category with keypoints, of the first where none has any.

    Roboflow begins its lists with a category that has none, of which all others are kinds.
    """
    return next((i for i, row in enumerate(categories.objects) if row.get("keypoints")), 0)


def of_another(annotations: Rows, categories: Rows) -> tuple[Mask, str]:
    """(n,) whether each annotation is of another category than the :func:`described`, and how that is called.

    Ids that read the same are the same: 1 and "1".
    """
    chosen = described(categories)
    other = kinds([categories.ids()[chosen], *annotations.ids("category_id")])[1:] != 0
    return other, "of another category than the first" + (" with keypoints" if chosen else "")


def skeleton_of(
    categories: Rows,
    flip_pairs: Sequence[str] | None = None,
    dropped: dict[str, int] | None = None,
) -> Skeleton:
    """The skeleton of the first category with keypoints, with a person's sigmas where it has a person's 17 keypoints.

    Args:
        categories: at least one.
        flip_pairs: left/right pairs, ``LEFT:RIGHT`` each; None for the category's own ``flip_pairs``, pairs of names,
            or else those that the keypoints' names tell.
        dropped: where to count edges that are left out since they join no keypoints; a warning if None.

    Raises:
        InputError: no category has keypoints, or a pair is none.
    """
    names = _names(categories)
    try:
        return Skeleton(
            name=str(categories.objects[described(categories)].get("name") or "coco"),
            keypoints=names,
            edges=_edges(categories, len(names), dropped),
            flip_pairs=_pairs(categories, names, flip_pairs),
            sigmas=_known_sigmas(names),
        )
    except InputError as error:
        raise InputError(f"{categories.path}: {error}") from error


def _pairs(categories: Rows, names: tuple[str, ...], told: Sequence[str] | None) -> tuple[Pair, ...]:
    position = described(categories)
    own = categories.objects[position].get("flip_pairs")
    if told is not None or own is None:
        return flip_pairs_from_names(names) if told is None else named_pairs(told, names)
    pairs = [pair for pair in own if isinstance(pair, list) and len(pair) == 2] if isinstance(own, list) else []
    if not isinstance(own, list) or len(pairs) != len(own):
        said = f"has flip_pairs {reprlib.repr(own)}: they must be a list of pairs of keypoints"
        raise categories.error(position, said)
    return named_pairs([f"{left}:{right}" for left, right in pairs], names)


def _names(categories: Rows) -> tuple[str, ...]:
    position = described(categories)
    names = categories.objects[position].get("keypoints")
    if names is None:
        said = "has no keypoints: an instances or captions file will not do, give a keypoints file"
        raise categories.error(position, said)
    if not isinstance(names, list) or not all(isinstance(name, str) and name for name in names):
        raise categories.error(position, f"has keypoints {reprlib.repr(names)}: they must be a list of names")
    if not names:
        raise categories.error(position, "has an empty list of keypoints: name at least one")
    return tuple(names)


def _edges(categories: Rows, keypoints: int, dropped: dict[str, int] | None) -> tuple[Pair, ...]:
    """Pairs counted from 0; those that are none are left out. One that is there twice, either way round, counts once.

    The format counts from 1, but some tools from 0, which shows where a 0 occurs.
    """
    position = described(categories)
    edges = categories.objects[position].get("skeleton")
    if edges is None:
        return ()
    if not isinstance(edges, list):
        said = f"has skeleton {reprlib.repr(edges)}: it must be a list of pairs of keypoints"
        raise categories.error(position, said)
    pairs = [pair for edge in edges if (pair := _pair(edge))]
    begin = 0 if any(0 in pair for pair in pairs) else 1
    counted = [(a - begin, b - begin) for a, b in pairs]
    sound = [(a, b) for a, b in counted if a != b and min(a, b) >= 0 and max(a, b) < keypoints]
    if len(sound) < len(edges):
        _leave_out(categories, len(edges) - len(sound), dropped)
    once: dict[frozenset[int], Pair] = {}
    for pair in sound:
        once.setdefault(frozenset(pair), pair)
    return tuple(once.values())


def _pair(edge: object) -> Pair | None:
    if not isinstance(edge, list) or len(edge) != 2:
        return None
    start, end = edge
    whole = all(type(value) is int or (type(value) is float and value.is_integer()) for value in edge)
    return (int(start), int(end)) if whole else None


def _leave_out(categories: Rows, count: int, dropped: dict[str, int] | None) -> None:
    if dropped is None:
        warnings.warn(f"{categories.path}: {count} left out: {NO_EDGE}", stacklevel=4)
    else:
        dropped[NO_EDGE] = dropped.get(NO_EDGE, 0) + count


def _known_sigmas(names: Sequence[str]) -> tuple[float, ...]:
    person = dict(zip(PERSON_17.keypoints, PERSON_17.sigmas, strict=True))
    if set(names) == set(person):
        return tuple(person[name] for name in names)
    return (DEFAULT_SIGMA,) * len(names)

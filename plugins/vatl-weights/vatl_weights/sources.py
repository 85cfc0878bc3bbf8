"""Which weights a run begins with, and where they come from."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

import attrs

from vatl_core.contracts import Dataset, Estimator
from vatl_core.errors import InputError, unknown
from vatl_core.progress import Progress, silent
from vatl_core.video import Skeleton
from vatl_core.weights import BUT_FOR_BACKBONE, RANDOM, Checkpoint
from vatl_weights.downloads import ANSWER_TIMEOUT, cached, doubt, fetch, published_name
from vatl_weights.foreign import IMAGENET, Download, known_weights
from vatl_weights.loading import BACKBONE_ONLY, load_backbone, load_weights
from vatl_weights.reading import read_weights

UNASKED_TIMEOUT: Final = 8.0
"""Seconds that ``auto`` waits for servers, all together: nobody asked for the download."""
_BACKBONE: Final = "backbone:"
_HASH: Final = re.compile(r"sha256=([0-9a-f]{8,64})", re.IGNORECASE)


@attrs.frozen
class Choice:
    """What ``--weights`` means.

    Attributes:
        label: what to call it.
        place: a file, or where to get one.
        backbone: whether only its backbone is wanted.
        keypoints: names of the head's channels, where the file itself need not tell them.
    """

    label: str
    place: Path | Download
    backbone: bool = False
    keypoints: tuple[str, ...] = ()


@attrs.frozen
class Found:
    """Weights that were asked for, read and not yet in any network.

    Attributes:
        label: what to call them.
        path: their file.
        checkpoint: what is in it.
        backbone: whether only its backbone is wanted.
        keypoints: of the head's channels, as the file or else its publisher tells; empty where neither does.
        doubts: what the user should know about where they came from.
    """

    label: str
    path: Path
    checkpoint: Checkpoint
    backbone: bool
    keypoints: tuple[str, ...]
    doubts: list[str]


Begun = tuple[str, list[str]]
"""Where weights came from, and what the user should know about it."""


def begin_with(
    choice: str,
    name: str,
    estimator: Estimator,
    dataset: Dataset,
    skeleton: Skeleton,
    keypoints: Sequence[str] = (),
    progress: Progress = silent,
) -> Begun:
    """Give a built estimator its source weights.

    Args:
        choice: ``auto``: the first that can be had of what ships with the data set, the known download for most of
            the video's keypoints, a backbone trained on ImageNet, and random ones; ``none``: random ones; else the name
            of a known download, an address with ``#sha256=HEX`` behind it, or a file; with ``backbone:`` before it for
            its backbone alone.
        name: of the estimator.
        estimator: built, with random weights.
        dataset: which may ship weights.
        skeleton: of the video.
        keypoints: of the head's channels, where the file does not name them or names them wrongly: names, ``same``
            (the video's) or ``person-17``.
        progress: told of bytes downloaded.

    Returns:
        Where the weights came from, and what the user should know about it.

    Raises:
        InputError: weights that were asked for cannot be had or used.
    """

    def load(chosen: Choice, timeout: float) -> Begun:
        found = _found(chosen, timeout, progress)
        if found.backbone:
            notes = load_backbone(estimator, found.checkpoint, str(found.path))
            return f"{BUT_FOR_BACKBONE}{found.label}", found.doubts + notes
        told = keypoints or found.keypoints
        return found.label, found.doubts + load_weights(estimator, found.checkpoint, skeleton, str(found.path), told)

    if choice == "auto":
        return _first(_candidates(name, estimator, dataset, skeleton), load, name)
    chosen = None if choice == "none" else chosen_by(choice, known_weights(estimator))
    if keypoints and (chosen is None or chosen.backbone):
        raise InputError(f"--weights-keypoints names the channels of a head, but --weights {choice} loads none")
    return (RANDOM, []) if chosen is None else load(chosen, ANSWER_TIMEOUT)


def find_weights(choice: str, estimator: Estimator, progress: Progress = silent) -> Found:
    """Read the weights that ``--weights`` means, other than ``auto`` and ``none``.

    Args:
        choice: as in :func:`begin_with`.
        estimator: whose known downloads may be meant; it need not be built.
        progress: told of bytes downloaded.

    Raises:
        InputError: they cannot be had or read.
    """
    return _found(chosen_by(choice, known_weights(estimator)), ANSWER_TIMEOUT, progress)


def _found(chosen: Choice, timeout: float, progress: Progress) -> Found:
    place = chosen.place
    path = fetch(place, timeout, progress) if isinstance(place, Download) else place
    doubts = doubt(place, path) if isinstance(place, Download) else []
    checkpoint = read_weights(path)
    return Found(chosen.label, path, checkpoint, chosen.backbone, checkpoint.keypoints or chosen.keypoints, doubts)


def chosen_by(choice: str, known: Mapping[str, Download]) -> Choice:
    """What the user means by ``--weights``, other than ``auto`` and ``none``.

    Raises:
        InputError: no known name, no address with a hash, and nothing that looks like a file.
    """
    bare = choice.startswith(_BACKBONE)
    choice = choice.removeprefix(_BACKBONE)
    if choice in known:
        entry = known[choice]
        return Choice(f"{choice} ({entry.url})", entry, bare or entry.backbone, entry.keypoints)
    named = {published_name(entry): entry.keypoints for entry in known.values()}
    if "://" in choice:
        address = _address(choice)
        return Choice(choice, address, bare, named.get(published_name(address), ()))
    path = Path(choice).expanduser()
    if not (path.exists() or path.suffix or choice != path.name):
        raise unknown("file or known weights of this estimator", choice, ["auto", "none", *known])
    return Choice(choice, path, bare, named.get(path.name, ()))


def _address(text: str) -> Download:
    url, _, fragment = text.partition("#")
    digits = _HASH.fullmatch(fragment)
    if not url.lower().startswith(("https://", "http://")):
        raise InputError(f"--weights {text}: only https:// and http:// addresses can be fetched; give a file's path")
    if digits is None:
        raise InputError(
            f"--weights {text}: put the file's SHA-256, or at least its first eight digits, behind the address: "
            f"{url}#sha256=0123abcd"
        )
    return Download(url, digits[1].lower())


def _candidates(name: str, estimator: Estimator, dataset: Dataset, skeleton: Skeleton) -> list[Choice]:
    """What ``auto`` tries: what the data set ships, what is known for most of its keypoints, ImageNet's backbone."""
    shipped, known = dataset.weights(name), known_weights(estimator)
    choices = [] if shipped is None else [Choice(f"shipped {shipped.name}", shipped)]
    there = {title: d for title, d in known.items() if not d.backbone and (d.sha256 or cached(d))}
    best = max(there, key=lambda title: len({*there[title].keypoints} & {*skeleton.keypoints}), default="")
    return choices + [chosen_by(title, known) for title in (best, IMAGENET) if title in known]


def _first(choices: Sequence[Choice], load: Callable[[Choice, float], Begun], name: str) -> Begun:
    """The first that can be had; what could not is told, and no reason to fail."""
    reasons, last = list[str](), time.monotonic() + UNASKED_TIMEOUT
    for choice in choices:
        try:
            label, notes = load(choice, max(last - time.monotonic(), 1.0))
        except InputError as error:
            reasons.append(str(error))
        else:
            if choice.backbone:
                why = f"{BACKBONE_ONLY}, since {_why(reasons, name)}"
                return label, [why if note == BACKBONE_ONLY else note for note in notes]
            return label, reasons + notes
    return RANDOM, [f"the estimator begins with random weights: {_why(reasons, name)}"]


def _why(reasons: Sequence[str], name: str) -> str:
    return "; ".join(reasons) or f"no weights are known for estimator '{name}' on this data set"

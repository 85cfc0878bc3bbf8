"""Which weights a run begins with."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from vatl_core import checkpoints
from vatl_core.contracts import Dataset, Estimator
from vatl_core.errors import InputError
from vatl_core.skeleton import Skeleton

RANDOM: Final = "random"
"""Where weights came from that came from nowhere."""


def begin_with(
    choice: str, name: str, estimator: Estimator, dataset: Dataset, skeleton: Skeleton
) -> tuple[str, list[str]]:
    """Give a built estimator its source weights.

    Args:
        choice: ``auto`` takes what ships with the data set, else random ones; ``none`` random ones; else a file.
        name: of the estimator.
        estimator: built, with random weights.
        dataset: which may ship weights.
        skeleton: of the video.

    Returns:
        Where the weights came from, and what the user should know about it.

    Raises:
        InputError: a file that cannot be used.
    """
    if choice == "none":
        return RANDOM, []
    if choice != "auto":
        return choice, _load(Path(choice).expanduser(), estimator, skeleton)
    shipped = dataset.weights(name)
    if shipped is None:
        return RANDOM, [f"no weights are known for estimator '{name}' on this data set: it begins with random ones"]
    try:
        return f"shipped {shipped.name}", _load(shipped, estimator, skeleton)
    except InputError as error:
        return RANDOM, [f"the shipped weights do not fit these options, so it begins with random ones ({error})"]


def _load(path: Path, estimator: Estimator, skeleton: Skeleton) -> list[str]:
    fresh = checkpoints.load(estimator, checkpoints.read(path), skeleton, str(path))
    if not fresh:
        return []
    kept = len(skeleton) - len(fresh)
    return [f"the weights know {kept} of {len(skeleton)} keypoints; re-initialised: {', '.join(fresh)}"]

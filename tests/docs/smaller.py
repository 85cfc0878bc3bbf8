"""What makes a command of the documentation small enough for a test."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

_LEARNING: Final = ("-o", "few-labels.steps=8", "-o", "few-labels.epochs=1", "-o", "continual.alpha=8")
_RUN: Final = ("--schedule", "0.2,0.4", *_LEARNING, "-o", "continual.scratch_epochs=2")
_SWEEP: Final = ("-o", "synthetic.source_videos=0", *_LEARNING)
COMMANDS: Final[Mapping[str, Sequence[str]]] = {
    "run": _RUN, "sweep": _SWEEP, "train": ("--epochs", "1"), "visualize": ("--count", "1"),
}  # fmt: skip
"""For everything that a command does."""
_FRAMES: Final = ("-o", "synthetic.frames=6")
_SOURCES: Final = (*_FRAMES, "-o", "synthetic.source_videos=1", "-o", "synthetic.source_frames=8")
SYNTHETIC: Final[Mapping[str, Sequence[str]]] = {
    "run": (*_FRAMES, "-o", "synthetic.source_videos=0"), "train": _SOURCES, "fit": _SOURCES, "evaluate": _SOURCES,
}  # fmt: skip
"""Where it works on the embedded data set."""
ESTIMATORS: Final[Mapping[str, Sequence[str]]] = {
    "simplebaseline": ("-o", "simplebaseline.backbone=resnet18", "-o", "simplebaseline.input_size=64,64"),
}
"""For large networks."""


def smaller(command: str, words: Sequence[str]) -> list[str]:
    """The words of a command, and what makes it small.

    Args:
        command: which of vatl's, such as ``plugins list``.
        words: all of its words, without ``vatl``.
    """
    if "--dry-run" in words:
        return list(words)
    embedded = _said("--dataset", words, "synthetic") == "synthetic"
    estimator = _said("--estimator", words, "tiny" if embedded else "simplebaseline")
    own = SYNTHETIC.get(command, ()) if embedded else ()
    network = ESTIMATORS.get(estimator, ()) if command in COMMANDS else ()
    return [*words, *COMMANDS.get(command, ()), *own, *network]


def _said(flag: str, words: Sequence[str], otherwise: str) -> str:
    return words[words.index(flag) + 1] if flag in words else otherwise

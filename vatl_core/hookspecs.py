"""The whole plugin contract on one page: what a plugin may tell vatl, and what vatl tells a plugin.

A plugin is a module named by an entry point of group ``vatl``. Keep that module light (no torch): it is imported
whenever ``vatl`` starts, and only *describes* components, which are imported when first used.
"""

# mypy: disable-error-code="empty-body"

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pluggy import HookimplMarker, HookspecMarker

if TYPE_CHECKING:
    import torch

    from vatl_core.contracts import Criterion, Dataset, Estimator
    from vatl_core.cycle import Run
    from vatl_core.metrics import PosesInFrames
    from vatl_core.plugins import Command, Component, Preset, Section
    from vatl_core.progress import Progress
    from vatl_core.records import CycleRecord, RunRecord
    from vatl_core.video import Frames, Skeleton
    from vatl_core.weights import PreTrained

hookspec = HookspecMarker("vatl")
hookimpl = HookimplMarker("vatl")


@hookspec
def vatl_components() -> Sequence[Component]:
    """Describe the components this plugin brings."""


@hookspec
def vatl_presets() -> Sequence[Preset]:
    """Describe the presets this plugin brings: settings that users may call by one name."""


@hookspec
def vatl_commands() -> Sequence[Command]:
    """Describe the commands this plugin adds to ``vatl``."""


@hookspec(firstresult=True)
def vatl_source_weights(
    choice: str, name: str, estimator: Estimator, dataset: Dataset, skeleton: Skeleton, keypoints: Sequence[str],
    progress: Progress,
) -> tuple[str, list[str]] | None:  # fmt: skip
    """Give the built estimator of this name the weights that ``--weights`` asks for, if this plugin knows that choice.

    Returns where they came from, and what the user should know about it; ``keypoints`` are ``--weights-keypoints``.
    """


@hookspec(firstresult=True)
def vatl_decoded(decoder: str, frames: Frames, device: torch.device) -> Frames | None:
    """The same frames as the decoder of this name reads them, on the device where it can, if this plugin knows both."""


@hookspec(firstresult=True)
def vatl_pretrained(name: str, criterion: Criterion, skeleton: Skeleton) -> PreTrained | None:
    """Find what the criterion of this name was pre-trained to, as its option ``pretrained`` asks, if it was."""


@hookspec
def vatl_measure(truth: PosesInFrames, predicted: PosesInFrames, skeleton: Skeleton) -> Mapping[str, float]:
    """Measure a pass in further ways, ``{name: figure}``, and of single keypoints, ``{name.keypoint: figure}``.

    Both are of the same instances, on the device, each with an annotated keypoint; their ``weight`` says which are
    annotated, and holds scores.
    """


@hookspec
def vatl_run_started(run: Run) -> None:
    """A run (or what a resumed run still has to do) begins."""


@hookspec
def vatl_cycle_started(run: Run, cycle: int) -> None:
    """Cycle ``cycle``, counted from 0, begins."""


@hookspec
def vatl_progress(run: Path, stage: str, done: int, total: int) -> None:
    """``done`` of ``total`` steps of a stage ('estimate', 'label', 'retrain') of the run in this directory are through.

    Before the run has started the stage may be 'download', counted in bytes.

    Only the directory is told, because methods call this and a run leads to the truth.
    """


@hookspec
def vatl_estimated(run: Run, cycle: int) -> None:
    """Every instance has its pose and its scores: ``run.estimates``."""


@hookspec
def vatl_queried(run: Run, cycle: int, indices: Sequence[int]) -> None:
    """These instances are about to be put to the oracle."""


@hookspec
def vatl_labelled(run: Run, cycle: int, indices: Sequence[int]) -> None:
    """There are labels of these instances, on disk: the oracle's answers, or in the first cycle the data's own."""


@hookspec
def vatl_retrained(run: Run, cycle: int) -> None:
    """The estimator has been retrained and its weights are on disk."""


@hookspec
def vatl_cycle_finished(run: Run, record: CycleRecord) -> None:
    """The cycle's record is on disk."""


@hookspec
def vatl_cycle_figures(run: Run, record: CycleRecord) -> Mapping[str, str]:
    """Give further figures of a finished cycle, ``{name: figure}``: what shows a run has them from ``Run.figures``."""


@hookspec
def vatl_run_finished(run: Run, record: RunRecord) -> None:
    """The run has ended, with its closing record; told again by a resumed run where it was cut off or failed."""


@hookspec
def vatl_run_failed(run: Run, error: BaseException) -> None:
    """The run ends by an error, or is interrupted; it can be taken up again."""


@hookspec
def vatl_run_left(run: Run) -> None:
    """Whoever stepped through the run left the loop before its end, which is no failure; it can be taken up again."""


@hookspec
def vatl_report_section(run: Path, folder: Path) -> Section | None:
    """Add a section to the report of the run in directory ``run``; files it needs may be put into ``folder``."""

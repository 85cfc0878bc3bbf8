"""What this distribution brings; nothing heavy is imported here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from vatl_core.hookspecs import hookimpl
from vatl_core.plugins import Command

if TYPE_CHECKING:
    from vatl_core.contracts import Dataset, Estimator
    from vatl_core.progress import Progress
    from vatl_core.video import Skeleton

vatl_contract = ">=2.0,<3"


@hookimpl
def vatl_commands() -> list[Command]:
    """Describe the commands."""
    return [Command("weights", "List public weights, and which of them are here.", "vatl_weights.command:command")]


@hookimpl(trylast=True)
def vatl_source_weights(
    choice: str,
    name: str,
    estimator: Estimator,
    dataset: Dataset,
    skeleton: Skeleton,
    keypoints: Sequence[str],
    progress: Progress,
) -> tuple[str, list[str]]:
    """Load what ``--weights`` means."""
    from vatl_weights.sources import begin_with

    return begin_with(choice, name, estimator, dataset, skeleton, keypoints, progress)

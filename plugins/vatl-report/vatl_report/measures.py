"""What this distribution measures of every pass, beyond what the core does; nothing heavy is imported here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vatl_core.hookspecs import hookimpl

if TYPE_CHECKING:
    from vatl_core.metrics import PosesInFrames
    from vatl_core.video import Skeleton

vatl_contract = ">=2.0,<3"


@hookimpl
def vatl_measure(truth: PosesInFrames, predicted: PosesInFrames, skeleton: Skeleton) -> tuple[str, float]:
    """OSPA, 0 to 1, lower is better."""
    from vatl_report.ospa import ospa

    return "OSPA", ospa(truth, predicted, skeleton.sigmas)

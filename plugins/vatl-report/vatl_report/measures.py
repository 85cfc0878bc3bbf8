"""What this distribution measures of every pass, beyond what the core does; nothing heavy is imported here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vatl_core.hookspecs import hookimpl

if TYPE_CHECKING:
    from vatl_core.metrics import PosesInFrames
    from vatl_core.video import Skeleton

vatl_contract = ">=2.0,<3"


@hookimpl
def vatl_measure(truth: PosesInFrames, predicted: PosesInFrames, skeleton: Skeleton) -> dict[str, float]:
    """PCK, of all and of each keypoint, and closer, and OSPA, where lower is better; 0 to 1."""
    from vatl_formats import ospa_sigmas_of
    from vatl_report.ospa import ospa
    from vatl_report.pck import CLOSER, SHARE, correct_keypoints

    def within(share: float) -> tuple[float | None, dict[str, float]]:
        return correct_keypoints(truth, predicted, skeleton.keypoints, share)

    pck, keypoints = within(SHARE)
    of_each = {f"PCK.{name}": share for name, share in keypoints.items()}
    closer = {f"PCK@{100 * share:g}": within(share)[0] or 0.0 for share in CLOSER}
    if pck is None:
        return {}
    return {"PCK": pck, **closer, **of_each, "OSPA": ospa(truth, predicted, ospa_sigmas_of(skeleton))}

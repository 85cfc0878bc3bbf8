"""The one pass of a cycle, and the one place where every output of a component is held to its contract."""

from __future__ import annotations

from vatl_core.estimation.crops import Crops, ahead
from vatl_core.estimation.estimates import Estimates
from vatl_core.estimation.further_passes import FurtherPasses
from vatl_core.estimation.one_pass import estimate, score_pool, tracks_of
from vatl_core.estimation.promises import (
    breach,
    check_finite,
    checked_allowance,
    checked_answerable,
    checked_estimator,
    checked_names,
    checked_outcomes,
    checked_picks,
    checked_pictures,
    checked_poses,
    checked_reason,
    checked_refinement,
    checked_video,
    flaw_of_answer,
)

__all__ = [
    "Crops", "Estimates", "FurtherPasses", "ahead", "breach", "check_finite", "checked_allowance", "checked_answerable",
    "checked_estimator", "checked_names", "checked_outcomes", "checked_picks", "checked_pictures", "checked_poses",
    "checked_reason", "checked_refinement", "checked_video", "estimate", "flaw_of_answer", "score_pool", "tracks_of",
]  # fmt: skip

"""The one pass of a cycle, and the one place where every output of a component is held to its contract."""

from __future__ import annotations

from vatl_core.estimation.crops import Crops, ahead
from vatl_core.estimation.estimates import Estimates
from vatl_core.estimation.executing import outcomes_of
from vatl_core.estimation.further_passes import FurtherPasses
from vatl_core.estimation.loaded import loaded, names_of
from vatl_core.estimation.maps import Numbers, maps_of
from vatl_core.estimation.one_pass import check_finite, estimate, score_pool, tracks_of
from vatl_core.estimation.opinions import allowance_of, opinion_of
from vatl_core.estimation.refined import checked_refinement
from vatl_core.estimation.retrained import retrained
from vatl_core.estimation.scored import condensed, scored

__all__ = [
    "Crops", "Estimates", "FurtherPasses", "Numbers", "ahead", "allowance_of", "check_finite", "checked_refinement",
    "condensed", "estimate", "loaded", "maps_of", "names_of", "opinion_of", "outcomes_of", "retrained", "score_pool",
    "scored", "tracks_of",
]  # fmt: skip

"""The one pass of a cycle, and the one place where every output of a component is held to its contract."""

from __future__ import annotations

from vatl_core.estimation.crops import Crops, JoinedCrops, ahead
from vatl_core.estimation.estimates import Estimates
from vatl_core.estimation.executing import outcomes_of
from vatl_core.estimation.loaded import loaded, names_of, read
from vatl_core.estimation.maps import Numbers, maps_of
from vatl_core.estimation.one_pass import check_finite, estimate, score_pool
from vatl_core.estimation.opinions import allowance_of, opinion_of
from vatl_core.estimation.retrained import retrained
from vatl_core.estimation.scored import condensed, scored

__all__ = [
    "Crops",
    "Estimates",
    "JoinedCrops",
    "Numbers",
    "ahead",
    "allowance_of",
    "check_finite",
    "condensed",
    "estimate",
    "loaded",
    "maps_of",
    "names_of",
    "opinion_of",
    "outcomes_of",
    "read",
    "retrained",
    "score_pool",
    "scored",
]

"""The one pass of a cycle: crops, forward pass, decoding, scores."""

from __future__ import annotations

from vatl_core.estimation.crops import Crops, ahead
from vatl_core.estimation.estimates import Estimates
from vatl_core.estimation.further_passes import FurtherPasses
from vatl_core.estimation.one_pass import estimate, refined, score_pool, tracks_of

__all__ = ["Crops", "Estimates", "FurtherPasses", "ahead", "estimate", "refined", "score_pool", "tracks_of"]

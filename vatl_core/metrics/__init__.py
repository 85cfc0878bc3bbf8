"""How good poses are."""

from __future__ import annotations

from vatl_core.metrics.evaluation import Accuracy, evaluate, true_poses
from vatl_core.metrics.learning_curve import alc
from vatl_core.metrics.similarity import PosesInFrames, measured_oks, oks

__all__ = ["Accuracy", "PosesInFrames", "alc", "evaluate", "measured_oks", "oks", "true_poses"]

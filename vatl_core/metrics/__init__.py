"""How good poses are."""

from __future__ import annotations

from vatl_core.metrics.accuracy import Accuracy
from vatl_core.metrics.average_precision import Poses, alc, measured_oks, oks
from vatl_core.metrics.correlation import ranks
from vatl_core.metrics.evaluation import evaluate, true_poses
from vatl_core.metrics.pck import SHARE

__all__ = ["SHARE", "Accuracy", "Poses", "alc", "evaluate", "measured_oks", "oks", "ranks", "true_poses"]

"""Fitting an estimator to labelled instances."""

from __future__ import annotations

from vatl_core.learning.optimisation import steps_of
from vatl_core.learning.training import MARGIN, GradientDescent, Training, mirror

__all__ = ["MARGIN", "GradientDescent", "Training", "mirror", "steps_of"]

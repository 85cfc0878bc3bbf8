"""Fitting an estimator to labelled instances."""

from __future__ import annotations

from vatl_core.learning.augmentation import Augmentation
from vatl_core.learning.team import Team, joined, leading
from vatl_core.learning.training import MARGIN, Fitting, Labelled, Recipe, Trainer

__all__ = ["MARGIN", "Augmentation", "Fitting", "Labelled", "Recipe", "Team", "Trainer", "joined", "leading"]

"""Random changes of training crops."""

from __future__ import annotations

from vatl_augmentation.crops import LEVELS, CropAugmentation
from vatl_augmentation.fitting import fitting_level

__all__ = ["LEVELS", "CropAugmentation", "fitting_level"]

"""Random changes of training crops."""

from __future__ import annotations

from vatl_augmentation.crops import LEVELS, CropAugmentation
from vatl_augmentation.fitting import alignment, fitting_level

__all__ = ["LEVELS", "CropAugmentation", "alignment", "fitting_level"]

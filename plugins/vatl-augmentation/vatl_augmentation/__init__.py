"""Random changes of training crops."""

from __future__ import annotations

from vatl_augmentation.crops import LEVELS, CropAugmentation

__all__ = ["LEVELS", "CropAugmentation"]

"""Weights as files, and what criteria learnt before a run."""

from __future__ import annotations

from vatl_core.weights.checkpoints import (  # isort: skip
    BUT_FOR_BACKBONE, GIVEN, RANDOM, Checkpoint, PreTrained, check_fit, is_random, load_checkpoint, read_checkpoint,
    read_pretrained, save_checkpoint,
)  # fmt: skip

__all__ = [
    "BUT_FOR_BACKBONE", "GIVEN", "RANDOM", "Checkpoint", "PreTrained", "check_fit", "is_random", "load_checkpoint",
    "read_checkpoint", "read_pretrained", "save_checkpoint",
]  # fmt: skip

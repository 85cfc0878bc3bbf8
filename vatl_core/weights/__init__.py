"""Weights: where they come from, how they are read and written."""

from __future__ import annotations

from vatl_core.weights.checkpoints import Checkpoint, read_checkpoint, save_checkpoint
from vatl_core.weights.downloads import fetch
from vatl_core.weights.loading import STEP_COUNTER, load_checkpoint
from vatl_core.weights.pretrained import PreTrained, PreTrainedFor, begin_pretrained, find_pretrained, read_pretrained
from vatl_core.weights.sources import GIVEN, begin_with, is_random

__all__ = [
    "GIVEN", "STEP_COUNTER", "Checkpoint", "PreTrained", "PreTrainedFor", "begin_pretrained", "begin_with", "fetch",
    "find_pretrained", "is_random", "load_checkpoint", "read_checkpoint", "read_pretrained", "save_checkpoint",
]  # fmt: skip

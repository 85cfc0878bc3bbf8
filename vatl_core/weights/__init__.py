"""Weights: where they come from, how they are read and written."""

from __future__ import annotations

from vatl_core.weights.downloads import fetch
from vatl_core.weights.pretrained import Learnt, Purpose
from vatl_core.weights.sources import GIVEN, begin_with, is_random

__all__ = ["GIVEN", "Learnt", "Purpose", "begin_with", "fetch", "is_random"]

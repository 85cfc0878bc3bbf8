"""A run on disk."""

from __future__ import annotations

from vatl_core.store.answers import EVER, Answers, GivenLabel
from vatl_core.store.folder import RunFolder

__all__ = ["EVER", "Answers", "GivenLabel", "RunFolder"]

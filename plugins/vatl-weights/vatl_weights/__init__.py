"""Which weights a run begins with, and how they come into a network. Names are imported when first used."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vatl_weights.downloads import fetch
    from vatl_weights.foreign import IMAGENET, Download, Origin, Trunk, known_weights, trunk_of
    from vatl_weights.loading import STEP_COUNTER, load_weights
    from vatl_weights.reading import read_weights
    from vatl_weights.sources import begin_with, find_weights

_HOME = {
    "IMAGENET": "foreign",
    "Download": "foreign",
    "Origin": "foreign",
    "STEP_COUNTER": "loading",
    "Trunk": "foreign",
    "begin_with": "sources",
    "fetch": "downloads",
    "find_weights": "sources",
    "known_weights": "foreign",
    "load_weights": "loading",
    "read_weights": "reading",
    "trunk_of": "foreign",
}

__all__ = [
    "IMAGENET", "STEP_COUNTER", "Download", "Origin", "Trunk", "begin_with", "fetch", "find_weights", "known_weights",
    "load_weights", "read_weights", "trunk_of",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'vatl_weights' has no attribute '{name}'")
    return getattr(importlib.import_module(f"vatl_weights.{_HOME[name]}"), name)

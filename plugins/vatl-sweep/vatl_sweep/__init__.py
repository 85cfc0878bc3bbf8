"""Many runs as one experiment: what they are, where they are kept, carrying them out, what came of them.

Names are imported when first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vatl_sweep.execution import carry_out
    from vatl_sweep.folder import SweepFolder, settings_of
    from vatl_sweep.plan import Plan, SweepRun, grid_of, plan_of
    from vatl_sweep.progress import Watch

_HOME = {
    "Plan": "plan",
    "SweepFolder": "folder",
    "SweepRun": "plan",
    "Watch": "progress",
    "carry_out": "execution",
    "grid_of": "plan",
    "plan_of": "plan",
    "settings_of": "folder",
}

__all__ = ["Plan", "SweepFolder", "SweepRun", "Watch", "carry_out", "grid_of", "plan_of", "settings_of"]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'vatl_sweep' has no attribute '{name}'")
    return getattr(importlib.import_module(f"vatl_sweep.{_HOME[name]}"), name)

"""vatl: video-specific active transfer learning of pose estimation. Public names are imported when first used."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vatl_core.contracts import (  # isort: skip
        Augmentation, Criterion, Dataset, Enough, Estimator, Executor, Labelled, Labels, Maps, Network, Normalisation,
        Oracle, Outcome, Pictures, Pool, Poses, Recipe, Redrawn, Refined, Refinement, Refusal, Request, Retraining,
        Selector, Stopping, Tracks, Trainer, Unlabelled, Window,
    )  # fmt: skip
    from vatl_core.cycle import Cycle, Run
    from vatl_core.errors import InputError, PluginError, VatlError
    from vatl_core.hookspecs import hookimpl
    from vatl_core.plugins import Command, Component, Preset, Section
    from vatl_core.records import CycleRecord, History, RunRecord
    from vatl_core.run import PastRun, resume, start
    from vatl_core.video import PERSON_17, Frames, Instances, Skeleton, Video

_DOORS = ("errors", "hookspecs", "plugins", "records", "video", "contracts", "cycle", "run")
"""The packages that the names come from, from the bottom up: none imports more than the names in it need anyway."""

__all__ = [
    "PERSON_17", "Augmentation", "Command", "Component", "Criterion", "Cycle", "CycleRecord", "Dataset", "Enough",
    "Estimator", "Executor", "Frames", "History", "InputError", "Instances", "Labelled", "Labels", "Maps", "Network",
    "Normalisation", "Oracle", "Outcome", "PastRun", "Pictures", "PluginError", "Pool", "Poses", "Preset", "Recipe",
    "Redrawn", "Refined", "Refinement", "Refusal", "Request", "Retraining", "Run", "RunRecord", "Section", "Selector",
    "Skeleton", "Stopping", "Tracks", "Trainer", "Unlabelled", "VatlError", "Video", "Window", "hookimpl", "resume",
    "start",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    for door in _DOORS if name in __all__ else ():
        module = importlib.import_module(f"vatl_core.{door}")
        if hasattr(module, name):
            return getattr(module, name)
    raise AttributeError(f"module 'vatl_core' has no attribute '{name}'")

"""vatl: video-specific active transfer learning of pose estimation. Public names are imported when first used."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vatl_core.contracts import (
        Augmentation,
        Criterion,
        Dataset,
        Download,
        Enough,
        Estimator,
        Executor,
        Labelled,
        Labels,
        Maps,
        Normalisation,
        Oracle,
        Origin,
        Outcome,
        Pictures,
        Pool,
        Poses,
        Recipe,
        Redrawn,
        Refusal,
        Request,
        Retraining,
        Selector,
        Stopping,
        Trainer,
        Trunk,
        Unlabelled,
        Window,
    )
    from vatl_core.cycle import Cycle, Run
    from vatl_core.errors import InputError, PluginError, VatlError
    from vatl_core.hookspecs import hookimpl
    from vatl_core.plugins import Command, Component, Preset
    from vatl_core.records import CycleRecord, History, RunRecord
    from vatl_core.run import PastRun, resume, start
    from vatl_core.video import PERSON_17, Frames, Instances, Skeleton, Video

_HOMES = {
    "contracts": "Augmentation Criterion Dataset Download Enough Estimator Executor Labelled Labels Maps Normalisation "
    "Oracle Origin Outcome Pictures Pool Poses Recipe Redrawn Refusal Request Retraining Selector Stopping "
    "Trainer Trunk Unlabelled Window",
    "cycle": "Cycle Run",
    "errors": "InputError PluginError VatlError",
    "hookspecs": "hookimpl",
    "plugins": "Command Component Preset",
    "records": "CycleRecord History RunRecord",
    "run": "PastRun resume start",
    "video": "PERSON_17 Frames Instances Skeleton Video",
}
_HOME = {name: module for module, names in _HOMES.items() for name in names.split()}

__all__ = [
    "PERSON_17", "Augmentation", "Command", "Component", "Criterion", "Cycle", "CycleRecord", "Dataset",
    "Download", "Enough", "Estimator", "Executor", "Frames", "History", "InputError", "Instances", "Labelled",
    "Labels", "Maps", "Normalisation", "Oracle", "Origin", "Outcome", "PastRun", "Pictures", "PluginError",
    "Pool", "Poses", "Preset", "Recipe", "Redrawn", "Refusal", "Request", "Retraining", "Run", "RunRecord",
    "Selector", "Skeleton", "Stopping", "Trainer", "Trunk", "Unlabelled", "VatlError", "Video",
    "Window", "hookimpl", "resume", "start",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'vatl_core' has no attribute '{name}'")
    return getattr(importlib.import_module(f"vatl_core.{_HOME[name]}"), name)

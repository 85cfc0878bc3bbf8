"""A run carried on by some of its cycles: whether it goes on is decided by what they came to."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from vatl_core.config import RunConfig
from vatl_core.cycle import Run
from vatl_core.discovery import discover
from vatl_core.run import begin, take_up
from vatl_core.store import RunFolder

PATIENCE: Final = 180.0
"""Seconds to wait for a machine that was lost: shared storage takes that long to free its lock."""


def step_to(config: RunConfig, cycles: int) -> Path:
    """Begin a run or take it up, and leave it once so many of its cycles are finished. Return its directory.

    What :func:`vatl_core.run.execute` makes of it afterwards is what it would have made of it at once.
    """
    run = _run(config)
    try:
        if len(run.records) < cycles:
            for cycle in run:
                if not cycle.retrain().closes and cycle.number + 1 >= cycles:
                    break
    finally:
        run.folder.unlock()
    return config.path


def _run(config: RunConfig) -> Run:
    """Its folder is locked."""
    registry = discover()
    if not (config.path / "config.toml").is_file():
        return begin(config, registry)
    folder = RunFolder.open(config.path)
    folder.lock(PATIENCE)
    return take_up(folder, registry, trust=True)  # the settings are the caller's own

"""Runs from the outside: making their parts, beginning, resuming, looking back."""

from __future__ import annotations

from vatl_core.run.composing import resume, start
from vatl_core.run.past import PastRun, move_data
from vatl_core.run.preparation import decoded
from vatl_core.run.running import begin, execute, refuse_exposed, take_up

__all__ = ["PastRun", "begin", "decoded", "execute", "move_data", "refuse_exposed", "resume", "start", "take_up"]

"""Runs from the outside: making their parts, beginning, resuming, looking back."""

from __future__ import annotations

from vatl_core.run.composing import compose, resume, start
from vatl_core.run.past import PastRun
from vatl_core.run.running import carry_out, finish

__all__ = ["PastRun", "carry_out", "compose", "finish", "resume", "start"]

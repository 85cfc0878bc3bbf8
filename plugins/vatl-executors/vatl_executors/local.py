"""Runs in the present process."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

import attrs

from vatl_core.contracts import Executor

T = TypeVar("T")
R = TypeVar("R")


@attrs.frozen
class Local(Executor):
    """One run after the other, in this process."""

    def map(self, work: Callable[[T], R], runs: Sequence[T]) -> Iterable[R]:
        """Results as they come."""
        return map(work, runs)

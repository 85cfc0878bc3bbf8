"""Where runs are carried out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Sequence
from typing import TypeVar

from vatl_core.outcomes import Outcome

T = TypeVar("T")
R = TypeVar("R")


class Executor(ABC):
    """Where runs are carried out."""

    @abstractmethod
    def map(self, work: Callable[[T], R], runs: Sequence[T]) -> Generator[Outcome[R], None, None]:
        """``work`` done on each of ``runs``; what came of each, as it comes: the first to end need not be the first.

        A run that fails is an outcome and ends nothing else. Closing the generator ends what is under way. Where a
        process dies, its work may be done again from the beginning: work takes its run up where it was left.

        Args:
            work: importable by its name, so that another process can be sent it.
            runs: what it is called with; can be pickled.

        Raises:
            InputError: runs cannot be carried out there at all.
        """

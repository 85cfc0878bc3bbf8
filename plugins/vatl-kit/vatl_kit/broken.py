"""How a broken promise is told: what was expected, what came, and what to do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from vatl_core.plugins import describe


class BrokenContract(AssertionError):  # noqa: N818 - it is what it says
    """A component does not keep what its contract promises.

    Attributes:
        promise: what it should do, as a statement.
        expected, came: what would have been right, and what was found.
        remedy: what to do about it.
    """

    def __init__(self, promise: str, expected: str, came: str, remedy: str) -> None:
        super().__init__(f"{promise}: expected {expected}; came {came}: {remedy}")
        self.promise, self.expected, self.came, self.remedy = promise, expected, came, remedy

    def told(self) -> str:
        """On a line each."""
        return f"{self.promise}\n  expected: {self.expected}\n  came:     {self.came}\n  to do:    {self.remedy}"


def promise(kept: object, what: str, expected: object, came: object, remedy: str) -> None:
    """Hold a component to what it promises.

    Raises:
        BrokenContract: it is not ``kept``.
    """
    __tracebackhide__ = True
    if not kept:
        raise BrokenContract(what, str(expected), str(came), remedy)


@contextmanager
def going_on(what: str, remedy: str = "see the traceback below, and catch or avoid it") -> Iterator[None]:
    """Whatever a component raises within breaks its contract: ``what`` says what it was asked to do."""
    __tracebackhide__ = True
    try:
        yield
    except (BrokenContract, KeyboardInterrupt):
        raise
    except Exception as error:  # a stranger's code: it may raise anything
        raise BrokenContract(what, "no error", describe(error), remedy) from error

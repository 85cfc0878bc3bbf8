"""What stopping criteria say, held to their contract: why to stop, and how many labels may still be asked for."""

from __future__ import annotations

from collections.abc import Callable
from numbers import Integral
from typing import TypeVar

from vatl_core.contracts import Stopping
from vatl_core.errors import PluginError, VatlError
from vatl_core.plugins import culprit, describe, whose
from vatl_core.records import History

T = TypeVar("T")


def opinion_of(name: str, stopping: Stopping, history: History) -> str | None:
    """Why the stopping criterion of this name would stop, or None.

    Raises:
        PluginError: it fails, or gives no text.
    """
    reason = _asked(name, stopping, stopping.decide, history)
    if not isinstance(reason, str | None):
        raise _breach(name, stopping, f"decided {reason!r}: a line of text that says why, or None, is expected")
    return reason


def allowance_of(name: str, stopping: Stopping, history: History) -> int | None:
    """How many labels the stopping criterion of this name still allows; None for any number.

    Raises:
        PluginError: it fails, or gives no whole number.
    """
    allowed = _asked(name, stopping, stopping.allowance, history)
    if allowed is None:
        return None
    if not isinstance(allowed, Integral) or isinstance(allowed, bool):
        raise _breach(name, stopping, f"allows {allowed!r} labels: a whole number, or None for any, is expected")
    return int(allowed)


def _asked(name: str, stopping: Stopping, question: Callable[[History], T], history: History) -> T:
    try:
        return question(history)
    except VatlError:
        raise
    except Exception as error:  # a stranger's code: whatever it raises, it is to be known whose it was
        raise PluginError(
            f"stopping criterion '{name}' failed: {describe(error)}{culprit(error) or whose(stopping)}"
        ) from error


def _breach(name: str, stopping: Stopping, flaw: str) -> PluginError:
    return PluginError(f"stopping criterion '{name}' {flaw}{whose(stopping)}")


__all__ = ["allowance_of", "opinion_of"]

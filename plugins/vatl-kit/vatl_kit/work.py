"""Work for executors under test; imported by every process that is sent it, so without anything heavy."""

from __future__ import annotations

from vatl_core.errors import InputError


def double(number: int) -> int:
    """Twice a number.

    Raises:
        InputError: it is negative.
    """
    if number < 0:
        raise InputError(f"{number} is negative")
    return 2 * number

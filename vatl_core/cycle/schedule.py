"""How many labels to ask for, cycle by cycle."""

from __future__ import annotations

from vatl_core.errors import InputError

ONE_BY_ONE = "one-by-one"


def amounts(schedule: tuple[str, ...], instances: int) -> list[int]:
    """A schedule as cumulative numbers of labels, rising, each at most ``instances``.

    Raises:
        InputError: an entry that is no fraction in (0, 1], no count and not ``one-by-one``.
    """
    if schedule == (ONE_BY_ONE,):
        return list(range(1, instances + 1))
    return sorted({_amount(entry, instances) for entry in schedule})


def _amount(entry: str, instances: int) -> int:
    try:
        count = max(1, round(_fraction(entry) * instances)) if "." in entry else int(entry)
    except ValueError as error:
        forms = "a fraction such as 0.05, nor a count such as 30, nor one-by-one"
        raise InputError(f"--schedule: '{entry}' is neither {forms}") from error
    if count < 1:
        raise InputError(f"--schedule: '{entry}' asks for nothing")
    return min(count, instances)


def _fraction(entry: str) -> float:
    value = float(entry)
    if not 0 < value <= 1:
        raise ValueError("a fraction is expected")
    return value

"""The objects in one of a JSON file's lists, read as columns; what is wrong with one is said by its id."""

from __future__ import annotations

import reprlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

import attrs
import numpy as np
from numpy.typing import NDArray

from vatl_core.errors import InputError

Id = int | str
Numbers = NDArray[np.float64]
Indices = NDArray[np.int64]
Mask = NDArray[np.bool_]

LARGEST: Final = 2.0**24
"""Where float32 stops telling neighbouring pixels apart: what lies beyond is no pixel."""


@attrs.frozen
class Rows:
    """n JSON objects of one kind.

    A field that is null counts as absent. Every method that reads a column raises InputError for the first object
    whose value cannot be used, and names the file, the object and the value.

    Attributes:
        path: the file they stand in.
        kind: what one of them is called in messages.
        objects: the n objects.
    """

    path: Path
    kind: str
    objects: Sequence[dict[str, Any]]

    @classmethod
    def listed(cls, path: Path, field: str, value: object, kind: str = "") -> Rows:
        """The list of objects that stands in ``field``; an absent one is empty.

        Args:
            path: the file.
            field: its name, for messages.
            value: what stands there.
            kind: what one of the objects is called; the field without its plural s if empty.
        """
        objects = [] if value is None else value
        if not isinstance(objects, list):
            raise InputError(f"{path}: {field} must be a list of objects")
        for position, row in enumerate(objects):
            if not isinstance(row, dict):
                raise InputError(
                    f"{path}: no. {position + 1} of {field} is no object: {field} must be a list of objects"
                )
        return cls(path, kind or field[:-1], objects)

    def __len__(self) -> int:
        return len(self.objects)

    def error(self, position: int, problem: str) -> InputError:
        """The error for the object at ``position``; ``problem`` continues a sentence that begins with its name."""
        name = self.objects[position].get("id")
        called = f"no. {position + 1} of the list" if name is None else reprlib.repr(name)
        return InputError(f"{self.path}: {self.kind} {called} {problem}")

    def take(self, positions: Iterable[int]) -> Rows:
        """The objects at these positions."""
        return attrs.evolve(self, objects=[self.objects[i] for i in positions])

    def without_empty(self, field: str) -> Rows:
        """The same objects; ``field`` is absent where it is an empty list, which tells nothing either."""
        return attrs.evolve(
            self, objects=[row | {field: None} if row.get(field) == [] else row for row in self.objects]
        )

    def ids(self, field: str = "id") -> list[Id]:
        """A column of n whole numbers or strings."""
        values = self.ids_or_none(field)
        for position, value in enumerate(values):
            if value is None:
                raise self.error(position, f"has no {field}: give it one")
        return [value for value in values if value is not None]

    def ids_or_none(self, field: str) -> list[Id | None]:
        """A column of n whole numbers or strings, None where the field is absent."""
        values = [row.get(field) for row in self.objects]
        return [self._id(i, field, value) for i, value in enumerate(values)]

    def _id(self, position: int, field: str, value: object) -> Id | None:
        if value is None or type(value) is int or isinstance(value, str):
            return value
        if isinstance(value, float) and value.is_integer():  # tables with gaps are written as 3.0
            return int(value)
        raise self.error(position, f"has {field} {reprlib.repr(value)}: it must be a whole number or a string")

    def unique_ids(self) -> list[Id]:
        """The column ``id``, n different ones."""
        values = self.ids()
        if len(set(map(str, values))) < len(values):
            seen: set[str] = set()
            for position, value in enumerate(map(str, values)):
                if value in seen:
                    raise self.error(position, "is there twice: give each its own id")
                seen.add(value)
        return values

    def whole_numbers_or_none(self, field: str) -> list[int | None]:
        """A column of n whole numbers from 0 on, None where the field is absent."""
        values: list[int | None] = []
        for position, value in enumerate(self.ids_or_none(field)):
            if isinstance(value, str) or (value is not None and not 0 <= value < 2**53):
                raise self.error(position, f"has {field} {reprlib.repr(value)}: it must be a whole number from 0 on")
            values.append(value)
        return values

    def texts(self, field: str) -> list[str]:
        """A column of n strings that are not empty."""
        values = [row.get(field) for row in self.objects]
        for position, value in enumerate(values):
            if not isinstance(value, str) or not value:
                raise self.error(position, f"has {field} {reprlib.repr(value)}: it must be a text")
        return [str(value) for value in values]

    def flags(self, field: str) -> Mask:
        """A column of n yes or no, (n,): 1 or 0, true or false; no where the field is absent."""
        values = [row.get(field) for row in self.objects]
        for position, value in enumerate(values):
            if value is not None and value not in (0, 1):
                raise self.error(position, f"has {field} {reprlib.repr(value)}: it must be 0 or 1")
        return np.array([bool(value) for value in values], dtype=np.bool_)

    def pixels(self, field: str) -> Numbers:
        """A column of n numbers of pixels, (n,), 0 where the field is absent."""
        values = [0 if value is None else value for value in (row.get(field) for row in self.objects)]
        for position, value in enumerate(values):
            if type(value) not in (int, float):
                raise self.error(position, f"has {field} {reprlib.repr(value)}: it must be a number")
        return self._in_pixels(field, [[value] for value in values], 1)[:, 0]

    def pixel_lists(self, field: str, width: int, expected: str) -> tuple[Numbers, Mask]:
        """A column of lists of ``width`` numbers: (n, width), zeros where absent, and (n,) whether each is there.

        Args:
            field: which.
            width: how many numbers each list has.
            expected: what the list must be, for the message.
        """
        values = [row.get(field) for row in self.objects]
        for position, value in enumerate(values):
            if value is not None and (flaw := _flaw(value, width)):
                raise self.error(position, f"has {field} with {flaw}: it must be {expected}")
        numbers = self._in_pixels(field, [[0] * width if value is None else value for value in values], width)
        return numbers, np.array([value is not None for value in values], dtype=np.bool_)

    def _in_pixels(self, field: str, values: list[list[float]], width: int) -> Numbers:
        numbers = _floats(values).reshape(-1, width)
        wrong = ~(np.abs(numbers) <= LARGEST)  # true for NaN, too
        if wrong.any():
            position, place = (int(i) for i in np.argwhere(wrong)[0])
            value = reprlib.repr(values[position][place])
            raise self.error(position, f"has {value} in its {field}, which is no number of pixels: correct it")
        return numbers


def _flaw(value: object, width: int) -> str | None:
    """What keeps ``value`` from being a list of ``width`` numbers."""
    if not isinstance(value, list):
        return f"value {reprlib.repr(value)}"
    if not set(map(type, value)) <= {int, float}:
        wrong = next(number for number in value if type(number) not in (int, float))
        return f"{reprlib.repr(wrong)} among its numbers"
    return None if len(value) == width else f"{len(value)} numbers"


def _floats(values: list[list[float]]) -> Numbers:
    """``values`` as float64; whole numbers too large for it become infinite."""
    try:
        return np.array(values, dtype=np.float64)
    except OverflowError:
        return np.array([[_float(number) for number in row] for row in values], dtype=np.float64)


def _float(number: float) -> float:
    try:
        return float(number)
    except OverflowError:
        return float("inf")

"""Which annotations of a file are kept, and why the others are not."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import attrs
import numpy as np

from vatl_core.errors import InputError
from vatl_formats.rows import Id, Indices, Mask, Numbers


@attrs.define
class Sieve:
    """Which of n annotations are left, and why the others are not.

    Attributes:
        kept: (n,) bool.
        dropped: ``{reason: count}``; an annotation counts for the first reason that it falls to.
        lenient: whether what is broken falls like what is merely of no use.
    """

    kept: Mask
    dropped: dict[str, int]
    lenient: bool = False

    @classmethod
    def of(cls, count: int, dropped: dict[str, int], lenient: bool = False) -> Sieve:
        """One with ``count`` annotations in it, which goes on counting in ``dropped``."""
        return cls(np.ones(count, dtype=np.bool_), dropped, lenient)

    @property
    def left(self) -> Indices:
        """The indices of those that are still there."""
        return np.flatnonzero(self.kept)

    def drop(self, falling: Mask, reason: str) -> None:
        """Drop those of (n,) ``falling`` that are still there."""
        count = int((self.kept & falling).sum())
        if count:
            self.dropped[reason] = self.dropped.get(reason, 0) + count
        self.kept &= ~falling

    def refuse(self, falling: Mask, reason: str, error: Callable[[int], InputError]) -> None:
        """Drop those that are broken if this sieve is lenient.

        Args:
            falling: (n,).
            reason: to count them by.
            error: what to raise, from the index of the first that is still there, if it is not lenient.
        """
        broken = np.flatnonzero(self.kept & falling)
        if len(broken) and not self.lenient:
            raise error(int(broken[0]))
        self.drop(falling, reason)


def numbered(ids: Iterable[Id]) -> dict[Id, int]:
    """A number for each id: the ids themselves where all are numbers, else counted in order of appearance."""
    different = list(dict.fromkeys(ids))
    plain: dict[Id, int] = {name: name for name in different if isinstance(name, int) and abs(name) < 2**53}
    return plain if len(plain) == len(different) else {name: i for i, name in enumerate(different)}


def kinds(ids: Iterable[Id]) -> Indices:
    """(n,) numbers that are the same for ids that read the same: 7 and "7"."""
    seen: dict[str, int] = {}
    return np.array([seen.setdefault(str(name), len(seen)) for name in ids], dtype=np.int64)


def alike(numbers: Numbers) -> Indices:
    """(n,) numbers that are the same for rows of (n, m) ``numbers`` that are the same."""
    if not len(numbers):
        return np.zeros(0, dtype=np.int64)
    return np.unique(numbers, axis=0, return_inverse=True)[1].reshape(-1).astype(np.int64)


def again(*columns: Indices) -> Mask:
    """(n,) whether the same values stand in (n,) ``columns`` further up."""
    _, first = np.unique(np.stack(columns, axis=1), axis=0, return_index=True)
    repeated = np.ones(len(columns[0]), dtype=np.bool_)
    repeated[first] = False
    return repeated


def clipped(boxes: Numbers, width: float, height: float) -> Numbers:
    """(n, 4) boxes x, y, w, h without what lies outside of the picture; w or h is 0 where nothing is left."""
    limit = np.array([width, height], dtype=np.float64)
    low, high = boxes[:, :2].clip(0, limit), (boxes[:, :2] + boxes[:, 2:]).clip(0, limit)
    return np.concatenate([low, (high - low).clip(0)], axis=1)

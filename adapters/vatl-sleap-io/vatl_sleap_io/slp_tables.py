"""The tables of a SLEAP project, held to each other.

They refer to each other by position, and sleap-io takes what stands there: a row too few puts all that follow on other
frames.
"""

from __future__ import annotations

from pathlib import Path

import attrs
import h5py
import numpy as np
from numpy.typing import NDArray

from vatl_core.errors import InputError

Column = NDArray[np.float64]


@attrs.frozen(eq=False)
class Tables:
    """What is compared, a column each; the I instances are of F frames.

    Attributes:
        frame, first, last: (F,) the frames' ids, and the range of instances that belong to each.
        instance, kind, owner, track: (I,) the instances' ids, whether a user's (0) or a program's (1), the id of the
            frame, and the place of the track (−1 for none).
    """

    frame: Column
    first: Column
    last: Column
    instance: Column
    kind: Column
    owner: Column
    track: Column

    @classmethod
    def read(cls, path: Path) -> Tables:
        """Those of a file that sleap-io has read."""
        with h5py.File(path) as file:
            frames, instances = (_columns(file[name]) for name in ("frames", "instances"))
        (frame, _, _, first, last), (instance, kind, owner, _, track, *_) = frames, instances
        return cls(frame, first, last, instance, kind, owner, track)

    def contradiction(self) -> str | None:
        """What does not fit, if anything."""
        if not np.array_equal(self.instance, np.arange(len(self.instance))):
            return "instances are not numbered as they stand"
        if not np.isin(self.kind, (0, 1)).all() or (self.track < -1).any():
            return "an instance is neither a user's nor a prediction, or has no possible track"
        if not self._is_shared_out():
            return "instances belong to no frame, to several, or to another than they say"
        return None

    def _is_shared_out(self) -> bool:
        """Whether each instance belongs to one frame, the one that it names."""
        filled = np.flatnonzero(self.last != self.first)
        order = filled[np.argsort(self.first[filled], kind="stable")]
        edges = [0, *self.last[order].tolist()]
        if edges[:-1] != self.first[order].tolist() or edges[-1] != len(self.instance) or edges != sorted(edges):
            return False
        return np.array_equal(np.repeat(self.frame[order], np.diff(edges).astype(int)), self.owner)


def refuse_contradictions(path: Path) -> None:
    """Make sure that the tables of a project that sleap-io has read fit each other.

    Raises:
        InputError: they do not.
    """
    if contradiction := Tables.read(path).contradiction():
        raise InputError(f"{path}: its tables contradict each other ({contradiction}): is it complete? Export it again")


def _columns(table: h5py.Dataset) -> list[Column]:
    """The columns in order; programs in browsers write them without names, all as floats."""
    rows = table[:]
    columns = [rows[name] for name in rows.dtype.names] if rows.dtype.names else list(rows.T)
    return [np.asarray(column, dtype=np.float64) for column in columns]

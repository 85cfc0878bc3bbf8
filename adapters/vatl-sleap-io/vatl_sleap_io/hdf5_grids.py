"""Tables that pandas keeps in HDF5 files, as DeepLabCut does.

They are read without pandas and PyTables: those run whatever program a file holds in its attributes, which are pickled.
"""

from __future__ import annotations

import io
import pickle
from pathlib import Path
from typing import Any, Final

import h5py
import numpy as np
from numpy.typing import NDArray

from vatl_sleap_io.grids import Grid

KINDS: Final = ("frame", "frame_table")
"""What pandas calls its two layouts."""

Names = list[tuple[str, ...]]


class _Plain(pickle.Unpickler):
    """Lists, tuples, texts and numbers, and nothing that could be run."""

    def find_class(self, module: str, name: str) -> Any:
        raise ValueError(f"it holds {module}.{name} where texts are expected")


def read_hdf5(path: Path) -> Grid | None:
    """The table in an HDF5 file; None where pandas wrote none.

    Raises:
        ValueError: there are several, or cells that hold no numbers.
        OSError: the file is none, or damaged.
    """
    with h5py.File(path) as file:
        found = [group for group in file.values() if _text(group.attrs.get("pandas_type", "")) in KINDS]
        if len(found) > 1:
            raise ValueError(f"it holds {len(found)} tables: {', '.join(group.name for group in found)}")
        return _grid(found[0]) if found else None


def _grid(group: h5py.Group) -> Grid:
    return _rows(group) if "table" in group else _blocks(group)


def _blocks(group: h5py.Group) -> Grid:
    """Of the layout that pandas calls fixed: columns of one type lie together in a block."""
    columns, index = _names(group, "axis0"), _names(group, "axis1")
    levels = [_text(group[f"axis0_level{n}"].attrs["name"]) for n in range(len(columns[0]))]
    blocks = range(int(group.attrs["nblocks"]))
    parts = [(_names(group, f"block{b}_items"), group[f"block{b}_values"][()]) for b in blocks]
    return Grid(levels, columns, index, _joined(columns, parts, len(index)))


def _rows(group: h5py.Group) -> Grid:
    """Of the layout that pandas calls table: rows lie together."""
    table, attributes = group["table"], group["table"].attrs
    columns: Names = _plain(group.attrs["non_index_axes"])[0][1]
    levels: list[str] = _plain(group.attrs["info"])[1]["names"]
    rows = table[()]
    parts = [(_plain(attributes[f"{name}_kind"]), rows[name]) for name in _plain(group.attrs["values_cols"])]
    index = [(_text(name),) for name in rows["index"].tolist()]
    return Grid(levels, columns, index, _joined(columns, parts, len(index)))


def _joined(columns: Names, parts: list[tuple[Names, NDArray[Any]]], count: int) -> NDArray[np.float64]:
    """(R, C) values from blocks (R, c) of some of the columns."""
    values = np.full((count, len(columns)), np.nan)
    place = {column: i for i, column in enumerate(columns)}
    for names, block in parts:
        if block.dtype.kind not in "fiu":
            raise ValueError(f"column {' '.join(names[0])} holds no numbers")
        values[:, [place[name] for name in names]] = block
    return values


def _names(group: h5py.Group, axis: str) -> Names:
    """The names along an axis: texts, or a place among those of each level."""
    if f"{axis}_nlevels" not in group.attrs:
        return [(_text(name),) for name in group[axis][()].tolist()]
    columns = []
    for level in range(int(group.attrs[f"{axis}_nlevels"])):
        names = [_text(name) for name in group[f"{axis}_level{level}"][()].tolist()]
        columns.append([names[code] if code >= 0 else "" for code in group[f"{axis}_label{level}"][()].tolist()])
    return list(zip(*columns, strict=True))


def _plain(value: object) -> Any:
    return _Plain(io.BytesIO(bytes(np.bytes_(value)))).load()


def _text(value: object) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)

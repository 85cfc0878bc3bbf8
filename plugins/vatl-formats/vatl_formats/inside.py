"""Files that a file names: below the folder that it speaks of, for others may have written it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from vatl_formats.rows import Rows


def refuse_outside(rows: Rows, names: Sequence[str], folder: Path, way_on: str, field: str = "file_name") -> None:
    """Refuse names that lead out of the folder that they start from, by ``..`` or as absolute paths.

    Links within the folder are whoever's who put them there, and are followed.

    Args:
        rows: n objects.
        names: n paths, as they are joined to ``folder``.
        folder: where they start from; need not be there.
        way_on: what else the user can do than correct the name, for the message.
        field: which names them, for the message.

    Raises:
        InputError: one leads out.
    """
    within = folder.absolute()
    for position, name in enumerate(names):
        if _leads_out(name, within):
            raise rows.error(position, f"has {field} {name!r}, which leads out of {folder}: correct it, or {way_on}")


def _leads_out(name: str, within: Path) -> bool:
    """Whether a path is none below the absolute path ``within``, which it starts from."""
    if ".." not in name and not Path(name).is_absolute():
        return False
    return not Path(os.path.normpath(within / name)).is_relative_to(os.path.normpath(within))

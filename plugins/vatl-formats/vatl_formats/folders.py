"""Folders that are written into: real ones, for a link leads to wherever whoever made it wants."""

from __future__ import annotations

from pathlib import Path

from vatl_core.errors import InputError


def real_folder(folder: Path, *below: str) -> Path:
    """A folder to write into, which need not be there yet.

    Args:
        folder: which.
        below: names of folders in it, one in the other, down to the one that is written into.

    Returns:
        The last of them.

    Raises:
        InputError: one of them is a symbolic link; nothing was written.
    """
    for name in ("", *below):
        folder = folder / name
        if folder.is_symlink():
            leads = f"{folder} is a symbolic link to {folder.readlink()}"
            raise InputError(f"{leads}: nothing is written through it; remove it, or give another folder as --out")
    return folder

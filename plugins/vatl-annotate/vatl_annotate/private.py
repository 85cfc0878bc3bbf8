"""Files that their owner alone can read."""

from __future__ import annotations

import html
from pathlib import Path
from typing import Final

from vatl_core.files import whole

_LEADING: Final = '<!doctype html><title>vatl</title><meta http-equiv="refresh" content="0; url={}">'


def write_private(file: Path, text: str) -> None:
    """Write a file that its owner alone can read."""
    with whole(file) as beside:
        beside.touch()
        beside.chmod(0o600)  # before anything is in it
        beside.write_text(text, "utf-8")


def lead(link: str, file: Path) -> str:
    """Have a file lead whoever opens it to a link that everybody could read on a browser's command line.

    Returns:
        The file's address.
    """
    write_private(file, _LEADING.format(html.escape(link)))
    return file.absolute().as_uri()

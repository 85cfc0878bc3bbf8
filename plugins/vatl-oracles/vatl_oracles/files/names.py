"""Names that come back from another program as they went: they are what an answer is recognised by."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

_UNWRITABLE: Final = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML cannot hold, or advises against."""


def clean(text: str) -> str:
    """The text with single spaces, none at its ends, and � for what XML cannot hold; never empty."""
    return " ".join(_UNWRITABLE.sub("\ufffd", text).split()) or "unnamed"


def told_apart(texts: Iterable[str]) -> tuple[str, ...]:
    """The texts cleaned; those that then are the same get their number, from 1, behind them."""
    names = [clean(text) for text in texts]
    while len(set(names)) < len(names):
        count = Counter(names)
        names = [name if count[name] == 1 else f"{name} #{i + 1}" for i, name in enumerate(names)]
    return tuple(names)


def listed(names: Sequence[str], most: int = 5) -> str:
    """The first few names, quoted, and how many more there are."""
    rest = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(f"'{name}'" for name in names[:most]) + rest

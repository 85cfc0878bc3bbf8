"""What a page may be called: the header Host, which whoever asks can write anything into."""

from __future__ import annotations

import re
from typing import Final

_PLACE: Final = re.compile(r"(?:\w[\w.-]*|\[[0-9a-f:.]+\])(?::(\d{1,5}))?", re.ASCII | re.IGNORECASE)


def is_place(host: str) -> bool:
    """Whether a header Host is a name or an address, with a port or without."""
    found = _PLACE.fullmatch(host)
    return found is not None and int(found[1] or 0) < 2**16

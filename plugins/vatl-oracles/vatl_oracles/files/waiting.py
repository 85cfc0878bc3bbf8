"""Waiting for a file that somebody is going to save."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

POLL: Final = 0.5
"""Seconds between two looks."""

Version = tuple[Path, int, int, int]
"""A file, when it was changed, its size and its number on the disk."""


def versions(places: Sequence[Path], minutes: float | None) -> Iterator[Path]:
    """Each version of a file, as it is found: first what is there, then whatever replaces it.

    A version counts when it has not changed from one look to the next, so that no half-saved file is read.

    Args:
        places: where it may be saved; where several are, the latest counts.
        minutes: after which no more comes; None waits without limit, 0 takes what is there.
    """
    end = float("inf") if minutes is None else time.monotonic() + 60 * minutes
    seen: Version | None = None
    before: Version | None = None
    while True:
        now = _latest(places)
        if now and now != seen and (now == before or minutes == 0):
            seen = now
            yield now[0]
        left = end - time.monotonic()
        if left <= 0:
            return
        before = now
        time.sleep(min(POLL, left))


def _latest(places: Sequence[Path]) -> Version | None:
    found = []
    for path in places:
        try:
            status = path.stat()
        except OSError:
            continue
        found.append((path, status.st_mtime_ns, status.st_size, status.st_ino))
    return max(found, key=lambda version: version[1], default=None)

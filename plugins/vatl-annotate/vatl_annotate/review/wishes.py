"""What the desk knows of a review: why its instances are looked at, and how the person wants to go on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import StrEnum

import attrs

from vatl_core.records import CycleRecord


class Wish(StrEnum):
    """How a review goes on."""

    LEARN = "learn"
    """Retrain from all labels, estimate anew, and look through the new estimates."""
    OTHERS = "others"
    """Look at the next suspicious instances."""
    END = "end"
    """Leave it at that."""


@attrs.define
class Review:
    """A finished run being looked through.

    Attributes:
        reasons: why an instance is worth a look, in words.
        records: of every cycle of the run, the closing pass last.
        wish: what to do when the queue is closed.
    """

    reasons: Callable[[int], tuple[str, ...]]
    records: Sequence[CycleRecord]
    wish: Wish

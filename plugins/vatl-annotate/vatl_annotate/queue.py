"""One cycle's query as a queue that several people work on at once; it knows no threads, no clock and no network."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import attrs

CLAIM: Final = 30.0
"""Seconds that an instance stays with a window that is not heard of."""


@attrs.define
class Place:
    """An instance in the queue.

    Attributes:
        instance: index.
        settled: whether it was labelled or refused.
        skipped: how often it was put aside.
        holder: the window that works on it; "" if none does.
        until: when the holder loses it.
    """

    instance: int
    settled: bool = False
    skipped: int = 0
    holder: str = ""
    until: float = 0.0

    def free_for(self, tab: str, now: float) -> bool:
        """Whether this window may take it."""
        return not self.settled and (self.holder in ("", tab) or self.until <= now)


@attrs.define
class Queue:
    """The instances of a query in the order of asking, and who works on which.

    Attributes:
        cycle: whose query it is.
        places: by instance, in order.
    """

    cycle: int
    places: dict[int, Place]

    @classmethod
    def of(cls, cycle: int, query: Iterable[int], open_ones: Iterable[int]) -> Queue:
        """A query of which ``open_ones`` have no answer yet."""
        left = set(open_ones)
        return cls(cycle, {i: Place(i, i not in left) for i in query})

    @property
    def left(self) -> int:
        """How many have no answer."""
        return sum(not place.settled for place in self.places.values())

    def position(self, instance: int) -> int:
        """Where an instance stands in the queue, from 0; the queue's end for one that is not of it."""
        return list(self.places).index(instance) if instance in self.places else len(self.places)

    def holds(self, instance: int) -> bool:
        """Whether it is of this queue."""
        return instance in self.places

    def is_open(self, instance: int) -> bool:
        """Whether it is of this queue and has no answer."""
        return instance in self.places and not self.places[instance].settled

    def is_with(self, instance: int, tab: str) -> bool:
        """Whether this window works on it; after an interruption nobody is known to, and any may say so."""
        place = self.places[instance]
        others = any(p.holder == tab for p in self.places.values())
        return not place.settled and (place.holder == tab or (not place.holder and not others))

    def ahead(self, tab: str, now: float) -> list[int]:
        """What this window may get, next first: what it holds, then the fresh ones, then those put aside."""
        free = [place for place in self.places.values() if place.free_for(tab, now)]
        return [place.instance for place in sorted(free, key=lambda p: (p.holder != tab, p.skipped))]

    def claim(self, tab: str, now: float) -> int | None:
        """Give this window the next instance; None where nothing is left for it."""
        coming = self.ahead(tab, now)
        if not coming:
            return None
        self.release(tab)
        place = self.places[coming[0]]
        place.holder, place.until = tab, now + CLAIM
        return place.instance

    def hold(self, tab: str, now: float) -> None:
        """This window has been heard of: it keeps what it holds."""
        for place in self.places.values():
            if place.holder == tab:
                place.until = now + CLAIM

    def release(self, tab: str) -> None:
        """This window holds nothing any more."""
        for place in self.places.values():
            if place.holder == tab:
                place.holder = ""

    def settle(self, instance: int) -> None:
        """It has its answer."""
        if instance in self.places:
            self.places[instance].settled = True
            self.places[instance].holder = ""

    def reopen(self, instance: int) -> None:
        """Its answer could not be kept."""
        if instance in self.places:
            self.places[instance].settled = False

    def put_aside(self, instance: int) -> bool:
        """Send it to the end of the queue; False where that was done before."""
        place = self.places[instance]
        place.skipped += 1
        place.holder = ""
        return place.skipped == 1

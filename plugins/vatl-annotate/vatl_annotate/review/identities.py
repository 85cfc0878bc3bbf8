"""Identities that the page puts right: kept before it is told so, and taken back one by one."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import attrs
from torch import Tensor

from vatl_annotate.submission import RefusedError
from vatl_core.video import Instances
from vatl_formats import IdentitySwap, read_swaps, swapped, write_swaps


@attrs.define(eq=False)
class Identities:
    """Which track each instance of a run is of.

    Attributes:
        folder: the run's directory, where the swaps are kept.
        instances: as the data set has them.
        swaps: what was swapped so far, in order.
        track: (N,) as it is with them.
    """

    folder: Path
    instances: Instances
    swaps: tuple[IdentitySwap, ...] = attrs.field()
    track: Tensor = attrs.field(init=False)
    _lock: threading.Lock = attrs.field(init=False, factory=threading.Lock)

    @swaps.default
    def _on_disk(self) -> tuple[IdentitySwap, ...]:
        return read_swaps(self.folder)

    @track.default
    def _after_them(self) -> Tensor:
        return swapped(self.instances.frame, self.instances.track, self.swaps)

    def swap(self, frame: int, tracks: tuple[int, int], annotator: str, known: int) -> None:
        """From this frame on, two tracks that are in it are each other's.

        Args:
            frame: of the video.
            tracks: the two, as they are called now.
            annotator: who says so.
            known: how many swaps whoever says so knows of; sent again, it is made once.

        Raises:
            RefusedError: they are not two tracks of the frame, or others have swapped meanwhile.
        """
        with self._lock:
            if len(self.swaps) == known + 1 and _same(self.swaps[-1], frame, tracks, annotator):
                return
            self._check_known(known)
            here = set(self.track[self.instances.frame == frame].tolist())
            if tracks[0] == tracks[1]:
                raise RefusedError(422, f"two tracks are swapped with each other: track {tracks[0]} is named twice")
            if strange := [track for track in tracks if track not in here]:
                raise RefusedError(422, f"track {strange[0]} is not in frame {frame}: only {sorted(here)} are")
            self._keep((*self.swaps, IdentitySwap(frame, tracks, annotator, time.time())))

    def take_back(self, known: int) -> None:
        """Undo the last swap.

        Raises:
            RefusedError: there is none, or others have swapped meanwhile.
        """
        with self._lock:
            if len(self.swaps) == known - 1:
                return
            self._check_known(known)
            if not self.swaps:
                raise RefusedError(409, "no identities were swapped: there is nothing to take back")
            self._keep(self.swaps[:-1])

    def _check_known(self, known: int) -> None:
        if known != len(self.swaps):
            raise RefusedError(409, "identities were swapped in another window meanwhile: look again")

    def _keep(self, swaps: tuple[IdentitySwap, ...]) -> None:
        write_swaps(self.folder, swaps)
        self.swaps, self.track = swaps, swapped(self.instances.frame, self.instances.track, swaps)


def _same(swap: IdentitySwap, frame: int, tracks: tuple[int, int], annotator: str) -> bool:
    return (swap.frame, swap.tracks, swap.annotator) == (frame, tracks, annotator)

"""Identities that a tracker mixed up, put right: from a frame on, two tracks go by each other's name."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import attrs
import torch
from torch import Tensor

from vatl_core.errors import InputError
from vatl_core.files import reading, write_whole
from vatl_core.records import converter, to_json
from vatl_core.video import Video, neighbours
from vatl_formats.json_files import read_json

IDENTITIES: Final = "identities.json"
"""File in a run's directory with the swaps, in the order in which they were made."""


@attrs.frozen
class IdentitySwap:
    """From a frame on two tracks are each other's.

    Attributes:
        frame: the first of which this is so, an index into the video's frames.
        tracks: the two, as they are called once every earlier swap is made.
        annotator: who says so.
        at: when, in seconds of the epoch.
    """

    frame: int
    tracks: tuple[int, int]
    annotator: str
    at: float


def read_swaps(run: Path) -> tuple[IdentitySwap, ...]:
    """The swaps that are kept in a run's directory, in order; none where nobody made any.

    Raises:
        InputError: the file is damaged.
    """
    if not (file := run / IDENTITIES).exists():
        return ()
    with reading(file, "restore it, or delete it to do without"):
        rows = read_json(file, "what `vatl annotate --review` wrote")
        if not isinstance(rows, list):
            raise TypeError("it is no list of swaps")
        return tuple(converter.structure(row, IdentitySwap) for row in rows)


def write_swaps(run: Path, swaps: Sequence[IdentitySwap]) -> None:
    """Keep these in a run's directory in place of those that are there; they are on disk when this returns."""
    write_whole(run / IDENTITIES, json.dumps([to_json(swap) for swap in swaps], indent=1) + "\n")


def swapped(frame: Tensor, track: Tensor, swaps: Sequence[IdentitySwap]) -> Tensor:
    """The tracks (N,) of instances on the frames (N,), after the swaps one by one."""
    for swap in swaps:
        first, second = swap.tracks
        other = torch.where(track == first, second, torch.where(track == second, first, track))
        track = torch.where(frame >= swap.frame, other, track)
    return track


def with_identities(video: Video, run: Path) -> Video:
    """A run's video with its tracks, and who is whose neighbour in time, as the swaps kept with it have them.

    Raises:
        InputError: the file of the swaps is damaged, or about another video.
    """
    instances, swaps = video.instances, read_swaps(run)
    known = set(instances.track.tolist())
    for swap in swaps:
        if strange := [track for track in swap.tracks if track not in known]:
            file = run / IDENTITIES
            raise InputError(f"{file} swaps track {strange[0]}, which video '{video.name}' has not: delete it")
    if not swaps:
        return video
    track = swapped(instances.frame, instances.track, swaps)
    previous, following = neighbours(instances.frame, track)
    return attrs.evolve(video, instances=attrs.evolve(instances, track=track, previous=previous, next=following))

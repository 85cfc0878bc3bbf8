"""Swaps of identities: what they make of tracks, that they can be taken back, and what stands in their file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import stick_video
from vatl_core.errors import InputError
from vatl_formats import IdentitySwap, read_swaps, swapped, with_identities, write_swaps


def swap(frame: int, first: int, second: int) -> IdentitySwap:
    return IdentitySwap(frame, (first, second), "ada", 1.5)


SWAPS = st.lists(st.builds(swap, st.integers(0, 6), st.integers(0, 3), st.integers(0, 3)), max_size=6)


def test_from_its_frame_on_two_tracks_are_each_others() -> None:
    frame, track = torch.tensor([0, 0, 0, 1, 1, 1, 2, 2]), torch.tensor([4, 7, 9, 4, 7, 9, 7, 9])
    assert swapped(frame, track, [swap(1, 4, 7)]).tolist() == [4, 7, 9, 7, 4, 9, 4, 9]


def test_a_later_swap_is_of_tracks_as_the_earlier_ones_left_them() -> None:
    frame, track = torch.tensor([0, 0, 1, 1, 2, 2]), torch.tensor([1, 2, 1, 2, 1, 2])
    assert swapped(frame, track, [swap(1, 1, 2), swap(2, 1, 2)]).tolist() == [1, 2, 2, 1, 1, 2]


@given(SWAPS)
def test_in_each_frame_every_individual_stays_one(swaps: list[IdentitySwap]) -> None:
    frame, track = torch.arange(7).repeat_interleave(4), torch.arange(4).repeat(7)
    found = swapped(frame, track, swaps).view(7, 4)
    assert found.sort(1).values.tolist() == [[0, 1, 2, 3]] * 7


@given(SWAPS)
def test_the_same_swaps_the_other_way_round_undo_them(swaps: list[IdentitySwap]) -> None:
    frame, track = torch.arange(7).repeat_interleave(4), torch.arange(4).repeat(7)
    assert torch.equal(swapped(frame, track, [*swaps, *reversed(swaps)]), track)


def test_they_are_kept_in_order_and_read_back(tmp_path: Path) -> None:
    assert read_swaps(tmp_path) == ()
    swaps = (swap(3, 1, 0), swap(1, 0, 2))
    write_swaps(tmp_path, swaps)
    assert read_swaps(tmp_path) == swaps


def test_who_is_whose_neighbour_follows_the_tracks(tmp_path: Path) -> None:
    video = stick_video(frames=4)
    assert with_identities(video, tmp_path) is video
    write_swaps(tmp_path, [swap(2, 0, 1)])
    instances = with_identities(video, tmp_path).instances
    assert instances.track.tolist() == [0, 1, 0, 1, 1, 0, 1, 0]
    assert instances.next[2:4].tolist() == [5, 4]
    assert instances.previous[4:6].tolist() == [3, 2]


@pytest.mark.parametrize(
    "content",
    [
        "", "[", "{}", "7", "null", "[null]", '[{"frame": 1}]',
        '[{"frame": 1, "tracks": [0], "annotator": "a", "at": 1}]',
        '[{"frame": "1", "tracks": [0, 1], "annotator": "a", "at": 1}]',
        '[{"frame": 1, "tracks": [0, 1.5], "annotator": "a", "at": 1}]',
        '[{"frame": 1, "tracks": [0, 1], "annotator": "a", "at": 1, "why": 0}]',
        '[{"frame": 1, "tracks": [0, 99], "annotator": "a", "at": 1}]',
    ],
)  # fmt: skip
def test_a_damaged_file_is_told_in_a_line(tmp_path: Path, content: str) -> None:
    (tmp_path / "identities.json").write_text(content)
    with pytest.raises(InputError, match=r"identities\.json") as told:
        with_identities(stick_video(), tmp_path)
    assert "\n" not in str(told.value)


def test_the_file_is_plain_json(tmp_path: Path) -> None:
    write_swaps(tmp_path, [swap(3, 1, 0)])
    rows = json.loads((tmp_path / "identities.json").read_text())
    assert rows == [{"frame": 3, "tracks": [1, 0], "annotator": "ada", "at": 1.5}]

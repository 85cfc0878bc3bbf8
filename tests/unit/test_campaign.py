"""A small part of `make campaign`: what interruptions, crowds and a full disk must not take from a run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import attrs
import pytest

from tests.campaign import crowds, full_disk
from tests.campaign.__main__ import killed_rows, table
from tests.campaign.killing import Killing
from tests.campaign.losses import Losses, compared
from tests.campaign.settings import Ground, Setting

KILLED = {"ground-truth": 10, "browser": 5}
"""Numbers of runs that are killed in several places, their reports among them."""


@pytest.fixture(scope="module")
def killing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Killing]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OMP_NUM_THREADS", "1")
        yield Killing(Ground.on(tmp_path_factory.mktemp("campaign")))


@pytest.mark.parametrize("oracle", KILLED)
def test_a_run_killed_again_and_again_ends_as_a_whole_one(killing: Killing, oracle: str) -> None:
    killed = killing.one(Setting(oracle, 0), KILLED[oracle])
    assert killed.kills
    assert not killed.losses, killed.said
    assert not list(killing.ground.temporary.iterdir())


def test_what_fifty_write_at_once_is_all_there(killing: Killing) -> None:
    assert not crowds.writers(killing.ground)


def test_of_many_who_resume_one_does_and_the_others_say_so(killing: Killing) -> None:
    assert not crowds.resumes(killing, 5)


def test_a_run_goes_on_when_a_full_disk_has_room_again() -> None:
    if not full_disk.possible():
        pytest.skip("no disk in memory can be made here")
    assert not full_disk.full(1, 0)


def test_what_is_lost_is_counted(killing: Killing, tmp_path: Path) -> None:
    """A campaign that sees nothing would be content with anything."""
    whole = killing.whole(Setting("ground-truth", 0)).run
    other = killing.whole(Setting("noisy", 0)).run
    losses = compared(other, whole)
    assert losses.lost
    assert losses.changed
    assert losses.weights
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "cycles.jsonl").touch()
    (tmp_path / "run" / ".a.part").touch()
    nothing = compared(tmp_path / "run", whole)
    assert nothing == attrs.evolve(nothing, lost=6, twice=0, left=1, failed=0)
    assert nothing.report
    rows = [*killed_rows([], ["browser"]), ("nothing", 1, nothing)]
    assert table(rows).splitlines()[-1].startswith("| nothing | 1 | 6 | 0 | 3 |")
    assert not Losses() + Losses()

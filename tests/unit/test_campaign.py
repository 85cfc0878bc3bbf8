"""A small part of `make campaign`: what interruptions and crowds must not take from a run."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.campaign import crowds
from tests.campaign.__main__ import killed_rows, table
from tests.campaign.killing import Killing
from tests.campaign.losses import Losses, compared
from tests.campaign.settings import Ground, Setting

KILLED = {"ground-truth": 141, "browser": 126}
"""The numbers of runs that are killed in their report, and while somebody labels."""


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


def test_what_is_lost_is_counted(killing: Killing, tmp_path: Path) -> None:
    """A campaign that sees nothing would be content with anything."""
    whole = killing.whole(Setting("ground-truth", 0)).run
    run = shutil.copytree(whole, tmp_path / "run")
    assert not compared(run, whole)
    with closing(sqlite3.connect(run / "labels.sqlite")) as connection, connection:
        connection.execute("delete from labels where id = 1")
        connection.execute("update labels set keypoints = '[]' where id = 2")
        connection.execute("update labels set instance = (select instance from labels where id = 4) where id = 3")
    (run / "cycles" / "001" / "weights.safetensors").write_bytes(b"other")
    (run / "cycles.jsonl").write_text("".join((run / "cycles.jsonl").open().readlines()[:-1]))
    (run / "report" / "index.html").unlink()
    (run / ".untold").touch()
    losses = compared(run, whole)
    assert losses == Losses(lost=3, twice=1, changed=1, weights=1, report=losses.report, left=1)
    assert losses.report
    assert (
        table([*killed_rows([], ["browser"]), ("nothing", 1, losses)])
        .splitlines()[-1]
        .startswith("| nothing | 1 | 3 |")
    )

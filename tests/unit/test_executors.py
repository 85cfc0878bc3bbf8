"""Where runs are carried out: their outcomes come, whatever becomes of one of them, and nothing is left behind."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from tests.work import die_of, double, linger_or_end, stubborn, threads, threads_of_all
from vatl_core.contracts import Outcome, attempt_elsewhere
from vatl_core.discovery import discover
from vatl_core.errors import InputError, VatlError
from vatl_core.plugins import build
from vatl_executors import processes
from vatl_executors.local import Local
from vatl_executors.processes import Worker, cores
from vatl_executors.worker import THREADS, Place, _settle, places


def sorted_outcomes(local: Local, work: object, runs: list[int]) -> list[Outcome[int]]:
    return sorted(local.map(work, runs), key=lambda outcome: outcome.index)  # type: ignore[arg-type]


def gone(process: int) -> bool:
    """Whether a process has ended, within ten seconds."""
    for _ in range(200):
        try:
            os.kill(process, 0)
            if Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        except (ProcessLookupError, FileNotFoundError):
            return True
        time.sleep(0.05)
    return False


@pytest.mark.parametrize("jobs", [None, 1, 2])
def test_a_failure_is_an_outcome_and_ends_nothing_else(jobs: int | None) -> None:
    outcomes = sorted_outcomes(Local(jobs), double, [1, -2, 3])
    assert [outcome.result for outcome in outcomes] == [2, None, 6]
    assert [outcome.index for outcome in outcomes] == [0, 1, 2]
    with pytest.raises(InputError, match="-2 is negative"):
        outcomes[1].get()


def test_in_this_process_nothing_is_begun_before_it_is_asked_for() -> None:
    begun: list[int] = []
    outcomes = Local().map(begun.append, [1, 2])
    assert not begun
    next(outcomes)
    assert begun == [1]


def test_a_process_that_dies_takes_only_its_own_run_with_it() -> None:
    outcomes = sorted_outcomes(Local(1), die_of, [0, 1, 2, 3])
    assert [outcome.result for outcome in outcomes] == [0, None, None, 3]
    assert "killed by SIGKILL" in str(outcomes[1].error)
    assert "exit code 3" in str(outcomes[2].error)


def test_an_error_that_cannot_be_sent_is_told_all_the_same() -> None:
    error = attempt_elsewhere(stubborn, 0, 1).error
    assert isinstance(error, VatlError)
    assert str(error) == "StubbornError: odd here"
    assert "in stubborn" in error.__notes__[0], "where it happened"


def test_processes_share_the_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in THREADS:
        monkeypatch.delenv(name, raising=False)
    outcomes = [outcome.get() for outcome in Local(2).map(threads, [0, 1, 2, 3])]
    assert {limit for _, limit in outcomes} == {str(max(1, cores() // 2))}
    assert os.getpid() not in {process for process, _ in outcomes}
    assert len({process for process, _ in outcomes}) <= 2, "a process does one run after the other"


def test_what_the_user_says_of_threads_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    assert next(Local(1).map(threads, [0])).get()[1] == "7"
    monkeypatch.delenv("MKL_NUM_THREADS", raising=False)
    [outcome] = Local(1).map(threads_of_all, [0])
    assert outcome.get() == {"7"}, "torch listens to MKL's number, too"


def test_closing_ends_what_is_under_way(tmp_path: Path) -> None:
    note = tmp_path / "process"
    with closing(Local(2).map(linger_or_end, ["", str(note)])) as outcomes:
        next(outcomes)
        while not note.exists() or not note.read_text():
            time.sleep(0.02)
    assert gone(int(note.read_text()))


def test_no_process_outlives_a_parent_that_was_killed(tmp_path: Path) -> None:
    note = tmp_path / "process"
    code = (
        "from vatl_executors.processes import in_processes; from tests.work import linger\n"
        f"if __name__ == '__main__': list(in_processes(linger, [{str(note)!r}], 1))"
    )
    script = tmp_path / "script.py"
    script.write_text(code)
    root = Path(__file__).parents[2]
    parent = subprocess.Popen([sys.executable, str(script)], env=os.environ | {"PYTHONPATH": str(root)})
    while parent.poll() is None and not (note.exists() and note.read_text()):
        time.sleep(0.05)
    parent.kill()
    parent.wait()
    assert gone(int(note.read_text()))


@pytest.mark.parametrize("jobs", ["0", "-1", "two"])
def test_a_number_of_jobs_that_makes_no_sense_is_refused(jobs: str) -> None:
    with pytest.raises(InputError, match="jobs"):
        build(discover(), "executor", "local", {"jobs": jobs})


@pytest.mark.parametrize(
    ("jobs", "cards", "expected"),
    [
        (3, 0, [(None, 1.0)] * 3),
        (2, 2, [(0, 1.0), (1, 1.0)]),
        (2, 8, [(0, 1.0), (1, 1.0)]),
        (4, 1, [(0, 0.25)] * 4),
        (5, 2, [(0, 1 / 3), (1, 1 / 2), (0, 1 / 3), (1, 1 / 2), (0, 1 / 3)]),
    ],
)
def test_each_process_gets_a_gpu_in_turn_and_its_share_of_it(
    jobs: int, cards: int, expected: list[tuple[int | None, float]]
) -> None:
    found = places(jobs, 2, cards)
    assert [(place.card, place.share) for place in found] == expected
    for card in range(min(jobs, cards)):
        assert sum(place.share for place in found if place.card == card) == pytest.approx(1)


def test_one_that_dies_is_replaced_on_its_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of two processes that work, each stays on a card of its own whatever becomes of the others."""
    begun: list[Place] = []
    start = Worker.start.__func__  # type: ignore[attr-defined]  # it is a class method

    def starting(place: Place) -> Worker:
        begun.append(place)
        return start(Worker, Place(place.threads))  # type: ignore[no-any-return]  # there is no card to settle on

    monkeypatch.setattr(processes, "cards", lambda: 2)
    monkeypatch.setattr(Worker, "start", starting)
    outcomes = sorted_outcomes(Local(2), die_of, [1, 0, 2, 3])
    assert [outcome.result for outcome in outcomes] == [None, 0, None, 3]
    assert {place.card for place in begun[:2]} == {0, 1}
    assert len(begun) >= 3


def test_a_process_settles_on_its_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[object, ...]] = []
    monkeypatch.setattr("torch.cuda.set_device", lambda card: asked.append(("device", card)))
    monkeypatch.setattr("torch.cuda.set_per_process_memory_fraction", lambda *args: asked.append(args))
    _settle(1, 0.25)
    assert asked == [("device", 1), (0.25, 1)]

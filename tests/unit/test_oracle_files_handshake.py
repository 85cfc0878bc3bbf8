"""The oracle `files` within a run: a task is put down, waited for, taken up again, and answered by another process."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Registered, configured
from tests.labelling_tools import ANSWERS, TASKS, answer
from vatl_core.errors import VatlError
from vatl_core.plugins import Registry
from vatl_core.run import PastRun, execute
from vatl_oracles.files import waiting
from vatl_oracles.files.oracle import FORMATS

ROOT = Path(__file__).parents[2]


def asking(registry: Registry, folder: Path, **options: Any) -> Any:
    """A run of two cycles of two labels, as short as there is one."""
    parts = {"oracle": {"files": options}, "retrain": {"few-labels": {"steps": 1, "epochs": 1}}}
    quick = {"query": "lc", "select": "top", "schedule": ["2", "4"]}
    return configured(registry, folder, oracle="files", options=parts, **quick)


def outcome(run: Path) -> list[dict[str, Any]]:
    """The cycles of a run without what depends on the clock."""
    lines = [json.loads(line) for line in (run / "cycles.jsonl").read_text().splitlines()]
    return [{k: v for k, v in line.items() if "seconds" not in k} for line in lines]


def tasks_of(run: Path, cycle: int) -> Path:
    return run / "cycles" / f"{cycle:03d}" / "tasks"


def until(done: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end, "it took too long"
        time.sleep(0.05)


@pytest.mark.parametrize("format", FORMATS)
def test_an_annotator_answers_two_cycles_while_the_run_waits(
    registered: Registered, tmp_path: Path, format: str, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.setattr(waiting, "POLL", 0.05)
    registry, run = registered(), tmp_path / "run"
    command = [sys.executable, "-m", "tests.labelling_tools", str(run), format, "2"]
    with subprocess.Popen(command, cwd=ROOT) as annotator:
        record = execute(asking(registry, tmp_path, format=format, wait=2), registry)
        assert annotator.wait(10) == 0
    assert (record.labelled, record.cycles) == (4, 2)
    lines = [line for line in capsys.readouterr().err.splitlines() if "instances to label" in line]
    assert lines == [
        f"2 instances to label in {tasks_of(run, cycle)} (see README.txt there); waiting for {expected}"
        for cycle in range(2)
        for expected in [" or ".join(map(str, _expected(tasks_of(run, cycle), format)))]
    ]
    labels = PastRun.open(run, registry).labels()
    assert not labels.visible.logical_not().any()
    assert labels.occluded.sum(1).tolist() == [1] * 4, "the last keypoint of each"
    away = labels.keypoints - labels.proposals
    assert away[..., 1].abs().max() == 0
    assert ((away[..., 0] - 2).abs() < 1e-3).all(), "the annotator moved all of them two pixels to the right"
    assert labels.moved.tolist() == [5] * 4
    who = {"label-studio": "ada@example.org", "cvat": "ada", "coco": "annotator"}
    assert labels.annotator == who[format]


def _expected(folder: Path, format: str) -> list[Path]:
    names = ["answer.xml", "answer.zip"] if format == "cvat" else ["answer.json"]
    return [folder / name for name in names]


def test_a_run_that_does_not_wait_ends_and_is_taken_up_with_each_answer(registered: Registered, tmp_path: Path) -> None:
    registry, run = registered(), tmp_path / "run"
    with pytest.raises(VatlError, match=r"put the labelled file at .*000/tasks/answer\.json, then `vatl resume") as end:
        execute(asking(registry, tmp_path, format="coco", wait=0), registry)
    assert end.value.exit_code == 1
    before = {path: path.stat().st_mtime_ns for path in tasks_of(run, 0).rglob("*")}
    with pytest.raises(VatlError, match="then `vatl resume"):
        execute(run, registered())
    assert {path: path.stat().st_mtime_ns for path in tasks_of(run, 0).rglob("*")} == before, "it is written once"
    (tasks_of(run, 0) / "answer.json").write_text("{}")
    with pytest.raises(VatlError, match="no COCO keypoints file"):
        execute(run, registered())
    answer(tasks_of(run, 0), "coco")
    with pytest.raises(VatlError, match=r"001/tasks/answer\.json, then `vatl resume"):
        execute(run, registered())
    assert len(PastRun.open(run, registry).cycles) == 1
    answer(tasks_of(run, 1), "coco")
    assert execute(run, registered()).labelled == 4


def test_the_same_labels_lead_to_the_same_run_however_they_come(
    registered: Registered, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In another format, and after Ctrl-C while the run waited."""
    monkeypatch.setattr(waiting, "POLL", 0.05)
    registry, patient, interrupted = registered(), tmp_path / "patient" / "run", tmp_path / "interrupted" / "run"
    for cycle in range(2):
        threading.Thread(target=later, args=(tasks_of(patient, cycle), "coco"), daemon=True).start()
    execute(asking(registry, patient.parent, format="coco"), registry)

    with monkeypatch.context() as patch:
        patch.setattr("vatl_oracles.files.waiting.time.sleep", ctrl_c)
        with pytest.raises(KeyboardInterrupt):
            execute(asking(registry, interrupted.parent, format="cvat"), registry)
        answer(tasks_of(interrupted, 0), "cvat")
    threading.Thread(target=later, args=(tasks_of(interrupted, 1), "cvat"), daemon=True).start()
    execute(interrupted, registry)
    assert outcome(interrupted) == outcome(patient)
    assert len(outcome(patient)) == 3


def ctrl_c(seconds: float) -> None:
    raise KeyboardInterrupt


def later(tasks: Path, format: str) -> None:
    """Answer a task that is still to come."""
    until(tasks.exists)
    answer(tasks, format)


def test_a_bad_answer_is_told_and_a_better_one_waited_for(
    registered: Registered, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.setattr(waiting, "POLL", 0.05)
    registry = registered()
    place = tmp_path / "labels" / "{cycle}.xml"
    (tmp_path / "labels").mkdir()
    said: list[str] = []

    def heard(words: str) -> bool:
        said.append(capsys.readouterr().err)
        return words in "".join(said)

    def annotator() -> None:
        for cycle in range(2):
            tasks, file = tasks_of(tmp_path / "run", cycle), tmp_path / "labels" / f"{cycle:03d}.xml"
            until(tasks.exists)
            file.write_text("<annotations")
            until(lambda file=file: heard(f"{file} is not XML"))
            answer(tasks, "cvat", file)

    thread = threading.Thread(target=annotator, daemon=True)
    thread.start()
    record = execute(asking(registry, tmp_path, format="cvat", answer=str(place), wait=2), registry)
    thread.join(10)
    assert record.labelled == 4
    assert "".join(said).count("is not XML") == 2, "each bad file is told once"
    assert "; save a better file there: waiting for it" in "".join(said)


def test_waiting_ends_when_its_time_is_over(
    registered: Registered, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "POLL", 0.05)
    registry = registered()
    with pytest.raises(VatlError, match="then `vatl resume"):
        execute(asking(registry, tmp_path, wait=0.002), registry)
    assert (tmp_path / "run" / "cycles" / "000" / "tasks" / TASKS["label-studio"]).is_file()


def test_a_file_that_is_still_being_saved_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "POLL", 0.1)
    file, beside = tmp_path / "answer.xml", tmp_path / "answer.zip"
    seen: list[tuple[str, str]] = []

    def watch() -> None:
        seen.extend((path.name, path.read_text()) for path in waiting.versions([file, beside], 1.5 / 60))

    thread = threading.Thread(target=watch)
    thread.start()
    for length in range(1, 9):
        file.write_text("x" * length)
        time.sleep(0.04)
    time.sleep(0.4)
    beside.write_text("later")
    thread.join()
    assert seen == [("answer.xml", "x" * 8), ("answer.zip", "later")]


def test_a_run_killed_while_it_waits_takes_the_answer_when_it_is_execute(
    registered: Registered, tmp_path: Path, environment: dict[str, str], capsys: Any
) -> None:
    registry = registered()
    with pytest.raises(VatlError):  # its task is a small data set on disk
        execute(asking(registry, tmp_path / "data", format="coco", wait=0), registry)
    data = tasks_of(tmp_path / "data" / "run", 0)
    words = ["run", "--name", "one", "--dataset", "coco", "-o", f"dataset.annotations={data / 'coco.json'}",
             "-o", f"dataset.frames={data / 'pictures'}", "--estimator", "tiny", "--weights", "none", "--query", "lc",
             "--select", "top", "-o", "few-labels.steps=1", "-o", "few-labels.epochs=1", "--schedule", "1",
             "--device", "cpu", "--oracle", "files", "-o", "files.format=cvat"]  # fmt: skip
    run = tmp_path / "runs" / "one"
    command = [str(Path(sys.executable).with_name("vatl")), *words]
    with subprocess.Popen(command, cwd=tmp_path, env=environment, stderr=subprocess.PIPE, text=True) as process:
        until(tasks_of(run, 0).exists, 200)
        process.send_signal(signal.SIGKILL)
    answer(tasks_of(run, 0), "cvat", tasks_of(run, 0) / ANSWERS["cvat"])
    record = execute(run, registry)
    assert (record.labelled, record.cycles) == (1, 1)
    assert "1 instance to label in" in capsys.readouterr().err

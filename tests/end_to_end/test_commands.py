"""Whole commands, run as a user would."""

from __future__ import annotations

import csv
import json
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.conftest import Outcome, Vatl
from tests.processes import Command
from vatl_core import cli

SHORT = ("-o", "synthetic.frames=8", "-o", "synthetic.people=2", "-o", "synthetic.source_videos=2",
         "-o", "few-labels.steps=8", "-o", "few-labels.epochs=1", "--schedule", "2,4", "--device", "cpu")  # fmt: skip
KEYS = {
    "run", "instances", "labelled", "cycles", "stopped_by", "mean_oks", "mean_oks_unlabelled", "ap", "ap_with_labels",
    "alc", "alc_with_labels", "seconds",
}  # fmt: skip


def cycles(run: Path) -> list[dict[str, Any]]:
    """A run's cycles without what depends on the clock."""
    lines = [json.loads(line) for line in (run / "cycles.jsonl").read_text().splitlines()]
    return [{k: v for k, v in line.items() if k != "seconds"} for line in lines]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory, cache: Path) -> tuple[Path, Outcome]:
    """A short run on the embedded data, in its folder, that several tests look at; of a fresh interpreter."""
    import os

    folder = tmp_path_factory.mktemp("finished")
    command = [str(Path(sys.executable).with_name("vatl")), "run", "--name", "one", "--json", *SHORT]
    environment = os.environ | {"XDG_CACHE_HOME": str(cache)}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300)
    return folder / "runs" / "one", Outcome(done.returncode, done.stdout, done.stderr)


class TestRun:
    def test_it_ends_with_one_json_object_and_a_report(self, finished: tuple[Path, Outcome]) -> None:
        run, outcome = finished
        assert outcome.code == 0, outcome.err
        assert set(outcome.record) >= KEYS
        assert (outcome.record["labelled"], outcome.record["instances"], outcome.record["cycles"]) == (4, 16, 2)
        assert outcome.out.count("\n") == 1, "standard output is for the record alone"
        page = (run / "report" / "index.html").read_text()
        assert "Learning curve" in page

    def test_progress_goes_to_standard_error(self, finished: tuple[Path, Outcome]) -> None:
        _, outcome = finished
        assert "cycle 2" in outcome.err
        assert "stopped by" in outcome.err

    def test_the_directory_holds_what_is_documented(self, finished: tuple[Path, Outcome]) -> None:
        run, _ = finished
        for name in ("config.toml", "cycles.jsonl", "labels.sqlite", "run.json", "cycles/001/query.json",
                     "cycles/001/weights.safetensors", "cycles/001/estimates.npz"):  # fmt: skip
            assert (run / name).stat().st_size > 0, name
        assert not [p for p in run.rglob("*") if ".part" in p.name]

    def test_its_configuration_repeats_it(self, finished: tuple[Path, Outcome], vatl: Vatl) -> None:
        run, _ = finished
        again = vatl("run", "--config", run / "config.toml", "--runs", "again", "--name", "two", "--json")
        assert again.code == 0, again.err
        assert cycles(Path(again.record["run"]) if Path(again.record["run"]).is_absolute() else run) == cycles(run)

    def test_resuming_a_finished_run_changes_nothing(self, finished: tuple[Path, Outcome], vatl: Vatl) -> None:
        run, outcome = finished
        before = cycles(run)
        assert vatl("resume", run, "--json").record["ap"] == outcome.record["ap"]
        assert cycles(run) == before

    def test_two_processes_cannot_work_on_one_run(self, finished: tuple[Path, Outcome], vatl: Vatl) -> None:
        import fcntl

        run, _ = finished
        with (run / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            outcome = vatl("resume", run)
        assert outcome.code == 2
        assert "another process" in outcome.err


class TestPredict:
    def test_the_poses_come_in_three_formats(self, finished: tuple[Path, Outcome], vatl: Vatl, tmp_path: Path) -> None:
        run, _ = finished
        outcome = vatl("predict", run, "--out", tmp_path / "poses")
        assert outcome.code == 0, outcome.err
        content = json.loads((tmp_path / "poses" / "poses.json").read_text())
        assert len(content["annotations"]) == 16
        with (tmp_path / "poses" / "poses.csv").open() as file:
            rows = list(csv.DictReader(file))
        assert len(rows) == 16 * 17
        assert float(rows[0]["x"]) == pytest.approx(content["annotations"][0]["keypoints"][0], abs=0.011)
        assert (tmp_path / "poses" / "overlay.mp4").stat().st_size > 1000

    def test_the_json_is_a_data_set_again(self, finished: tuple[Path, Outcome], vatl: Vatl, tmp_path: Path) -> None:
        run, _ = finished
        vatl("predict", run, "--out", tmp_path / "poses", "--with-labels")
        outcome = vatl(
            "run", "--dataset", "coco", "-o", f"dataset.annotations={tmp_path / 'poses' / 'poses.json'}",
            "-o", f"dataset.frames={tmp_path / 'poses' / 'overlay.mp4'}", "--estimator", "tiny", "--weights", "none",
            "-o", "few-labels.steps=1", "-o", "few-labels.epochs=1", "--schedule", "2", "--json",
        )  # fmt: skip
        assert outcome.code == 0, outcome.err
        assert outcome.record["instances"] == 16


def test_several_runs_make_one_picture(finished: tuple[Path, Outcome], vatl: Vatl, tmp_path: Path) -> None:
    run, _ = finished
    other = vatl("run", "--name", "other", "--select", "random", "--json", *SHORT)
    assert other.code == 0, other.err
    outcome = vatl("report", run, tmp_path / "runs" / "other", "--out", tmp_path / "both")
    assert outcome.code == 0, outcome.err
    assert Path(outcome.out.strip()) == tmp_path / "both" / "index.html"
    assert list((tmp_path / "both").glob("*.png"))


def test_options_of_what_is_no_part_of_the_run_are_told(vatl: Vatl) -> None:
    outcome = vatl("run", *SHORT, "-o", "continual.alpha=3", "-o", "budget.labels=90")
    assert outcome.code == 0, outcome.err
    assert outcome.err.splitlines()[0] == "options of continual change nothing: --retrain is few-labels"
    assert "options of budget" not in outcome.err, "it may advise"


def test_the_signature_with_nothing_else_works_on_the_embedded_data(vatl: Vatl) -> None:
    outcome = vatl("run", "--query", "wpu", "--stop", "sc-thc", "--json", *SHORT, "-o", "wpu.pretrain_epochs=2")
    assert outcome.code == 0, outcome.err
    assert outcome.record["stopped_by"] in ("sc-thc", "schedule")


def test_the_accuracy_to_be_expected_is_told_wherever_somebody_watches_it(vatl: Vatl, tmp_path: Path) -> None:
    outcome = vatl("run", "--select", "random", "--stop", "sc-expected", "--name", "watched", *SHORT)
    assert outcome.code == 0, outcome.err
    lines = [line for line in outcome.err.splitlines() if "expected mean OKS" in line]
    told = [line.partition("expected mean OKS ")[2].partition(")")[0] for line in lines[:3]]
    assert len(lines) == 4, "a line each for three cycles, and one of the closing table"
    assert told[2] in lines[3]
    page = (tmp_path / "runs" / "watched" / "report" / "index.html").read_text()
    for words in told:
        mean, _, interval = words.partition(" (90%: ")
        low, _, high = interval.partition(" to ")
        assert float(low) < float(mean) < float(high)
        assert f"<td>{mean}</td><td>{interval}</td>" in page.partition("Expected accuracy")[2]


def test_a_killed_run_is_taken_up_to_the_same_end(
    finished: tuple[Path, Outcome], vatl: Vatl, tmp_path: Path, environment: dict[str, str]
) -> None:
    """As one that another interpreter has carried out without a break."""
    whole, _ = finished
    chance = random.Random(20)
    for number in range(3):
        run = tmp_path / "runs" / f"killed{number}"
        process = Command(["run", "--json", *SHORT, "--name", run.name], tmp_path, environment)
        while process.poll() is None and not (run / "config.toml").exists():
            time.sleep(0.02)
        time.sleep(chance.uniform(0, 2.5))
        process.send_signal(signal.SIGKILL)
        process.communicate()
        resumed = vatl("resume", run, "--json")
        assert resumed.code == 0, resumed.err
        assert cycles(run) == cycles(whole)
        assert not [p for p in run.rglob("*") if ".part" in p.name and p.stat().st_mtime > 0 and p.suffix == ".jsonl"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_that_arrives_where_nobody_hears_it_is_heard_after_it(number: int) -> None:
    before = signal.signal(signal.SIGTERM, cli._terminated), sys.unraisablehook
    interrupted = signal.signal(signal.SIGINT, signal.default_int_handler)  # what runs in the background ignores it
    sys.unraisablehook = cli._unheard

    class Dying:
        def __del__(self) -> None:
            signal.raise_signal(number)

    try:
        with pytest.raises(KeyboardInterrupt):  # noqa: PT012 - it is raised while nothing is done
            Dying()
            for _ in range(1000):  # a sleep of 10 s is not cut short by what is heard after a signal
                time.sleep(0.01)
    finally:
        signal.signal(signal.SIGTERM, before[0])
        signal.signal(signal.SIGINT, interrupted)
        sys.unraisablehook = before[1]


def test_sigterm_while_python_ends_says_nothing_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """A traceback behind a finished run would have it that something is wrong."""
    with pytest.raises(KeyboardInterrupt):
        cli._terminated(signal.SIGTERM, None)
    monkeypatch.setattr(threading, "main_thread", lambda: SimpleNamespace(is_alive=lambda: False))
    cli._terminated(signal.SIGTERM, None)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_run_that_is_told_to_end_says_how_to_go_on_and_does(
    finished: tuple[Path, Outcome], vatl: Vatl, tmp_path: Path, environment: dict[str, str], number: int, code: int
) -> None:
    whole, _ = finished
    places = tmp_path / "temporary"
    places.mkdir()
    run = tmp_path / "runs" / "told"
    process = Command(["run", *SHORT, "--name", run.name], tmp_path, environment | {"TMPDIR": str(places)})
    while process.poll() is None and not (run / "cycles.jsonl").exists():
        time.sleep(0.02)
    process.send_signal(number)
    said = process.communicate()[1]
    assert process.returncode == code, said
    assert said.strip().splitlines()[-1].startswith("vatl: interrupted: `vatl resume runs/told` goes on")
    assert "Traceback" not in said
    assert not [*places.iterdir(), *run.rglob("*.part*")]
    assert vatl("resume", run, "--json").code == 0
    assert cycles(run) == cycles(whole)


class TestQuickWords:
    @pytest.mark.parametrize("words", [["--help"], ["plugins", "list"]])
    def test_help_and_lists_do_not_import_torch(self, words: list[str]) -> None:
        code = (
            "import sys, vatl_core.cli\n"
            f"try: vatl_core.cli.main({words!r})\n"
            "except SystemExit: pass\n"
            "heavy = {'torch', 'numpy', 'cv2', 'matplotlib', 'sklearn', 'rich'} & set(sys.modules)\n"
            "sys.exit(f'imported {heavy}' if heavy else 0)"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr

    @pytest.mark.parametrize(
        ("words", "near", "choices"),
        [
            (["run", "--query", "wup"], "did you mean 'wpu'?", "lc, thc, wpu"),
            (["run", "--query", "thc+wup"], "did you mean 'wpu'?", "lc, thc, wpu"),
            (["run", "--estimator", "tinny"], "did you mean 'tiny'?", "simplebaseline, tiny"),
            (["run", "--select", "duww"], "did you mean 'duw'?", "coreset, duw, random, top"),
            (["run", "--stop", "sc-tch"], "did you mean 'sc-thc'?", "budget"),
            (["run", "--retrain", "continal"], "did you mean 'continual'?", "full"),
            (["run", "--dataset", "syntetic"], "did you mean 'synthetic'?", "coco"),
            (["run", "--query", "wpu", "-o", "wpu.zdim=4"], "did you mean 'z_dim'?", "ignore, output, z_dim"),
            (["run", "--query", "wpu", "-o", "wup.z_dim=4"], "did you mean 'wpu'?", "estimator"),
            (["run", "--video", "dence"], "did you mean 'dance'?", "beach"),
            (["rnu"], "did you mean 'run'?", "predict"),
            (["plugins", "show", "wup"], "did you mean 'wpu'?", "thc"),
        ],
    )
    def test_a_misspelt_name_gets_the_nearest_and_the_choices(
        self, vatl_here: Vatl, tmp_path: Path, words: list[str], near: str, choices: str
    ) -> None:
        outcome = vatl_here(*words)
        assert outcome.code == 2
        assert near in outcome.err
        assert all(choice in outcome.err.partition("there are: ")[2] for choice in choices.split(", "))
        assert outcome.err.count("\n") == 1, "one line"
        assert not list(tmp_path.iterdir()), "nothing was written"

    @pytest.mark.parametrize(
        ("words", "says"),
        [
            (["--query", "wpu", "-o", "wpu.z_dim=0"], "z_dim"),
            (["--query", "wpu", "-o", "wpu.z_dim=four"], "int is expected"),
            (["--query", "wpu", "-o", "wpu.output=sigmod"], "output"),
            (["-o", "z_dim=4"], "PART.OPTION=VALUE"),
            (["-o", "tiny.input_size=100,100"], "multiples of 32"),
            (["-o", "tiny.input_size=128"], "input_size"),
            (["--schedule", "0.1,x"], "'x'"),
            (["--schedule", "0"], "'0'"),
            (["--schedule", "60,30"], "'30' is less than '60'"),
            (["--threshold", "2"], "threshold"),
            (["--device", "cuda:7"], "cuda:7"),
            (["--batch", "0"], "batch"),
            (["--config", "absent.toml"], "absent.toml"),
            (["--weights", "absent.pth"], "absent.pth"),
        ],
    )
    def test_a_value_that_does_not_fit_is_named(
        self, vatl_here: Vatl, tmp_path: Path, words: list[str], says: str
    ) -> None:
        outcome = vatl_here("run", *SHORT, *words)
        assert outcome.code == 2, outcome.err
        assert says in outcome.err
        assert outcome.err.count("\n") == 1
        assert not list(tmp_path.iterdir())

    def test_showing_a_component_tells_its_options(self, vatl: Vatl) -> None:
        outcome = vatl("plugins", "show", "wpu")
        assert "-o wpu.z_dim=  int, default 4" in outcome.out

"""Folders of runs, mutated: reported, predicted with and taken up as before, or refused naming a file."""

from __future__ import annotations

import csv
import json
import shutil
import sqlite3
import tempfile
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import attrs
import numpy as np
import pytest
import tomli_w
from hypothesis import given
from hypothesis import strategies as st

from tests.footage import sticks_on_disk
from tests.mutations import files
from tests.mutations.calling import assert_refused_well, called
from tests.mutations.examples import mutated
from tests.mutations.json_trees import mutated_trees
from vatl_core.store import RunFolder

NAMES: Final = (
    "config.toml",
    "cycles.jsonl",
    "run.json",
    "labels.sqlite",
    "query.json",
    "estimates.npz",
    "weights.safetensors",
)
SETTINGS: Final = (
    "--estimator", "tiny", "-o", "tiny.input_size=64,64", "-o", "tiny.width=8", "--schedule", "2,4,6", "--query", "lc",
    "--device", "cpu", "--precision", "float32", "-o", "few-labels.steps=1", "-o", "few-labels.epochs=1",
    "--weights", "none",
)  # fmt: skip


@attrs.frozen
class Runs:
    """A run that ended, the same as it was when it was killed in its second cycle, and what comes of both.

    Attributes:
        finished, half: their folders.
        poses: of the estimator in the end, as ``predict`` writes them.
        report: its table of cycles.
        outcome: what the run asked for in each cycle and measured, and its labels.
    """

    finished: Path
    half: Path
    poses: str
    report: list[dict[str, str]]
    outcome: Any


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Runs:
    folder = tmp_path_factory.mktemp("runs")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
        (folder / "data").mkdir()
        truth, _ = sticks_on_disk(folder / "data", 6, 2)
        words = ["run", "--dataset", "coco", "-o", f"dataset.annotations={truth}", "--runs", folder, "--name", "whole"]
        outcome = called(*words, *SETTINGS)
        assert outcome.code == 0, outcome.err
        finished = folder / "whole"
        half = _killed(finished, folder / "half")
        assert called("predict", finished, "--no-video", "--out", folder / "predicted").code == 0
        shutil.copytree(half, folder / "resumed")
        assert called("resume", folder / "resumed").code == 0
        outcome_ = outcome_of(finished)
        assert outcome_of(folder / "resumed") == outcome_
        poses = (folder / "predicted" / "poses.csv").read_text()
        return Runs(finished, half, poses, table_of(finished), outcome_)


def _killed(finished: Path, half: Path) -> Path:
    """The run as it was when it had just asked in its second cycle."""
    shutil.copytree(finished, half)
    (half / "run.json").unlink()
    shutil.rmtree(half / "report")
    lines = (half / "cycles.jsonl").read_text().splitlines(keepends=True)
    (half / "cycles.jsonl").write_text(lines[0])
    for folder in sorted((half / "cycles").iterdir())[2:]:
        shutil.rmtree(folder)
    with sqlite3.connect(half / "labels.sqlite") as connection:
        connection.execute("delete from labels where cycle > 1")
    connection.close()
    return half


def outcome_of(run: Path) -> Any:
    """What a run asked for and measured in each cycle, and the labels that count, without times."""
    folder = RunFolder(run)
    cycles = [
        (record.cycle, tuple(record.query), record.evaluation.mean_oks if record.evaluation else None)
        for record in folder.cycles()
    ]
    return cycles, {label.instance: (label.keypoints, label.values) for label in folder.answers.history()}


def table_of(run: Path) -> list[dict[str, str]]:
    """The report's table of cycles, without times."""
    with (run / "report" / "cycles.csv").open(newline="") as file:
        return [{name: cell for name, cell in row.items() if "second" not in name} for row in csv.DictReader(file)]


# ---------------------------------------------------------------------------------------------------------- mutations
def _config(draw: st.DrawFn, run: Path) -> None:
    """A key or table of another type, or renamed; one that is left out has its default, as in every configuration."""
    path = run / "config.toml"
    tables = tomllib.loads(path.read_text())
    places = [(name, key) for name, table in tables.items() for key in (None, *table)]
    name, key = draw(st.sampled_from(places))
    way = draw(st.sampled_from(["retype", "rename"]))
    parent, last = (tables, name) if key is None else (tables[name], key)
    value = parent.pop(last)
    if way == "rename":
        parent[f"{last}x"] = value
    elif way == "retype":
        parent[last] = draw(st.sampled_from(["x", [], {}, {"x": 1}, [[1]], True, float("nan"), -1, 10**12, [value]]))
    path.write_text(tomli_w.dumps(tables))


def _records(draw: st.DrawFn, run: Path) -> None:
    """A line of the cycles dropped, twice, exchanged, or with other contents."""
    path = run / "cycles.jsonl"
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    i = draw(st.integers(0, len(rows) - 1))
    way = draw(st.sampled_from(["drop", "twice", "reverse", "content", "content", "content"]))
    lines = [json.dumps(row) for row in rows]
    if way == "drop":
        del lines[i]
    elif way == "twice":
        lines.insert(i, lines[i])
    elif way == "reverse":
        lines.reverse()
    else:
        lines[i] = draw(mutated_trees(rows[i], most=1))
    path.write_text("".join(f"{line}\n" for line in lines))


def _query(draw: st.DrawFn, run: Path) -> None:
    """Instances that cannot be asked for."""
    strange: list[Any] = [[11, 11], [99, 2], ["x", 2], [11.5, 2], [-1, 2], [True, 2], [[11], 2], [], None, 7, {"a": 1}]
    contents: list[Any] = [{"instances": value} for value in strange]
    path = draw(st.sampled_from(sorted(run.rglob("query.json"))))
    path.write_text(json.dumps(draw(st.sampled_from([*contents, {}, [], None, 7]))))


def _json(name: str) -> Callable[[st.DrawFn, Path], None]:
    def mutate(draw: st.DrawFn, run: Path) -> None:
        found = sorted(run.rglob(name))
        if found:
            path = draw(st.sampled_from(found))
            path.write_text(draw(mutated_trees(json.loads(path.read_text()))))

    return mutate


def _labels(draw: st.DrawFn, run: Path) -> None:
    """A row dropped or twice; a cell with another value; a table gone, or a view in its place."""
    way = draw(st.sampled_from(["drop", "twice", "cell", "cell", "cell", "gone", "view", "version"]))
    with sqlite3.connect(run / "labels.sqlite") as connection:
        row = draw(st.integers(1, connection.execute("select count(*) from labels").fetchone()[0]))
        columns = [column[1] for column in connection.execute("pragma table_info(labels)")][1:]
        named = ", ".join(columns)
        if way == "drop":
            connection.execute("delete from labels where id = ?", [row])
        elif way == "twice":
            connection.execute(f"insert into labels ({named}) select {named} from labels where id = ?", [row])
        elif way == "cell":
            strange = [99, -1, 0, 1, "x", "", "[]", "null", "[[1, 2]]", "[true]", b"\xff", 1e30, "[[NaN, 1]]", "{}"]
            change = f"update labels set {draw(st.sampled_from(columns))} = ? where id = ?"
            connection.execute(change, [draw(st.sampled_from(strange)), row])
        elif way == "gone":
            connection.execute(f"drop table {draw(st.sampled_from(['labels', 'boxes', 'refusals', 'endings']))}")
        elif way == "view":
            connection.execute("alter table labels rename to kept")
            connection.execute("create view labels as select * from kept")
        else:
            connection.execute(f"pragma user_version = {draw(st.sampled_from([0, 2, 99]))}")
    connection.close()


def _estimates(draw: st.DrawFn, run: Path) -> None:
    """An array dropped, of another type or shape, with rows exchanged, or not finite."""
    path = draw(st.sampled_from(sorted(run.rglob("estimates.npz"))))
    with np.load(path) as file:
        arrays = {name: file[name] for name in file.files}
    name = draw(st.sampled_from(sorted(arrays)))
    array = arrays.pop(name)
    ways: dict[str, Any] = {
        "drop": None,
        "text": array.astype(str),
        "short": array[:-1],
        "flat": array.ravel(),
        "nan": array * np.nan,
        "long": np.concatenate([array, array]),
        "wide": array[..., None],
    }
    changed = ways[draw(st.sampled_from(sorted(ways)))]
    np.savez(path, **(arrays if changed is None else arrays | {name: changed}))


def _file(draw: st.DrawFn, run: Path) -> None:
    """Any file cut off, emptied, gone, a folder, a link, or another in its place."""
    path = draw(st.sampled_from(sorted(file for name in NAMES for file in run.rglob(name))))
    way = draw(st.sampled_from([files.truncate, files.truncate, files.empty, files.link, files.folder, files.gone]))
    way(draw, path)


MUTATIONS: Final = (
    _config,
    _records,
    _query,
    _json("run.json"),
    _labels,
    _labels,
    _estimates,
    _file,
    _file,
)


# --------------------------------------------------------------------------------------------------------------- tests
def assert_refused_or_said(path: Path, runs: Runs, command: str) -> None:
    """``command`` on the run at ``path`` says what it says of the sound one, or refuses."""
    words = ["--no-video"] if command == "predict" else []
    outcome = called(command, path, *words)
    if outcome.code:
        assert_refused_well(outcome, [*NAMES, str(path), "data set 'coco' has no file"])
        return
    if command == "predict":
        assert (path / "predictions" / "poses.csv").read_text() == runs.poses, "other poses"
    elif command == "report":
        assert table_of(path) == runs.report, "another report"
    else:
        assert outcome_of(path) == runs.outcome, "other picks, labels or figures"


@pytest.mark.parametrize(("command", "few"), [("resume", 6), ("predict", 6), ("report", 3)])
def test_a_mutated_run_is_refused_or_goes_on_as_before(runs: Runs, command: str, few: int) -> None:
    @mutated(few)
    @given(st.data())
    def holds(data: st.DataObject) -> None:
        with tempfile.TemporaryDirectory() as folder:
            sound = runs.half if command == "resume" else runs.finished
            path = Path(shutil.copytree(sound, Path(folder) / sound.name))
            data.draw(st.sampled_from(MUTATIONS))(data.draw, path)
            assert_refused_or_said(path, runs, command)

    holds()


def test_poses_of_an_earlier_cycle_are_not_taken_for_the_last(runs: Runs, tmp_path: Path) -> None:
    path = Path(shutil.copytree(runs.finished, tmp_path / "whole"))
    (path / "cycles" / "003" / "estimates.npz").unlink()
    outcome = called("predict", path, "--no-video")
    assert outcome.code == 2
    assert "003/estimates.npz is not there: the run's last poses are lost" in outcome.err


def test_a_number_of_too_many_digits_is_named(runs: Runs, tmp_path: Path) -> None:
    path = Path(shutil.copytree(runs.finished, tmp_path / "whole"))
    (path / "cycles.jsonl").write_text(
        (path / "cycles.jsonl").read_text().replace('"estimate": ', '"x": 1' + "0" * 400 + ', "estimate": ')
    )
    assert_refused_well(called("report", path), ["cycles.jsonl"])


@pytest.mark.parametrize("command", ["report", "predict"])
@pytest.mark.parametrize("left", [0, 3])
def test_records_that_a_finished_run_lacks_are_missed(runs: Runs, tmp_path: Path, command: str, left: int) -> None:
    path = Path(shutil.copytree(runs.finished, tmp_path / "whole"))
    lines = (path / "cycles.jsonl").read_text().splitlines(keepends=True)
    (path / "cycles.jsonl").write_text("".join(lines[:left]))
    outcome = called(command, path)
    assert outcome.code == 2
    assert f"cycles.jsonl has {left} passes, not 4: is it whole?" in outcome.err

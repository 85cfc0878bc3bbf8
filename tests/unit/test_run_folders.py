"""A run's folder may come from anywhere: what cannot be gone on from is told in a line, by the name of its file."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from tests.conftest import Registered, configured, once
from tests.unit.test_cycle import InterruptedRunError, Interrupter
from vatl_core.errors import InputError
from vatl_core.run import PastRun, execute

Change = Callable[[Path], object]
CRITERIA = "criteria/wpu.safetensors"


@pytest.fixture
def run(registered: Registered, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of a run that was killed in its second cycle, when a query was decided and labelled, before retraining."""

    def make(folder: Path) -> None:
        registry = registered(plugins=(Interrupter(9),))
        options = {"retrain": {"full": {"scratch_epochs": 1, "schedule": "run"}}}
        settings = {"retrain": "full", "query": "wpu", "stop": ["none"], "schedule": ["4", "8", "12"]}
        with pytest.raises(InterruptedRunError):
            execute(configured(registry, folder, options=options, **settings), registry)

    whole = once(tmp_path_factory, "interrupted", make)
    return shutil.copytree(whole / "run", tmp_path / "run")


def lines(change: Callable[[list[Any]], object]) -> Change:
    """Changes the records of the cycles."""

    def changed(run: Path) -> None:
        file = run / "cycles.jsonl"
        records = [json.loads(line) for line in file.read_text().splitlines()]
        change(records)
        file.write_text("".join(json.dumps(record) + "\n" for record in records))

    return changed


def text(place: str, content: str | bytes) -> Change:
    return lambda run: (run / place).write_bytes(content if isinstance(content, bytes) else content.encode())


def sql(*statements: str) -> Change:
    def changed(run: Path) -> None:
        with sqlite3.connect(run / "labels.sqlite") as connection:
            for statement in statements:
                connection.execute(statement)
        connection.close()

    return changed


def arrays(change: Callable[[dict[str, Any]], object]) -> Change:
    def changed(run: Path) -> None:
        file = run / "cycles/001/estimates.npz"
        with np.load(file) as columns:
            held: dict[str, Any] = dict(columns)
        change(held)
        np.savez(file, allow_pickle=True, **held)

    return changed


def weights(change: Callable[[dict[str, Any]], object]) -> Change:
    """Changes what the weights of the first cycle say about themselves."""

    def changed(run: Path) -> None:
        from safetensors import safe_open

        file = run / "cycles/000/weights.safetensors"
        with safe_open(file, "pt") as held:
            about = json.loads(held.metadata()["vatl"])
        told = change(about)
        save_file(load_file(file), file, {"vatl": json.dumps(about if told is None else told)})

    return changed


def optimiser(change: Callable[[dict[str, Any]], Any]) -> Change:
    def changed(run: Path) -> None:
        file = run / "cycles/001/optimiser.pt"
        kept = torch.load(file, weights_only=True)
        torch.save(change(kept), file)

    return changed


def moments(kept: dict[str, Any], change: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    for state in kept["optimiser"]["state"].values():
        change(state)
    return kept


def without(table: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in table.items() if key != name}


VIEW = ("alter table labels rename to real", "create view labels as select * from real")
TRIGGER = "create trigger t after insert on labels begin delete from labels; end"
DAMAGE: dict[str, dict[str, Change]] = {
    "cycles.jsonl": {
        "no JSON": text("cycles.jsonl", "{\n"),
        "no text": text("cycles.jsonl", b"\xff\xfe\n"),
        "a list": text("cycles.jsonl", "[]\n"),
        "of nothing": text("cycles.jsonl", "null\n"),
        "a field less": lines(lambda records: records[0].pop("instances")),
        "a field more": lines(lambda records: records[0].update(more=1)),
        "a cycle less": lines(lambda records: records[0].update(cycle=1)),
        "a cycle twice": lines(lambda records: records.append(records[0])),
        "a number as text": lines(lambda records: records[0].update(instances="24")),
        "a fraction of an instance": lines(lambda records: records[0]["query"].append(1.5)),
        "text for a list": lines(lambda records: records[0].update(query="12")),
        "a flag for a number": lines(lambda records: records[0].update(labelled=True)),
    },
    "labels.sqlite": {
        "garbage": text("labels.sqlite", b"garbage" * 99),
        "nothing": text("labels.sqlite", b""),
        "a view": sql(*VIEW),
        "a trigger": sql(TRIGGER),
        "a view beside": sql("create view more as select * from labels"),
        "a table less": sql("drop table boxes"),
        "a column more": sql("alter table labels add column more text"),
        "another version": sql("pragma user_version = 7"),
        "text for a number": sql("update labels set seconds = 'long'"),
        "text for an instance": sql("update labels set instance = 'first'"),
        "a fraction of an instance": sql("update labels set instance = instance + .5"),
        "bytes for text": sql("update labels set annotator = x'00ff'"),
        "no JSON": sql("update labels set keypoints = '['"),
        "a keypoint less": sql("update labels set keypoints = '[[1, 2]]', visible = '[true]', occluded = '[false]'"),
        "a number for keypoints": sql("update labels set keypoints = '3'"),
        "a label less": sql("delete from labels where id = 1"),
        "a label of somebody else": sql("update labels set instance = 999 where id = 1"),
        "a refusal of nobody": sql("insert into refusals values (1, 999, 0, 1, 'Ada', 0)"),
    },
    "cycles/001/query.json": {
        "no JSON": text("cycles/001/query.json", "{"),
        "a list": text("cycles/001/query.json", "[1]"),
        "nothing of it": text("cycles/001/query.json", '{"indices": [1]}'),
        "words": text("cycles/001/query.json", '{"instances": ["first"]}'),
        "fractions": text("cycles/001/query.json", '{"instances": [1.5]}'),
        "a number": text("cycles/001/query.json", '{"instances": 3}'),
        "nobody": text("cycles/001/query.json", '{"instances": [-1]}'),
        "somebody else": text("cycles/001/query.json", '{"instances": [999]}'),
    },
    "cycles/001/estimates.npz": {
        "garbage": text("cycles/001/estimates.npz", b"PK\3\4garbage"),
        "nothing": text("cycles/001/estimates.npz", b""),
        "a column less": arrays(lambda held: held.pop("scores")),
        "objects": arrays(lambda held: held.update(scores=np.array([{}], dtype=object))),
        "words": arrays(lambda held: held.update(scores=np.array([["a"]]))),
        "fewer scores": arrays(lambda held: held.update(scores=held["scores"][1:])),
        "fewer of a criterion": arrays(lambda held: held.update({"criterion.wpu": held["criterion.wpu"][1:]})),
        "another video's": arrays(lambda held: held.update({name: column[1:] for name, column in held.items()})),
        "flat": arrays(lambda held: held.update(scores=held["scores"].ravel())),
    },
    "cycles/000/weights.safetensors": {
        "garbage": text("cycles/000/weights.safetensors", b"garbage" * 99),
        "a header without end": text("cycles/000/weights.safetensors", b"\xff" * 99),
        "a list": weights(lambda about: [about]),
        "no keypoints": weights(lambda about: without(about, "keypoints")),
        "words for a mean": weights(lambda about: about["normalisation"].update(mean=["a", "b", "c"])),
        "one colour": weights(lambda about: about["normalisation"].update(mean=[1.0])),
        "a number for a normalisation": weights(lambda about: about.update(normalisation=3)),
        "a number for notes": weights(lambda about: about.update(notes=3)),
    },
    "cycles/001/optimiser.pt": {
        "garbage": text("cycles/001/optimiser.pt", b"garbage"),
        "a list": optimiser(lambda kept: [kept]),
        "no epochs": optimiser(lambda kept: without(kept, "epochs")),
        "words for epochs": optimiser(lambda kept: kept | {"epochs": "many"}),
        "nothing of an optimiser": optimiser(lambda kept: kept | {"optimiser": {}}),
        "a number for an optimiser": optimiser(lambda kept: kept | {"optimiser": 3}),
        "a moment less": optimiser(lambda kept: moments(kept, lambda state: state.pop("exp_avg"))),
        "moments of another shape": optimiser(lambda kept: moments(kept, lambda s: s.update(exp_avg=torch.zeros(3)))),
    },
    "config.toml": {
        "no TOML": text("config.toml", "[run"),
        "no text": text("config.toml", b"\xff"),
        "objects of no role": text("config.toml", "[objects.nothing.a]\nmade_by = 'a'\n"),
        "a number for objects": text("config.toml", "objects = 3\n"),
        "a number for an object": text("config.toml", "[objects]\nquery = 3\n"),
        "an object that nobody made": text("config.toml", "[objects.query.a]\n"),
        "a table for a name": text("config.toml", "[run.dataset]\na = 1\n"),
        "a list for a name": text("config.toml", "[run]\ndataset = ['sticks']\n"),
        "a number for a query": text("config.toml", "[run]\nquery = 3\n"),
        "a date": text("config.toml", "[run]\nseed = 1979-05-27\n"),
    },
    CRITERIA: {
        "garbage": text(CRITERIA, b"garbage" * 99),
        "another network's": lambda run: other_network(run / CRITERIA),
    },
    "run.json": {
        "no JSON": text("run.json", "{"),
        "a list": text("run.json", "[]"),
        "nothing": text("run.json", "{}"),
    },
}


def other_network(file: Path) -> None:
    save_file({"a": torch.zeros(3)}, file, {"vatl.criterion": json.dumps({"what": "another"})})


@pytest.mark.parametrize(("file", "what"), [(file, what) for file, changes in DAMAGE.items() for what in changes])
def test_damage_is_told_by_the_name_of_its_file(file: str, what: str, run: Path, registered: Registered) -> None:
    (run / CRITERIA).parent.mkdir(exist_ok=True)
    DAMAGE[file][what](run)
    for doing in (lambda: execute(run, registered()), lambda: look(run, registered())):
        with pytest.raises(InputError) as told:
            doing()
        assert Path(file).name in str(told.value).replace("'wpu' cannot", "wpu.safetensors cannot"), str(told.value)


def look(run: Path, registry: Any) -> None:
    past = PastRun.open(run, registry)
    past.labels()
    past.folder.estimates(1)
    past.folder.answers.history()
    past.at(0)
    past.at(1).folder.query(1)
    execute(run, registry)


@pytest.mark.parametrize("place", ["labels.sqlite", "cycles/001", "cycles", "cycles.jsonl", "x", "report", ".lock"])
def test_no_link_in_a_run_is_followed(place: str, run: Path, registered: Registered, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    if (run / place).exists():
        (run / place).rename(elsewhere)
    before = sorted(tmp_path.rglob("elsewhere*"))
    (run / place).symlink_to(elsewhere)
    for doing in (lambda: execute(run, registered()), lambda: PastRun.open(run, registered())):
        with pytest.raises(InputError, match="is a symbolic link"):
            doing()
    assert sorted(tmp_path.rglob("elsewhere*")) == before


def test_what_is_whole_goes_on(run: Path, registered: Registered) -> None:
    record = execute(run, registered())
    assert record.labelled == 12

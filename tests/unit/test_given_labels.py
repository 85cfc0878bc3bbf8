"""A run that starts with the labels in its data: learnt from first, asked for by nobody, counted apart."""

from __future__ import annotations

import json
from collections.abc import Iterable
from itertools import count
from pathlib import Path
from typing import Any

import attrs
import pytest
import torch
from rich.console import Console

import vatl_core
from tests.conftest import Registered, Sticks, configured, stick_video
from tests.unit.test_cycle import Copier, outcome
from tests.unit.test_known import partly
from vatl_annotate.ledger import Ledger
from vatl_console.display import _cycles, _line, _table, labelled_by
from vatl_core.contracts import Labels, Oracle, Request
from vatl_core.errors import InputError, unknown
from vatl_core.hookspecs import hookimpl
from vatl_core.plugins import Component
from vatl_core.records import CycleRecord, History
from vatl_core.run import PastRun, execute
from vatl_core.run.running import begin
from vatl_core.video import Video
from vatl_kit.checking import flaws
from vatl_predict.predictions import Predictions
from vatl_report.annotation import annotators
from vatl_report.run_page import write_run_page
from vatl_stopping.budget import Budget

BY = {2: "anna", 7: "ben", 11: "anna", 16: "labels.slp"}
"""Who labelled which of 24 sticks."""


@attrs.frozen
class Begun(Sticks):
    """Sticks of which some are labelled: ``by`` hand as a file says, ``known`` those whose truth is known."""

    by: str = "some"
    known: str = "all"

    def load(self, name: str) -> Video:
        if name not in self.videos():
            raise unknown("video", name, self.videos())
        video = super().load(name)
        if self.known == "given":
            video = partly(video, list(BY))
        every = dict.fromkeys(range(len(video.instances)), "labels.slp")
        return attrs.evolve(video, labelled_by={"some": BY, "none": {}, "every": every, "nobody": None}[self.by])


BEGUN = Component("dataset", "begun", "Sticks, some labelled", "tests.unit.test_given_labels:Begun")


@attrs.frozen
class Watched(Oracle):
    """Answers by where the sticks are, and notes what it was asked."""

    asked: list[int] = attrs.field(factory=list)

    def annotate(self, request: Request) -> Iterable[Labels]:
        self.asked.extend(request.indices.tolist())
        truth, index = stick_video().instances, request.indices
        assert truth.keypoints is not None
        assert truth.visible is not None
        yield Labels(index, truth.keypoints[index], truth.visible[index], "anna", torch.ones(len(index)) * 2)


PLAIN: dict[str, Any] = {"dataset": "begun", "query": "lc", "select": "top"}


def ran(registered: Registered, folder: Path, data: dict[str, Any] | None = None, **settings: Any) -> PastRun:
    registry = registered(BEGUN)
    options = {"dataset": {"begun": data or {}}}
    config = configured(registry, folder, **PLAIN, options=options, retrain="few-labels", **settings)
    quick = config.options | {"retrain": {"few-labels": {"steps": 2, "epochs": 1}}}
    execute(attrs.evolve(config, options=quick), registry)
    return PastRun.open(folder / "run", registry)


def test_labels_in_the_data_are_learnt_first_and_others_are_asked_for(registered: Registered, tmp_path: Path) -> None:
    past = ran(registered, tmp_path)
    first, *later, last = past.cycles
    assert (first.query, first.labelled, first.fired) == (tuple(BY), 0, {})
    assert [len(record.query) for record in later] == [4, 4]  # the schedule is 4 and 8: of what is asked for
    assert not {*BY} & {i for record in later for i in record.query}
    assert [record.labelled for record in (*later, last)] == [4, 8, 12]
    closing = past.closing
    assert closing is not None
    assert (closing.labelled, closing.given, closing.asked, closing.cycles) == (12, 4, 8, 2)
    told = json.loads((tmp_path / "run" / "run.json").read_text())
    assert (told["given"], told["asked"]) == (4, 8)
    history = past.folder.answers.history()
    assert {(g.instance, g.annotator) for g in history if g.cycle == 0} == {*BY.items()}
    assert len(history) == 12
    labels, truth = past.labels(), stick_video().instances
    assert labels.index.tolist()[:4] == list(BY)
    assert truth.keypoints is not None
    assert torch.equal(labels.keypoints, truth.keypoints[labels.index])
    assert Predictions.of(past, with_labels=True).labelled.nonzero().flatten().tolist() == sorted(labels.index.tolist())
    assert not torch.equal(*(weights(past, cycle) for cycle in (0, 1)))  # it was learnt from before anybody was asked


def weights(past: PastRun, cycle: int) -> torch.Tensor:
    run = past.at(cycle)
    return torch.cat([column.flatten() for column in run.estimator.state_dict().values()])


@pytest.mark.parametrize(
    ("by", "wanted", "given"),
    [
        ("some", None, 4), ("some", True, 4), ("some", False, 0),
        ("nobody", None, 0), ("nobody", True, 24), ("nobody", False, 0),
        ("none", None, 0), ("none", True, 0), ("every", None, 0), ("every", True, 24),
    ],
)  # fmt: skip
def test_it_starts_with_them_where_the_data_tells_or_the_user_does(
    registered: Registered, tmp_path: Path, by: str, wanted: bool | None, given: int
) -> None:
    registry = registered(BEGUN)
    options = {"dataset": {"begun": {"by": by}}}
    run = begin(configured(registry, tmp_path, **PLAIN, options=options, start_with_labels=wanted), registry)
    run.folder.unlock()
    assert len(run.folder.given) == given
    why = {"none": "no label in the data is by hand", "every": "all instances are labelled already"}.get(by)
    told = [text for text in run.warnings if "in the data" in text or "labelled" in text]
    assert told == [] if given or wanted is False or why is None else [text.startswith(why) for text in told] == [True]


def test_a_lost_pass_is_noticed(registered: Registered, tmp_path: Path) -> None:
    ran(registered, tmp_path, schedule=["1"])
    file = tmp_path / "run" / "cycles.jsonl"
    file.write_text("".join(file.read_text().splitlines(keepends=True)[:-1]))
    with pytest.raises(InputError, match="has 2 passes, not 3: is it whole"):
        PastRun.open(tmp_path / "run", registered(BEGUN))


def test_all_are_labelled_so_it_adapts_and_ends(registered: Registered, tmp_path: Path) -> None:
    past = ran(registered, tmp_path, {"by": "every"}, start_with_labels=True)
    assert past.closing is not None
    assert (past.closing.given, past.closing.asked, past.closing.cycles) == (24, 0, 0)
    assert past.closing.reason == "nothing is left to ask for: every instance has its answer"
    assert [bool(record.query) for record in past.cycles] == [True, False]


def test_people_are_not_asked_for_what_is_labelled_even_where_all_is(registered: Registered, tmp_path: Path) -> None:
    registry = registered(BEGUN)
    options = {"dataset": {"begun": {"by": "every"}}, "oracle": {"files": {"wait": 0}}}
    record = execute(configured(registry, tmp_path, **PLAIN, options=options, oracle="files"), registry)
    assert (record.given, record.asked) == (24, 0)


def test_only_the_given_are_known_so_ground_truth_is_asked_for_none(registered: Registered, tmp_path: Path) -> None:
    past = ran(registered, tmp_path, {"known": "given"})
    assert past.closing is not None
    assert (past.closing.labelled, past.closing.given, past.closing.measured) == (4, 4, 4)
    assert past.closing.reason.startswith("nothing is left to ask for: the truth of 20 of 24 instances is not known")


def test_without_any_other_truth_somebody_is_asked_for_the_others() -> None:
    video = partly(stick_video(), list(BY))
    oracle = Watched()
    parts: dict[str, Any] = {"query": "lc", "select": "top", "retrain": "never", "stop": "none", "refine": "none"}
    parts["retrain"] = "none"
    video = attrs.evolve(video, labelled_by=BY)
    run = vatl_core.start(video=video, oracle=oracle, schedule=["3"], weights="none", estimator="tiny", **parts)
    record = run.adapt()
    assert len(oracle.asked) == 3
    assert not {*oracle.asked} & {*BY}
    assert (record.given, record.asked, record.labelled) == (4, 3, 7)
    assert labelled_by(run) == "anna 3 in 6 s, 2 s a label"
    (anna,) = annotators(run.folder.answers, run.folder.given)
    assert (anna.labels, anna.seconds) == (3, (2.0, 2.0, 2.0))
    ledger = Ledger.of(run.folder.answers, frozenset(run.folder.given))
    assert (len(ledger.given), ledger.labelled, ledger.before) == (3, 7, 4)


def test_whatever_the_moment_it_is_cut_off_it_comes_to_the_same(registered: Registered, tmp_path: Path) -> None:
    copier = Copier(tmp_path / "copies")
    registry = registered(BEGUN, plugins=(copier,))
    config = configured(registry, tmp_path, **PLAIN, schedule=["2"], retrain="full")
    execute(config, registry)
    whole = outcome(tmp_path / "run")
    assert [len(cycle["query"]) for cycle in whole] == [4, 2, 0]
    for copy in copier.copies:
        execute(copy, registered(BEGUN))
        assert outcome(copy) == whole
        history = PastRun.open(copy, registry).folder.answers.history()
        assert [g.instance for g in history] == [*[2, 11], 7, 16, *whole[1]["query"]]


def test_a_beginning_that_was_killed_before_its_weights_begins_again(registered: Registered, tmp_path: Path) -> None:
    registry = registered(BEGUN)
    config = configured(registry, tmp_path, **PLAIN, schedule=["2"])
    run = begin(config, registry)
    run.folder.unlock()
    run.folder.weights(0).unlink()
    (run.folder.cycle_folder(0) / "query.json").unlink()
    record = execute(tmp_path / "run", registered(BEGUN))
    assert (record.given, record.asked) == (4, 2)
    assert len(PastRun.open(tmp_path / "run", registry).folder.answers.history()) == 6


def test_what_fails_in_the_first_pass_leaves_nothing(registered: Registered, tmp_path: Path) -> None:
    class Failing:
        @hookimpl
        def vatl_estimated(self, run: Any, cycle: int) -> None:
            raise InputError("frame 3 cannot be read")

    registry = registered(BEGUN, plugins=(Failing(),))
    with pytest.raises(InputError, match="frame 3"):
        execute(configured(registry, tmp_path, **PLAIN), registry)
    assert not (tmp_path / "run").exists()


def test_a_run_of_an_earlier_version_is_taken_up(registered: Registered, tmp_path: Path) -> None:
    """Without the setting in its file, and without what came with the data: it asked for these, too."""
    ran(registered, tmp_path, start_with_labels=False)
    file = tmp_path / "run" / "config.toml"
    lines = [line for line in file.read_text().splitlines() if "start_with_labels" not in line]
    assert len(lines) < len(file.read_text().splitlines())
    file.write_text("\n".join(lines))
    told = json.loads((tmp_path / "run" / "run.json").read_text())
    del told["given"], told["asked"]
    (tmp_path / "run" / "run.json").write_text(json.dumps(told))
    closing = PastRun.open(tmp_path / "run", registered(BEGUN)).closing
    assert closing is not None
    assert (closing.given, closing.asked) == (0, 8)


def test_no_criterion_stops_before_anybody_was_asked(registered: Registered, tmp_path: Path) -> None:
    past = ran(registered, tmp_path, stop=["sc-min-error"], threshold=1e-12)
    assert [len(record.query) for record in past.cycles] == [4, 4, 0]
    assert past.cycles[1].stopped_by == "sc-min-error"


def test_a_budget_counts_what_was_asked_for(registered: Registered, tmp_path: Path) -> None:
    options = {"stop": {"budget": {"labels": 3}}}
    registry = registered(BEGUN)
    config = configured(registry, tmp_path, **PLAIN, retrain="none", stop=["budget"], options=options)
    record = execute(config, registry)
    assert (record.given, record.asked, record.reason) == (4, 3, "3 of 3 labels are given")


def test_a_budget_of_a_fraction_or_of_minutes_counts_what_was_asked_for() -> None:
    given = CycleRecord(0, 20, 0, query=(1, 2, 3, 4))
    asked = CycleRecord(1, 20, 4, query=(5, 6), annotation_seconds=40)
    history = History((given, asked), 0.5, beforehand=4)
    assert (history.labelled, history.given) == (6, 2)
    assert Budget(fraction=0.1).decide(history) == "2 of 20 instances are asked for and labelled (10%)"
    assert Budget(fraction=0.3).allowance(history) == 4
    assert Budget(minutes=1).allowance(history) == 1  # 20 s each


def test_the_report_and_the_console_tell_both(registered: Registered, tmp_path: Path) -> None:
    past = ran(registered, tmp_path, {"known": "all"})
    page = write_run_page(past, tmp_path).read_text()
    assert "4 of them given with the data" in page
    assert "4 labels given with the data, for which nobody was asked" in page
    rows = (tmp_path / "cycles.csv").read_text().splitlines()
    assert rows[0].startswith("cycle,instances,labelled,labelled_fraction,given,queried,")
    assert [row.split(",")[4:6] for row in rows[1:]] == [["4", "0"], ["0", "4"], ["0", "4"], ["0", "0"]]
    assert past.closing is not None
    console = Console(width=120, record=True, file=open("/dev/null", "w"))  # noqa: SIM115, PTH123
    console.print(_table(past.closing, "", {}))
    assert "4 given with the data, 8 asked for" in console.export_text()
    first, second = (_line(record, {}, 4) for record in past.cycles[:2])
    assert "0/24 labelled, learnt from 4 labels given with the data" in first
    assert "their mean OKS" in first
    assert "4/24 labelled (4 given)" in second
    run = past.at(0)
    assert _cycles(run) == 4  # that of the given labels, two queries, and the closing pass


def test_labels_of_nobody_there_are_refused() -> None:
    video = partly(stick_video(), [3])
    for strange in (4, 24, -1):
        with pytest.raises(InputError, match=f"labelled_by names instance {strange}, which has no label"):
            attrs.evolve(video, labelled_by={3: "anna", strange: "ben"})


def test_labels_in_which_nothing_is_visible_are_not_given(registered: Registered, tmp_path: Path) -> None:
    video = attrs.evolve(partly(stick_video(), [3, 9], (5,)), labelled_by=dict.fromkeys([3, 5], "anna"))
    parts: dict[str, Any] = {"query": "lc", "select": "top", "retrain": "none", "stop": "none", "refine": "none"}
    run = vatl_core.start(video=video, schedule=["2"], weights="none", estimator="tiny", **parts)
    assert run.folder.given == [3]
    assert any(text.startswith("1 labels in the data show no keypoint") for text in run.warnings)
    record = run.adapt()
    assert (record.given, record.asked) == (1, 2)
    assert sorted(run.asked) == [3, 5, 9]  # what ground-truth knows


def test_methods_are_not_told_who_is_labelled() -> None:
    assert attrs.evolve(stick_video(), labelled_by=BY).without_truth().labelled_by is None


LOADS = count()
"""Of sticks of which something else is told each time: by chance it would now and then be the same."""


@attrs.frozen
class Odd(Begun):
    """Sticks of which something odd is told."""

    told: Any = None

    def load(self, name: str) -> Video:
        told = {next(LOADS) % 24: "anna"} if self.told is None else self.told
        return attrs.evolve(super().load(name), labelled_by=told)


KINDS = {
    "right": Begun(),
    "number": Odd(told={2: 7}),
    "text": Odd(told={2.0: "a"}),
    "list": Odd(told=[2]),
    "another each time": Odd(),
}


def test_the_kit_holds_data_sets_to_it() -> None:
    told = {by: [str(error) for _, error in flaws("dataset", made) if error] for by, made in KINDS.items()}
    assert not any("labelled" in text for text in told["right"])
    for by in ("number", "text", "list", "another each time"):
        assert any("labelled_by" in text or "given the same labels" in text for text in told[by]), by

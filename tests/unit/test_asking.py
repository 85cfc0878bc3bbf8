"""What an oracle answers is kept, learnt from and heeded, in whatever order it comes and wherever it is broken off."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import attrs
import pytest
import torch

from tests.conftest import Registered, configured
from tests.people import PERSON, TRUTH, UNLABELLED, Person, Script, everything, label
from vatl_core.contracts import (
    Answer,
    Enough,
    Estimator,
    Labelled,
    Labels,
    Pool,
    Redrawn,
    Refusal,
    Request,
    Retraining,
    Selector,
)
from vatl_core.errors import PluginError
from vatl_core.estimation import Crops
from vatl_core.hookspecs import hookimpl
from vatl_core.plugins import Component
from vatl_core.records import ANNOTATOR, RunRecord
from vatl_core.run import PastRun, execute
from vatl_predict.predictions import Predictions

BOX = (10.0, 20.0, 60.0, 80.0)


@attrs.define
class Lessons(Retraining):
    """Notes what it is shown, and spares the time."""

    def retrain(self, estimator: Estimator, source: Any, labelled: Labelled, *rest: Any) -> Estimator:
        boxes = labelled.pictures.boxes[labelled.index]
        SHOWN.append((labelled.index.tolist(), labelled.index[labelled.queried].tolist(), labelled.keypoints, boxes))
        return estimator


SHOWN: list[tuple[list[int], list[int], torch.Tensor, torch.Tensor]] = []
LESSONS = Component("retraining", "lessons", "", "tests.unit.test_asking:Lessons")


@attrs.define
class First(Selector):
    """The lowest numbers."""

    def select(self, pool: Pool, count: int, generator: torch.Generator) -> torch.Tensor:
        assert pool.features.numel(), "a selector may look at features"
        return pool.unlabelled[:count]


FIRST = Component("selector", "first", "", "tests.unit.test_asking:First")


class PowerCutError(Exception):
    """As if the power had gone."""


class Runs:
    """Begins and takes up runs in which a script answers."""

    def __init__(self, registered: Registered, folder: Path) -> None:
        self.registered, self.folder = registered, folder

    def registry(self, *plugins: object) -> Any:
        return self.registered(PERSON, UNLABELLED, LESSONS, FIRST, plugins=plugins)

    def begin(self, script: Script, *plugins: object, **settings: Any) -> RunRecord:
        SHOWN.clear()
        Person.script = script
        registry = self.registry(*plugins)
        usual = {"oracle": "person", "query": "lc", "select": "top", "retrain": "lessons"}
        return execute(configured(registry, self.folder, **(usual | settings)), registry)

    def finish(self, script: Script, name: str = "run", *plugins: object) -> RunRecord:
        Person.script = script
        return execute(self.folder / name, self.registry(*plugins))

    def past(self, name: str = "run") -> PastRun:
        return PastRun.open(self.folder / name, self.registry())


@pytest.fixture
def runs(registered: Registered, tmp_path: Path) -> Runs:
    return Runs(registered, tmp_path)


def by_cycle(*scripts: Script) -> Script:
    """The first for the first query put to it, and so on; the last for all that follow."""

    def script(request: Request) -> Iterator[Answer]:
        return scripts[min(request.cycle, len(scripts) - 1)](request)

    return script


def outcome(folder: Path) -> list[dict[str, Any]]:
    """A run's cycles, without what depends on the clock."""
    lines = [json.loads(line) for line in (folder / "cycles.jsonl").read_text().splitlines()]
    return [{k: v for k, v in line.items() if k != "seconds"} for line in lines]


# ---------------------------------------------------------------------------------------------------------- corrections
class TestCorrections:
    def test_within_a_cycle_the_last_answer_stands(self, runs: Runs) -> None:
        def twice(request: Request) -> Iterator[Answer]:
            first = int(request.query[0])
            yield label(first, off=30)
            yield from everything(request)

        runs.begin(by_cycle(twice, everything))
        labels, cycles = runs.past().labels(), runs.past().cycles
        torch.testing.assert_close(labels.keypoints, TRUTH.keypoints[labels.index])
        assert [c.corrected for c in cycles] == [(), (), ()]
        assert cycles[0].annotation_seconds == 5 * 4.0, "the time of what was replaced was spent too"
        assert cycles[1].labelled == 4

    def test_those_of_an_earlier_cycle_are_learnt_as_new_labels(self, runs: Runs) -> None:
        def correcting(request: Request) -> Iterator[Answer]:
            yield label(int(request.labels.index[0]), off=7)
            yield from everything(request)

        runs.begin(by_cycle(everything, correcting))
        first, second, _ = runs.past().cycles
        corrected = first.query[0]
        assert second.corrected == (corrected,)
        assert (second.labelled, second.labelled_after, len(second.query)) == (4, 8, 4)
        (_, queried, before, _), (index, again, after, _) = SHOWN
        assert queried == list(first.query)
        assert set(again) == {corrected, *second.query}, "continual learns what is queried"
        assert torch.equal(after[0] - before[0], torch.tensor([7.0, 0.0]).expand(5, 2))
        assert index == [*first.query, *second.query]
        assert len(second.labelled_oks) == 8
        assert second.labelled_oks[4:] == second.query_oks

    def test_they_count_against_the_budget(self, runs: Runs) -> None:
        def correcting(request: Request) -> Iterator[Answer]:
            yield from (label(int(i), off=1) for i in request.labels.index[:3])
            yield from everything(request)

        options = {"stop": {"budget": {"labels": 9}}}
        record = runs.begin(
            by_cycle(everything, correcting, everything), stop=["budget"], options=options, schedule=["3", "5", "20"]
        )
        assert [len(c.query) for c in runs.past().cycles] == [3, 2, 1, 0]
        assert (record.labelled, record.stopped_by) == (6, "budget")
        assert record.reason == "9 of 9 labels are given"

    def test_do_not_count_as_labelled_share(self, runs: Runs) -> None:
        def correcting(request: Request) -> Iterator[Answer]:
            yield from (label(int(i), off=1) for i in request.labels.index)
            yield from everything(request)

        options = {"stop": {"budget": {"fraction": 0.5}}}
        record = runs.begin(correcting, stop=["budget"], options=options, schedule=["4", "8", "24"])
        assert (record.labelled, record.stopped_by) == (12, "budget")

    def test_alone_they_are_learnt_before_the_run_ends(self, runs: Runs) -> None:
        def correcting(request: Request) -> Iterator[Answer]:
            yield label(int(request.labels.index[0]), off=7)
            yield Enough("Ada")

        record = runs.begin(by_cycle(everything, correcting))
        assert (record.stopped_by, record.labelled, record.cycles) == (ANNOTATOR, 4, 1)
        assert len(SHOWN) == 2
        assert len(SHOWN[1][1]) == 1
        assert [bool(c.closes) for c in runs.past().cycles] == [False, False, True]


# -------------------------------------------------------------------------------------------------------------- redrawn
class TestRedrawn:
    @staticmethod
    def redrawing(request: Request) -> Iterator[Answer]:
        yield Redrawn(int(request.query[1]), BOX, "Ada")
        assert request.video.instances.boxes[request.query[1]].tolist() == list(BOX)
        yield from everything(request)

    def test_takes_effect_in_the_next_pass_and_in_what_is_learnt_before_it(self, runs: Runs) -> None:
        seen: list[torch.Tensor] = []

        class Watching:
            @hookimpl
            def vatl_estimated(self, run: Any, cycle: int) -> None:
                seen.append(run.crops.boxes.clone())

        runs.begin(by_cycle(self.redrawing, everything), Watching())
        chosen = runs.past().cycles[0].query[1]
        moved = [(a != b).any(1).nonzero().flatten().tolist() for a, b in pairwise(seen)]
        assert moved == [[chosen], []]
        assert torch.equal(SHOWN[0][3][1], seen[1][chosen]), "the label is learnt in the new box already"
        assert runs.past().video.instances.boxes[chosen].tolist() == list(BOX)
        assert runs.past().at(0).crops.boxes.equal(seen[0])
        assert runs.past().at(1).crops.boxes.equal(seen[1])

    def test_what_was_measured_of_the_pass_was_in_the_box_that_it_was_made_in(self, runs: Runs) -> None:
        runs.begin(by_cycle(self.redrawing, everything))
        runs.begin(by_cycle(everything), name="as-it-was")
        redrawn, plain = (runs.past(name).cycles[0] for name in ("run", "as-it-was"))
        assert redrawn.query_oks == plain.query_oks
        assert redrawn.labelled_oks == plain.labelled_oks
        assert redrawn.evaluation == plain.evaluation

    @pytest.mark.parametrize("room", [0, 5, 24])
    def test_the_kept_crop_is_cut_anew(self, video: Any, room: int) -> None:
        def crops() -> Crops:
            return Crops(video.without_truth(), (32, 32), torch.device("cpu"), room * 3 * 32 * 32)

        everyone, old = torch.arange(24), crops()
        before = old.get(everyone)
        video.instances.boxes[3] = torch.tensor(BOX)
        old.redraw(3)
        after, used = old.get(everyone), old._used
        assert torch.equal(after, crops().get(everyone))
        assert (before != after).flatten(1).any(1).nonzero().flatten().tolist() == [3]
        for _ in range(3):
            old.redraw(3)
        assert old._used == used, "a crop that is redrawn keeps its place"

    def test_moves_no_other_instance_of_a_data_set_that_is_loaded_twice(self, runs: Runs, video: Any) -> None:
        runs.begin(by_cycle(self.redrawing, everything))
        assert torch.equal(video.instances.boxes, TRUTH.boxes)


# ------------------------------------------------------------------------------------------------------------- refusals
class TestRefusals:
    @staticmethod
    def sixth(request: Request) -> Iterator[Answer]:
        """Refuses every sixth instance, and finds nobody at every twelfth."""
        for i in request.indices.tolist():
            yield label(i) if i % 6 else Refusal(i, "Ada", i % 12 == 0)

    def test_what_is_refused_is_asked_for_no_more(self, runs: Runs) -> None:
        asked: list[int] = []

        def script(request: Request) -> Iterator[Answer]:
            asked.extend(request.indices.tolist())
            return self.sixth(request)

        record = runs.begin(script, schedule=["0.25", "0.5", "1.0"])
        past = runs.past()
        assert sorted(asked) == list(range(24)), "everything once, and never again"
        assert past.folder.answers.refused() == {0: True, 6: False, 12: True, 18: False}
        assert (record.instances, record.labelled) == (22, 20)
        assert past.labels().index.tolist() == [i for c in past.cycles for i in c.query]

    def test_the_absent_count_nowhere(self, runs: Runs) -> None:
        runs.begin(self.sixth, schedule=["3"], select="first")
        past = runs.past()
        first, _, last = past.cycles
        gone = [i for i, absent in past.folder.answers.refused().items() if absent]
        assert len(gone) == 1
        there = [i for i in range(24) if i not in gone]
        assert (first.instances, last.instances) == (23, 23)
        assert (first.labelled_after, last.labelled) == (2, 3)
        for record in (first, last):
            scores = past.folder.estimates(record.cycle).criteria
            assert set(record.mean_scores) == set(scores)
            for name, column in scores.items():
                assert record.mean_scores[name] == pytest.approx(float(column[there].mean()), rel=1e-5)
        assert sum(last.evaluation.counts.values()) == 23
        assert len(Predictions.of(past).keypoints) == 23

    def test_a_query_that_nobody_can_label_is_followed_by_another_in_the_same_cycle(self, runs: Runs) -> None:
        passes, queries = [], []

        class Watching:
            @hookimpl
            def vatl_estimated(self, run: Any, cycle: int) -> None:
                passes.append(cycle)

            @hookimpl
            def vatl_queried(self, run: Any, cycle: int, indices: Any) -> None:
                queries.append((cycle, list(indices)))

        def script(request: Request) -> Iterator[Answer]:
            if len(queries) < 3:
                return (Refusal(int(i), "Ada", True) for i in request.indices)
            return everything(request)

        record = runs.begin(script, Watching(), schedule=["4", "6"])
        assert [cycle for cycle, _ in queries] == [0, 0, 0, 1]
        asked = [i for _, indices in queries for i in indices]
        assert len(asked) == len(set(asked)) == 14
        assert passes == [0, 1, 2], "one pass a cycle, however often it asks"
        assert (record.labelled, record.instances) == (6, 16)

    def test_a_video_of_nobody_ends(self, runs: Runs) -> None:
        record = runs.begin(lambda request: (Refusal(int(i), "Ada", True) for i in request.indices))
        assert (record.instances, record.labelled, record.cycles) == (0, 0, 0)
        assert record.mean_oks is None
        assert "NaN" not in (runs.folder / "run" / "cycles.jsonl").read_text()
        assert len(Predictions.of(runs.past()).keypoints) == 0

    def test_a_label_can_be_withdrawn_and_given_again(self, runs: Runs) -> None:
        withdrawn = []

        def withdrawing(request: Request) -> Iterator[Answer]:
            withdrawn.append(int(request.labels.index[0]))
            yield Refusal(withdrawn[0], "Ada")
            yield from everything(request)

        def again(request: Request) -> Iterator[Answer]:
            yield label(withdrawn[0], off=2)
            yield from everything(request)

        runs.begin(by_cycle(everything, withdrawing, again, everything), schedule=["4", "8", "12"])
        cycles = runs.past().cycles
        assert [(c.labelled, len(c.query), c.corrected) for c in cycles] == [
            (0, 4, ()),
            (3, 4, ()),
            (8, 1, (withdrawn[0],)),
            (9, 3, ()),
            (12, 0, ()),
        ]
        assert withdrawn[0] not in SHOWN[1][0]
        assert withdrawn[0] in SHOWN[2][1]

    def test_a_second_thought_within_the_cycle_counts(self, runs: Runs) -> None:
        def doubting(request: Request) -> Iterator[Answer]:
            first, second = request.indices[:2].tolist()
            yield from (Refusal(first, "Ada"), label(second), Refusal(second, "Ada"))
            yield from (label(int(i)) for i in request.indices if int(i) != second)

        runs.begin(by_cycle(doubting, everything), schedule=["4"])
        first = runs.past().cycles[0]
        assert len(first.query) == 3
        assert len(runs.past().folder.answers.refused()) == 1


# --------------------------------------------------------------------------------------------------------------- enough
class TestEnough:
    def test_what_was_answered_is_learnt(self, runs: Runs) -> None:
        def two(request: Request) -> Iterator[Answer]:
            yield from (label(int(i)) for i in request.indices[:2])
            yield Enough("Ada")

        record = runs.begin(two)
        assert (record.stopped_by, record.reason) == (ANNOTATOR, "Ada said that it is enough")
        assert (record.labelled, record.cycles) == (2, 1)
        assert len(SHOWN[0][0]) == 2
        assert [len(c.query) for c in runs.past().cycles] == [2, 0]

    def test_at_once_it_ends_the_run_as_it_stands(self, runs: Runs) -> None:
        record = runs.begin(by_cycle(everything, lambda request: iter([Enough("")])))
        assert (record.stopped_by, record.labelled, record.cycles) == (ANNOTATOR, 4, 1)
        assert record.reason == "an annotator said that it is enough"
        assert len(SHOWN) == 1
        assert runs.finish(everything) == record

    def test_after_refusals_alone_too(self, runs: Runs) -> None:
        def script(request: Request) -> Iterator[Answer]:
            yield Refusal(int(request.query[0]), "Ada", True)
            yield Enough("Ada")

        record = runs.begin(script)
        assert (record.stopped_by, record.labelled, record.instances) == (ANNOTATOR, 0, 23)


# ------------------------------------------------------------------------------------------------------------- breaches
def odd(**changes: Any) -> Script:
    return lambda request: iter([attrs.evolve(label(int(request.query[0])), **changes)])


NAN = torch.full((1, 5, 2), torch.nan)


@pytest.mark.parametrize(
    ("script", "words"),
    [
        (odd(index=torch.tensor([23])), "labelled instance 23, which it was not asked for"),
        (odd(index=torch.tensor([-1])), "labelled instance -1"),
        (odd(index=torch.tensor([0, 1])), "gave labels with keypoints of shape (1, 5, 2): (2, 5, 2) is expected"),
        (odd(keypoints=torch.zeros(1, 4, 2)), "gave labels with keypoints of shape (1, 4, 2)"),
        (odd(visible=torch.ones(1, 4) > 0), "gave labels with visible of shape (1, 4)"),
        (odd(occluded=torch.ones(5) > 0), "gave labels with occluded of shape (5,)"),
        (odd(seconds=torch.ones(2)), "gave labels with seconds of shape (2,)"),
        (odd(moved=torch.ones(0)), "gave labels with moved of shape (0,)"),
        (odd(proposals=torch.zeros(5, 2)), "gave labels with proposals of shape (5, 2)"),
        (odd(keypoints=NAN), "annotated keypoints that are NaN"),
        (odd(seconds=torch.tensor([torch.nan])), "a time on a label that is negative, NaN"),
        (odd(seconds=torch.tensor([-1.0])), "a time on a label that is negative"),
        (lambda request: iter([Refusal(23, "Ada")]), "spoke of instance 23"),
        (lambda request: iter([Redrawn(23, BOX, "Ada")]), "spoke of instance 23"),
        (lambda request: iter([Redrawn(int(request.query[0]), (1, 2, 0, 4), "Ada")]), "must have an area"),
        (lambda request: iter([Redrawn(int(request.query[0]), (1, 2, 3, torch.nan), "A")]), "must have an area"),
        (lambda request: iter([Redrawn(int(request.query[0]), (1, torch.inf, 3, 4), "A")]), "must have an area"),
        (lambda request: iter([Redrawn(int(request.query[0]), (1, 2, 3), "Ada")]), "must have an area"),
        (lambda request: iter(["done"]), "gave a str, which is no answer"),
        (lambda request: iter([None]), "gave a NoneType, which is no answer"),
        (lambda request: iter([]), "left 4 of 4 instances unanswered"),
    ],
)  # fmt: skip
def test_an_oracle_that_breaks_its_contract_is_named_and_nothing_of_it_is_kept(
    runs: Runs, script: Script, words: str
) -> None:
    with pytest.raises(PluginError) as error:
        runs.begin(script, select="first")
    assert str(error.value).startswith("oracle 'person' ")
    assert words in str(error.value)
    assert runs.past().folder.answers.history() == []
    assert runs.past().folder.answers.refused() == {}
    assert runs.past().folder.answers.boxes() == {}


def test_a_keypoint_that_is_not_annotated_may_be_anywhere(runs: Runs) -> None:
    def script(request: Request) -> Iterator[Answer]:
        for given in everything(request):
            assert isinstance(given, Labels)
            given.visible[0, 2] = False
            given.keypoints[0, 2] = torch.nan
            yield given

    runs.begin(script)
    assert all(0 <= similarity <= 1 for c in runs.past().cycles for similarity in c.labelled_oks)
    assert runs.past().labels().visible.sum(1).tolist() == [4] * 8


# --------------------------------------------------------------------------------------------------------- interruption
def plan(cycle: int, query: list[int]) -> list[Answer]:
    """A bit of everything, decided by what was asked."""
    if query == [0, 1, 2, 3]:
        return [Refusal(0, "Ada", True), Refusal(1, "Ada"), Redrawn(2, BOX, "Ada"), Refusal(2, "Bo"), Refusal(3, "Bo")]
    if cycle == 0:
        return [label(i, off=0.5 * i) for i in query]
    if cycle == 1:
        return [
            Refusal(query[0], "Ada", True), label(4, off=9), Redrawn(5, BOX, "Bo"), label(query[1]), Refusal(6, "Bo"),
            label(query[1], off=1), label(5, off=3), *(label(i, who="Bo") for i in query[2:]),
        ]  # fmt: skip
    return [label(query[0]), Refusal(7, "Ada", True), label(4, off=1), Enough("Ada")]


class Power:
    """Fails once at every answer, and at every hook about answers.

    Attributes:
        fails: whether it does at all.
        given: how many answers to each query are on disk.
    """

    def __init__(self, fails: bool) -> None:
        self.fails = fails
        self.given: Counter[tuple[int, ...]] = Counter()
        self.failed: set[tuple[Any, ...]] = set()

    def answer(self, request: Request) -> Iterator[Answer]:
        query = request.query.tolist()
        key = (request.cycle, *query)
        for answer in plan(request.cycle, query)[self.given[key] :]:
            self.given[key] += 1
            yield answer
            self.fail_at("answer", *key, self.given[key])

    def fail_at(self, *event: Any) -> None:
        if self.fails and event not in self.failed:
            self.failed.add(event)
            raise PowerCutError

    @hookimpl
    def vatl_queried(self, run: Any, cycle: int, indices: Any) -> None:
        self.fail_at("queried", cycle, *indices)

    @hookimpl
    def vatl_labelled(self, run: Any, cycle: int, indices: Any) -> None:
        self.fail_at("labelled", cycle, *run.folder.query(cycle))

    @hookimpl
    def vatl_cycle_finished(self, run: Any, record: Any) -> None:
        self.fail_at("finished", record.cycle)


def test_broken_off_at_every_answer_a_run_ends_as_if_it_had_not_been(runs: Runs) -> None:
    settings = {"select": "first", "query": "lc", "schedule": ["4", "8", "12"], "retrain": "none"}
    power = Power(fails=False)
    runs.begin(power.answer, power, name="plain", **settings)
    expected = outcome(runs.folder / "plain")
    assert [c["corrected"] for c in expected] == [[], [4, 5], [4], []]
    assert [c["instances"] for c in expected] == [23, 22, 21, 21]
    power = Power(fails=True)
    with pytest.raises(PowerCutError):
        runs.begin(power.answer, power, **settings)
    for _ in range(60):
        try:
            runs.finish(power.answer, "run", power)
            break
        except PowerCutError:
            continue
    assert len(power.failed) > 25
    assert outcome(runs.folder / "run") == expected

"""A video that nobody labelled goes through the whole cycle; what only the truth could tell is nowhere."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from tests.conftest import Registered, configured
from tests.people import PERSON, TRUTH, UNLABELLED, Person, everything, label
from vatl_console.display import Display, _line, _table, labelled_by
from vatl_core.contracts import Answer, Enough, Redrawn, Refusal, Request
from vatl_core.metrics import oks
from vatl_core.records import CycleRecord, History, RunRecord
from vatl_core.run import PastRun, execute
from vatl_core.video import Skeleton
from vatl_predict.coco import write_coco
from vatl_predict.keypoint_rows import write_csv
from vatl_predict.overlay import write_overlay
from vatl_predict.predictions import Predictions
from vatl_report.annotation import annotators, time_curves
from vatl_report.comparison import write_comparison
from vatl_report.drawing import LABEL, draw_pose
from vatl_report.run_page import write_run_page
from vatl_report.same_video import check_video
from vatl_report.visualisation import visualise
from vatl_stopping.budget import Budget
from vatl_sweep.results import Summary, table

BOX = (12.0, 25.0, 58.0, 76.0)
OF_TRUTH = {"AP", "ALC", "OSPA", "PCK", "actual-finish", "nan"}


def working(request: Request) -> Iterator[Answer]:
    """Ada and Bo at work: a box redrawn, somebody absent, somebody unclear, a correction, and enough in the end."""
    first, second, *rest = request.query.tolist()
    if request.cycle == 0:
        yield from (Redrawn(first, BOX, "Ada"), label(first, seconds=9), label(second, who="Bo"))
        yield from (label(i, seconds=4 + n) for n, i in enumerate(rest))
    elif request.cycle == 1:
        yield from (Refusal(first, "Ada", True), Refusal(second, "Bo"), label(rest[0], who="Bo", seconds=2))
        yield label(int(request.labels.index[1]), off=2, seconds=6)
        yield from map(label, rest[1:])
    else:
        yield from (label(first), Enough("Ada"))


Finished = tuple[PastRun, RunRecord, Any]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    """A run on sticks without truth, its video's frames and all."""
    from tests.conftest import SticksPlugin
    from vatl_core.discovery import discover

    registry = discover()
    for name in ("vatl-report", "vatl-console"):
        registry.manager.unregister(name=next(n for n, _ in registry.manager.list_name_plugin() if n.startswith(name)))
    registry.manager.register(SticksPlugin(PERSON, UNLABELLED), name="tests")
    Person.script = working
    settings = {
        "oracle": "person",
        "dataset": "unlabelled",
        "query": "lc",
        "retrain": "none",
        "schedule": ["4", "8", "12"],
    }
    config = configured(registry, tmp_path_factory.mktemp("runs"), stop=["sc-thc"], **settings)
    record = execute(config, registry)
    return PastRun.open(config.path, registry), record, registry


def words(path: Path) -> str:
    """What a page says, without pictures and tags."""
    import re

    text = re.sub(r"<style.*?</style>|<svg.*?</svg>|<[^>]*>", " ", path.read_text(), flags=re.S)
    return " ".join(text.split())


class TestCycle:
    def test_the_labels_just_given_judge_the_poses(self, finished: Finished) -> None:
        past, record, _ = finished
        assert (record.labelled, record.instances, record.cycles) == (7, 23, 3)
        assert (record.stopped_by, record.reason) == ("annotator", "Ada said that it is enough")
        cycle, kept = past.cycles[1], past.folder.estimates(1)
        assert kept is not None
        assert TRUTH.keypoints is not None
        index = list(cycle.query)
        boxes, seen = past.video.instances.boxes[index], torch.ones(len(index), 5, dtype=torch.bool)
        own = oks(kept.keypoints[index], TRUTH.keypoints[index], seen, boxes, past.video.skeleton.sigmas)
        assert cycle.query_oks == pytest.approx(own.tolist(), rel=1e-4)
        assert len(cycle.labelled_oks) == cycle.labelled_after == 6

    def test_what_takes_truth_is_null(self, finished: Finished) -> None:
        past, record, _ = finished
        written = json.loads((past.folder.path / "run.json").read_text())
        for name in ("mean_oks", "mean_oks_unlabelled", "mean_oks_with_labels", "ap", "ap_with_labels", "alc"):
            assert written[name] is None
            assert getattr(record, name) is None
        assert all(c.evaluation is None for c in past.cycles)

    @pytest.mark.parametrize("stop", ["sc-correct", "sc-min-error", "sc-thc"])
    def test_stopping_criteria_need_none(self, registered: Registered, tmp_path: Path, stop: str) -> None:
        Person.script = everything
        registry = registered(PERSON, UNLABELLED)
        options = {"stop": {"sc-thc": {"tolerance": 1e50, "patience": 2}}}
        settings = {"oracle": "person", "dataset": "unlabelled", "retrain": "none", "query": "lc", "threshold": 1e-12}
        config = configured(
            registry, tmp_path, stop=[stop], schedule=["2", "4", "6", "8"],
            options=options if stop == "sc-thc" else {}, **settings,
        )  # fmt: skip
        assert execute(config, registry).stopped_by == stop


class TestBudget:
    @given(
        st.lists(st.tuples(st.integers(0, 6), st.integers(0, 3), st.floats(0.5, 60)), min_size=1, max_size=12),
        st.integers(1, 40), st.floats(0.5, 30), st.floats(0.05, 1),
    )  # fmt: skip
    def test_no_more_is_asked_for_than_it_allows_and_it_ends(
        self, cycles: Any, labels: int, minutes: float, fraction: float
    ) -> None:
        budget, records, spent = Budget(labels=labels, minutes=minutes, fraction=fraction), [], 0.0
        for number, (wanted, corrected, pace) in enumerate(cycles):
            done = sum(len(r.query) for r in records)
            begun = CycleRecord(number, 100, done)
            before = History((*records, begun), 0.5)
            allowed = budget.allowance(before)
            assert allowed is not None
            assert allowed >= 1, "a run whose budget is not used up goes on"
            count = min(wanted, allowed)
            if spent and before.given:
                fit = (minutes * 60 - spent) / (spent / before.given)
                assert count <= max(1, fit + 1e-6)
            ended = attrs.evolve(
                begun, query=tuple(range(count)), corrected=tuple(range(corrected)),
                annotation_seconds=pace * (count + corrected),
            )  # fmt: skip
            records.append(ended)
            spent += ended.annotation_seconds
            after = History(tuple(records), 0.5)
            assert after.given - corrected <= labels
            assert after.labelled <= max(1, round(fraction * 100))
            used = after.given >= labels or spent >= minutes * 60 or after.labelled >= max(1, round(fraction * 100))
            assert bool(budget.decide(after)) is used
            if used:
                break

    def test_minutes_end_a_run(self, registered: Registered, tmp_path: Path) -> None:
        Person.script = everything  # 4 s a label
        registry = registered(PERSON, UNLABELLED)
        settings = {
            "oracle": "person",
            "dataset": "unlabelled",
            "retrain": "none",
            "query": "lc",
            "schedule": ["2", "24"],
        }
        options = {"stop": {"budget": {"minutes": 0.5}}}
        record = execute(configured(registry, tmp_path, stop=["budget"], options=options, **settings), registry)
        past = PastRun.open(tmp_path / "run", registry)
        assert [len(c.query) for c in past.cycles] == [2, 5, 1, 0]
        assert (record.stopped_by, record.reason) == ("budget", "0.5 of 0.5 minutes of annotation are used")


class TestReport:
    def test_of_one_run(self, finished: Finished, tmp_path: Path) -> None:
        past, _, _ = finished
        page = write_run_page(past, tmp_path)
        text = words(page)
        assert OF_TRUTH & set(text.replace(",", " ").split()) == set()
        assert "could not be made" not in text
        for said in (
            "Stopped by annotator: Ada said that it is enough",
            "no ground truth, so the accuracy of the unlabelled rest is not known",
            "annotator labels given median a label together keypoints moved corrections cannot be told nobody there",
            "Of the 15 instances that were neither labelled nor refused",
            "hollow: hidden in the picture",
            "Before and after",
        ):
            assert said in text
        assert {p.name for p in tmp_path.iterdir()} == {
            "index.html", "cycles.csv", "labels.csv", "learning_curve.png", "learning_curve.svg", "annotation.png",
            "annotation.svg",
        }  # fmt: skip
        head = next(csv.reader((tmp_path / "cycles.csv").open()))
        assert not [name for name in head if name.split("_")[0] in ("ap", "mean", "pck", "all") and "thc" not in name
                    and "lc" not in name]  # fmt: skip
        svg = (tmp_path / "learning_curve.svg").read_text()
        assert "mean OKS of the query" in svg
        assert "mean score" in svg
        rows = list(csv.DictReader((tmp_path / "labels.csv").open()))
        assert [row["correction"] for row in rows].count("True") == 1
        assert {row["hidden"] for row in rows} == {"1"}

    def test_says_what_everybody_did(self, finished: Finished) -> None:
        ada, bo = annotators(finished[0].folder.answers)
        assert (ada.name, ada.labels, ada.corrections, ada.absent, ada.unclear, ada.boxes) == ("Ada", 6, 1, 1, 0, 1)
        assert (bo.name, bo.labels, bo.corrections, bo.absent, bo.unclear, bo.boxes) == ("Bo", 2, 0, 0, 1, 0)
        assert (ada.moved, ada.annotated) == (12, 30)
        assert sum(ada.seconds) + sum(bo.seconds) == sum(c.annotation_seconds for c in finished[0].cycles)

    def test_time_buys_accuracy_of_the_pass_before_it_is_spent(self, finished: Finished) -> None:
        cycles = finished[0].cycles
        curve = time_curves(cycles)["query_mean_oks"]
        assert [minutes for minutes, _ in curve] == pytest.approx(
            [0, cycles[0].annotation_seconds / 60, sum(c.annotation_seconds for c in cycles[:2]) / 60]
        )
        assert [value for _, value in curve] == [c.query_mean_oks for c in cycles[:3]]
        assert time_curves([attrs.evolve(c, annotation_seconds=0.0) for c in cycles]) == {}

    def test_of_several(self, finished: Finished, registered: Registered, tmp_path: Path) -> None:
        past, _, registry = finished
        Person.script = everything
        other = configured(registry, tmp_path, oracle="person", dataset="unlabelled", query="thc", retrain="none")
        execute(other, registry)
        page = write_comparison([past, PastRun.open(other.path, registry)], tmp_path / "both")
        text = words(page)
        assert OF_TRUTH & set(text.replace(",", " ").split()) == set()
        assert "None of the videos has ground truth" in text
        assert not {"ap", "alc", "mean_oks"} & set(next(csv.reader((tmp_path / "both" / "runs.csv").open())))
        told = configured(registry, tmp_path, name="told", query="thc", retrain="none")
        execute(told, registry)
        runs = [past, *(PastRun.open(c.path, registry) for c in (other, told))]
        text = words(write_comparison(runs, tmp_path / "three"))
        assert "no truth to measure against" in text
        assert "ALC" in text

    def test_a_changed_video_is_noticed_beside_absent_instances(self, finished: Finished) -> None:
        past = finished[0]
        check_video(past)

    def test_a_hidden_keypoint_of_a_label_is_hollow(self) -> None:
        import numpy as np

        def middle(hidden: bool) -> list[int]:
            picture = np.full((80, 80, 3), 128, np.uint8)
            point, yes = np.array([[40.0, 40.0]]), np.array([True])
            draw_pose(picture, point, yes, Skeleton("dot", ("dot",), ()), LABEL, 200, np.array([hidden]))
            assert picture[40 - 5, 40].tolist() == list(LABEL.colour)
            return list(picture[40, 40])

        assert middle(hidden=False) == list(LABEL.colour)
        assert max(middle(hidden=True)) < 60

    def test_visualize(self, finished: Finished, tmp_path: Path) -> None:
        past = finished[0]
        files = visualise(past, 2, tmp_path, 2, "pca", 12, lambda *_: None)
        assert {"features.png", "features.csv", "scores_lc.png", "poses.mp4"} <= {f.name for f in files}
        rows = list(csv.DictReader((tmp_path / "features.csv").open()))
        assert len(rows) == 23, "without the one at whom nobody is"
        assert "oks" not in rows[0]


class TestPredictions:
    def test_leave_out_the_absent_and_say_what_is_hidden(self, finished: Finished, tmp_path: Path) -> None:
        past = finished[0]
        plain, labelled = (Predictions.of(past, with_labels) for with_labels in (False, True))
        absent = [i for i, nobody in past.folder.answers.refused().items() if nobody]
        for number, predictions in enumerate((plain, labelled)):
            file = json.loads(write_coco(predictions, tmp_path / f"{number}.json").read_text())
            assert [a["id"] - 1 for a in file["annotations"]] == [i for i in range(24) if i not in absent]
            for annotation in file["annotations"]:
                given = number == 1 and annotation["id"] - 1 in past.standing.asked
                assert annotation["labelled"] is given
                assert annotation["keypoints"][2::3] == [2, 2, 2, 2, 1 if given else 2]
            first = past.cycles[0].query[0]
            box = next(a["bbox"] for a in file["annotations"] if a["id"] == first + 1)
            assert box == list(BOX), "the redrawn box"
        rows = list(csv.DictReader(write_csv(labelled, tmp_path / "poses.csv").open()))
        assert len(rows) == 23 * 5
        assert sum(int(row["labelled"]) for row in rows) == 7 * 5
        assert write_overlay(labelled, tmp_path / "overlay.mp4", 25).stat().st_size > 1000

    def test_a_keypoint_that_an_annotator_removed_stays_away(
        self, finished: Finished, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def without_hands(request: Request) -> Iterator[Answer]:
            for i in request.indices.tolist():
                given = label(i)
                gone = torch.tensor([[k in (i % 5, 3) for k in range(5)]])
                yield attrs.evolve(given, visible=given.visible & ~gone, occluded=given.occluded & ~gone)

        monkeypatch.setattr(Person, "script", staticmethod(without_hands))
        settings = {"oracle": "person", "dataset": "unlabelled", "query": "lc", "retrain": "none", "schedule": ["7"]}
        config = configured(finished[2], tmp_path / "runs", **settings)
        execute(config, finished[2])
        past = PastRun.open(config.path, finished[2])
        plain, predictions = (Predictions.of(past, with_labels) for with_labels in (False, True))
        file = json.loads(write_coco(predictions, tmp_path / "poses.json").read_text())
        labelled = [a for a in file["annotations"] if a["labelled"]]
        assert labelled
        for annotation in labelled:
            gone = {(annotation["id"] - 1) % 5, 3}
            triples = [annotation["keypoints"][3 * k : 3 * k + 3] for k in range(5)]
            assert {k for k, triple in enumerate(triples) if triple == [0, 0, 0]} == gone
            assert {k for k, score in enumerate(annotation["keypoint_scores"]) if score == 0} == gone
            assert (annotation["num_keypoints"], annotation["score"]) == (5 - len(gone), 1)
        table = csv.DictReader(write_csv(predictions, tmp_path / "poses.csv").open())
        removed = [row for row in table if (row["x"], row["y"], row["score"]) == ("0.00", "0.00", "0.0000")]
        assert len(removed) == sum(5 - a["num_keypoints"] for a in labelled)
        assert {row["labelled"] for row in removed} == {"1"}
        assert plain.visible.all(), "the estimates alone are of every keypoint"
        drawn: list[Any] = []
        monkeypatch.setattr("vatl_predict.overlay.draw_pose", lambda *given: drawn.append(given[5].tolist()))
        write_overlay(predictions, tmp_path / "overlay.mp4", 25)
        assert sum(map(sum, drawn)) == int(predictions.visible.sum()) < predictions.visible.numel()


class TestConsole:
    def test_the_closing_table_has_no_line_for_what_is_not_known(self, finished: Finished) -> None:
        past, record, _ = finished
        run = past.at(len(past.cycles) - 1)
        console = Console(file=io.StringIO(), width=120)
        console.print(_table(record, labelled_by(run), {}))
        said = console.file.getvalue()  # type: ignore[attr-defined]
        assert "Ada 6, Bo 2 in" in said
        assert "annotator: Ada said that it is enough" in said
        assert not {"OKS", "AP", "curve"} & set(said.split())
        for cycle in past.cycles:
            assert "AP" not in _line(cycle, {})

    def test_a_cycle_tells_of_corrections(self, finished: Finished) -> None:
        assert "1 corrected" in _line(finished[0].cycles[1], {})

    def test_a_person_has_no_time_left_but_a_mean(self, finished: Finished, monkeypatch: pytest.MonkeyPatch) -> None:
        now = [100.0]
        monkeypatch.setattr("vatl_console.display.time.monotonic", lambda: now[0])
        display = Display.of(finished[0].at(1))
        display.begin()
        display.progress.stop()
        display.asking(5, before=2)
        now[0] = 120.0
        display.stage("label", 4, 5)
        shown = {task.description: task for task in display.progress.tasks}
        assert shown["labelling"].fields["left"] == "10 s a label"
        assert (shown["labelling"].completed, shown["labelling"].total) == (4, 5)
        display.clock.spent.append(1.0)
        display.stage("label", 4, 5)
        assert shown["whole run"].fields["left"] == "", "nobody knows when somebody is done"


def test_a_sweep_has_no_columns_for_what_is_not_known() -> None:
    rows = [Summary("a", "x", 2, 2, 0, None, None, None, None)]
    assert table(rows).split() == ["variant", "video", "runs", "a", "x", "2"]
    known = [*rows, Summary("a", "y", 1, 1, 0, 0.5, None, 0.75, None)]
    assert [line.split()[3:] for line in table(known).splitlines()] == [
        ["ALC", "final", "mean", "OKS"],
        ["—", "—"],
        ["0.500", "0.750"],
    ]
    assert "ALC" in table([Summary("a", "x", 2, 0, 0, None, None, None, None)]), "it may yet be known"

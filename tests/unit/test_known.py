"""A video of which only a part is labelled: the rest is unknown, which is neither right nor "nothing visible"."""

from __future__ import annotations

import csv
from pathlib import Path

import attrs
import pytest
import sleap_io
import torch
from rich.console import Console

from tests.conftest import Registered, Sticks, Vatl, configured, stick_video
from tests.people import PERSON, Person, everything
from tests.unit.test_contract import Looking
from tests.unit.test_sleap_io import corrected, save
from vatl_console.display import Display, _line, _table
from vatl_core.contracts import Labels, Oracle
from vatl_core.errors import InputError, PluginError
from vatl_core.plugins import Component
from vatl_core.promises import checked_answerable
from vatl_core.records import CycleRecord, History
from vatl_core.run import PastRun
from vatl_core.run.preparation import source_poses
from vatl_core.run.running import execute
from vatl_core.video import Instances, Video
from vatl_drawing import write_video
from vatl_oracles.ground_truth import GroundTruth
from vatl_report.run_page import write_run_page
from vatl_stopping.correct import AllCorrect, MinimumError

KNOWN, BLANK = [3, 10, 17], 5
"""Whose truth is known, and one of which it is known that nothing is visible."""


def partly(video: Video, known: list[int], blank: tuple[int, ...] = ()) -> Video:
    """The video with the truth of these alone."""
    old, told = video.instances, torch.zeros(len(video.instances), dtype=torch.bool)
    told[[*known, *blank]] = True
    assert old.visible is not None
    seen = old.visible.clone()
    seen[list(blank)] = False
    columns = (old.frame, old.track, old.boxes, old.ids, old.keypoints, seen, told)
    return attrs.evolve(video, instances=Instances.of(*columns))


@attrs.frozen
class Partly(Sticks):
    """Sticks of which somebody labelled a few."""

    blank: bool = False

    def load(self, name: str) -> Video:
        return partly(super().load(name), [] if self.blank else KNOWN, (BLANK,))


PARTLY = Component("dataset", "partly", "Sticks, a few labelled", "tests.unit.test_known:Partly")
SETTINGS = {"dataset": "partly", "query": "lc", "retrain": "none", "stop": ["sc-correct"], "threshold": 1e-12}


class TestInstances:
    def test_known_is_all_or_none_unless_it_is_said(self) -> None:
        instances = stick_video().instances
        assert instances.known.all()
        hidden = instances.without_truth()
        assert not hidden.known.any()
        assert not hidden.has_truth
        assert not Instances.of(hidden.frame, hidden.track, hidden.boxes).known.any()

    def test_of_what_is_not_known_nothing_is_visible(self) -> None:
        instances = partly(stick_video(), KNOWN, (BLANK,)).instances
        assert instances.visible is not None
        assert torch.nonzero(instances.known).flatten().tolist() == sorted([*KNOWN, BLANK])
        assert torch.nonzero(instances.visible.any(1)).flatten().tolist() == KNOWN
        assert torch.nonzero(instances.annotated).flatten().tolist() == KNOWN

    def test_a_method_does_not_see_whose_truth_is_known(self) -> None:
        hidden = partly(stick_video(), KNOWN).without_truth().instances
        other = stick_video().without_truth().instances
        assert torch.equal(hidden.known, other.known)

    def test_keypoints_at_hand_are_known_where_there_are_any(self) -> None:
        points = torch.rand(3, 17, 2) * 50
        points[1] = torch.nan
        boxes, frames = [[0, 0, 60, 60]] * 3, torch.zeros(3, 3, 64, 64, dtype=torch.uint8)
        made = Video.of(frames, boxes, keypoints=points).instances
        assert made.known.tolist() == [True, False, True]
        made = Video.of(
            torch.zeros(3, 3, 64, 64, dtype=torch.uint8), boxes, keypoints=points, known=[1, 1, 0]
        ).instances
        assert made.known.tolist() == [True, True, False]
        assert made.annotated.tolist() == [True, False, False]
        with pytest.raises(InputError, match=r"known must be \(3,\), one flag an instance; it is \(2,\)"):
            Video.of(frames, boxes, keypoints=points, known=[1, 1])


class TestRun:
    @pytest.fixture
    def finished(self, registered: Registered, tmp_path: Path) -> PastRun:
        registry = registered(PARTLY)
        execute(configured(registry, tmp_path, schedule=["0.1", "1.0"], **SETTINGS), registry)
        return PastRun.open(tmp_path / "run", registry)

    def test_only_what_is_known_is_asked_for_and_measured(self, finished: PastRun) -> None:
        asked = [i for record in finished.cycles for i in record.query]
        assert set(asked) <= {*KNOWN, BLANK}
        assert len(asked) == len(set(asked))
        for record in finished.cycles:
            assert record.instances == 24
            assert record.evaluation is not None
            assert record.evaluation.measured == 3
            assert sum(record.evaluation.counts.values()) == 3

    def test_a_label_of_which_nothing_is_visible_has_no_oks(self, finished: PastRun) -> None:
        found = {i: oks for r in finished.cycles for i, oks in zip(r.query, r.query_oks, strict=True)}
        assert found.pop(BLANK, None) is None
        assert all(oks is not None for oks in found.values())

    def test_it_ends_when_nothing_is_left_to_ask(self, registered: Registered, tmp_path: Path) -> None:
        registry = registered(PARTLY)
        record = execute(configured(registry, tmp_path, schedule=["0.1", "1.0"], **SETTINGS | {"stop": []}), registry)
        assert (record.labelled, record.instances, record.measured) == (4, 24, 3)
        told = "the truth of 20 of 24 instances is not known to oracle 'ground-truth'"
        assert (record.stopped_by, record.reason) == ("schedule", f"nothing is left to ask for: {told}")

    def test_a_schedule_that_is_fulfilled_ends_as_ever(self, registered: Registered, tmp_path: Path) -> None:
        registry = registered(PARTLY)
        record = execute(configured(registry, tmp_path, schedule=["2"], **SETTINGS | {"stop": []}), registry)
        assert record.reason == "every label of the schedule was asked for"

    def test_nothing_to_ask_at_all_is_told_before_it_begins(self, registered: Registered, tmp_path: Path) -> None:
        registry = registered(Component("dataset", "nothing", "No truth", "tests.people:Unlabelled"))
        with pytest.raises(InputError, match=r"none of the 24 instances of video 'sticks'.*--oracle browser") as caught:
            execute(configured(registry, tmp_path, dataset="nothing", query="lc"), registry)
        assert "\n" not in str(caught.value)
        assert not (tmp_path / "run").exists()

    def test_a_person_is_asked_for_anything(self, registered: Registered, tmp_path: Path) -> None:
        Person.script = everything
        registry = registered(PARTLY, PERSON)
        chosen = SETTINGS | {"oracle": "person", "stop": []}
        record = execute(configured(registry, tmp_path, schedule=["1.0"], **chosen), registry)
        assert (record.labelled, record.measured) == (24, 3)

    def test_no_figure_is_made_of_what_shows_nothing(self, registered: Registered, tmp_path: Path) -> None:
        registry = registered(PARTLY)
        options = {"dataset": {"partly": {"blank": True}}}
        record = execute(configured(registry, tmp_path, schedule=["1.0"], options=options, **SETTINGS), registry)
        assert (record.labelled, record.mean_oks, record.stopped_by) == (1, None, "schedule")

    def test_what_is_measured_is_told(self, finished: PastRun, tmp_path: Path) -> None:
        assert "mean OKS" in _line(finished.cycles[0], {})
        assert "of 3 of 24 instances measured" in _line(finished.cycles[0], {})
        assert finished.closing is not None
        console = Console(width=120, record=True)
        console.print(_table(finished.closing, "", {}))
        assert "3 of 24 instances measured" in console.export_text()
        page = write_run_page(finished, tmp_path / "report").read_text()
        assert "of 24 instances: of the others no truth is known" in page
        rows = list(csv.DictReader((tmp_path / "report" / "cycles.csv").open()))
        assert {row["measured"] for row in rows} == {"3"}

    def test_the_bar_counts_the_cycles_that_can_be(self, registered: Registered, tmp_path: Path) -> None:
        from vatl_core.run.running import begin

        registry = registered(PARTLY)
        run = begin(configured(registry, tmp_path, schedule=["2", "6", "12", "1.0"], **SETTINGS), registry)
        run.folder.unlock()
        assert Display.of(run).clock.cycles == 3, "for 2 labels, for the other 2, and to close"


class TestOracle:
    def test_the_ground_truth_answers_for_what_is_known(self) -> None:
        video = partly(stick_video(), KNOWN)
        assert torch.equal(GroundTruth().can_answer(video), video.instances.known)

    def test_a_selector_does_not_take_what_nobody_can_answer_for_labelled(
        self, registered: Registered, tmp_path: Path
    ) -> None:
        Looking.seen.clear()
        registry = registered(PARTLY, Component("selector", "looking", "", "tests.unit.test_contract:Looking"))
        execute(configured(registry, tmp_path, select="looking", schedule=["2"], **SETTINGS), registry)
        pool = Looking.seen[0]
        assert not pool.labelled.any()
        assert set(pool.unlabelled.tolist()) >= set(KNOWN)
        assert len(pool.unlabelled) < len(pool.labelled)

    @pytest.mark.parametrize(
        ("said", "flaw"),
        [
            (torch.ones(3, dtype=torch.bool), r"of shape \(3,\): \(24\) is expected"),
            (torch.ones(24), "of torch.float32: torch.bool is expected"),
            ([True] * 24, "that are a list: a tensor"),
        ],
    )
    def test_what_an_oracle_says_it_can_is_held_to_its_form(self, said: object, flaw: str) -> None:
        class Odd(Oracle):
            def can_answer(self, video: Video) -> torch.Tensor:
                return said  # type: ignore[return-value]

            def annotate(self, request: object) -> list[Labels]:
                return []

        with pytest.raises(PluginError, match=f"oracle 'odd' says what it can answer by values {flaw}"):
            checked_answerable("odd", Odd(), stick_video())


@pytest.mark.parametrize("criterion", [AllCorrect(), MinimumError()])
def test_nothing_measured_stops_nothing(criterion: AllCorrect | MinimumError) -> None:
    def history(*oks: float | None) -> History:
        record = CycleRecord(0, 9, 0, tuple(range(len(oks))), query_oks=oks, labelled_oks=oks)
        return History((record,), 0.5)

    assert criterion.decide(history(None, None)) is None
    assert criterion.decide(history()) is None
    assert criterion.decide(history(None, 0.1)) is None
    assert criterion.decide(history(None, 0.9)) is not None


def test_source_poses_are_known_ones() -> None:
    @attrs.frozen
    class Sources(Sticks):
        def sources(self) -> list[str]:
            return ["sticks"]

        def load(self, name: str) -> Video:
            return partly(super().load(name), KNOWN, (BLANK,))

    found = source_poses(Sources(), stick_video().skeleton, torch.device("cpu"))
    assert found is not None
    assert len(found) == 3


def test_a_project_of_which_a_user_labelled_three(tmp_path: Path, vatl: Vatl) -> None:
    """As it was found: 3 of 16 labelled by a user, the rest predicted."""
    clip = tmp_path / "clip.mp4"
    write_video(clip, (torch.full((3, 96, 128), 20 + 25 * f, dtype=torch.uint8) for f in range(8)))
    path = save(corrected(clip), tmp_path)
    done = vatl(
        *("run", "--dataset", "sleap-io", "-o", f"dataset.labels={path}", "--estimator", "tiny", "--weights", "none"),
        *("-o", "estimator.input_size=64,64", "-o", "estimator.width=8", "-o", "retrain.steps=4"),
        *("-o", "retrain.epochs=1", "--stop", "sc-correct", "--stop", "sc-min-error", "--json"),
    )
    assert done.code == 0, done.err
    record = done.record
    assert (record["labelled"], record["measured"], record["instances"]) == (3, 3, 16)
    assert record["reason"].startswith("nothing is left to ask for: the truth of 13 of 16 instances is not known")
    assert record["mean_oks"] < 0.9
    unlabelled = save(corrected_by_nobody(clip), tmp_path, "nobody.slp")
    refused = vatl("run", "--dataset", "sleap-io", "-o", f"dataset.labels={unlabelled}", "--weights", "none")
    assert refused.code == 2
    assert refused.err.strip().count("\n") == 0
    assert "--oracle browser" in refused.err


def corrected_by_nobody(clip: Path) -> sleap_io.Labels:
    labels = corrected(clip)
    for frame in labels.labeled_frames:
        frame.instances = [i for i in frame.instances if isinstance(i, sleap_io.PredictedInstance)]
    return labels

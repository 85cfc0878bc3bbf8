"""The oracle `costly` says what labels cost; run, budget and report have it as it stands with the labels on disk."""

from __future__ import annotations

import csv
import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import attrs
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.conftest import Registered, configured, stick_video
from tests.unit.test_noisy import answered, people, request, truth
from tests.unit.test_report import Page, made_up_run, made_up_video
from vatl_core.contracts import Labels
from vatl_core.discovery import discover
from vatl_core.errors import InputError
from vatl_core.plugins import build
from vatl_core.run import PastRun, execute
from vatl_core.store import Answers
from vatl_oracles.costly import Costly
from vatl_oracles.noisy import Noisy
from vatl_oracles.times import Times, read_times
from vatl_report.comparison import write_comparison
from vatl_report.costs import costs_part, minute_curves, over_minutes
from vatl_report.curves import Curve
from vatl_report.experiment import Experiment


# -------------------------------------------------------------------------------------------------------- what it costs
@settings(max_examples=25)
@given(
    st.lists(st.integers(0, 19), min_size=1, max_size=20, unique=True),
    st.floats(0, 100), st.floats(0, 9), st.floats(0.5, 60), st.integers(0, 20),
)  # fmt: skip
def test_a_label_costs_what_was_said(
    query: list[int], instance: float, keypoint: float, frame: float, done: int
) -> None:
    video = people(20)  # two in each frame
    oracle = Costly(instance=instance, keypoint=keypoint, frame=frame)
    labels = answered(oracle, request(video, query[done:] or query, query))
    seen = truth(video)[1].sum(1).tolist()
    expected = []
    for place, number in enumerate(query):
        new = number // 2 not in [earlier // 2 for earlier in query[:place]]
        expected.append(instance + keypoint * seen[number] + frame * new)
    assert labels.seconds.tolist() == pytest.approx(expected[done:] or expected), "however much is answered already"


def test_costs_add_up_and_errors_inside_save_time() -> None:
    video = people(6)
    seen = truth(video)[1].sum(1)
    twice = answered(Costly(instance=3, around=Costly(keypoint=2)), request(video)).seconds
    assert twice.tolist() == (3 + 2 * seen).tolist()
    assert answered(Costly(keypoint=2, around=Noisy(missed=1)), request(video)).seconds.tolist() == [0] * 6
    assert answered(Noisy(missed=1, around=Costly(keypoint=2)), request(video)).seconds.tolist() == (2 * seen).tolist()


# ------------------------------------------------------------------------------------------------------------- measured
class TestMeasured:
    @pytest.mark.parametrize("bom", ["", "\ufeff"])
    def test_in_a_table(self, tmp_path: Path, bom: str) -> None:
        file = tmp_path / "times.csv"
        file.write_text(f"{bom}cycle,instance,seconds,by\n0,3,10,Ada\n0,1,20.5,Bo\n1,3,14,Ada\n1,5,0,nobody\n")
        assert read_times(file) == Times({3: 12.0, 1: 20.5}, mean=44.5 / 3)
        labels = answered(Costly(times=file, instance=1), request(people(6), [3, 1, 0, 5]))
        assert labels.seconds.tolist() == pytest.approx([13, 21.5, 1 + 44.5 / 3, 1 + 44.5 / 3])

    def test_in_another_run(self, registered: Registered, tmp_path: Path) -> None:
        sticks, folder = stick_video().instances, tmp_path / "earlier"
        folder.mkdir()
        index = torch.tensor([4, 2])
        assert sticks.keypoints is not None
        assert sticks.visible is not None
        columns = sticks.keypoints[index], sticks.visible[index], "Ada", torch.tensor([31.0, 17.0])
        Answers(folder / "labels.sqlite").save(0, Labels(index, *columns))
        for place in (folder, folder / "labels.sqlite"):
            assert read_times(place) == Times({4: 31.0, 2: 17.0}, mean=24.0)
        options = {"oracle": {"costly": {"times": str(folder)}}}
        settings: dict[str, Any] = {"oracle": "costly", "retrain": "none", "query": "lc", "options": options}
        execute(configured(registered(), tmp_path, **settings), registered())
        for label in Answers(tmp_path / "run" / "labels.sqlite").history():
            assert label.seconds == {4: 31.0, 2: 17.0}.get(label.instance, 24.0)

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("", "its first line has no 'instance'"),
            ("instance;seconds\n1;2\n", "its first line has no 'instance'"),
            ("instance,time\n1,2\n", "its first line has no 'seconds'"),
            ("instance,seconds\n", "no label in it took any time"),
            ("instance,seconds\n1,0\n", "no label in it took any time"),
            ("instance,seconds\n1,2\nx,2\n", "line 3: instance = 'x' is to be a number, 0 or more"),
            ("instance,seconds\n1.5,2\n", "line 2: instance = '1.5'"),
            ("instance,seconds\n-1,2\n", "line 2: instance = '-1'"),
            ("instance,seconds\n1\n", "line 2: seconds = None"),
            ("instance,seconds\n1,soon\n", "line 2: seconds = 'soon'"),
            ("instance,seconds\n1,-3\n", "line 2: seconds = '-3'"),
            ("instance,seconds\n1,nan\n", "line 2: seconds = 'nan'"),
            ("instance,seconds\n1,inf\n", "line 2: seconds = 'inf'"),
            ('instance,seconds\n"1,2\n', "cannot be read"),
            ("instance,seconds\n\x00,2\n", "line 2: instance"),
        ],
    )
    def test_a_table_that_is_none_is_refused_in_a_line(self, tmp_path: Path, text: str, said: str) -> None:
        file = tmp_path / "times.csv"
        file.write_text(text)
        with pytest.raises(InputError) as error:
            build(discover(), "oracle", "costly", {"times": str(file)})
        assert said in str(error.value)
        assert str(file) in str(error.value)
        assert "\n" not in str(error.value)

    def test_other_files_are_refused_in_a_line(self, tmp_path: Path) -> None:
        (tmp_path / "picture.csv").write_bytes(b"\x89PNG\r\n\xff\xfe\x00")
        (tmp_path / "labels.sqlite").write_text("instance,seconds\n1,2\n")
        for place, said in (
            ("picture.csv", "cannot be read"), ("labels.sqlite", "cannot be used"), ("gone.csv", "no such file"),
            (".", "cannot be used"),
        ):  # fmt: skip
            with pytest.raises(InputError, match=said):
                read_times(tmp_path / place)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({}, "no label costs anything: set instance, keypoint or frame (seconds), or times"),
        ({"instance": 0}, "no label costs anything"),
        ({"instance": -1}, "instance' must be >= 0"),
        ({"keypoint": "inf"}, "keypoint' must be < inf"),
        ({"frame": "long"}, "frame = 'long' does not fit: float is expected"),
        ({"times": "nowhere.csv"}, "times = nowhere.csv: there is no such file"),
        ({"instance": 1, "around": "noisy"}, "around = noisy: oracle 'noisy': no label has an error"),
        ({"instance": 1, "around": "noisy,jitter=2"}, "jitter' must be < 1"),
        ({"instance": 1, "around": "browser"}, "around = browser: people's labels have errors and times of their own"),
    ],
)
def test_what_makes_no_sense_is_refused_in_a_line(options: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError) as error:
        build(discover(), "oracle", "costly", options)
    assert said in str(error.value)
    assert "\n" not in str(error.value)


# -------------------------------------------------------------------------------------------------- a budget of minutes
@pytest.mark.parametrize(
    ("cost", "minutes", "queries"),
    [
        ({"instance": 10}, 2, [4, 4, 4, 0]),  # twelve labels, to the second
        ({"instance": 10}, 1.75, [4, 4, 2, 1, 0]),  # the last begins before they are over
        ({"instance": 50}, 1, [4, 0]),  # what a label takes was not known before the first were given
    ],
)
def test_a_budget_ends_a_run_where_its_minutes_are_used(
    registered: Registered, tmp_path: Path, cost: dict[str, float], minutes: float, queries: list[int]
) -> None:
    options = {"oracle": {"costly": cost}, "stop": {"budget": {"minutes": minutes}}}
    settings: dict[str, Any] = {"oracle": "costly", "retrain": "none", "query": "lc", "stop": ["budget"]}
    settings["schedule"] = ["4", "8", "12", "16", "24"]
    record = execute(configured(registered(), tmp_path, options=options, **settings), registered())
    past = PastRun.open(tmp_path / "run", registered())
    assert [len(cycle.query) for cycle in past.cycles] == queries
    spent = sum(label.seconds for label in past.folder.answers.history())
    assert spent == sum(cycle.annotation_seconds for cycle in past.cycles) == sum(queries) * cost["instance"]
    assert record.reason == f"{spent / 60:.1f} of {minutes:g} minutes of annotation are used"


# ----------------------------------------------------------------------------------------------------------- the report
SPENT = {"lc": 10.0, "wpu": 50.0}
"""Seconds a label."""


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> list[PastRun]:
    """Two methods on two videos with two seeds each, and other costs."""
    folder, found = tmp_path_factory.mktemp("costs"), []
    for video in ("beach", "dance"):
        for method, seconds in SPENT.items():
            for seed in (0, 1):
                path = folder / f"{method}-{video}-{seed}"
                lift = 0.1 * (method == "wpu") + 0.02 * seed + 0.03 * (video == "dance")
                run = made_up_run(path, made_up_video(name=video), seed=seed, lift=lift, query=method)
                records = [attrs.evolve(r, annotation_seconds=seconds * len(r.query) * (1 + seed)) for r in run.cycles]
                lines = [json.loads(line) for line in (path / "cycles.jsonl").read_text().splitlines()]
                for line, record in zip(lines, records, strict=True):
                    line["annotation_seconds"] = record.annotation_seconds
                (path / "cycles.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
                found.append(attrs.evolve(run, cycles=records))
                vars(found[-1])["video"] = run.video
    return found


def from_disk(path: Path) -> tuple[list[float], list[float]]:
    """Minutes spent before each pass and its AP, by what stands in the run's folder alone."""
    lines = [json.loads(line) for line in (path / "cycles.jsonl").read_text().splitlines()]
    spent = np.cumsum([0, *(line["annotation_seconds"] for line in lines)])[:-1] / 60
    return spent.tolist(), [line["evaluation"]["ap"] for line in lines]


def rows(file: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(file.open()))


@pytest.fixture(scope="module")
def folder(runs: list[PastRun], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of their comparison."""
    return write_comparison(runs, tmp_path_factory.mktemp("page")).parent


class TestReport:
    def test_the_curves_are_those_of_the_run_folders(self, runs: list[PastRun], folder: Path) -> None:
        end = min(from_disk(run.folder.path)[0][-1] for run in runs)
        assert end == pytest.approx(5 * 10 / 60), "the cheapest run's"
        curves = [row for row in rows(folder / "cost_curves.csv") if row["measure"] == "ap"]
        for method in SPENT:
            here = [row for row in curves if row["method"] == f"{method}, duw"]
            minutes = np.array([float(row["minutes"]) for row in here])
            assert (minutes[0], minutes[-1], len(minutes)) == (0, pytest.approx(end), 49)
            own = [from_disk(run.folder.path) for run in runs if run.config.query == method]
            expected = np.mean([np.interp(minutes, *curve) for curve in own], axis=0)
            assert [float(row["mean"]) for row in here] == pytest.approx(expected.tolist())
            table = next(row for row in rows(folder / "cost_ap.csv") if row["method"] == f"{method}, duw")
            areas = [np.trapezoid(np.interp(grid := np.linspace(0, end, 20_001), *c), grid) / end for c in own]
            assert float(table[f"area to {end:.4g} min"]) == pytest.approx(float(np.mean(areas)), abs=1e-6)
            assert float(table["0.4 min"]) == pytest.approx(np.mean([np.interp(0.4, *curve) for curve in own]))

    def test_the_minutes_needed_are_those_of_the_run_folders(self, runs: list[PastRun], folder: Path) -> None:
        found = {row["run"]: row for row in rows(folder / "cost_by_run.csv") if row["measure"] == "ap"}
        for run in runs:
            spent, ap = from_disk(run.folder.path)
            row = found[run.folder.path.name]
            assert float(row["minutes"]) == pytest.approx(spent[-1])
            assert float(row["minutes_to_0.5"]) == pytest.approx(np.interp(0.5, ap, spent)), "AP rises in these"
            assert row["minutes_to_0.95"] == ""
        needed = {row["method"]: row["0.5"] for row in rows(folder / "cost_needed_ap.csv")}
        assert float(needed["lc, duw"]) < float(needed["wpu, duw"]), "though wpu needs fewer labels"
        labels = {row["method"]: row["AP ≥ 0.5"] for row in rows(folder / "labels_needed_ap.csv")}
        assert float(labels["lc, duw"]) > float(labels["wpu, duw"])

    def test_the_page_shows_and_explains_them(self, folder: Path) -> None:
        text = Page(folder / "index.html").text
        assert "over the minutes that annotating took" in text
        for name in ("cost_ap", "cost_ap_with_labels", "cost_needed_ap"):
            assert r"\begin{tabular}" in (folder / f"{name}.tex").read_text()
        assert "minutes of annotation by then" in (folder / "cost_curves.svg").read_text()

    def test_runs_that_cost_nothing_are_left_out_and_named(self, runs: list[PastRun]) -> None:
        free = attrs.evolve(runs[0], cycles=[attrs.evolve(r, annotation_seconds=0.0) for r in runs[0].cycles])
        part = costs_part(Experiment.of({run.folder.path.name: run for run in [free, *runs[1:]]}))
        assert part is not None
        assert part.notes == ("For want of times: lc-beach-0 (nobody spent any on its labels).",)
        assert "lc-beach-0" not in part.data["cost_by_run"]
        assert costs_part(Experiment.of({"free": free})) is None

    def test_a_run_that_learnt_nothing_of_its_last_labels_ends_with_their_cost(self, runs: list[PastRun]) -> None:
        run = runs[0]
        ended = attrs.evolve(run, cycles=run.cycles[:2])
        (trial,) = Experiment.of({"ended": ended}).trials
        assert run.closing is not None
        curve = minute_curves(trial)["ap"]
        assert curve.percent == pytest.approx((0, 2 * 10 / 60, 5 * 10 / 60))
        assert curve.values[-1] == run.closing.ap

    def test_of_points_at_the_same_time_the_last_counts(self, runs: list[PastRun]) -> None:
        costs = (0.0, 60.0, 0.0)
        cycles = [attrs.evolve(r, annotation_seconds=s) for r, s in zip(runs[0].cycles, costs, strict=True)]
        (trial,) = over_minutes(Experiment.of({"a": attrs.evolve(runs[0], cycles=cycles)})).trials
        values = [r.evaluation.ap for r in runs[0].cycles if r.evaluation]
        assert trial.curves["ap"] == Curve((0.0, 1.0), (values[1], values[2]))


def test_what_a_run_kept_is_what_its_record_and_its_report_say(registered: Registered, tmp_path: Path) -> None:
    options = {"oracle": {"costly": {"instance": 4, "keypoint": 1, "frame": 15}}}
    settings: dict[str, Any] = {"oracle": "costly", "retrain": "none", "query": "lc", "options": options}
    registry = registered()
    for name, select in (("a", "top"), ("b", "random")):
        execute(configured(registry, tmp_path, name=name, select=select, **settings), registry)
    past = [PastRun.open(tmp_path / name, registry) for name in "ab"]
    part = costs_part(Experiment.of(dict(zip("ab", past, strict=True))))
    assert part is not None
    minutes = {row["run"]: float(row["minutes"]) for row in csv.DictReader(part.data["cost_by_run"].splitlines())}
    for run in past:
        with closing(sqlite3.connect(run.folder.path / "labels.sqlite")) as connection:
            (kept,) = connection.execute("select sum(seconds) from labels").fetchone()
        assert minutes[run.folder.path.name] == pytest.approx(kept / 60)
        assert sum(cycle.annotation_seconds for cycle in run.cycles) == pytest.approx(kept)
        assert kept >= 8 * (4 + 5) + 15 * 4, "two persons a frame"

"""A report on many runs: its figures are right, its statistics are SciPy's, and what it cannot know it leaves out."""

from __future__ import annotations

import csv
import shutil
import time
from pathlib import Path

import attrs
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from tests.unit.test_report import Page, made_up_run, made_up_video
from vatl_core.errors import InputError
from vatl_core.run import PastRun
from vatl_core.store import RunFolder
from vatl_report.areas import run_areas
from vatl_report.commands.report import runs_below
from vatl_report.comparison import write_comparison
from vatl_report.curves import Curve
from vatl_report.experiment import Experiment, grid
from vatl_report.layout import Cell, Table, accuracies
from vatl_report.learning import MeanCurve, papers_table
from vatl_report.measure import Measure
from vatl_report.report import write_report
from vatl_report.statistics import LEAST_PAIRS, compare, holm, mean_of
from vatl_report.stopping_points import points_of
from vatl_report.uncertainty import Scores, binned

CURVE = Curve((0.0, 10.0, 50.0, 100.0), (0.0, 0.5, 0.7, 0.9))


# ------------------------------------------------------------------------------------------------------- statistics
def test_an_interval_over_seeds_is_students() -> None:
    values = [0.61, 0.58, 0.66, 0.63, 0.55]
    mean = mean_of([values])
    low, high = stats.t.interval(0.95, 4, loc=np.mean(values), scale=stats.sem(values))
    assert (mean.mean, mean.low, mean.high) == pytest.approx((0.606, low, high))
    assert mean.deviation == pytest.approx(0.0427785)


def test_an_interval_over_videos_and_seeds_is_welchs() -> None:
    a, b = [0.5, 0.6, 0.55, 0.52], [0.8, 0.9, 0.7]
    difference = stats.ttest_ind(a, [-value for value in b], equal_var=False).confidence_interval(0.95)
    mean = mean_of([a, b])
    assert (mean.low, mean.high) == pytest.approx((difference.low / 2, difference.high / 2)), (
        "half the sum of two means"
    )


def test_one_seed_says_nothing_of_chance() -> None:
    assert (mean_of([[0.4]]).low, mean_of([[0.4, 0.5], [0.7]]).high) == (None, None)
    assert mean_of([[0.4, 0.4]]).low == 0.4


def test_methods_are_tested_as_scipy_does() -> None:
    a = [0.125, 0.322, 0.411, 0.513, 0.652, 0.703, 0.821, 0.94]
    b = [0.105, 0.352, 0.351, 0.423, 0.602, 0.713, 0.701, 0.79]
    keys = [("v", n) for n in range(8)]
    (test,) = compare({"a": dict(zip(keys, a, strict=True)), "b": dict(zip(reversed(keys), reversed(b), strict=True))})
    assert test.p == pytest.approx(stats.wilcoxon(a, b).pvalue)
    assert test.p == pytest.approx(14 / 2**8), "of the 256 signs of the ranks, 7 a side have a sum of 4 or less"
    assert (test.pairs, test.differing, test.higher, test.adjusted) == (8, 8, 6, test.p)


def test_too_few_pairs_are_not_tested() -> None:
    keys = range(LEAST_PAIRS)
    (tied,) = compare({"a": {k: 0.1 * k for k in keys}, "b": {k: 0.1 * k - (0.01 if k else 0) for k in keys}})
    assert (tied.pairs, tied.differing, tied.p) == (6, 5, None), "a pair without a difference says nothing"
    (least,) = compare({"a": {k: 0.1 * k for k in keys}, "b": {k: 0.1 * k - 0.01 for k in keys}})
    assert least.p == pytest.approx(2 / 2**LEAST_PAIRS)
    (apart,) = compare({"a": {1: 0.1}, "b": {2: 0.1}})
    assert (apart.pairs, apart.median, apart.p) == (0, None, None)


def test_holms_correction() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.6, 0.9]) == [1, 1]
    assert holm([]) == []


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_holm_lies_between_no_correction_and_bonferroni(p: list[float]) -> None:
    corrected = holm(p)
    assert all(raw <= c <= min(1, len(p) * raw) + 1e-12 for raw, c in zip(p, corrected, strict=True))
    assert np.argsort(p, kind="stable").tolist() == sorted(range(len(p)), key=lambda n: (corrected[n], p[n], n))


# ----------------------------------------------------------------------------------------------------------- curves
def test_a_curve_between_its_points() -> None:
    assert CURVE.at(30) == pytest.approx(0.6)
    assert CURVE.at(10.4, tolerance=0.5) == 0.5, "a label more or less is the same percentage"
    assert CURVE.mean(0, 100) == pytest.approx(0.1 * 0.25 + 0.4 * 0.6 + 0.5 * 0.8)
    assert CURVE.mean(0, 5) == pytest.approx(0.125)
    assert [CURVE.first(target) for target in (0.0, 0.25, 0.6, 0.95)] == [0.0, 5.0, 30.0, None]


@given(st.lists(st.floats(0, 1), min_size=2, max_size=9), st.floats(1, 100))
def test_a_mean_lies_within_the_curve(values: list[float], end: float) -> None:
    curve = Curve(tuple(np.linspace(0, 100, len(values)).tolist()), tuple(values))
    assert min(values) - 1e-9 <= curve.mean(0, end) <= max(values) + 1e-9


def experiment(runs: dict[str, PastRun]) -> Experiment:
    return Experiment.of(runs)


def with_curve(past: PastRun, percents: list[float], values: list[float]) -> PastRun:
    """The same run with other labelled fractions and AP, of 200 instances."""
    base = [past.cycles[min(n, len(past.cycles) - 1)] for n in range(len(percents))]
    cycles = [
        attrs.evolve(
            r, cycle=n, instances=200, labelled=round(2 * percent), evaluation=attrs.evolve(r.evaluation, ap=ap)
        )
        for n, (r, percent, ap) in enumerate(zip(base, percents, values, strict=True))
    ]
    schedule = tuple(f"{percent / 100:g}" if percent < 100 else "1.0" for percent in percents if percent)
    closing = attrs.evolve(past.closing, instances=200, labelled=round(2 * percents[-1]), ap=values[-1])
    made = attrs.evolve(past, cycles=cycles, closing=closing, config=attrs.evolve(past.config, schedule=schedule))
    vars(made)["video"] = past.video
    return made


def test_schedules_that_differ_are_compared_where_both_have_been(tmp_path: Path) -> None:
    fine = with_curve(made_up_run(tmp_path / "a"), [0, 10, 20, 40], [0.0, 0.2, 0.4, 0.8])
    coarse = with_curve(made_up_run(tmp_path / "b", preset="other"), [0, 30], [0.0, 0.3])
    found = experiment({"a": fine, "b": coarse})
    assert found.methods == ["wpu, duw", "other"]
    assert grid(found.with_curve("ap"), "ap") == [0, 10, 20, 30]
    table = papers_table(found, Measure("ap"))
    assert table.head == ("method", "0 %", "10 %", "20 %", "30 %", "ALC to 30 %")
    assert [cell.text for cell in table.rows[0]] == ["wpu, duw", "0.000", "0.200", "0.400", "0.600", "0.300"]
    assert [cell.value for cell in table.rows[1][1:]] == pytest.approx([0.0, 0.1, 0.2, 0.3, 0.15])
    assert [cell.best for cell in table.rows[0]] == [False, False, True, True, True, True], "equals are not bold"
    assert run_areas(found, "ap") == pytest.approx({"a": 0.3, "b": 0.15})


def test_a_mean_curve_ends_where_its_first_run_ended(tmp_path: Path) -> None:
    long = with_curve(made_up_run(tmp_path / "a"), [0, 10, 20, 40], [0.0, 0.2, 0.4, 0.8])
    short = with_curve(made_up_run(tmp_path / "b", seed=1), [0, 10, 20], [0.0, 0.4, 0.6])
    short = attrs.evolve(short, config=attrs.evolve(long.config, seed=1))
    trials = experiment({"a": long, "b": short}).with_curve("ap")
    curve = MeanCurve.of(trials, "ap")
    assert curve.percent == (0, 10, 20)
    assert [mean.mean for mean in curve.means] == pytest.approx([0, 0.3, 0.5])
    assert [mean.count for mean in curve.means] == [2, 2, 2]


# ---------------------------------------------------------------------------------------------------------- methods
def test_runs_that_differ_in_more_than_their_seed_are_other_methods(tmp_path: Path) -> None:
    runs = {
        "a": made_up_run(tmp_path / "a"),
        "b": made_up_run(tmp_path / "b", seed=1),
        "c": made_up_run(tmp_path / "c", retrain="full"),
        "d": made_up_run(tmp_path / "d", seed=1, preset="published"),
        "e": made_up_run(tmp_path / "e", made_up_video(name="run"), retrain="full", batch=2, device="cpu"),
        "f": made_up_run(tmp_path / "f", made_up_video(name="run"), query="random", select="random"),
    }
    found = experiment(runs)
    names = {t.name: t.method for t in found.trials}
    assert names["a"] == names["b"] == "wpu, duw, retrain continual"
    assert names["c"] == names["e"] == "wpu, duw, retrain full"
    assert (names["d"], names["f"]) == ("published", "random")
    assert found.videos == ["run", "walk"]


def test_videos_of_one_name_from_two_data_sets_are_two(tmp_path: Path) -> None:
    runs = {n: made_up_run(tmp_path / n, dataset=f"set-{n}") for n in "ab"}
    assert experiment(runs).videos == ["set-a/walk", "set-b/walk"]


def test_only_videos_of_every_method_are_pooled(tmp_path: Path) -> None:
    runs = {
        "a": made_up_run(tmp_path / "a"),
        "b": made_up_run(tmp_path / "b", query="thc"),
        "c": made_up_run(tmp_path / "c", made_up_video(name="hard"), lift=-0.2),
    }
    found = experiment(runs)
    assert found.shared("ap") == ["walk"]
    assert papers_table(found, Measure("ap")).rows[0][1].value == pytest.approx(0.223), "the hard video does not count"
    page = Page(write_comparison(list(runs.values()), tmp_path / "out"))
    assert "Not every method was run on hard" in page.text


def test_a_video_that_ends_early_does_not_cut_the_others(tmp_path: Path) -> None:
    def on(video: str, end: int) -> PastRun:
        past = made_up_run(tmp_path / video, made_up_video(name=video))
        return with_curve(past, [0, end / 2, end], [0.1, 0.5, 0.8])

    found = experiment({"a": on("a", 100), "b": on("b", 90), "c": on("c", 10)})
    assert found.shared("ap") == ["a", "b"]
    found = experiment({"d": on("d", 30), "e": on("e", 20), "f": on("f", 24)})
    assert found.shared("ap") == ["d", "e", "f"]
    page = Page(write_comparison([on("g", 100), on("h", 10)], tmp_path / "out"))
    assert "Runs on h end long before the others" in page.text
    assert page.row("method")[-1] == "ALC"


def test_unfinished_runs_and_repeats_do_not_count(tmp_path: Path) -> None:
    runs = {
        "a": made_up_run(tmp_path / "a"),
        "b": made_up_run(tmp_path / "b"),
        "c": made_up_run(tmp_path / "c", seed=1, closed=False),
    }
    found = experiment(runs)
    assert [t.name for t in found.trials] == ["a"]
    assert found.left_out == {"b": "repeats a: same settings, video and seed", "c": "not finished"}
    assert [t.name for t in experiment({"c": runs["c"]}).trials] == ["c"], (
        "of running ones alone there is no other news"
    )


# ----------------------------------------------------------------------------------------------- stops, uncertainty
def test_stopping_saves_labels_and_costs_accuracy(tmp_path: Path) -> None:
    past = made_up_run(tmp_path / "a")
    full = attrs.evolve(past, closing=attrs.evolve(past.closing, labelled=24, ap=0.9))
    (trial,) = experiment({"a": full}).trials
    points = {point.criterion: point for point in points_of(trial)}
    assert points["sc-thc"].percent == pytest.approx(100 * 5 / 24)
    assert points["sc-thc"].at["ap"] == pytest.approx(0.487)
    assert points["sc-thc"].lost["ap"] == pytest.approx(0.9 - 0.487)
    assert points["sc-correct"].used
    (trial,) = experiment({"a": past}).trials
    assert not any(point.lost for point in points_of(trial)), "nobody knows what full labelling would have given"


def test_instances_are_binned_by_rank() -> None:
    percentile = np.array([5.0, 5.0, 99.9, 100.0])
    scores = Scores("wpu", "before any label", percentile, np.array([0.2, 0.4, 0.9, 0.7]))
    middles, means, counts = binned([scores], "before any label")
    assert (middles, counts) == ([5.0, 95.0], [2, 2])
    assert means == pytest.approx([0.3, 0.8])
    assert binned([scores], "later") == ([], [], [])


# ----------------------------------------------------------------------------------------------------------- tables
def test_a_table_for_latex() -> None:
    cells = accuracies([0.5, 0.7, None], [0.1, None, None])
    rows = tuple((Cell.of(name), cell) for name, cell in zip(("a_b & c", "d", "e"), cells, strict=True))
    assert Table("t", "ALC, 100 %", ("method", "ALC %"), rows).latex().splitlines() == [
        r"% ALC, 100 %; \usepackage{booktabs}",
        r"\begin{tabular}{@{}lr@{}}",
        r"\toprule",
        r"method & ALC \% \\",
        r"\midrule",
        r"a\_b \& c & 0.500 $\pm$ 0.100 \\",
        r"d & \textbf{0.700} \\",
        r"e & --- \\",
        r"\bottomrule",
        r"\end{tabular}",
    ]


# ---------------------------------------------------------------------------------------------------- whole reports
METHODS = ("random", "lc", "thc", "wpu", "thc+wpu")


@pytest.fixture(scope="module")
def forty(tmp_path_factory: pytest.TempPathFactory) -> tuple[Page, Path, float]:
    """The report of 5 methods on 4 videos with 2 seeds, and the seconds of one core that it took."""
    folder = tmp_path_factory.mktemp("forty")
    runs = []
    for video in ("beach", "dance", "gym", "night"):
        scene = made_up_video(name=video)
        for rank, method in enumerate(METHODS):
            for seed in (0, 1):
                path = folder / "runs" / f"{method}-{video}-{seed}"
                lift = 0.02 * rank + 0.003 * seed * (-1) ** rank
                runs.append(made_up_run(path, scene, seed=seed, lift=lift, query=method))
    began = time.process_time()
    page = write_comparison(runs, folder / "report")
    return Page(page), page.parent, time.process_time() - began


def test_forty_runs_take_less_than_half_a_minute(forty: tuple[Page, Path, float]) -> None:
    assert forty[2] < 30


def test_every_figure_is_there_in_every_form(forty: tuple[Page, Path, float]) -> None:
    page, folder, _ = forty
    figures = [
        "cost_curves", "keypoint_errors", "learning_curves", "learning_curves_by_video", "rank_correlation", "stopping",
        "time", "uncertainty",
    ]  # fmt: skip
    shown = sorted(path.stem for path in folder.glob("*.png"))
    assert shown == [name for name in figures if name != "stopping"] or shown == figures
    for name in shown:
        assert (folder / f"{name}.svg").exists()
        assert (folder / f"{name}.csv").exists() or name == "learning_curves_by_video"
    assert page.tags.count("svg") == len(shown)
    assert all(address.startswith(("data:", "#")) for address in page.addresses)
    for table in ("table_ap", "alc_ap", "tests", "labels_needed_ap", "stopping_points", "time"):
        assert (folder / f"{table}.tex").read_text().count(r"\begin{tabular}") == 1
        assert (folder / f"{table}.csv").exists()


def test_axes_have_names_and_units(forty: tuple[Page, Path, float]) -> None:
    texts = {path.stem: path.read_text() for path in forty[1].glob("*.svg")}
    for name, words in {
        "learning_curves": ("labelled instances (% of the video", "AP, estimates alone (0–1)"),
        "learning_curves_by_video": ("labelled instances (%)", "AP, estimates alone (0–1)"),
        "uncertainty": ("OKS (0–1)", "rank of the score (percentile"),
        "rank_correlation": ("Spearman", "labelled instances (% of the video"),
        "keypoint_errors": ("(% of the annotated)", "left wrist"),
        "time": ("wall-clock of a run (s)", "retraining"),
    }.items():
        for word in words:
            assert word in texts[name], (name, word)


def test_the_figures_of_forty_runs(forty: tuple[Page, Path, float]) -> None:
    page, folder, _ = forty
    assert "40 runs: 5 methods, 4 videos, 2 seeds" in page.text
    curves = list(csv.DictReader((folder / "learning_curves.csv").open()))
    start = next(r for r in curves if r["method"] == "lc, duw" and not r["video"] and r["measure"] == "ap")
    assert (start["labelled_percent"], start["runs"]) == ("0.0", "8")
    assert float(start["mean"]) == pytest.approx(0.223 + 0.02 - 0.0015)
    assert float(start["low"]) < float(start["mean"]) < float(start["high"])
    tests = list(csv.DictReader((folder / "tests.csv").open()))
    assert len(tests) == 10
    assert {row["n"] for row in tests} == {"8"}
    assert float(tests[0]["p"]) == pytest.approx(2 / 2**8), "one method is better in every pair"
    assert float(tests[0]["p (Holm)"]) == pytest.approx(20 / 2**8)
    table = {row["method"]: row for row in csv.DictReader((folder / "alc_ap.csv").open())}
    head = [title for title in table["wpu, duw"] if not title.endswith(" (deviation)")]
    assert head[1:-1] == [f"{v} (to 20.8 %)" for v in ("beach", "dance", "gym", "night")]
    assert float(table["thc+wpu, duw"]["mean of all"]) > float(table["random, duw"]["mean of all"])


def test_a_data_set_that_is_gone_leaves_the_rest(tmp_path: Path) -> None:
    for name, seed in (("a", 0), ("b", 1)):
        made_up_run(tmp_path / "runs" / name, seed=seed, dataset="coco", estimator="tiny", oracle="ground-truth",
                    options={"dataset": {"coco": {"annotations": str(tmp_path / "gone.json")}}})  # fmt: skip
    page = Page(write_report(runs_below(tmp_path / "runs"), tmp_path / "out"))
    assert "cannot be read" in page.text
    assert "gone.json" in page.text
    assert (tmp_path / "out" / "table_ap.tex").exists()
    assert not (tmp_path / "out" / "uncertainty.png").exists()


def test_a_run_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    made = {"dataset": "synthetic", "estimator": "tiny", "oracle": "ground-truth", "select": "top"}
    for name in ("a", "b", "strange", "torn"):
        made_up_run(tmp_path / "runs" / name, seed=ord(name[0]), **made)
    config = tmp_path / "runs" / "strange" / "config.toml"
    config.write_text(config.read_text().replace('"tiny"', '"tinny"'))
    (tmp_path / "runs" / "torn" / "run.json").write_text("{")
    page = Page(write_report(runs_below(tmp_path / "runs"), tmp_path / "out"))
    assert "strange/config.toml: no estimator is called 'tinny'" in page.text.replace(str(tmp_path / "runs") + "/", "")
    assert "torn/run.json cannot be read" in page.text
    assert page.text.count("2 runs") >= 1
    with pytest.raises(InputError, match="tinny"):
        write_report([tmp_path / "runs" / "strange"], tmp_path / "out")


def test_every_run_below_a_folder_counts(tmp_path: Path) -> None:
    for name in ("sweep/runs/b", "sweep/runs/a", "alone"):
        RunFolder.create(tmp_path / name, {"run": {}})
    shutil.copytree(tmp_path / "alone", tmp_path / "alone" / "report" / "copy")
    assert runs_below(tmp_path) == [tmp_path / name for name in ("alone", "sweep/runs/a", "sweep/runs/b")]
    assert runs_below(tmp_path / "alone") == [tmp_path / "alone"]
    (tmp_path / "empty").mkdir()
    for name, words in (("empty", "no run below it"), ("nowhere", "no such folder")):
        with pytest.raises(InputError, match=words):
            runs_below(tmp_path / name)

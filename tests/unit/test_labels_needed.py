"""Labels needed for an accuracy: the mathematics, what runs are measured by, and the whole command once."""

from __future__ import annotations

import csv
import math
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import attrs
import numpy as np
import pytest
import tomli_w
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from vatl_core.cli import vatl
from vatl_core.contracts import Outcome
from vatl_core.discovery import discover
from vatl_core.errors import InputError
from vatl_core.outcomes import attempt
from vatl_core.run import PastRun
from vatl_executors.local import Local
from vatl_sweep.labels_needed import MeanRatio, Needed, Ratio, labels_needed, mean_ratio, median_needed, ratio
from vatl_sweep.learning_curves import TARGETS, LearningCurve, learning_curve
from vatl_sweep.ratios_plot import ratios_plot
from vatl_sweep.strategies import LABELS, strategies_plan
from vatl_sweep.yardstick import entries, needed_csv, ratio_text, ratios_csv, text_table

SHARES = st.floats(0, 1)
CURVES = st.lists(SHARES, min_size=1, max_size=8).flatmap(
    lambda accuracy: st.tuples(
        st.lists(st.integers(0, 500), min_size=len(accuracy), max_size=len(accuracy), unique=True).map(sorted),
        st.just(accuracy),
    )
)
NEEDED = st.builds(Needed, st.floats(1, 1e4), st.booleans())
RATIOS = st.builds(Ratio, st.floats(1e-3, 1e3))


def near(found: Needed | None, labels: float) -> bool:
    """Whether it is reached there, give or take what floats do."""
    return found is not None and found.reached and math.isclose(found.labels, labels)


class TestLabelsNeeded:
    def test_it_is_read_off_a_straight_line_where_the_curve_first_gets_there(self) -> None:
        assert near(labels_needed([0, 10, 20], [0.5, 0.8, 0.9], 0.85), 15)
        assert near(labels_needed([0, 10, 20, 30], [0.5, 0.9, 0.6, 0.95], 0.7), 5)
        assert labels_needed([3, 10], [0.9, 0.95], 0.85) == Needed(3, True), "its first point is there"
        assert labels_needed([0, 10], [0.5, 0.8], 0.85) == Needed(10, False)

    @given(CURVES, SHARES)
    def test_it_lies_on_the_curve(self, curve: tuple[list[int], list[float]], target: float) -> None:
        labels, accuracy = curve
        found = labels_needed(labels, accuracy, target)
        assert found.reached == (max(accuracy) >= target)
        assert labels[0] <= found.labels <= labels[-1]
        if found.reached and found.labels > labels[0]:
            there = np.interp(found.labels, labels, accuracy)
            steepest = max(abs(np.diff(accuracy) / np.diff(labels)))
            assert there == pytest.approx(target, abs=1e-6 + 1e-9 * steepest)
            assert all(a < target for n, a in zip(labels, accuracy, strict=True) if n < found.labels - 1e-6)

    @given(CURVES, SHARES, SHARES)
    def test_more_accuracy_takes_no_fewer_labels(
        self, curve: tuple[list[int], list[float]], one: float, other: float
    ) -> None:
        easy, hard = (labels_needed(*curve, target) for target in sorted((one, other)))
        assert easy.labels <= hard.labels + 1e-6
        assert easy.reached or not hard.reached

    @given(CURVES, SHARES, st.integers(1, 50))
    def test_it_is_counted_in_the_labels_of_the_curve(
        self, curve: tuple[list[int], list[float]], target: float, times: int
    ) -> None:
        labels, accuracy = curve
        found, more = (
            labels_needed(labels, accuracy, target),
            labels_needed([times * n for n in labels], accuracy, target),
        )
        assert more.reached == found.reached
        assert more.labels == pytest.approx(times * found.labels, abs=1e-6)

    def test_the_median_counts_those_that_never_get_there_last(self) -> None:
        there, short = Needed(10, True), Needed(50, False)
        assert median_needed([there, Needed(20, True), short]) == Needed(20, True)
        assert median_needed([there, short, short]) == Needed(50, False)
        assert median_needed([there, short]) == Needed(30, False), "of two, one without end: more than half-way"


class TestRatio:
    @given(NEEDED, NEEDED)
    def test_the_other_way_round_it_is_the_inverse(self, one: Needed, other: Needed) -> None:
        there, back = ratio(one, other), ratio(other, one)
        assert (there is None) == (back is None) == (not one.reached and not other.reached)
        if there and back:
            assert there.value * back.value == pytest.approx(1)
            assert (there.sense, back.sense) in {("=", "="), ("<", ">"), (">", "<")}

    @given(st.floats(1, 1e4), st.floats(1, 1e4), st.floats(0.01, 1), st.booleans())
    def test_what_a_shorter_schedule_leaves_is_a_true_bound(
        self, one: float, other: float, share: float, cut_one: bool
    ) -> None:
        whole = one / other
        cut = Needed(one * share, not cut_one) if cut_one else Needed(one, True)
        against = Needed(other, True) if cut_one else Needed(other * share, False)
        found = ratio(cut, against)
        assert found is not None
        if found.sense == ">":
            assert found.value <= whole * (1 + 1e-9) or cut.labels < 1
        else:
            assert found.value >= whole * (1 - 1e-9)

    def test_where_the_reference_needs_none_there_are_none_to_save(self) -> None:
        assert ratio(Needed(0, True), Needed(0, True)) is None
        assert ratio(Needed(30, True), Needed(0, True)) is None
        assert ratio(Needed(0, True), Needed(20, True)) == Ratio(1 / 20), "one label at least"


class TestMeanRatio:
    @given(st.lists(st.lists(RATIOS, min_size=2, max_size=6), min_size=1, max_size=4))
    def test_the_interval_is_about_the_mean(self, videos: list[list[Ratio]]) -> None:
        found = mean_ratio(videos)
        assert found.value is not None
        assert found.low is not None
        assert found.high is not None
        assert found.low <= found.value * (1 + 1e-9)
        assert found.value <= found.high * (1 + 1e-9)
        assert found.pairs == found.planned == sum(map(len, videos))

    @given(st.lists(st.lists(RATIOS, min_size=1, max_size=6), min_size=1, max_size=4), st.randoms())
    def test_order_is_nothing_to_it_and_the_inverse_is_its_inverse(
        self, videos: list[list[Ratio]], chance: Any
    ) -> None:
        found = mean_ratio(videos)
        shuffled = mean_ratio([chance.sample(ratios, len(ratios)) for ratios in chance.sample(videos, len(videos))])
        inverse = mean_ratio([[Ratio(1 / each.value) for each in ratios] for ratios in videos])
        assert found.value == pytest.approx(shuffled.value)
        assert found.value * inverse.value == pytest.approx(1)  # type: ignore[operator]

    @given(st.floats(0.01, 100), st.integers(2, 6))
    def test_equal_ratios_leave_no_doubt(self, value: float, count: int) -> None:
        found = mean_ratio([[Ratio(value)] * count])
        assert (found.low, found.value, found.high) == pytest.approx((value,) * 3)

    def test_with_one_video_it_is_the_t_interval_of_the_logarithms(self) -> None:
        from scipy import stats

        values = [0.4, 0.5, 0.7, 0.55, 0.3]
        logs = np.log(values)
        low, high = stats.t.interval(0.95, 4, logs.mean(), stats.sem(logs))
        found = mean_ratio([[Ratio(value) for value in values]])
        assert (found.low, found.high) == pytest.approx((math.exp(low), math.exp(high)))

    def test_more_videos_make_it_surer(self) -> None:
        from scipy import stats

        logs = np.array([-1.0, 0.0, 2.0])
        found = mean_ratio([[Ratio(value) for value in np.exp(logs).tolist()]] * 4)
        assert found.value == pytest.approx(math.exp(1 / 3))
        assert math.log(found.high / found.value) == pytest.approx(stats.t.ppf(0.975, 8) * logs.std(ddof=1) / 12**0.5)  # type: ignore[operator]

    def test_bounds_of_one_sense_bound_the_mean_and_of_two_say_nothing(self) -> None:
        bound = mean_ratio([[Ratio(2.0), Ratio(8.0, ">")]])
        assert (bound.value, bound.sense, bound.low, bound.pairs) == (pytest.approx(4), ">", None, 2)
        assert mean_ratio([[Ratio(2.0, "<"), Ratio(8.0, ">")]]).value is None
        assert mean_ratio([[None, None]]) == MeanRatio(None, "=", None, None, 0, 2)
        single = mean_ratio([[Ratio(2.0), None]])
        assert (single.value, single.sense, single.low, single.pairs) == (pytest.approx(2), "=", None, 1)

    def test_it_is_told_in_few_words(self) -> None:
        assert ratio_text(MeanRatio(0.52, "=", 0.41, 0.66, 5, 5)) == "0.52 [0.41, 0.66]"
        assert ratio_text(MeanRatio(2.14, ">", None, None, 3, 5)) == "> 2.1 (3 of 5)"
        assert ratio_text(MeanRatio(0.4, "<", None, None, 5, 5)) == "< 0.4"
        assert ratio_text(MeanRatio(None, "=", None, None, 0, 5)) == "—"


def straight(end: float, most: int = 100) -> LearningCurve:
    """Accuracy that rises from 0 with every label, by either measure."""
    return LearningCurve((0, most), dict.fromkeys(TARGETS, (0.0, end)))


class TestTables:
    CURVES = {
        (name, video, seed): straight(end)
        for name, end in (("random", 0.9), ("=half", 1.0), ("never", 0.5))
        for video in ("a", "b")
        for seed in (0, 1)
    }

    def test_each_strategy_has_its_labels_and_their_ratio(self) -> None:
        found = {(e.strategy, e.video, e.goal): e for e in entries(self.CURVES)}
        assert len(found) == 3 * 3 * 5
        half = found["=half", "a", ("mean OKS", 0.85)]
        assert near(half.needed, 85)
        assert half.ratio.value == pytest.approx(0.9)
        assert found["=half", "", ("mean OKS", 0.95)].ratio.sense == "<", "random never gets there"
        assert found["never", "b", ("mean OKS", 0.85)].ratio.sense == ">"
        assert found["never", "", ("mean OKS", 0.95)].ratio.value is None, "neither does"

    def test_runs_are_paired_by_their_seed(self) -> None:
        curves = {
            (name, "a", seed): straight(1.0, most=most * (1 + seed))
            for name, most in (("random", 100), ("third", 33))
            for seed in range(3)
        }
        ratios = [entry.ratio for entry in entries(curves) if entry.strategy == "third"]
        assert [(r.low, r.value, r.high) for r in ratios] == [pytest.approx((0.33,) * 3)] * 5

    def test_the_text_has_a_line_for_each(self) -> None:
        lines = text_table(entries(self.CURVES)).splitlines()
        assert lines[0].split()[:5] == ["video", "strategy", "mean", "OKS", "≥"]
        assert lines[1].split()[:4] == ["a", "random", "94", "100"]
        assert lines[2].split()[:6] == ["a", "=half", "85", "×", "0.90", "[0.90,"]
        assert lines[3].split()[:6] == ["a", "never", ">", "100", "×", ">"]
        assert lines[-1].startswith("all videos  never")

    def test_the_files_have_no_formulas(self) -> None:
        cells = [cell for text in (needed_csv(self.CURVES), ratios_csv(entries(self.CURVES)))
                 for row in csv.reader(text.splitlines()) for cell in row]  # fmt: skip
        assert not [cell for cell in cells if cell.startswith("=")]
        assert {"exact", "at least", "at most", "'=half"} <= set(cells)

    def test_a_reference_that_failed_leaves_nothing_to_compare(self) -> None:
        found = entries({key: curve for key, curve in self.CURVES.items() if key[0] != "random"})
        assert {entry.ratio.value for entry in found} == {None}
        assert ratios_plot(found).png

    def test_the_picture_names_strategies_and_accuracies(self) -> None:
        drawn = ratios_plot(entries(self.CURVES | {("$x", "a", 0): straight(1.0)})).svg.decode()
        assert all(word in drawn for word in ("=half", "never", "$x", "mean OKS ≥ 0.85", "all videos"))


SMALL: dict[str, Any] = {
    "sweep": {"videos": ["dance"], "seeds": [0, 1]},
    "run": {"schedule": ["1", "2", "4"], "device": "cpu", "precision": "float32"},
    "dataset": {"synthetic": {"frames": 4, "people": 1, "source_videos": 0}},
    "estimator": {"tiny": {"input_size": [64, 64]}},
    "retrain": {"few-labels": {"steps": 1, "epochs": 1}},
}


def written(folder: Path, **tables: Any) -> Path:
    (folder / "few.toml").write_text(tomli_w.dumps(SMALL | tables))
    return folder / "few.toml"


class TestStrategies:
    def test_without_a_file_they_are_the_selectors_that_are_installed_on_every_video(self) -> None:
        registry = discover()
        runs = strategies_plan(registry, None).runs
        assert {run.variant for run in runs} == set(registry.names("selector"))
        assert {run.config.seed for run in runs} == set(range(5))
        assert len({run.config.video for run in runs}) == 4
        assert {run.config.schedule for run in runs} == {LABELS}
        assert {run.config.stop for run in runs} == {("none",)}

    def test_random_is_always_among_them(self, tmp_path: Path) -> None:
        registry = discover()
        file = written(tmp_path, strategies={"even": {"run": {"select": "uniform"}}, "sets": {}})
        plan = strategies_plan(registry, file, only=["even"], grid={"seeds": "3,4"}, schedule="0.5,1.0")
        assert {(run.variant, run.config.select) for run in plan.runs} == {("random", "random"), ("even", "uniform")}
        assert {run.config.seed for run in plan.runs} == {3, 4}
        assert {run.config.schedule for run in plan.runs} == {("0.5", "1.0")}
        presets = strategies_plan(registry, written(tmp_path, sweep={"presets": ["core-set"], "seeds": [0]}), grid={})
        assert {run.variant for run in presets.runs} == {"random", "core-set"}

    @pytest.mark.parametrize(
        ("tables", "only", "says"),
        [
            ({"strategies": {"a": {"run": {"selct": "top"}}}}, (), "did you mean 'select'"),
            ({"strategies": {"a": 3}}, (), "write \\[strategies.NAME.run\\]"),
            ({"strategies": 3}, (), "write \\[strategies.NAME.run\\]"),
            ({"strategies": {"a": {"run": {"seed": 3}}}}, (), "\\[strategies.a.run\\] of .*few.toml sets 'seed'"),
            ({"run": 3}, (), "write \\[run\\]"),
            ({"sweep": {"presets": 3}}, (), "presets = 3 does not fit"),
            ({"sweep": {"presets": ["lc"]}, "strategies": {"lc": {}}}, (), "has the name of a preset"),
            ({"variant": {"a": {}}}, (), "no table of"),
            ({}, ("core",), "there is no strategy 'core'|did you mean 'coreset'"),
        ],
    )
    def test_what_makes_no_sense_is_refused(
        self, tmp_path: Path, tables: dict[str, Any], only: tuple[str, ...], says: str
    ) -> None:
        with pytest.raises(InputError, match=says):
            strategies_plan(discover(), written(tmp_path, **tables), only)


def test_what_the_command_line_says_of_the_grid_is_not_blamed_on_the_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="of the command line: seeds = 'many' does not fit"):
        strategies_plan(discover(), written(tmp_path), grid={"seeds": "many"})


def here(_: Local, work: Callable[[Any], Any], runs: Sequence[Any]) -> Iterator[Outcome[Any]]:
    """Carries runs out in this process."""
    return (attempt(work, number, run) for number, run in enumerate(runs))


def test_the_whole_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(Local, "map", here)
    file = written(tmp_path, strategies={"core-set": {"run": {"select": "coreset"}}})
    done = CliRunner().invoke(vatl, ["bench", "labels", str(file)], catch_exceptions=False)
    assert done.exit_code == 0
    assert "fewer than 5 seeds" in done.stderr
    assert [line.split()[:2] for line in done.stdout.splitlines()[1:3]] == [["dance", "random"], ["dance", "core-set"]]
    folder = tmp_path / "sweeps" / "few"
    assert (folder / "ratios.svg").is_file()
    with (folder / "labels_needed.csv").open() as rows:
        assert len(found := list(csv.DictReader(rows))) == 2 * 2 * 5
    assert {row["reached"] for row in found} == {"True"}, "everything was labelled in the end"
    past = PastRun.open(folder / "runs" / "core-set-dance-seed1")
    curve = learning_curve(past)
    assert curve.labels == (0, 1, 2, 4)
    recorded = [record.evaluation.mean_oks_with_labels for record in past.cycles if record.evaluation]
    assert curve.accuracy["mean OKS"] == pytest.approx(recorded)
    assert curve.accuracy["share OKS > .75"][-1] == 1
    assert past.closing
    early = attrs.evolve(past, cycles=past.cycles[:-1])  # stopped with its last query, from which nothing was learnt
    assert learning_curve(early).labels == (0, 1, 2, 4)
    assert learning_curve(early).accuracy["mean OKS"] == (*curve.accuracy["mean OKS"][:-1], 1)
    again = CliRunner().invoke(vatl, ["bench", "labels", str(file)], catch_exceptions=False)
    assert again.stdout == done.stdout
    assert "0 runs to do" in again.stderr
    past.folder.cycle_folder(1).joinpath("estimates.npz").unlink()
    with pytest.raises(InputError, match=r"estimates\.npz is not there"):
        learning_curve(past)

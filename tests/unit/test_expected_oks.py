"""What is expected of an estimate without its truth: by heatmaps, by labels, and how sure that is."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, ClassVar

import attrs
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from tests.conftest import Registered, configured
from tests.unit.test_cycle import Copier, outcome
from vatl_core.contracts import Criterion, Poses, Window
from vatl_core.hookspecs import hookimpl
from vatl_core.metrics import oks
from vatl_core.plugins import Component
from vatl_core.run import PastRun, execute
from vatl_core.seeds import generator
from vatl_core.video import decode, gaussian_targets
from vatl_criteria.accuracy.calibration import Calibration, Curve, Pairs
from vatl_criteria.accuracy.expectation import expected_oks, kernel_expectation
from vatl_criteria.accuracy.expected import ExpectedOKS
from vatl_criteria.accuracy.outlook import Outlook, expected_mean, outlook, seen
from vatl_criteria.accuracy.reliability import bins_of
from vatl_report.run_page import write_run_page

SIGMAS = (0.05, 0.1, 0.025)
CROPS, BOXES = torch.tensor([[10.0, 20.0, 58.0, 84.0]]), torch.tensor([[15.0, 25.0, 38.0, 50.0]])
SIZE = (16, 12)


def maps_at(*places: tuple[float, float], height: float = 1.0) -> Tensor:
    """(1, 3, h, w) the mean of the targets of these places, crop pixels, times a height."""
    seen = torch.ones(1, 3, dtype=torch.bool)
    each = [gaussian_targets(torch.tensor([[place] * 3]), seen, SIZE, 4)[0] for place in places]
    return height * torch.stack(each).mean(0)


def expected(maps: Tensor, scale: float = 1.0) -> float:
    crops, boxes = CROPS * scale, BOXES * scale
    keypoints, _ = decode(maps, crops)
    return float(expected_oks(maps, keypoints, crops, boxes, SIGMAS, sigma=2.0, floor=1.0))


class TestExpectation:
    def test_it_is_that_of_the_metrics_own_oks_over_the_heatmap(self) -> None:
        maps = torch.rand(1, 3, *SIZE, generator=torch.Generator().manual_seed(3)) - 0.2
        keypoints, _ = decode(maps, CROPS)
        rows, columns = torch.meshgrid(torch.arange(16), torch.arange(12), indexing="ij")
        where = torch.stack([columns, rows], -1).view(-1, 1, 2) * 4 + CROPS[0, :2]
        plain = []
        for k, sigma in enumerate(SIGMAS):
            there, mass = keypoints[:, k : k + 1].expand(len(where), 1, 2), maps[0, k].clamp(min=0).flatten()
            similar = oks(there, where.float(), torch.ones(len(where), 1) > 0, BOXES.expand(len(where), 4), [sigma])
            plain.append(float((similar * mass).sum() / mass.sum()))
        variance = BOXES[:, 2:].prod(1, keepdim=True) * (2 * torch.tensor(SIGMAS)) ** 2 / 16
        found = kernel_expectation(maps, (keypoints - CROPS[:, None, :2]) / 4, variance)
        assert found[0].tolist() == pytest.approx(plain, rel=1e-4)

    def test_two_places_or_a_low_peak_lead_to_expect_less(self) -> None:
        sure, torn = maps_at((24, 32)), maps_at((24, 32), (24, 32), (24, 32), (8, 12))
        assert expected(torn) < expected(maps_at((24, 32), height=0.75)) < expected(sure) < 1
        assert expected(sure) > 0.5
        assert expected(torch.zeros_like(sure)) == 0

    @pytest.mark.parametrize("scale", [0.25, 4.0])
    def test_the_size_of_the_picture_does_not_matter(self, scale: float) -> None:
        assert expected(maps_at((24, 32), (28, 36)), scale) == pytest.approx(expected(maps_at((24, 32), (28, 36))))

    @settings(deadline=None, max_examples=30)
    @given(seed=st.integers(0, 1000), low=st.floats(-2, 0), high=st.floats(0, 3))
    def test_it_is_an_oks_whatever_the_heatmaps(self, seed: int, low: float, high: float) -> None:
        maps = low + (high - low) * torch.rand(1, 3, *SIZE, generator=torch.Generator().manual_seed(seed))
        assert 0 <= expected(maps) <= 1


# --------------------------------------------------------------------------------------------------------- calibration
def drawn(count: int, seed: int, offset: float = 0.0, slope: float = 1.0) -> tuple[Tensor, Tensor]:
    """What was expected of instances, and an OKS that scatters about another curve."""
    draw = torch.Generator().manual_seed(seed)
    raw = 0.05 + 0.9 * torch.rand(count, generator=draw, dtype=torch.float64)
    mean = torch.sigmoid(slope * torch.logit(raw) + offset)
    return raw, (mean + 0.1 * torch.randn(count, generator=draw, dtype=torch.float64)).clamp(0, 1)


def asked(raw: Tensor, measured: Tensor, learnt: float = 0.0) -> Pairs:
    return Pairs.of(raw, measured, torch.full_like(raw, learnt))


class TestCalibration:
    def test_without_labels_it_leaves_everything_as_it_is(self) -> None:
        raw = torch.linspace(0.01, 0.99, 50)
        assert Calibration.of(Pairs.none(), 0, raw)(raw).tolist() == pytest.approx(raw.tolist(), abs=0.02)

    @settings(deadline=None, max_examples=40)
    @given(
        count=st.integers(0, 40), seed=st.integers(0, 999), offset=st.floats(-3, 3), slope=st.floats(-2, 3),
        cycles=st.integers(1, 4),
    )  # fmt: skip
    def test_it_rises_and_is_an_oks(self, count: int, seed: int, offset: float, slope: float, cycles: int) -> None:
        raw, measured = drawn(count, seed, offset, slope)
        pairs = Pairs.of(raw, measured, torch.arange(count) * cycles // max(count, 1) * 10.0)
        video = drawn(60, seed + 1)[0]
        given = Calibration.of(pairs, 10 * cycles, video)(torch.linspace(0, 1, 101, dtype=torch.float64))
        assert (given.diff() >= -1e-12).all()
        assert 0 <= float(given.min()) <= float(given.max()) <= 1

    @pytest.mark.parametrize(("offset", "slope"), [(1.5, 1.0), (-1.5, 1.0), (0.0, 3.0)])
    def test_with_many_labels_instances_called_so_are_so(self, offset: float, slope: float) -> None:
        raw, measured = drawn(150, 1, offset, slope)
        video, truth = drawn(2000, 2, offset, slope)
        given = Calibration.of(asked(raw, measured), 150, video)(video)
        assert abs(float((given - truth).mean())) < 0.02
        for part in given.argsort().tensor_split(5):
            assert abs(float((given - truth)[part].mean())) < 0.06

    def test_one_of_three_labels_that_is_odd_does_not_say_it_all(self) -> None:
        raw = torch.tensor([0.6, 0.7, 0.8], dtype=torch.float64)
        video = torch.linspace(0.1, 0.9, 100)
        given = Calibration.of(asked(raw, torch.tensor([0.65, 0.75, 0.0])), 3, video)(video)
        assert float(given[-1] - given[0]) > 0.3, "heatmaps still count"
        assert float(given[-1]) < 0.85, "and so do labels"

    def test_what_is_beyond_the_labels_is_not_held_to_the_best_of_them(self) -> None:
        raw, measured = drawn(11, 3)
        raw, measured = raw / 3, measured / 3
        video = torch.linspace(0.0, 1.0, 100)
        given = Calibration.of(asked(raw, measured), 11, video)(video)
        assert float(given[-1]) > 2 * float(measured.max())

    def test_old_labels_tell_of_the_trend(self) -> None:
        """What the heatmaps are worth moves by half a logit each time the labels double."""
        columns = []
        for learnt in (10, 20, 40, 80):
            raw, measured = drawn(20, learnt, math.log2(learnt / 10) / 2)
            columns.append((raw, measured, torch.full_like(raw, learnt)))
        pairs = Pairs.of(*(torch.cat(column) for column in zip(*columns, strict=True)))
        video, truth = drawn(1000, 9, 2.0)
        apart = float((Calibration.of(pairs, 160, video)(video) - truth).mean())
        without = float(
            (Calibration.of(attrs.evolve(pairs, learnt=0 * pairs.learnt), 160, video)(video) - truth).mean()
        )
        assert abs(apart) < 0.04 < abs(without)

    def test_labels_that_contradict_the_heatmaps_take_their_word_from_them(self) -> None:
        raw, measured = drawn(100, 6, 0.0, -2.0)
        assert Curve.of(asked(raw, measured), 100).found[0] == 0

    def test_what_is_not_known_does_not_count(self) -> None:
        raw, measured = drawn(20, 4, 1.0)
        odd = torch.tensor([torch.nan, 0.5], dtype=torch.float64)
        more = asked(torch.cat([raw, odd]), torch.cat([measured, odd.flip(0)]))
        assert len(more) == 20
        assert Curve.of(more, 20).found.equal(Curve.of(asked(raw, measured), 20).found)

    @pytest.mark.parametrize("value", [0.0, 1.0])
    def test_labels_that_are_all_alike_do_no_harm(self, value: float) -> None:
        video = torch.full((30,), 0.5)
        given = Calibration.of(asked(torch.full((40,), value).double(), torch.full((40,), value).double()), 40, video)
        assert given(torch.tensor([0.0, 0.5, 1.0])).isfinite().all()


class TestInterval:
    @pytest.mark.parametrize(("count", "offset"), [(5, 0.5), (11, 1.5), (40, -1.0), (150, 0.7)])
    def test_the_truth_lies_within_as_often_as_it_says(self, count: int, offset: float) -> None:
        within = []
        for seed in range(60):
            raw, measured = drawn(300, 1000 + seed, offset)
            found = self.found(raw, measured, count)
            within.append(found.low <= float(measured.mean()) <= found.high)
        assert sum(within) >= 0.83 * len(within), "90 %, less two standard errors of 60 trials"

    def test_more_labels_make_it_narrower_and_all_of_them_make_it_a_point(self) -> None:
        raw, measured = drawn(200, 5, 1.0)
        widths = [(found := self.found(raw, measured, n)).high - found.low for n in (4, 12, 40, 120, 200)]
        assert widths == sorted(widths, reverse=True)
        assert widths[-1] < 1e-12 < widths[-2]
        assert self.found(raw, measured, 200).mean == pytest.approx(float(measured.mean()))

    @given(surprise=st.floats(-0.3, 0.3))
    def test_a_query_that_turned_out_otherwise_widens_it_by_as_much_of_what_is_left(self, surprise: float) -> None:
        raw, measured = drawn(200, 5, 1.0)
        pairs = asked(raw[:40], measured[:40])
        calibration = Calibration.of(pairs, 0, raw)
        sure, surprised = (expected_mean(pairs, calibration, 0, measured[:40], raw[40:], by) for by in (0.0, surprise))
        assert sure
        assert surprised
        assert surprised.mean == sure.mean
        assert surprised.low == pytest.approx(max(sure.low - abs(surprise) * 0.8, 0))
        assert surprised.high == pytest.approx(min(sure.high + abs(surprise) * 0.8, 1))

    def test_without_a_label_there_is_none(self) -> None:
        raw, _ = drawn(20, 5)
        assert expected_mean(Pairs.none(), Calibration.of(Pairs.none(), 0, raw), 0, raw[:0], raw) is None

    @staticmethod
    def found(raw: Tensor, measured: Tensor, count: int) -> Outlook:
        pairs = asked(raw[:count], measured[:count])
        found = expected_mean(pairs, Calibration.of(pairs, 0, raw), 0, measured[:count], raw[count:])
        assert found
        return found


def test_bins_hold_as_many_each_and_what_is_not_measured_is_in_none() -> None:
    expected = torch.linspace(0, 1, 50)
    rows = torch.stack([expected, expected**2], 1)
    rows[7, 1] = torch.nan
    found = bins_of([rows[:20], rows[20:]])
    assert [b.count for b in found] == [9, 8, 8, 8, 8, 8]
    assert found[-1].measured == pytest.approx(float((expected[-8:] ** 2).mean()))
    assert bins_of([]) == []
    assert bins_of([rows[:1]])[0].error is None


# ----------------------------------------------------------------------------------------------------------------- runs
def test_it_learns_from_honest_pairs_alone() -> None:
    """Of the cycles in which they were asked for, whatever order they come in."""
    criterion, raw = ExpectedOKS(), torch.tensor([0.2, 0.4, 0.6, 0.8])
    columns = torch.rand(4, 5, 2), torch.ones(4, 5) > 0, torch.ones(4, 4), None
    known = Poses(*columns, cycle=torch.tensor([3, 0, 3, 1]), oks=torch.tensor([0.5, 0.1, torch.nan, 0.3]), kept=raw)
    criterion.fit(known, generator(0))
    assert criterion._pairs.learnt.tolist() == [2, 0, 1], "labels that the estimator had learnt from when it was asked"
    assert criterion._pairs.raw.tolist() == pytest.approx([0.2, 0.4, 0.8])
    criterion.fit(Poses(*columns), generator(0))
    assert len(criterion._pairs) == 0, "poses that nobody was asked for say nothing"


@attrs.define
class Keeping(Criterion):
    """Keeps two numbers, and notes what it is shown."""

    needs: ClassVar[frozenset[str]] = frozenset({"heatmaps", "pool"})
    keeps: ClassVar[bool] = True
    shown: ClassVar[list[Poses]] = []

    def condense(self, window: Window) -> Tensor:
        return torch.stack([window.index.float(), window.scores.mean(1)], 1)

    def fit(self, labelled: Poses, generator: torch.Generator) -> None:
        self.shown.append(labelled)

    def score(self, window: Window) -> Tensor:
        return window.condensed[:, 1]


def test_a_criterion_finds_what_it_kept_and_what_came_of_it(registered: Registered, tmp_path: Path) -> None:
    Keeping.shown.clear()
    registry = registered(Component("criterion", "keeping", "", "tests.unit.test_expected_oks:Keeping"))
    config = configured(registry, tmp_path, query="keeping", stop=["none"])
    execute(config, registry)
    first, _, last = Keeping.shown
    assert (len(first), len(last)) == (0, 8)
    cycles = PastRun.open(config.path, registry).cycles
    index = [*cycles[0].query, *cycles[1].query]
    assert last.cycle is not None
    assert last.oks is not None
    assert last.kept is not None
    assert last.cycle.tolist() == [0] * 4 + [1] * 4
    assert last.oks.tolist() == pytest.approx([*cycles[0].query_oks, *cycles[1].query_oks])
    assert last.kept[:, 0].tolist() == index
    for cycle in (0, 1):
        with np.load(config.path / "cycles" / f"00{cycle}" / "estimates.npz") as columns:
            there = columns["kept.keeping"][list(cycles[cycle].query), 1]
        assert last.kept[last.cycle == cycle, 1].tolist() == there.tolist()


def test_estimates_that_are_gone_cost_their_pairs_alone(registered: Registered, tmp_path: Path) -> None:
    class Losing:
        @hookimpl
        def vatl_cycle_finished(self, run: Any, record: Any) -> None:
            if record.cycle == 0:
                (run.folder.cycle_folder(0) / "estimates.npz").unlink()

    Keeping.shown.clear()
    component = Component("criterion", "keeping", "", "tests.unit.test_expected_oks:Keeping")
    registry = registered(component, plugins=(Losing(),))
    execute(configured(registry, tmp_path, query="keeping", stop=["none"]), registry)
    kept = Keeping.shown[-1].kept
    assert kept is not None
    assert kept[:4].isnan().all()
    assert kept[4:].isfinite().all()


def test_a_run_taken_up_anywhere_comes_to_the_same_numbers(registered: Registered, tmp_path: Path) -> None:
    copier = Copier(tmp_path)
    registry = registered(plugins=(copier,))
    settings = {"query": "eoks", "select": "top", "stop": ["sc-expected"], "schedule": ["4", "8", "11"]}
    config = configured(registry, tmp_path, name="plain", **settings)
    execute(config, registry)
    cycles = outcome(config.path)
    assert len({line["mean_scores"]["eoks"] for line in cycles}) == 4
    for copy in copier.copies:
        execute(copy, registered())
        assert outcome(copy) == cycles, copy.name
        for cycle in range(4):
            mine, theirs = (np.load(p / "cycles" / f"00{cycle}" / "estimates.npz") for p in (copy, config.path))
            assert all((mine[name] == theirs[name]).all() for name in theirs.files), (copy.name, cycle)


def test_report_and_console_tell_of_it(registered: Registered, tmp_path: Path) -> None:
    told: list[dict[str, str]] = []

    class Listening:
        @hookimpl
        def vatl_cycle_finished(self, run: Any, record: Any) -> None:
            told.extend(run.hook.vatl_cycle_figures(run=run, record=record))

    registry = registered(plugins=(Listening(),))
    config = configured(registry, tmp_path, query="eoks", select="top", stop=["none"])
    execute(config, registry)
    past = PastRun.open(config.path, registry)
    page = write_run_page(past, tmp_path / "report").read_text().partition("<h2>Expected accuracy</h2>")[2]
    assert "data:image/png" in page
    cycles = seen(past.folder, past.cycles)
    assert len(told) == len(cycles) == 3
    for n, figures in enumerate(told, start=1):
        found = outlook(cycles[:n], past.cycles[:n], past.folder)
        assert found
        assert figures["expected mean OKS"] == f"{found.mean:.3f} (90%: {found.low:.3f} to {found.high:.3f})"
        assert f"<td>{found.low:.3f} to {found.high:.3f}</td>" in page


def test_a_run_without_it_tells_nothing(registered: Registered, tmp_path: Path) -> None:
    registry = registered()
    config = configured(registry, tmp_path, query="lc", schedule=["4"])
    execute(config, registry)
    past = PastRun.open(config.path, registry)
    assert "Expected accuracy" not in write_run_page(past, tmp_path / "report").read_text()

"""What contract 2 adds: further passes, further heads, instances in time, refinement, a report's sections."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import attrs
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from tests.conftest import Registered, configured, stick_video
from vatl_core.compute import Compute
from vatl_core.contracts import Criterion, Labels, Maps, Network, Pool, Refined, Refinement, Selector, Tracks, Window
from vatl_core.errors import PluginError
from vatl_core.estimation import Crops, FurtherPasses, estimate
from vatl_core.hookspecs import hookimpl
from vatl_core.plugins import Component, Section
from vatl_core.run import PastRun
from vatl_core.run.running import execute
from vatl_criteria.selection.in_time import Uniform
from vatl_criteria.uncertainty.dropout import MonteCarloDropout
from vatl_estimators.tiny import Tiny
from vatl_report.run_page import write_run_page

CPU = torch.device("cpu")


def tiny(frames: int = 12) -> tuple[Tiny, Crops]:
    video, estimator = stick_video(frames), Tiny(width=8, input_size=(32, 32))
    torch.manual_seed(0)
    estimator.build(video.skeleton)
    return estimator.eval(), Crops(video.without_truth(), (32, 32), CPU, 2**20)


# ------------------------------------------------------------------------------------------------------- further passes
class Twice(Criterion):
    """How far a second pass is from the first; with dropout if ``share`` says so."""

    needs: ClassVar[frozenset[str]] = frozenset({"heatmaps", "network"})

    def __init__(self, share: float | None = None) -> None:
        self.share = share

    def score(self, window: Window) -> Tensor:
        assert window.network is not None
        maps = window.network(window.pictures, dropout=self.share)
        return (maps.heatmaps - window.heatmaps).abs().sum((1, 2, 3))


def test_a_further_pass_gives_what_the_first_gave_and_is_counted() -> None:
    estimator, crops = tiny()
    found = estimate(estimator, crops, {"again": Twice(), "thin": Twice(0.5)}, Compute(CPU), batch=5)
    assert found.criteria["again"].max() < 1e-3
    assert found.criteria["thin"].min() > 1e-3
    assert found.passes == {"again": 24, "thin": 24}
    assert estimate(estimator, crops, {}, Compute(CPU)).passes == {}


@pytest.mark.parametrize("own", [False, True])
def test_a_sample_is_one_thinned_network_whatever_the_batch(own: bool) -> None:
    estimator, crops = tiny()
    if own:
        head = estimator.get_submodule(estimator.head)
        assert isinstance(head, nn.Conv2d)
        parent, _, name = estimator.head.rpartition(".")
        setattr(estimator.get_submodule(parent), name, nn.Sequential(nn.Dropout(0.9), head))
        estimator.eval()
    network = FurtherPasses(estimator, Compute(CPU), seed=3)
    pictures = crops.get(torch.arange(24))
    with torch.no_grad():
        plain, first, second = (network(pictures, share, n).heatmaps for share, n in ((None, 0), (0.4, 0), (0.4, 1)))
        apart = torch.cat([network(part, 0.4, 0).heatmaps for part in pictures.split(7)])
    assert (first - apart).abs().max() < 1e-6
    assert (first - plain).abs().max() > 1e-4
    assert (first - second).abs().max() > 1e-4
    assert network.count == 24 * 4
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in estimator.modules())


def test_a_criterion_may_ask_for_gradients() -> None:
    class Sensitivity(Criterion):
        needs: ClassVar[frozenset[str]] = frozenset({"network", "heatmaps"})

        def score(self, window: Window) -> Tensor:
            assert window.network is not None
            with torch.enable_grad():
                heatmaps = window.network(window.pictures).heatmaps
                weight = next(iter(estimator.parameters()))
                (gradient,) = torch.autograd.grad((heatmaps * window.heatmaps).mean(), weight)
            return gradient.norm().expand(len(window))

    estimator, crops = tiny()
    assert estimate(estimator, crops, {"it": Sensitivity()}, Compute(CPU)).criteria["it"].min() > 0


def test_disagreement_is_none_where_thinned_networks_agree_and_more_where_they_do_not() -> None:
    def of(network: Network) -> Tensor:
        empty = torch.zeros(2, 0)
        window = Window(torch.arange(2), stick_video().skeleton, *[empty] * 5)
        return MonteCarloDropout(samples=4).score(
            attrs.evolve(window, pictures=torch.zeros(2, 3, 8, 8, dtype=torch.uint8), network=network)
        )

    def surely(pictures: Tensor, dropout: float | None = None, sample: int = 0) -> Maps:
        return _maps(len(pictures), 3)

    def anywhere(pictures: Tensor, dropout: float | None = None, sample: int = 0) -> Maps:
        return _maps(len(pictures), sample)

    assert of(surely).abs().max() < 1e-6
    assert torch.allclose(of(anywhere), 5 * torch.tensor(4.0).log(), atol=1e-4)


def _maps(count: int, place: int) -> Maps:
    heatmaps = torch.zeros(count, 5, 4, 4)
    heatmaps.flatten(2)[..., place] = 1.0
    return Maps(heatmaps, torch.zeros(count, 2))


def test_what_further_passes_cost_is_in_the_record(tmp_path: Path, registered: Registered) -> None:
    registry = registered()
    config = configured(registry, tmp_path, query="mc-dropout", options={"query": {"mc-dropout": {"samples": 3}}})
    execute(config, registry)
    cycles = PastRun.open(config.path, registry).cycles
    assert [cycle.further_passes for cycle in cycles] == [{"mc-dropout": 3 * 24}] * len(cycles)


# -------------------------------------------------------------------------------------------------------------- in time
def pool_of(time: list[float], track: list[int], labelled: list[int]) -> Pool:
    count = len(time)
    mask = torch.zeros(count, dtype=torch.bool)
    mask[labelled] = True
    columns = {"time": torch.tensor(time, dtype=torch.float64), "track": torch.tensor(track)}
    return Pool(torch.zeros(count), torch.zeros(count, 2), mask, **columns)


def picks(pool: Pool, count: int) -> list[int]:
    return Uniform().select(pool, count, torch.Generator()).tolist()


def test_uniform_begins_in_the_middle_of_the_longest_track_and_halves_what_is_left() -> None:
    assert picks(pool_of([0, 1, 2, 3, 4, 0, 1, 2], [7] * 5 + [3] * 3, []), 2) == [2, 6]
    assert picks(pool_of(list(range(9)), [0] * 9, [4]), 4) == [0, 8, 2, 6]
    assert picks(pool_of([0, 1, 2, 3, 50], [0] * 5, [0]), 1) == [4]


def test_uniform_is_near_to_what_is_labelled_alone_whatever_cannot_be_answered() -> None:
    pool = attrs.evolve(pool_of(list(range(9)), [0] * 9, [0]), answerable=torch.arange(9) % 2 == 1)
    assert picks(pool, 2) == [7, 3], "the even ones are nobody's labels"


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 40)), min_size=1, max_size=30, unique=True), st.data())
def test_no_pick_leaves_a_wider_gap_of_its_track_untouched(rows: list[tuple[int, int]], data: Any) -> None:
    labelled = data.draw(st.lists(st.integers(0, len(rows) - 1), unique=True, max_size=len(rows) - 1))
    pool = pool_of([float(when) for _, when in rows], [track for track, _ in rows], labelled)
    (pick,) = picks(pool, 1)

    def gap(index: int) -> float:
        own = [abs(rows[i][1] - rows[index][1]) for i in labelled if rows[i][0] == rows[index][0]]
        return min(own, default=float("inf"))

    assert pick not in labelled
    assert gap(pick) == max(gap(i) for i in range(len(rows)) if i not in labelled)


@attrs.define
class Looking(Selector):
    """Notes what it is shown."""

    seen: ClassVar[list[Pool]] = []

    def select(self, pool: Pool, count: int, generator: torch.Generator) -> Tensor:
        self.seen.append(pool)
        return pool.unlabelled[:count]


def test_a_selector_sees_instances_in_time_and_no_truth(tmp_path: Path, registered: Registered) -> None:
    registry = registered(Component("selector", "looking", "", "tests.unit.test_contract:Looking"))
    Looking.seen.clear()
    execute(configured(registry, tmp_path, select="looking"), registry)
    pool, truth = Looking.seen[0], stick_video().instances
    assert torch.equal(pool.frame, truth.frame)
    assert torch.equal(pool.track, truth.track)
    assert torch.equal(pool.previous, truth.previous)
    assert torch.equal(pool.next, truth.next)
    assert torch.equal(pool.boxes, truth.boxes)
    assert torch.equal(pool.time, truth.frame.double())
    assert pool.keypoints.shape == (24, 5, 2)
    assert pool.keypoint_scores.shape == (24, 5)
    assert not torch.equal(pool.keypoints, truth.keypoints)


# ----------------------------------------------------------------------------------------------------------- refinement
@attrs.frozen
class Smoothed(Refinement):
    """Each pose halfway to its previous neighbour's, and as far off as it was moved."""

    candidates: int = 2
    seen: ClassVar[list[Tensor]] = []

    def refine(self, tracks: Tracks, candidates: Tensor, labels: Labels) -> Refined:
        self.seen.append(candidates)
        before = tracks.keypoints[tracks.previous.clamp(min=0)]
        there = (tracks.previous >= 0)[:, None, None]
        moved = torch.where(there, (tracks.keypoints + before) / 2, tracks.keypoints)
        return Refined(moved, (moved - tracks.keypoints).norm(dim=-1))


@attrs.frozen
class Broken(Refinement):
    """Forgets the spread."""

    def refine(self, tracks: Tracks, candidates: Tensor, labels: Labels) -> Any:
        return tracks.keypoints


def test_refined_poses_are_queried_by_measured_and_kept(tmp_path: Path, registered: Registered) -> None:
    registry = registered(Component("refinement", "smoothed", "", "tests.unit.test_contract:Smoothed"))
    Smoothed.seen.clear()
    plain, refined = (
        configured(registry, tmp_path / name, refine=name, schedule=["4"], retrain="none")
        for name in ("none", "smoothed")
    )
    execute(plain, registry)
    execute(refined, registry)
    first, second = (PastRun.open(config.path, registry).folder.estimates(0) for config in (plain, refined))
    assert first is not None
    assert second is not None
    previous = stick_video().instances.previous
    expected = (first.keypoints + first.keypoints[previous.clamp(min=0)]) / 2
    assert torch.allclose(second.keypoints, torch.where((previous >= 0)[:, None, None], expected, first.keypoints))
    assert second.spread is not None
    assert second.spread.max() > 0
    candidates = Smoothed.seen[0]
    assert candidates.shape == (24, 5, 2, 3)
    assert torch.allclose(candidates[:, :, 0, 2], first.scores)
    assert (candidates[:, :, 0, 2] >= candidates[:, :, 1, 2]).all()
    cycles = [PastRun.open(config.path, registry).cycles[0] for config in (plain, refined)]
    assert cycles[0].evaluation.mean_oks != cycles[1].evaluation.mean_oks  # type: ignore[union-attr]


def test_a_refinement_that_breaks_its_promise_is_named(tmp_path: Path, registered: Registered) -> None:
    registry = registered(Component("refinement", "broken", "", "tests.unit.test_contract:Broken"))
    with pytest.raises(PluginError, match=r"refinement 'broken' gave a Tensor: Refined\(keypoints, spread\)"):
        execute(configured(registry, tmp_path, refine="broken"), registry)


# --------------------------------------------------------------------------------------------------- a report's section
class Reporting:
    """Adds a table with a name that is no markup, and a picture."""

    @hookimpl
    def vatl_report_section(self, run: Path, folder: Path) -> Section:
        from PIL import Image

        Image.new("RGB", (4, 3)).save(folder / "own.png")
        rows = [("what", "how many"), ("<b>", len((run / "cycles.jsonl").read_text().splitlines()))]
        return Section("Of my own", "Said & done.", [tuple(map(str, row)) for row in rows], folder / "own.png")


def test_a_plugin_adds_a_section_to_the_report(tmp_path: Path, registered: Registered) -> None:
    registry = registered(plugins=(Reporting(),))
    config = configured(registry, tmp_path, schedule=["4"])
    execute(config, registry)
    page = write_run_page(PastRun.open(config.path, registry), tmp_path / "report").read_text()
    assert "<h2>Of my own</h2>" in page
    assert "<p>Said &amp; done.</p>" in page
    assert '<th scope="row" class="text">&lt;b&gt;</th><td>2</td>' in page
    assert 'src="data:image/png;base64,' in page.partition("Of my own")[2]


def test_what_is_no_section_is_refused_in_a_line(tmp_path: Path, registered: Registered) -> None:
    class Odd:
        @hookimpl
        def vatl_report_section(self, run: Path, folder: Path) -> str:
            return "text"

    registry = registered(plugins=(Odd(),))
    config = configured(registry, tmp_path, schedule=["4"])
    execute(config, registry)
    with pytest.raises(PluginError, match="vatl_report_section gave a str: a Section is expected"):
        write_run_page(PastRun.open(config.path, registry), tmp_path / "report")

"""The cycle: one pass, no truth where none belongs, the same result after any interruption."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from types import FunctionType, MethodType, ModuleType
from typing import Any, ClassVar

import attrs
import numpy as np
import pytest
import torch
from torch import Tensor

from tests.conftest import Registered, configured, stick_video
from vatl_core.compute import Compute
from vatl_core.contracts import Criterion, Labels, Maps, Oracle, Pool, Request, Retraining, Selector, Stopping, Window
from vatl_core.errors import PluginError
from vatl_core.estimation import Crops, estimate
from vatl_core.hookspecs import hookimpl
from vatl_core.plugins import Component
from vatl_core.run import PastRun, execute
from vatl_criteria.uncertainty.continuity import HeatmapContinuity, heatmap_change, over_neighbours
from vatl_estimators.tiny import Tiny


@attrs.define(eq=False, slots=False, on_setattr=attrs.setters.NO_OP)
class Counting(Tiny):
    """Counts the instances that go through it outside training."""

    seen: ClassVar[int] = 0

    def forward(self, crops: Tensor) -> Maps:
        if not self.training:
            Counting.seen += len(crops)
        return super().forward(crops)


@pytest.mark.parametrize("batch", [1, 5, 64])
def test_every_instance_goes_through_the_network_once_a_cycle(
    registered: Registered, tmp_path: Path, batch: int
) -> None:
    registry = registered(Component("estimator", "counting", "", "tests.unit.test_cycle:Counting"))
    options = {"estimator": {"counting": {"input_size": [64, 64], "width": 8}}}
    Counting.seen = 0
    record = execute(configured(registry, tmp_path, estimator="counting", options=options, batch=batch), registry)
    passes = record.cycles + 1
    assert Counting.seen == passes * record.instances


def test_scores_do_not_depend_on_the_batch(registered: Registered, tmp_path: Path) -> None:
    scores = []
    for batch in (1, 7, 64):
        registry = registered()
        execute(configured(registry, tmp_path, batch=batch, name=f"b{batch}", schedule=["4"]), registry)
        with np.load(tmp_path / f"b{batch}" / "cycles" / "000" / "estimates.npz") as columns:
            scores.append(columns["criterion.thc"])
    for other in scores[1:]:
        np.testing.assert_allclose(other, scores[0], rtol=1e-3)


# ---------------------------------------------------------------------------------------------------------------- truth
def reachable(*roots: object) -> list[Tensor]:
    """Every tensor that attributes, containers, closures and bound methods lead to."""
    found, seen, todo = [], set(), list(roots)
    while todo:
        thing = todo.pop()
        if id(thing) in seen or isinstance(thing, ModuleType | type | str | bytes | int | float):
            continue
        seen.add(id(thing))
        if isinstance(thing, Tensor):
            found.append(thing)
        elif isinstance(thing, np.ndarray):
            found.append(torch.from_numpy(thing) if thing.dtype.kind in "fiub" else torch.empty(0))
        elif isinstance(thing, dict):
            todo += [*thing.keys(), *thing.values()]
        elif isinstance(thing, list | tuple | set | frozenset):
            todo += thing
        elif isinstance(thing, MethodType):
            todo += [thing.__self__, thing.__func__]
        elif isinstance(thing, FunctionType):
            todo += [cell.cell_contents for cell in thing.__closure__ or ()]
        else:
            slots = [n for c in type(thing).__mro__ for n in getattr(c, "__slots__", ())]
            todo += [getattr(thing, n) for n in slots if n != "__weakref__" and hasattr(thing, n)]
            todo += [getattr(thing, "__dict__", {})]
    return found


class Spy:
    """Notes which instances' true keypoints a method could have seen."""

    truth: ClassVar[Tensor] = stick_video().instances.keypoints
    found: ClassVar[set[int]] = set()
    asked: ClassVar[int] = 0

    @classmethod
    def search(cls, *roots: object) -> None:
        cls.asked += 1
        for tensor in reachable(*roots):
            if tensor.shape[-2:] == (5, 2) and tensor.dtype.is_floating_point:
                for pose in tensor.reshape(-1, 5, 2):
                    cls.found.update(torch.nonzero((cls.truth == pose).all(2).all(1)).flatten().tolist())


@attrs.define
class SpyingCriterion(Criterion):
    needs: ClassVar[frozenset[str]] = frozenset({"heatmaps", "neighbours", "poses", "features"})

    def prepare(self, *everything: Any) -> None:
        Spy.search(*everything)

    def fit(self, *everything: Any) -> None:
        Spy.search(*everything)

    def score(self, window: Window) -> Tensor:
        Spy.search(window)
        return torch.zeros(len(window))


@attrs.define
class SpyingSelector(Selector):
    def select(self, pool: Pool, count: int, generator: torch.Generator) -> Tensor:
        Spy.search(pool, generator)
        return pool.unlabelled[:count]


@attrs.define
class SpyingStopping(Stopping):
    def decide(self, *everything: Any) -> None:
        Spy.search(*everything)

    def allowance(self, *everything: Any) -> None:
        Spy.search(*everything)


@attrs.define
class SpyingRetraining(Retraining):
    def retrain(self, estimator: Any, *everything: Any) -> Any:
        Spy.search(estimator, *everything)
        return estimator


SPIES = {
    "criterion": "SpyingCriterion",
    "selector": "SpyingSelector",
    "stopping": "SpyingStopping",
    "retraining": "SpyingRetraining",
}


def test_no_method_reaches_the_truth_of_an_unlabelled_instance(registered: Registered, tmp_path: Path) -> None:
    registry = registered(*(Component(k, "spy", "", f"tests.unit.test_cycle:{c}") for k, c in SPIES.items()))
    Spy.found, Spy.asked = set(), 0
    config = configured(registry, tmp_path, query="spy", select="spy", retrain="spy", stop=["spy"], schedule=["3", "6"])
    execute(config, registry)
    asked = {i for record in PastRun.open(tmp_path / "run", registry).cycles for i in record.query}
    assert Spy.asked > 10
    assert Spy.found == asked, "every labelled pose must be found, or the search is blind; no other may be"


def test_the_history_holds_nothing_that_only_the_truth_could_tell(registered: Registered, tmp_path: Path) -> None:
    seen = []

    class Watching:
        @hookimpl
        def vatl_cycle_finished(self, run: Any, record: Any) -> None:
            seen.append(run.history(record))

    registry = registered(plugins=(Watching(),))
    execute(configured(registry, tmp_path), registry)
    assert all(record.evaluation is None for history in seen for record in history.cycles)


@attrs.define
class Ending(Retraining):
    """Notes of each retraining whether it was told to be the run's last."""

    seen: ClassVar[list[bool]] = []

    def retrain(self, estimator: Any, source: Any, labelled: Any, unlabelled: Any, history: Any, trainer: Any) -> Any:
        self.seen.append(history.ends)
        return estimator


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"schedule": ["3", "6", "9"]}, [False, False, True]),
        ({"schedule": ["1.0"]}, [True]),
        ({"schedule": ["2", "1.0"], "dataset": "partly"}, [False, True]),  # of four of 24 the truth is known
        ({"schedule": ["3", "6"], "stop": ["budget"], "options": {"stop": {"budget": {"labels": 3}}}}, [True]),
    ],
)  # fmt: skip
def test_a_retraining_knows_whether_it_is_the_last(
    registered: Registered, tmp_path: Path, settings: dict[str, Any], told: list[bool]
) -> None:
    Ending.seen.clear()
    partly = Component("dataset", "partly", "", "tests.unit.test_known:Partly")
    registry = registered(partly, Component("retraining", "ending", "", "tests.unit.test_cycle:Ending"))
    execute(configured(registry, tmp_path, retrain="ending", **settings), registry)
    assert Ending.seen == told


# --------------------------------------------------------------------------------------------------------- interruption
class InterruptedRunError(Exception):
    """As if the power had gone."""


class Ticking:
    """Does something at every hook call."""

    def tick(self, run: Any) -> None:
        raise NotImplementedError

    @hookimpl
    def vatl_cycle_started(self, run: Any, cycle: int) -> None:
        self.tick(run)

    @hookimpl
    def vatl_estimated(self, run: Any, cycle: int) -> None:
        self.tick(run)

    @hookimpl
    def vatl_queried(self, run: Any, cycle: int, indices: Any) -> None:
        self.tick(run)

    @hookimpl
    def vatl_labelled(self, run: Any, cycle: int, indices: Any) -> None:
        self.tick(run)

    @hookimpl
    def vatl_retrained(self, run: Any, cycle: int) -> None:
        self.tick(run)

    @hookimpl
    def vatl_cycle_finished(self, run: Any, record: Any) -> None:
        self.tick(run)

    @hookimpl
    def vatl_run_finished(self, run: Any, record: Any) -> None:
        self.tick(run)


class Interrupter(Ticking):
    """Raises at the n-th hook call."""

    def __init__(self, at: int) -> None:
        self.left = at

    def tick(self, run: Any) -> None:
        self.left -= 1
        if self.left < 0:
            raise InterruptedRunError


class Copier(Ticking):
    """Copies the run at every hook call: what is on disk if the power goes just then."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.copies = folder, list[Path]()

    def tick(self, run: Any) -> None:
        self.copies.append(shutil.copytree(run.folder.path, self.folder / f"at{len(self.copies)}"))


def outcome(folder: Path) -> list[dict[str, Any]]:
    """The cycles of a run, without what depends on the clock."""
    lines = [json.loads(line) for line in (folder / "cycles.jsonl").read_text().splitlines()]
    return [{k: v for k, v in line.items() if k != "seconds"} for line in lines]


class Listener:
    """Notes the end."""

    def __init__(self) -> None:
        self.heard: list[Any] = []

    @hookimpl
    def vatl_run_finished(self, run: Any, record: Any) -> None:
        self.heard.append(record)


def test_a_run_cut_off_while_its_end_is_told_tells_it_again_and_then_no_more(
    registered: Registered, tmp_path: Path
) -> None:
    """As a kill in the midst of its report leaves it: everything is on disk but what plugins make of it."""
    copier, listener = Copier(tmp_path), Listener()
    registry = registered(plugins=(copier,))
    closing = execute(configured(registry, tmp_path, name="plain", stop=["none"]), registry)
    cut_off = copier.copies[-1]
    assert (cut_off / "run.json").exists()
    again = execute(cut_off, registered(plugins=(listener,)))
    assert listener.heard == [again]
    assert attrs.evolve(again, run=closing.run) == closing
    assert outcome(cut_off) == outcome(tmp_path / "plain")
    assert execute(cut_off, registered(plugins=(listener,))) == again
    assert len(listener.heard) == 1
    assert {path.name for path in cut_off.iterdir()} == {path.name for path in (tmp_path / "plain").iterdir()}


@pytest.mark.parametrize("stop", [["none"], ["sc-min-error"]])
def test_a_run_interrupted_anywhere_ends_as_if_it_had_not_been(
    registered: Registered, tmp_path: Path, stop: list[str]
) -> None:
    copier = Copier(tmp_path)
    registry = registered(plugins=(copier,))
    execute(configured(registry, tmp_path, name="plain", stop=stop, threshold=0.001), registry)
    expected = outcome(tmp_path / "plain")
    for copy in copier.copies:
        execute(copy, registered())
        assert outcome(copy) == expected, copy.name
    ticks = len(copier.copies)
    assert ticks > (5 if stop == ["sc-min-error"] else 10), "the run was too short to be interrupted where it matters"


def test_a_torn_record_is_cut_off(registered: Registered, tmp_path: Path) -> None:
    registry = registered(plugins=(Interrupter(6),))
    with pytest.raises(InterruptedRunError):
        execute(configured(registry, tmp_path), registry)
    records = tmp_path / "run" / "cycles.jsonl"
    whole = records.read_bytes() if records.exists() else b""
    records.write_bytes(whole + b'{"cycle": 1, "inst')
    execute(tmp_path / "run", registered())
    assert [line["cycle"] for line in outcome(tmp_path / "run")] == [0, 1, 2]


def test_no_label_is_asked_for_twice(registered: Registered, tmp_path: Path) -> None:
    Hesitating.asked.clear()
    component = Component("oracle", "hesitating", "", "tests.unit.test_cycle:Hesitating")
    registry = registered(component)
    with pytest.raises(InterruptedRunError):
        execute(configured(registry, tmp_path, oracle="hesitating"), registry)
    execute(tmp_path / "run", registered(component))
    assert len(Hesitating.asked) == len(set(Hesitating.asked)) == 8


@attrs.define
class Hesitating(Oracle):
    """Answers one by one, and breaks off once in the middle."""

    asked: ClassVar[list[int]] = []
    broke: ClassVar[bool] = False

    def annotate(self, request: Request) -> Any:
        for i in request.indices:
            if len(self.asked) == 2 and not Hesitating.broke:
                Hesitating.broke = True
                raise InterruptedRunError
            self.asked.append(int(i))
            truth = request.video.instances
            yield Labels(i[None], truth.keypoints[i[None]], truth.visible[i[None]], "somebody", torch.ones(1))


# --------------------------------------------------------------------------------------------------- broken components
@attrs.define
class Repeating(Selector):
    def select(self, pool: Pool, count: int, generator: torch.Generator) -> Tensor:
        return torch.zeros(count, dtype=torch.int64)


@attrs.define
class NotANumber(Criterion):
    def score(self, window: Window) -> Tensor:
        return torch.full((len(window),), torch.nan)


@attrs.define
class WrongShape(Criterion):
    def score(self, window: Window) -> Tensor:
        return torch.zeros(len(window), 2)


@pytest.mark.parametrize(
    ("kind", "target", "setting", "words"),
    [
        ("selector", "Repeating", "select", "selector 'odd' must pick 4 different"),
        ("criterion", "NotANumber", "query", "criterion 'odd' gave 24 of 24 scores that are NaN"),
        ("criterion", "WrongShape", "query", "criterion 'odd' gave scores of shape (24, 2)"),
    ],
)
def test_a_component_that_breaks_its_contract_is_named(
    registered: Registered, tmp_path: Path, kind: str, target: str, setting: str, words: str
) -> None:
    registry = registered(Component(kind, "odd", "", f"tests.unit.test_cycle:{target}"))
    with pytest.raises(PluginError) as error:
        execute(configured(registry, tmp_path, **{setting: "odd"}), registry)
    assert words in str(error.value)


# --------------------------------------------------------------------------------------------------------------- memory
def test_a_score_in_the_middle_is_what_its_neighbours_make_it(video: Any) -> None:
    """The pass's THC against one from all heatmaps at once."""
    estimator = Tiny(width=8, input_size=(32, 32))
    estimator.build(video.skeleton)
    crops = Crops(video.without_truth(), (32, 32), torch.device("cpu"), 0)
    compute = Compute(torch.device("cpu"))
    scores = estimate(estimator, crops, {"thc": HeatmapContinuity()}, compute, batch=3).criteria["thc"]
    estimator.eval()
    with torch.no_grad():
        maps = estimator(estimator.normalisation(crops.get(torch.arange(len(video.instances))))).heatmaps
    before, after = video.instances.previous, video.instances.next
    expected = over_neighbours(
        heatmap_change(maps, maps[before]), heatmap_change(maps, maps[after]), before >= 0, after >= 0
    )
    torch.testing.assert_close(scores, expected, rtol=1e-4, atol=1e-6)

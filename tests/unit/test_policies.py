"""When to stop, and what to retrain on."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import attrs
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from tests.conftest import STICK, Registered, configured, stick_video
from tests.unit.test_cycle import InterruptedRunError, Interrupter, outcome
from vatl_augmentation import LEVELS
from vatl_core.compute import Compute
from vatl_core.contracts import Estimator, Labelled, Recipe, Retraining
from vatl_core.estimation import Crops
from vatl_core.learning import GradientDescent, steps_of
from vatl_core.records import CycleRecord, History
from vatl_core.run import PastRun, execute
from vatl_core.weights import read_checkpoint, save_checkpoint
from vatl_estimators.tiny import Tiny
from vatl_retraining.beginning_anew import FromScratch, FromSource
from vatl_retraining.few_labels import FewLabels
from vatl_retraining.policies import Continual, Full
from vatl_stopping.budget import Budget, Never
from vatl_stopping.correct import AllCorrect, MinimumError


def history(*cycles: CycleRecord, threshold: float = 0.5, elapsed: float = 0.0, random: bool = False) -> History:
    return History(cycles, threshold, elapsed, random)


def asked(query: list[float], earlier: list[float] | None = None, **more: object) -> CycleRecord:
    earlier = earlier or []
    record = CycleRecord(len(earlier), 100, len(earlier), tuple(range(len(query))))
    return attrs.evolve(record, query_oks=tuple(query), labelled_oks=(*earlier, *query), **more)


class TestStopping:
    @pytest.mark.parametrize(
        ("query", "earlier", "stops"),
        [([0.5, 0.9], [0.6], True), ([0.5, 0.49], [0.6], False), ([0.9], [0.4], False), ([], [], False)],
    )
    def test_all_correct_needs_every_label_at_the_threshold(
        self, query: list[float], earlier: list[float], stops: bool
    ) -> None:
        assert bool(AllCorrect().decide(history(asked(query, earlier)))) is stops

    @pytest.mark.parametrize(("query", "epochs"), [([None, 0.6], 100), ([None, None], 250), ([], 0)])
    def test_labels_that_show_nothing_do_not_count_in_m(self, query: list[float], epochs: int) -> None:
        assert Continual().recipe(history(asked(query))).epochs == epochs

    def test_minimum_error_looks_at_the_querys_mean_alone(self) -> None:
        assert MinimumError().decide(history(asked([0.4, 0.7], [0.0])))
        assert not MinimumError().decide(history(asked([0.4, 0.5], [1.0])))

    @pytest.mark.parametrize(
        ("budget", "stops"),
        [
            (Budget(labels=2), True), (Budget(labels=3), False), (Budget(fraction=0.02), True),
            (Budget(minutes=1), True),
            (Budget(minutes=3), False), (Budget(hours=1), True), (Budget(hours=2), False), (Budget(), False),
        ],
    )  # fmt: skip
    def test_budget_stops_at_its_first_limit(self, budget: Budget, stops: bool) -> None:
        spent = history(asked([0.1, 0.2], annotation_seconds=90.0), elapsed=4000)
        assert bool(budget.decide(spent)) is stops

    def test_budget_never_allows_more_labels_than_it_has(self) -> None:
        before = history(CycleRecord(0, 100, 30))
        assert Budget(labels=50).allowance(before) == 20
        assert Budget(labels=50, fraction=0.4).allowance(before) == 10
        assert Budget(labels=10).allowance(before) == 0
        assert Budget(minutes=1).allowance(before) is None

    def test_none_goes_on(self) -> None:
        assert Never().decide(history(asked([1.0]))) is None


def test_a_run_with_a_budget_asks_for_exactly_as_much_and_learns_from_it(
    registered: Registered, tmp_path: Path
) -> None:
    registry = registered()
    options = {"stop": {"budget": {"labels": 6}}}
    record = execute(configured(registry, tmp_path, stop=["budget"], options=options), registry)
    assert (record.labelled, record.stopped_by) == (6, "budget")
    cycles = PastRun.open(tmp_path / "run", registry).cycles
    assert [len(c.query) for c in cycles] == [4, 2, 0]
    assert "retrain" in cycles[1].seconds


def test_the_published_criterion_stops_before_retraining(registered: Registered, tmp_path: Path) -> None:
    registry = registered()
    record = execute(configured(registry, tmp_path, stop=["sc-correct"], threshold=1e-9), registry)
    cycles = PastRun.open(tmp_path / "run", registry).cycles
    assert (record.labelled, record.stopped_by, record.cycles) == (4, "sc-correct", 1)
    assert "retrain" not in cycles[0].seconds
    first, last = (tmp_path / "run" / "cycles" / n / "weights.safetensors" for n in ("000", "001"))
    assert first.read_bytes() == last.read_bytes()


class TestRetraining:
    @staticmethod
    def labelled() -> Labelled:
        video = stick_video()
        truth = video.instances
        oks = torch.tensor([0.2, 0.54, 0.56, 0.9])
        return Labelled(
            torch.arange(4), truth.keypoints[:4], truth.visible[:4], oks, torch.tensor([False, False, False, True]),
            pictures=Crops(video.without_truth(), (64, 64), torch.device("cpu"), 0),
        )  # fmt: skip

    def test_continual_takes_the_query_and_what_is_not_safely_correct(self) -> None:
        assert Continual().choose(self.labelled(), history(asked([0.9]))).index.tolist() == [0, 1, 3]

    def test_full_takes_everything(self) -> None:
        assert len(Full().choose(self.labelled(), history(asked([0.9])))) == 4

    @pytest.mark.parametrize(("mean", "epochs"), [(0.0, 250), (0.6, 100), (1.0, 0)])
    def test_epochs_fall_as_the_query_gets_better(self, mean: float, epochs: int) -> None:
        assert Continual().recipe(history(asked([mean, mean]))).epochs == epochs

    def test_an_estimator_that_knew_nothing_learns_by_a_recipe_of_its_own(self) -> None:
        recipe = Continual().recipe(history(asked([0.9]), random=True))
        assert (recipe.epochs, recipe.one_cycle, recipe.alike) == (40, True, True)

    @pytest.mark.parametrize("policy", [Continual, Full, FromSource])
    def test_one_that_knew_nothing_may_learn_by_the_published_recipe_too(self, policy: type[Continual]) -> None:
        published = policy(scratch_recipe="published")
        recipes = [published.recipe(history(asked([0.6, 0.6]), random=random)) for random in (False, True)]
        assert recipes[0] == recipes[1] == policy().recipe(history(asked([0.6, 0.6])))

    def test_from_scratch_as_published_learns_what_from_source_does_as_long(self) -> None:
        scratch, source = FromScratch(scratch_recipe="published", base=55), FromSource(base=55)
        for random in (False, True):
            known = history(asked([0.9] * 2, [0.5] * 8), random=random)
            assert scratch.recipe(known) == source.recipe(history(asked([0.9] * 2, [0.5] * 8)))
            assert scratch.choose(self.labelled(), known).index.tolist() == [0, 1, 3]
        assert scratch.recipe(known).epochs == 30

    def test_none_changes_no_weight(self, registered: Registered, tmp_path: Path) -> None:
        registry = registered()
        execute(configured(registry, tmp_path, retrain="none"), registry)
        files = [tmp_path / "run" / "cycles" / f"{c:03d}" / "weights.safetensors" for c in range(3)]
        first, *others = [read_checkpoint(file).tensors for file in files]
        assert all(same(first, other) for other in others)

    def test_who_has_not_learnt_the_labels_is_told(self, registered: Registered, tmp_path: Path) -> None:
        said = "more steps of retraining would help"
        registry = registered()
        untrained = execute(configured(registry, tmp_path, retrain="none", name="untrained"), registry)
        assert any(said in warning for warning in untrained.warnings)
        enough = {"retrain": {"few-labels": {"steps": 150, "augmentation": "none"}}}
        trained = execute(
            configured(registry, tmp_path, retrain="few-labels", name="trained", options=enough), registry
        )
        assert not any(said in warning for warning in trained.warnings)

    def test_from_source_takes_what_continual_takes(self) -> None:
        assert FromSource().choose(self.labelled(), history(asked([0.9]))).index.tolist() == [0, 1, 3]

    @pytest.mark.parametrize(
        ("query", "earlier", "base", "epochs"),
        [([0.6, 0.6], [], 25, 100), ([1.0] * 10, [0.0] * 30, 25, 10), ([0.9] * 2, [0.5] * 8, 55, 30), ([], [], 25, 0)],
    )
    def test_from_source_trains_longer_the_more_is_labelled(
        self, query: list[float], earlier: list[float], base: float, epochs: int
    ) -> None:
        assert FromSource(base=base).recipe(history(asked(query, earlier))).epochs == epochs

    def test_from_scratch_takes_everything_by_the_recipe_for_those_that_know_nothing(self) -> None:
        assert len(FromScratch().choose(self.labelled(), history(asked([0.9])))) == 4
        recipes = [FromScratch(scratch_epochs=7).recipe(history(asked([m]), random=r)) for m in (0, 1) for r in (0, 1)]
        assert {(r.epochs, r.one_cycle, r.alike, r.lr) for r in recipes} == {(7, True, True, 2e-3)}

    @pytest.mark.parametrize("policy", [Continual, Full, FromSource, FromScratch])
    def test_every_policy_offers_half_bodies_and_has_none_by_default(self, policy: type[Continual]) -> None:
        plain, half = (p.recipe(history(asked([0.5]))).augmentation for p in (policy(), policy(half_body=0.3)))
        assert plain
        assert half
        assert (plain.half_body, half.half_body) == (0.0, 0.3)

    @given(st.integers(1, 3000), st.integers(1, 400), st.integers(0, 40), st.integers(1, 64))
    def test_few_labels_take_the_steps_and_many_the_epochs(
        self, count: int, steps: int, epochs: int, batch: int
    ) -> None:
        column = torch.zeros(count)
        shown = Labelled(column.long(), column, column > 0, column, column > 0, pictures=None)
        recipe = FewLabels(steps=steps, epochs=epochs, batch=batch, augmentation="mild").recipe(shown)
        assert recipe.subpixel
        done = recipe.epochs * steps_of(recipe, count)
        assert done >= steps
        assert recipe.epochs >= epochs
        assert recipe.epochs == epochs or done - steps_of(recipe, count) < steps, "no more than is needed"

    def test_the_last_of_few_labels_is_longer(self) -> None:
        steps = []

        class Counting(GradientDescent):
            def fit(self, estimator: Estimator, labelled: Labelled, recipe: Recipe, terms: Any = ()) -> float:
                steps.append(recipe.epochs)
                return 0.0

        trainer = Counting(Compute(torch.device("cpu")), torch.Generator())
        for ends in (False, True):
            known = attrs.evolve(history(asked([0.9])), ends=ends)
            FewLabels(steps=40, last_factor=1.5).retrain(estimator(1), {}, self.labelled(), None, known, trainer)
        assert steps == [40, 60]

    def test_few_labels_learns_from_all_in_which_anything_is_visible(self) -> None:
        labelled, fitted = self.labelled(), []
        labelled.visible[2] = False

        class Noting(GradientDescent):
            def fit(self, estimator: Estimator, labelled: Labelled, recipe: Recipe, terms: Any = ()) -> float:
                fitted.append((labelled.index.tolist(), recipe.augmentation))
                return 0.0

        trainer = Noting(Compute(torch.device("cpu")), torch.Generator().manual_seed(5))
        for level in ("none", "any"):
            policy = FewLabels(augmentation=level)
            policy.retrain(estimator(1), {}, labelled, None, history(asked([0.9])), trainer)
        assert fitted == [([0, 1, 3], None), ([0, 1, 3], LEVELS["any"])]

    @pytest.mark.parametrize(("turns", "fits"), [(0.0, "mild"), (0.15, "mild"), (1.0, "any")])
    def test_auto_turns_crops_every_way_where_the_labelled_are(self, turns: float, fits: str) -> None:
        labelled = self.labelled()
        about = labelled.keypoints.mean(1, keepdim=True)
        angle = 2 * torch.pi * turns * torch.arange(4) / 4
        turn = torch.stack([angle.cos(), -angle.sin(), angle.sin(), angle.cos()], -1).view(4, 2, 2)
        seen = attrs.evolve(labelled, keypoints=(labelled.keypoints - about) @ turn.transpose(1, 2) + about)
        assert FewLabels(augmentation="auto").recipe(seen).augmentation == LEVELS[fits]

    @pytest.mark.parametrize(
        ("policy", "starts"),
        [
            (Continual, "present"), (Full, "present"), (FromSource, "source"), (FromScratch, "new"),
            (partial(FromScratch, scratch_recipe="published"), "new"),
            (FewLabels, "present"), (partial(FewLabels, start="source"), "source"),
        ],
    )  # fmt: skip
    def test_what_each_policy_starts_from(self, policy: Callable[[], Retraining], starts: str) -> None:
        present, source, fitted = estimator(1), estimator(2).state_dict(), []
        before = {name: tensor.clone() for name, tensor in present.state_dict().items()}

        class Noting(GradientDescent):
            def fit(self, estimator: Estimator, labelled: Labelled, recipe: Recipe, terms: Any = ()) -> float:
                fitted.append({name: tensor.clone() for name, tensor in estimator.state_dict().items()})
                return 0.0

        trainer = Noting(Compute(torch.device("cpu")), torch.Generator().manual_seed(5))
        policy().retrain(present, source, self.labelled(), None, history(asked([0.9])), trainer)
        expected = {"present": before, "source": source}.get(starts)
        if expected is not None:
            assert same(fitted[0], expected)
        else:
            assert not same(fitted[0], before)
            assert not same(fitted[0], source)

    @pytest.mark.parametrize(("retrain", "trained"), [("from-source", True), ("from-scratch", False)])
    def test_a_run_that_starts_again_can_be_interrupted_too(
        self, registered: Registered, tmp_path: Path, retrain: str, trained: bool
    ) -> None:
        save_checkpoint(tmp_path / "source.safetensors", estimator(3), STICK)
        settings = {
            "retrain": retrain,
            "query": "lc",
            "options": {"retrain": {retrain: {"scratch_epochs": 2, "alpha": 4}}},
            "weights": str(tmp_path / "source.safetensors") if trained else "none",
        }
        registry = registered()
        execute(configured(registry, tmp_path, name="plain", **settings), registry)
        registry = registered(plugins=(Interrupter(8),))
        with pytest.raises(InterruptedRunError):
            execute(configured(registry, tmp_path, name="cut", **settings), registry)
        execute(tmp_path / "cut", registered())
        assert outcome(tmp_path / "cut") == outcome(tmp_path / "plain")
        last = [(tmp_path / n / "cycles" / "002" / "weights.safetensors").read_bytes() for n in ("plain", "cut")]
        assert last[0] == last[1]


def estimator(seed: int) -> Tiny:
    """A network for the sticks, with random weights."""
    torch.manual_seed(seed)
    network = Tiny(width=8, input_size=(64, 64))
    network.build(STICK)
    return network


def same(one: dict[str, Tensor], other: dict[str, Tensor]) -> bool:
    return all(torch.equal(one[name], other[name]) for name in one)

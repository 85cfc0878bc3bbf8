"""When to stop, and what to retrain on."""

from __future__ import annotations

from pathlib import Path

import attrs
import pytest
import torch

from tests.conftest import Registered, configured, stick_video
from vatl_core.crops import Crops
from vatl_core.records import CycleRecord, History
from vatl_core.runs import PastRun, execute
from vatl_core.training import Labelled
from vatl_retraining.policies import Continual, Full
from vatl_stopping.budget import Budget, Never
from vatl_stopping.correct import AllCorrect, MinimumError
from vatl_stopping.settled import Settled


def history(*cycles: CycleRecord, threshold: float = 0.5, elapsed: float = 0.0, random: bool = False) -> History:
    return History(cycles, threshold, elapsed, random)


def asked(query: list[float], earlier: list[float] | None = None, **more: object) -> CycleRecord:
    earlier = earlier or []
    record = CycleRecord(len(earlier), 100, len(earlier), tuple(range(len(query))), tuple(query), (*earlier, *query))
    return attrs.evolve(record, **more)


class TestStopping:
    @pytest.mark.parametrize(
        ("query", "earlier", "stops"),
        [([0.5, 0.9], [0.6], True), ([0.5, 0.49], [0.6], False), ([0.9], [0.4], False), ([], [], False)],
    )
    def test_all_correct_needs_every_label_at_the_threshold(
        self, query: list[float], earlier: list[float], stops: bool
    ) -> None:
        assert bool(AllCorrect().decide(history(asked(query, earlier)))) is stops

    def test_minimum_error_looks_at_the_querys_mean_alone(self) -> None:
        assert MinimumError().decide(history(asked([0.4, 0.7], [0.0])))
        assert not MinimumError().decide(history(asked([0.4, 0.5], [1.0])))

    @pytest.mark.parametrize(
        ("means", "stops"),
        [
            ([10], False),
            ([10, 9.9], False),
            ([10, 5, 4.9, 4.8], True),
            ([10, 5, 4.9, 4.6], False),
            ([10, 11, 12], True),
        ],
    )
    def test_settled_needs_two_small_falls_in_a_row(self, means: list[float], stops: bool) -> None:
        cycles = [CycleRecord(i, 100, i, mean_scores={"thc": mean}) for i, mean in enumerate(means)]
        assert bool(Settled().decide(history(*cycles))) is stops

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
            Crops(video.without_truth(), (64, 64), torch.device("cpu"), 0),
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

    def test_none_changes_no_weight(self, registered: Registered, tmp_path: Path) -> None:
        registry = registered()
        execute(configured(registry, tmp_path, retrain="none"), registry)
        weights = [(tmp_path / "run" / "cycles" / f"{c:03d}" / "weights.safetensors").read_bytes() for c in range(3)]
        assert weights[0] == weights[1] == weights[2]

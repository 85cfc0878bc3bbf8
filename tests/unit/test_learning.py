"""What an estimator's own loss, further terms, and an optimiser that goes on do to its weights."""

from __future__ import annotations

import gc
import shutil
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import attrs
import pytest
import torch
from torch import Tensor, distributed, nn

from tests.conftest import STICK, Registered, configured, stick_video
from tests.people import PERSON, UNLABELLED, Person
from tests.unit.test_cycle import InterruptedRunError, Interrupter, outcome
from vatl_augmentation import CropAugmentation
from vatl_core import files
from vatl_core.compute import Compute
from vatl_core.contracts import (
    Estimator,
    Labelled,
    Labels,
    Maps,
    Recipe,
    Refusal,
    Retraining,
    Stopping,
    Term,
    Trainer,
    Unlabelled,
)
from vatl_core.errors import InputError, PluginError
from vatl_core.estimation import Crops
from vatl_core.learning import MARGIN, GradientDescent, Training
from vatl_core.plugins import Component
from vatl_core.records import History
from vatl_core.run import execute
from vatl_core.seeds import seeded
from vatl_core.video import Instances, Skeleton
from vatl_kit import check
from vatl_kit.small_parts import Small
from vatl_retraining.beginning_anew import FromScratch, FromSource
from vatl_retraining.policies import Continual
from vatl_train import team

CPU = torch.device("cpu")


@attrs.define(eq=False, slots=False, on_setattr=attrs.setters.NO_OP)
class Doubting(Small):
    """Says how sure it is of each keypoint, and learns that from its own errors (a Laplace likelihood)."""

    def build(self, skeleton: Skeleton) -> None:
        super().build(skeleton)
        self.drop = nn.Dropout(0.2)
        self.doubt = nn.Linear(8, len(skeleton))

    def forward(self, crops: Tensor) -> Maps:
        maps = super().forward(crops)
        return maps._replace(extra={"log_spread": self.doubt(self.drop(maps.features))})

    def loss(self, maps: Maps, targets: Tensor, weights: Tensor) -> Tensor:
        error = (maps.heatmaps.float() - targets).abs().mean((2, 3)).detach()
        spread = maps.extra["log_spread"].float()
        return super().loss(maps, targets, weights) + ((error * (-spread).exp() + spread) * weights).mean()


def built(kind: type[Small] = Small) -> Small:
    network = kind()
    with seeded(0, "weights"):
        network.build(STICK)
    return network


def labelled(count: int = 6) -> Labelled:
    video = stick_video()
    truth, index = video.instances, torch.arange(count)
    pictures = Crops(video.without_truth(), (64, 48), CPU, 2**24, MARGIN)
    return Labelled(
        index, truth.keypoints[:count], truth.visible[:count], torch.zeros(count), index >= 0, pictures=pictures
    )


def fitted(
    recipe: Recipe, *terms: Term, kind: type[Small] = Small, bfloat16: bool = False, seed: int = 3
) -> dict[str, Tensor]:
    network = built(kind)
    trainer = GradientDescent(Compute(CPU, bfloat16), torch.Generator().manual_seed(seed))
    trainer.fit(network, labelled(), recipe, terms)
    return network.state_dict()


def test_targets_are_centred_as_the_recipe_says() -> None:
    seen, every = labelled(), torch.arange(6)
    trainer = GradientDescent(Compute(CPU), torch.Generator().manual_seed(3))
    whole, exact = (
        Training(trainer, built(), seen, Recipe(1, subpixel=subpixel)).batch(every, every)[1]
        for subpixel in (False, True)
    )
    assert (whole.amax((2, 3)) == 1).all(), "a pixel is the centre"
    assert (exact.amax((2, 3)) < 1).any()
    assert torch.equal(*(targets.flatten(2).argmax(-1) for targets in (whole, exact))), "which is the nearest"


def same(one: dict[str, Tensor], other: dict[str, Tensor]) -> bool:
    return all(torch.equal(one[name], other[name]) for name in one)


@attrs.frozen
class Mirrored(Retraining):
    """Wants a crop of what nobody labelled to look, mirrored, as its mirrored crop does (consistency regularisation).

    Attributes:
        share: of the term in the loss.
    """

    share: float = 1.0

    def retrain(
        self,
        estimator: Estimator,
        source: Any,
        labelled: Labelled,
        unlabelled: Unlabelled,
        history: Any,
        trainer: Trainer,
    ) -> Estimator:
        def term(network: Callable[[Tensor], Maps]) -> Tensor:
            picked = torch.randperm(len(unlabelled), generator=trainer.generator)[:4].to(unlabelled.index.device)
            crops = middle(unlabelled, picked)
            one, other = network(crops).heatmaps, network(crops.flip(-1)).heatmaps
            order = list(labelled.skeleton.flip_order())
            return self.share * (one - other.flip(-1)[:, order]).float().square().mean()

        trainer.fit(estimator, labelled, Recipe(2, 1e-3, alike=True, batch=4), [term] if len(unlabelled) else [])
        return estimator


def middle(unlabelled: Unlabelled, rows: Tensor) -> Tensor:
    """The crops in the middle of these pictures."""
    pictures = unlabelled.pictures
    (height, width), (tall, wide) = pictures.size, pictures.picture_size
    top, left = (tall - height) // 2, (wide - width) // 2
    return pictures.get(unlabelled.index[rows])[..., top : top + height, left : left + width]


class TestTerms:
    RECIPE: ClassVar[Recipe] = Recipe(2, 1e-3, alike=True, batch=4)

    def test_a_term_is_asked_in_each_step_and_changes_the_weights(self) -> None:
        seen: list[Maps] = []

        def term(network: Callable[[Tensor], Maps]) -> Tensor:
            seen.append(network(torch.full((2, 3, 64, 48), 200, dtype=torch.uint8)))
            return seen[-1].heatmaps.square().mean()

        plain, once, again = fitted(self.RECIPE), fitted(self.RECIPE, term), fitted(self.RECIPE, term)
        assert same(once, again)
        assert not same(plain, once)
        assert len(seen) == 2 * 2 * 2
        assert all(maps.heatmaps.requires_grad for maps in seen)

    def test_terms_add_up(self) -> None:
        def half(network: Callable[[Tensor], Maps]) -> Tensor:
            return network(torch.full((2, 3, 64, 48), 200, dtype=torch.uint8)).heatmaps.square().mean() / 2

        two, one = fitted(self.RECIPE, half, half), fitted(self.RECIPE, lambda network: 2 * half(network))
        assert all(torch.allclose(two[name], one[name], atol=1e-6) for name in two)

    def test_a_term_has_the_trainers_precision(self) -> None:
        def term(network: Callable[[Tensor], Maps]) -> Tensor:
            kinds.append(network(torch.zeros(1, 3, 64, 48, dtype=torch.uint8)).heatmaps.dtype)
            return torch.zeros(())

        kinds: list[torch.dtype] = []
        fitted(Recipe(1), term, bfloat16=True)
        fitted(Recipe(1), term)
        assert kinds == [torch.bfloat16, torch.float32]

    def test_a_policy_learns_from_what_is_unlabelled(self, registered: Registered, tmp_path: Path) -> None:
        registry = registered(Component("retraining", "mirrored", "", "tests.unit.test_learning:Mirrored"))
        weights = []
        for name, share in (("one", 1.0), ("two", 1.0), ("none", 0.0)):
            options = {"retrain": {"mirrored": {"share": share}}}
            execute(configured(registry, tmp_path, name=name, retrain="mirrored", options=options), registry)
            weights.append((tmp_path / name / "cycles" / "002" / "weights.safetensors").read_bytes())
        assert weights[0] == weights[1]
        assert weights[0] != weights[2]

    def test_it_keeps_what_a_policy_promises(self) -> None:
        check(Mirrored())


class TestOwnLoss:
    def test_further_heads_learn(self) -> None:
        before, after = built(Doubting).state_dict(), fitted(Recipe(4, 1e-2, alike=True), kind=Doubting)
        assert not torch.equal(before["doubt.weight"], after["doubt.weight"])

    def test_they_keep_what_an_estimator_promises(self) -> None:
        check(Doubting())

    def test_maps_are_the_tuple_that_they_are(self) -> None:
        maps = Maps(torch.zeros(1), torch.ones(1))
        heatmaps, features, extra = maps
        assert (float(heatmaps), float(features), dict(extra)) == (0, 1, {})


class TestRandomNumbers:
    def test_the_users_go_on_as_if_nothing_had_been_fitted(self) -> None:
        torch.manual_seed(11)
        expected = torch.rand(3)
        torch.manual_seed(11)
        fitted(Recipe(2), kind=Doubting)
        assert torch.equal(torch.rand(3), expected)

    def test_the_networks_own_come_from_the_trainer(self) -> None:
        torch.manual_seed(1)
        one = fitted(Recipe(2, 1e-2, alike=True), kind=Doubting)
        torch.manual_seed(2)
        assert same(one, fitted(Recipe(2, 1e-2, alike=True), kind=Doubting))
        assert not same(one, fitted(Recipe(2, 1e-2, alike=True), kind=Doubting, seed=4))


class TestGoingOn:
    RECIPE: ClassVar[Recipe] = Recipe(3, 1e-3, decay=0.5, milestones=(4,), augmentation=None, keeps_state=True)

    def test_the_rates_fall_over_all_fits(self) -> None:
        trainer, network = GradientDescent(Compute(CPU), torch.Generator()), built()
        for epochs, rate in ((3, 0.25), (6, 0.5**5 * 0.1), (9, 0.5**8 * 0.1)):
            trainer.fit(network, labelled(), attrs.evolve(self.RECIPE, epochs=epochs - done(trainer)))
            assert trainer.kept is not None
            assert trainer.kept["epochs"] == epochs
            assert [g["lr"] for g in trainer.kept["optimiser"]["param_groups"]] == pytest.approx([1e-3 * rate]), epochs
        trainer.fit(network, labelled(), attrs.evolve(self.RECIPE, epochs=0))
        assert done(trainer) == 9

    def test_two_fits_are_one_that_was_interrupted(self) -> None:
        """But for the order of the instances, of which there is one step an epoch here."""
        whole, parts = built(), built()
        GradientDescent(Compute(CPU), torch.Generator()).fit(whole, labelled(), attrs.evolve(self.RECIPE, epochs=6))
        trainer = GradientDescent(Compute(CPU), torch.Generator())
        for _ in range(2):
            trainer.fit(parts, labelled(), self.RECIPE)
        for name, weight in whole.state_dict().items():
            torch.testing.assert_close(parts.state_dict()[name], weight, rtol=1e-4, atol=1e-6)
        fresh = built()
        for _ in range(2):
            trainer = GradientDescent(Compute(CPU), torch.Generator())
            trainer.fit(fresh, labelled(), self.RECIPE)
        assert not torch.allclose(fresh.first.weight, whole.first.weight, rtol=1e-4, atol=1e-6)

    def test_other_groups_of_parameters_are_refused(self) -> None:
        @attrs.define(eq=False, slots=False, on_setattr=attrs.setters.NO_OP)
        class Grouped(Small):
            def parameter_groups(self, lr: float) -> list[dict[str, object]]:
                return [{"params": [p], "lr": lr} for p in self.parameters()]

        trainer, network = GradientDescent(Compute(CPU), torch.Generator()), built(Grouped)
        trainer.fit(network, labelled(), self.RECIPE)
        with pytest.raises(PluginError, match="must have `alike` as the one"):
            trainer.fit(network, labelled(), attrs.evolve(self.RECIPE, alike=True))

    def test_a_run_goes_on_wherever_it_was_interrupted(self, registered: Registered, tmp_path: Path) -> None:
        def settings(schedule: str) -> dict[str, Any]:
            recipe = {"scratch_recipe": "published", "alpha": 4}
            options = {"retrain": {"continual": recipe | {"schedule": schedule}}}
            return {"retrain": "continual", "query": "lc", "schedule": ["4", "8", "12"], "options": options}

        registry, folder = registered(), tmp_path / "plain"
        execute(configured(registry, tmp_path, name="plain", **settings("run")), registry)
        execute(configured(registry, tmp_path, name="fresh", **settings("cycle")), registry)
        assert not list((tmp_path / "fresh").rglob("optimiser.pt"))
        assert [p.parent.name for p in sorted(folder.rglob("optimiser.pt"))] == ["002", "003"]
        assert weights(folder) != weights(tmp_path / "fresh")
        for at in (4, 7, 8, 9, 12):
            registry = registered(plugins=(Interrupter(at),))
            with pytest.raises(InterruptedRunError):
                execute(configured(registry, tmp_path, name=f"cut{at}", **settings("run")), registry)
            execute(tmp_path / f"cut{at}", registered())
            assert outcome(tmp_path / f"cut{at}") == outcome(folder)
            assert weights(tmp_path / f"cut{at}") == weights(folder)

    def test_a_run_goes_on_whatever_was_written_last(
        self, registered: Registered, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        recipe = {"scratch_recipe": "published", "alpha": 4, "schedule": "run"}
        settings = {"retrain": "continual", "query": "lc", "options": {"retrain": {"continual": recipe}}}
        settings |= {"schedule": ["4", "8", "12"]}
        execute(configured(registered(), tmp_path, name="plain", **settings), registered())
        keep_names = files.keep_names
        for cycle, name in (("001", "optimiser.pt"), ("002", "weights.safetensors"), ("002", "optimiser.pt")):
            file = tmp_path / name / "cycles" / cycle / name

            def dies(folder: Path, file: Path = file) -> None:
                keep_names(folder)
                if file.exists() and folder == file.parent:
                    raise InterruptedRunError

            monkeypatch.setattr(files, "keep_names", dies)
            with pytest.raises(InterruptedRunError):
                execute(configured(registered(), tmp_path, name=name, **settings), registered())
            monkeypatch.undo()
            execute(tmp_path / name, registered())
            assert outcome(tmp_path / name) == outcome(tmp_path / "plain")
            assert weights(tmp_path / name) == weights(tmp_path / "plain")
            shutil.rmtree(tmp_path / name)

    def test_a_run_that_was_stopped_without_retraining_keeps_its_optimiser(
        self, registered: Registered, tmp_path: Path
    ) -> None:
        """A correction may have it go on, at the rates that it had come to."""
        recipe = {"scratch_recipe": "published", "alpha": 4, "schedule": "run"}
        settings = {"retrain": "continual", "query": "lc", "options": {"retrain": {"continual": recipe}}}
        registry = registered(Component("stopping", "second", "", f"{__name__}:SecondTime"))
        execute(configured(registry, tmp_path, stop=["second"], schedule=["4", "8", "12"], **settings), registry)
        cycles = tmp_path / "run" / "cycles"
        kept = [torch.load(cycles / cycle / "optimiser.pt", weights_only=True)["epochs"] for cycle in ("001", "002")]
        assert kept[0] == kept[1] > 0

    def test_damage_is_told(self, registered: Registered, tmp_path: Path) -> None:
        options = {"retrain": {"full": {"scratch_epochs": 1, "schedule": "run"}}}
        registry = registered(plugins=(Interrupter(8),))
        with pytest.raises(InterruptedRunError):
            execute(configured(registry, tmp_path, retrain="full", options=options), registry)
        (tmp_path / "run" / "cycles" / "001" / "optimiser.pt").write_bytes(b"torn")
        with pytest.raises(InputError, match=r"optimiser\.pt cannot be read"):
            execute(tmp_path / "run", registered())

    @pytest.mark.parametrize("policy", [FromSource, FromScratch])
    def test_policies_that_begin_anew_cannot_go_on(self, policy: type[Continual]) -> None:
        with pytest.raises(ValueError, match="schedule"):
            policy(schedule="run")


@attrs.frozen
class SecondTime(Stopping):
    """Fires in the second cycle, which is then not learnt from."""

    retrains = False

    def decide(self, history: History) -> str | None:
        return "it is the second" if history.present.cycle == 1 else None


def done(trainer: GradientDescent) -> int:
    return trainer.kept["epochs"] if trainer.kept else 0


def weights(folder: Path) -> bytes:
    return (folder / "cycles" / "003" / "weights.safetensors").read_bytes()


@attrs.frozen
class Noting(Retraining):
    """Keeps what it is handed."""

    handed: ClassVar[list[tuple[Labelled, Unlabelled, Trainer]]] = []

    def retrain(
        self,
        estimator: Estimator,
        source: Any,
        labelled: Labelled,
        unlabelled: Unlabelled,
        history: Any,
        trainer: Trainer,
    ) -> Estimator:
        Noting.handed.append((labelled, unlabelled, trainer))
        return estimator


class TestUnlabelled:
    NOTING: ClassVar[Component] = Component("retraining", "noting", "", "tests.unit.test_learning:Noting")

    def test_everything_else_is_unlabelled_and_its_truth_out_of_reach(
        self, registered: Registered, tmp_path: Path
    ) -> None:
        Noting.handed.clear()
        registry = registered(self.NOTING)
        execute(configured(registry, tmp_path, retrain="noting", query="lc"), registry)
        instances = stick_video().instances
        for labels, others, trainer in Noting.handed:
            assert sorted([*labels.index.tolist(), *others.index.tolist()]) == list(range(len(instances)))
            for name in ("frame", "track", "previous", "next", "boxes"):
                assert torch.equal(getattr(others, name), getattr(instances, name)[others.index]), name
            assert others.keypoints.shape == (len(others), 5, 2)
            assert others.scores.shape == (len(others), 5)
            assert truths(others) == truths(trainer) == []
        assert [len(others) for _, others, _ in Noting.handed] == [len(instances) - 4, len(instances) - 8]

    def test_nobody_is_unlabelled_where_nobody_is(self, registered: Registered, tmp_path: Path) -> None:
        def script(request: Any) -> Any:
            first, second, *rest = request.query.tolist()
            yield from (Refusal(first, "Ada", absent=True), Refusal(second, "Ada"))
            for i in rest:
                points = torch.full((1, 5, 2), 30.0)
                yield Labels(torch.tensor([i]), points, points[..., 0] > 0, "Ada", torch.zeros(1))
            refused.append((first, second))

        refused: list[tuple[int, int]] = []
        Noting.handed.clear()
        Person.script = script
        registry = registered(PERSON, UNLABELLED, self.NOTING)
        settings = {"oracle": "person", "dataset": "unlabelled", "query": "lc", "schedule": ["4"]}
        execute(configured(registry, tmp_path, retrain="noting", **settings), registry)
        index = Noting.handed[0][1].index.tolist()
        assert refused[0][0] not in index
        assert refused[0][1] in index, "whoever is unclear is there all the same"


def truths(root: object) -> list[Instances]:
    """Instances with their truth that can be reached from an object, not counting what all objects can reach."""
    found, seen, left = [], set(), [root]
    while left:
        thing = left.pop()
        if id(thing) in seen or isinstance(thing, type | types.ModuleType | types.FunctionType):
            continue
        seen.add(id(thing))
        if isinstance(thing, Instances) and thing.keypoints is not None:
            found.append(thing)
        left += gc.get_referents(thing)
    return found


def test_the_walk_finds_a_truth_that_is_there() -> None:
    assert truths([{"video": stick_video()}])


def test_processes_part_when_one_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []
    for name, value in {"RANK": "0", "WORLD_SIZE": "1", "MASTER_ADDR": "localhost", "MASTER_PORT": "1"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(distributed, "init_process_group", lambda *_, **__: calls.append("joined"))
    monkeypatch.setattr(distributed, "destroy_process_group", lambda: calls.append("parted"))
    monkeypatch.setattr(distributed, "get_rank", lambda: 0)
    monkeypatch.setattr(distributed, "get_world_size", lambda: 1)
    with pytest.raises(ZeroDivisionError), team.joined("cpu"):
        raise ZeroDivisionError
    assert calls == ["joined", "parted"]


class Roomy(Small):
    """Stands for a device whose memory holds so many crops in training, counted where its gradients are made."""

    room = 2

    def forward(self, crops: Tensor) -> Maps:
        if self.training and len(crops) > self.room:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return super().forward(crops)


class TestWhatDoesNotFitIntoTheMemory:
    RECIPE = Recipe(epochs=2, lr=1e-3, batch=6, augmentation=CropAugmentation(20, 0.1))

    @pytest.mark.parametrize(("room", "pieces"), [(6, 1), (5, 2), (2, 4), (1, 8)])
    def test_a_step_is_taken_in_pieces_to_the_same_end(self, room: int, pieces: int) -> None:
        network, whole = built(type("Room", (Roomy,), {"room": room})), built(Small)
        trainers = [GradientDescent(Compute(CPU), torch.Generator().manual_seed(3)) for _ in range(2)]
        losses = [t.fit(n, labelled(), self.RECIPE) for t, n in zip(trainers, (network, whole), strict=True)]
        assert trainers[0].pieces == pieces
        assert losses[0] == pytest.approx(losses[1], rel=1e-4)
        assert torch.equal(trainers[0].generator.get_state(), trainers[1].generator.get_state())
        for name, weights in whole.state_dict().items():
            torch.testing.assert_close(network.state_dict()[name], weights, rtol=1e-3, atol=1e-4, msg=name)

    def test_where_one_does_not_fit_it_says_so(self) -> None:
        trainer = GradientDescent(Compute(CPU), torch.Generator())
        with pytest.raises(torch.OutOfMemoryError):
            trainer.fit(built(type("None", (Roomy,), {"room": 0})), labelled(), self.RECIPE)

    def test_a_term_counts_once(self) -> None:
        def term(network: Callable[[Tensor], Maps]) -> Tensor:
            return torch.full((), 100.0)

        trainer = GradientDescent(Compute(CPU), torch.Generator())
        loss = trainer.fit(built(Roomy), labelled(), self.RECIPE, [term])
        assert 100 < loss < 110

    def test_a_run_says_so(self, registered: Registered, tmp_path: Path) -> None:
        registry = registered(Component("estimator", "roomy", "", "tests.unit.test_learning:Roomy"))
        options = {"retrain": {"few-labels": {"steps": 2}}}
        settings = {"estimator": "roomy", "retrain": "few-labels", "schedule": ["3", "6"], "options": options}
        record = execute(configured(registry, tmp_path, **settings), registry)
        assert [w for w in record.warnings if "memory" in w] == [
            "a step of retraining does not fit into the device's memory: it is taken in pieces, normalised one by one"
        ]

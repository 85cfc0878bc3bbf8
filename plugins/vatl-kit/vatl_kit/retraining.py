"""What a retraining policy promises."""

from __future__ import annotations

from typing import Any

import attrs
import torch
from torch import Tensor

from vatl_core.compute import Compute
from vatl_core.contracts import Estimator, Labelled, Retraining, Unlabelled
from vatl_core.estimation import Crops
from vatl_core.learning import MARGIN, GradientDescent
from vatl_core.records import CycleRecord, History
from vatl_core.seeds import seeded
from vatl_kit.broken import going_on, promise
from vatl_kit.contract import quick, untouched_randomness
from vatl_kit.material import STICK, devices, generator, same, stick_video
from vatl_kit.small_parts import Small
from vatl_kit.truth import UnknowingContract


@attrs.define(eq=False)
class Watched(Crops):
    """Crops that note which instances somebody looked at."""

    seen: set[int] = attrs.field(factory=set)

    def get(self, index: Tensor) -> Tensor:
        self.seen.update(index.tolist())
        return Crops.get(self, index)


class RetrainingContract(UnknowingContract):
    """``component`` is a policy: an estimator like the one given, from the labels alone, by its seed."""

    kind = "retraining"
    component: Retraining | type[Retraining]

    @quick
    def test_returns_an_estimator_of_the_same_form(self) -> None:
        for device in devices():
            before = self._estimator(device)
            shapes = {name: tensor.shape for name, tensor in before.state_dict().items()}
            after = self._retrained(before, self._labelled(device, 6))
            promise(
                isinstance(after, Estimator),
                f"{self.called} returns the estimator of the next cycle",
                "an Estimator",
                type(after).__name__,
                "end with `return estimator`",
            )
            found = {name: tensor.shape for name, tensor in after.state_dict().items()}
            promise(
                shapes == found,
                f"{self.called} keeps the network's form: its weights must load again",
                f"{len(shapes)} parameters of the same shapes",
                f"{len(found)}, {len(set(found) ^ set(shapes))} of other names",
                "change weights, not layers",
            )
            self._is_finite(after, "after 6 labels")

    def test_learns_from_one_label_and_from_keypoints_that_nobody_saw(self) -> None:
        cpu = torch.device("cpu")
        self._is_finite(self._retrained(self._estimator(cpu), self._labelled(cpu, 1)), "after a single label")
        labelled = self._labelled(cpu, 6)
        visible = labelled.visible.clone()
        visible[:, 2] = False
        keypoints = labelled.keypoints.clone()
        keypoints[:, 2] = torch.nan
        unseen = attrs.evolve(labelled, keypoints=keypoints, visible=visible)
        self._is_finite(self._retrained(self._estimator(cpu), unseen), "where a keypoint is not visible, and NaN")

    def test_looks_at_nothing_but_what_it_is_handed(self) -> None:
        cpu = torch.device("cpu")
        labelled, unlabelled = self._labelled(cpu, 4), self._unlabelled(cpu, 4)
        self._retrained(self._estimator(cpu), labelled, unlabelled=unlabelled)
        for name, handed in (("labelled", labelled), ("unlabelled", unlabelled)):
            seen = handed.pictures.seen if isinstance(handed.pictures, Watched) else set()
            strange = sorted(seen - set(handed.index.tolist()))
            promise(
                not strange,
                f"{self.called} learns from what is {name}, where it looks at {name}.pictures",
                f"pictures of {sorted(handed.index.tolist())}",
                f"also of {strange}",
                f"index {name}.pictures by {name}.index",
            )

    def test_learns_where_nothing_is_left_unlabelled(self) -> None:
        cpu = torch.device("cpu")
        others = self._unlabelled(cpu, 6)
        after = self._retrained(self._estimator(cpu), self._labelled(cpu, 6), unlabelled=others.where(others.index < 0))
        self._is_finite(after, "when all are labelled")

    def test_leaves_the_users_random_numbers_alone(self) -> None:
        cpu = torch.device("cpu")
        with seeded(1, "user"):
            before = torch.get_rng_state()
            self._retrained(self._estimator(cpu), self._labelled(cpu, 3))
            after = torch.get_rng_state()
        promise(
            torch.equal(before, after),
            f"{self.called} leaves torch's own random numbers where they were",
            "the state from before",
            "another",
            "draw from trainer.generator; for layers that draw by themselves, `with vatl_core.seeds.seeded(…)`",
        )

    def test_leaves_labels_and_source_as_they_are(self) -> None:
        cpu = torch.device("cpu")
        estimator, labelled, kept = self._estimator(cpu), self._labelled(cpu, 6), self._labelled(cpu, 6)
        others, known = self._unlabelled(cpu, 6), self._unlabelled(cpu, 6)
        source = {name: tensor.clone() for name, tensor in estimator.state_dict().items()}
        begun = {name: tensor.clone() for name, tensor in source.items()}
        self._retrained(estimator, labelled, source, unlabelled=others)
        changed = [name for name in source if not same(source[name], begun[name])]
        changed += [
            field.name
            for now, then in ((labelled, kept), (others, known))
            for field in attrs.fields(type(now))
            if field.name != "pictures" and not same(getattr(now, field.name), getattr(then, field.name))
        ]
        promise(
            not changed,
            f"{self.called} leaves the source weights and the labels as they are: later cycles need them",
            "no change",
            f"other {', '.join(changed)}",
            "load source by estimator.load_state_dict(source), and do not train on its tensors themselves",
        )

    def test_chance_comes_from_the_trainer_alone(self) -> None:
        cpu = torch.device("cpu")

        def weights() -> dict[str, Tensor]:
            return dict(self._retrained(self._estimator(cpu), self._labelled(cpu, 6)).state_dict())

        first, second = untouched_randomness(weights), untouched_randomness(weights)
        other = [name for name in first if not same(first[name], second[name])]
        promise(
            not other,
            f"{self.called}: the same seed gives the same weights",
            "the same twice",
            f"other {', '.join(other[:3])}",
            "draw from trainer.generator, never from torch's own",
        )

    def test_remembers_nothing_of_earlier_cycles(self) -> None:
        cpu, policy = torch.device("cpu"), self.fresh()
        self._retrained(self._estimator(cpu, 1), self._labelled(cpu, 3), policy=policy)
        going = self._retrained(self._estimator(cpu), self._labelled(cpu, 6), policy=policy).state_dict()
        resumed = self._retrained(self._estimator(cpu), self._labelled(cpu, 6)).state_dict()
        promise(
            all(same(going[name], resumed[name]) for name in resumed),
            f"{self.called}: a run that is taken up again learns what it would have learnt",
            "the same weights as by a new object",
            "others",
            "keep nothing on self: everything there is to know stands in the arguments",
        )

    def _retrained(
        self,
        estimator: Estimator,
        labelled: Labelled,
        source: dict[str, Tensor] | None = None,
        policy: Any = None,
        unlabelled: Unlabelled | None = None,
    ) -> Any:
        __tracebackhide__ = True
        device, count = labelled.index.device, len(labelled)
        start = source or {name: tensor.clone() for name, tensor in estimator.state_dict().items()}
        record = CycleRecord(
            cycle=1,
            instances=12,
            labelled=count // 2,
            query=tuple(labelled.index[labelled.queried].tolist()),
            query_oks=tuple(labelled.oks[labelled.queried].tolist()),
            labelled_oks=tuple(labelled.oks.tolist()),
        )
        others = self._unlabelled(device, count) if unlabelled is None else unlabelled
        trainer, history = GradientDescent(Compute(device), generator(11)), History((record,), 0.5, 1.0)
        with going_on(f"{self.called}: retrain on {count} labels"):
            return (policy or self.fresh()).retrain(estimator, start, labelled, others, history, trainer)

    def _is_finite(self, estimator: Any, when: str) -> None:
        __tracebackhide__ = True
        bad = [n for n, t in estimator.state_dict().items() if t.is_floating_point() and not t.isfinite().all()]
        promise(
            not bad,
            f"{self.called} leaves weights that are numbers {when}",
            "finite weights",
            f"NaN or infinite ones in {', '.join(bad[:3])}",
            "let keypoints count only where labelled.visible is true; lower the learning rate",
        )

    def _estimator(self, device: torch.device, seed: int = 0) -> Small:
        estimator = Small()
        with seeded(seed, "weights"):
            estimator.build(STICK)
        Compute(device).place(estimator)
        return estimator

    def _labelled(self, device: torch.device, count: int) -> Labelled:
        """Every other instance, the later half of them just labelled."""
        video = stick_video()
        truth = video.instances
        if truth.keypoints is None or truth.visible is None:
            raise AssertionError("the stick figures have their truth")
        index = torch.arange(count) * 2
        pictures = Watched(video.without_truth(), (64, 48), device, 2**24, MARGIN)
        return Labelled(
            index.to(device),
            truth.keypoints[index].to(device),
            truth.visible[index].to(device),
            torch.linspace(0.2, 0.9, count).to(device),
            (torch.arange(count) >= count // 2).to(device),
            pictures=pictures,
        )

    def _unlabelled(self, device: torch.device, count: int) -> Unlabelled:
        """What :meth:`_labelled` leaves, but for the last, at which nobody is; estimated somewhere near the truth."""
        video = stick_video()
        found = video.instances
        index = torch.tensor([i for i in range(len(found) - 1) if i % 2 or i >= 2 * count])
        shape = (len(index), len(STICK))
        guess = found.boxes[index, None, :2] + 20 * torch.rand(*shape, 2, generator=generator(3))
        return Unlabelled(
            index.to(device),
            guess.to(device),
            torch.rand(shape, generator=generator(4)).to(device),
            found.frame[index].to(device),
            found.track[index].to(device),
            found.previous[index].to(device),
            found.next[index].to(device),
            found.boxes[index].to(device),
            pictures=Watched(video.without_truth(), (64, 48), device, 2**24, MARGIN),
        )

"""Retraining that goes on with a mean teacher: what it trusts, when it does, what it costs."""

from __future__ import annotations

from pathlib import Path

import attrs
import pytest
import torch
from torch import Tensor, nn

from tests.conftest import STICK, Registered, configured, stick_video
from tests.unit.test_cycle import InterruptedRunError, Interrupter, outcome
from vatl_augmentation import CropAugmentation
from vatl_core.compute import Compute
from vatl_core.contracts import Estimator, Labelled, Retraining, Unlabelled
from vatl_core.estimation import Crops, estimate
from vatl_core.learning import MARGIN, GradientDescent
from vatl_core.records import CycleRecord, History
from vatl_core.run import execute
from vatl_core.video import decode
from vatl_estimators.tiny import Tiny
from vatl_retraining import semi
from vatl_retraining.few_labels import FewLabels
from vatl_retraining.looking import poses
from vatl_retraining.semi import Semi
from vatl_retraining.teaching import MeanTeacher
from vatl_retraining.trust import Trusted, agreement

CPU = Compute(torch.device("cpu"))
QUICK = {"steps": 12, "epochs": 1}
LABELS = torch.arange(0, 24, 2)


def pictures() -> Crops:
    return Crops(stick_video().without_truth(), (64, 64), CPU.device, 2**24, MARGIN)


def labelled(index: Tensor = LABELS) -> Labelled:
    """The later half just labelled."""
    truth, count = stick_video().instances, len(index)
    queried = torch.arange(count) >= count // 2
    found = truth.keypoints[index], truth.visible[index]
    return Labelled(index, *found, torch.full((count,), 0.5), queried, pictures=pictures())


def unlabelled(index: Tensor | None = None) -> Unlabelled:
    """Everything else, estimated where it is."""
    found = stick_video().instances
    rows = torch.tensor([i for i in range(24) if i not in LABELS]) if index is None else index
    columns = (getattr(found, name)[rows] for name in ("frame", "track", "previous", "next", "boxes"))
    return Unlabelled(rows, found.keypoints[rows], torch.ones(len(rows), 5), *columns, pictures=pictures())


def network(seed: int = 1) -> Tiny:
    torch.manual_seed(seed)
    made = Tiny(width=8, input_size=(64, 64))
    made.build(STICK)
    return made


def retrained(policy: Retraining, labels: Labelled | None = None, start: Estimator | None = None) -> dict[str, Tensor]:
    trainer = GradientDescent(CPU, torch.Generator().manual_seed(5))
    history = History((CycleRecord(1, 24, 6, (1,)),), 0.5, 1.0)
    shown = labelled() if labels is None else labels
    return policy.retrain(start or network(), {}, shown, unlabelled(), history, trainer).state_dict()


def same(one: dict[str, Tensor], other: dict[str, Tensor]) -> bool:
    return all(torch.equal(one[name], other[name]) for name in one)


class TestRehearsal:
    @pytest.mark.parametrize(("after", "goes_on"), [(0.6, True), (0.5, False), (0.4, False), (float("nan"), False)])
    def test_what_few_labels_gives_stays_to_the_bit_unless_held_back_labels_get_better(
        self, after: float, goes_on: bool, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        judged = iter([0.5, after])
        monkeypatch.setattr(semi, "_mean_oks", lambda *_: next(judged))
        assert same(retrained(Semi(**QUICK)), retrained(FewLabels(**QUICK))) is not goes_on

    def test_it_is_judged_by_labels_of_the_last_query_that_it_did_not_learn(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asked, learnt = [], []

        class Noting(GradientDescent):
            def fit(self, estimator: Estimator, labelled: Labelled, *rest: object) -> float:
                learnt.append(set(labelled.index.tolist()))
                return super().fit(estimator, labelled, *rest)

        monkeypatch.setattr(semi, "_mean_oks", lambda network, labels, trainer: asked.append(labels) or len(asked))
        trainer = Noting(CPU, torch.Generator().manual_seed(5))
        Semi(**QUICK).retrain(network(), {}, labelled(), unlabelled(), History((), 0.5, 1.0), trainer)
        exam = set(asked[0].index.tolist())
        everything = set(LABELS.tolist())
        assert learnt == [everything, everything - exam, everything - exam, everything]
        assert len(exam) == 3
        assert asked[0].queried.all()

    @pytest.mark.parametrize("policy", [Semi(**QUICK, further=0), Semi(**QUICK, held_back=0.1)])
    def test_without_steps_or_with_too_few_to_judge_by_it_is_few_labels(self, policy: Semi) -> None:
        assert same(retrained(policy), retrained(FewLabels(**QUICK)))

    def test_the_same_seed_gives_the_same_weights_and_without_a_rehearsal_it_always_goes_on(self) -> None:
        first, second = (retrained(Semi(**QUICK)) for _ in range(2))
        assert same(first, second)
        assert not same(retrained(Semi(**QUICK, rehearsal=0)), retrained(FewLabels(**QUICK)))

    def test_it_takes_at_most_three_times_as_long(self) -> None:
        """Counted in crops: a backward pass is as long as two forward ones."""
        passed = {}
        for name, policy in (("semi", Semi(steps=40, epochs=1)), ("few", FewLabels(steps=40, epochs=1))):
            passed[name] = 0

            def count(module: nn.Module, crops: tuple[Tensor, ...], maps: object, name: str = name) -> None:
                passed[name] += len(crops[0]) * (3 if module.training else 1)

            watched = network()
            watched.register_forward_hook(count)
            retrained(policy, start=watched)
        assert passed["few"] < passed["semi"] <= 3 * passed["few"]


class TestTrust:
    def test_a_keypoint_between_its_neighbours_is_trusted_and_one_that_leaps_is_not(self) -> None:
        others = unlabelled()
        truth = stick_video().instances.keypoints
        leaping = others.keypoints.clone()
        leaping[4, 2] += 40
        calm = agreement(others.keypoints, labelled(), others, 0.1)
        wild = agreement(leaping, labelled(), others, 0.1)
        middle = (truth[others.previous[4]] + truth[others.next[4]]) / 2
        away = (leaping[4] - middle).norm(dim=-1) / (0.1 * others.boxes[4, 2:].norm())
        assert torch.allclose(wild[4], torch.exp(-(away**2) / 2))
        assert wild[4, 2] < 0.1 * calm[4, 2]

    def test_where_a_neighbour_is_not_known_there_is_nothing_to_disagree_with(self) -> None:
        alone = unlabelled(torch.tensor([5]))
        assert (agreement(alone.keypoints + 50, labelled(), alone, 0.01) == 1).all()
        first = unlabelled(torch.tensor([1, 3, 5]))
        assert (agreement(first.keypoints, labelled(), first, 0.01)[0] == 1).all()

    def test_labels_are_neighbours_too_but_not_where_they_are_not_visible(self) -> None:
        between, labels = unlabelled(torch.tensor([2])), labelled(torch.tensor([0, 4]))
        visible = labels.visible.clone()
        visible[0, 3] = False
        weights = agreement(between.keypoints + 60, attrs.evolve(labels, visible=visible), between, 0.05)
        assert (weights[0] == 1).tolist() == [False, False, False, True, False]

    def test_maxima_as_high_as_at_labels_are_certain_and_those_much_lower_are_nothing(self) -> None:
        usual = torch.tensor([0.8, 0.4, torch.nan])
        found = Trusted(torch.arange(1), torch.ones(1, 3), usual, 0.5)
        heights = torch.tensor([[0.9, 0.9, 0.9], [0.6, 0.3, 0.5], [0.39, 0.19, 0.0]])
        expected = torch.tensor([[1, 1, 0], [0.75, 0.75, 0], [0, 0, 0]])
        assert torch.allclose(found.certainty(heights), expected)


class TestTeaching:
    @staticmethod
    def teacher(changes: CropAugmentation, decay: float = 0.9) -> MeanTeacher:
        others = unlabelled()
        believed = Trusted(others.index, torch.ones(len(others), 5), torch.full((5,), 1e-6), 0.5)
        generator = torch.Generator().manual_seed(3)
        return MeanTeacher(network(), believed, others.pictures, changes, CPU, generator, 4, decay, 1.0)

    def test_the_teacher_follows_the_student(self) -> None:
        teacher = self.teacher(CropAugmentation(), decay=0.75)
        before = {name: value.clone() for name, value in teacher.teacher.state_dict().items()}
        with torch.no_grad():
            for value in teacher.student.parameters():
                value += 1
        teacher(lambda crops: teacher.student(teacher.student.normalisation(crops)))
        for name, value in teacher.teacher.named_parameters():
            assert torch.allclose(value, before[name] + 0.25, atol=1e-6)
        assert not any(value.requires_grad for value in teacher.teacher.parameters())

    def test_a_mirrored_left_hand_is_taught_as_a_right_hand(self) -> None:
        rows = torch.arange(4)
        plain, mirrored = (self.teacher(CropAugmentation(0, 0, 0, flip))._lesson(rows) for flip in (0, 1))
        assert torch.equal(plain[0].flip(-1), mirrored[0])
        order = list(STICK.flip_order())
        box = torch.tensor([[0.0, 0, 16, 16]]).expand(4, 4)
        (there, _), (turned, _) = (decode(lesson[1], box) for lesson in (plain, mirrored))
        expected = torch.stack([15.75 - there[..., 0], there[..., 1]], -1)[:, order]
        both = (plain[2][:, order] > 0) & (mirrored[2] > 0)
        assert both.float().mean() > 0.5
        assert ((turned - expected).abs() <= 1.01)[both].all()

    def test_its_poses_are_those_of_the_pass_over_the_video(self) -> None:
        made, crops = network().eval(), Crops(stick_video().without_truth(), (64, 64), CPU.device, 2**24)
        found, heights = poses(made, pictures(), LABELS, CPU)
        passed = estimate(made, crops, {}, CPU, 8)
        assert torch.allclose(found, passed.keypoints[LABELS], atol=1e-3)
        assert torch.allclose(heights, passed.scores[LABELS], atol=1e-5)


def test_a_run_can_be_interrupted(registered: Registered, tmp_path: Path) -> None:
    settings = {"retrain": "semi", "query": "lc", "options": {"retrain": {"semi": QUICK | {"held_back": 0.7}}}}
    registry = registered()
    execute(configured(registry, tmp_path, name="plain", **settings), registry)
    with pytest.raises(InterruptedRunError):
        execute(configured(registry, tmp_path, name="cut", **settings), registered(plugins=(Interrupter(8),)))
    execute(tmp_path / "cut", registered())
    assert outcome(tmp_path / "cut") == outcome(tmp_path / "plain")
    last = [(tmp_path / n / "cycles" / "002" / "weights.safetensors").read_bytes() for n in ("plain", "cut")]
    assert last[0] == last[1]

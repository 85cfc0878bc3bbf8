"""The oracle `noisy` makes the errors that it is told to make, as many as it is told, and the same ones each time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import attrs
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.conftest import Registered, Squares, Sticks, configured
from tests.unit.test_asking import outcome
from vatl_core.contracts import Answer, Enough, Labels, Oracle, Request
from vatl_core.discovery import discover
from vatl_core.errors import InputError
from vatl_core.plugins import Component, build, exposed
from vatl_core.run import PastRun, execute
from vatl_core.store import Answers
from vatl_core.video import PERSON_17, Instances, Skeleton, Video
from vatl_oracles.costly import Costly
from vatl_oracles.noisy import Noisy


def people(
    count: int, scale: float = 100.0, alone: bool = False, sigmas: tuple[float, ...] = PERSON_17.sigmas
) -> Video:
    """Persons in a row, two in each frame unless each is alone, of any size."""
    draw = torch.Generator().manual_seed(7)
    boxes = torch.rand(count, 4, generator=draw) * scale + torch.tensor([0, 0, 0.3, 0.6]) * scale
    keypoints = boxes[:, None, :2] + torch.rand(count, 17, 2, generator=draw) * boxes[:, None, 2:]
    visible = torch.rand(count, 17, generator=draw) < 0.8
    frame = torch.arange(count) // (1 if alone else 2)
    instances = Instances.of(frame, torch.arange(count) % (1 if alone else 2), boxes, None, keypoints, visible)
    skeleton = attrs.evolve(PERSON_17, sigmas=sigmas)
    return Video("people", skeleton, Squares(torch.zeros(count, 3, 8, 8, dtype=torch.uint8)), instances)


def request(video: Video, indices: Iterable[int] | None = None, query: Iterable[int] | None = None) -> Request:
    """These of a query, or all of the video."""
    asked = torch.tensor(list(range(len(video.instances)) if indices is None else indices))
    wanted = asked if query is None else torch.tensor(list(query))
    count, none = len(video.skeleton), torch.zeros(0, dtype=torch.int64)
    labels = Labels(none, torch.zeros(0, count, 2), torch.zeros(0, count) > 0, "", torch.zeros(0))
    proposals = torch.zeros(len(asked), count, 2)
    return Request(video, 0, wanted, asked, proposals, torch.zeros(len(asked), count), labels, Path("nowhere"))


def answered(oracle: Oracle, asked: Request) -> Labels:
    """The one part in which the data set's annotations come."""
    (labels,) = oracle.annotate(asked)
    assert isinstance(labels, Labels)
    return labels


def truth(video: Video) -> tuple[torch.Tensor, torch.Tensor]:
    assert video.instances.keypoints is not None
    assert video.instances.visible is not None
    return video.instances.keypoints, video.instances.visible


# ------------------------------------------------------------------------------------------------------------ how much
@settings(max_examples=15)
@given(st.floats(0.01, 0.9), st.integers(0, 10_000), st.floats(-1, 3), st.floats(0.01, 0.2))
def test_the_mean_oks_of_the_labels_falls_by_the_jitter(jitter: float, seed: int, size: float, sigma: float) -> None:
    video = people(250, 10**size, sigmas=(sigma, *PERSON_17.sigmas[1:]))
    labels = answered(Noisy(jitter=jitter, seed=seed), request(video))
    points, visible = (column.double().numpy() for column in truth(video))
    area = video.instances.boxes[:, 2:].double().prod(1).numpy()
    off = ((labels.keypoints.double().numpy() - points) ** 2).sum(2)
    each = np.exp(-off / (2 * area[:, None] * (2 * np.array(video.skeleton.sigmas)) ** 2))  # COCO's, for itself
    mean = (each * visible).sum() / visible.sum()
    assert mean == pytest.approx(1 - jitter, abs=4.5 * 0.35 / np.sqrt(visible.sum()))


@pytest.mark.parametrize("share", [0.1, 0.5, 1.0])
def test_as_many_are_wrong_as_it_says(share: float) -> None:
    video = people(600)
    points, visible = truth(video)
    order, other = PERSON_17.flip_order(), torch.arange(600) ^ 1
    swapped = answered(Noisy(swapped=share), request(video)).keypoints
    wrong = answered(Noisy(wrong_person=share), request(video)).keypoints
    missed = answered(Noisy(missed=share), request(video)).visible
    found = {
        "swapped": (swapped == points[:, order]).all((1, 2)).float(),
        "wrong": (wrong == points[other]).all((1, 2)).float(),
        "missed": (~missed)[visible].float(),
    }
    for kind, happened in found.items():
        sure = 4 * (share * (1 - share) / len(happened)) ** 0.5
        assert float(happened.mean()) == pytest.approx(share, abs=sure), kind
    assert ((swapped == points[:, order]) | (swapped == points)).all(2).all(1).all(), "else it is as it was"
    assert not (missed & ~visible).any(), "what is not annotated is not found either"


def test_sides_are_exchanged_with_what_is_seen_of_them() -> None:
    video = people(4)
    _, visible = truth(video)
    labels = answered(Noisy(swapped=1), request(video))
    assert torch.equal(labels.visible, visible[:, PERSON_17.flip_order()])


# -------------------------------------------------------------------------------------------------------- wrong person
class TestTheWrongPerson:
    def test_is_the_nearest_in_the_frame(self) -> None:
        video = people(3)
        video.instances.frame[:] = 0
        video.instances.boxes[:, :2] = torch.tensor([[0.0, 0], [500, 0], [140, 0]])
        labels = answered(Noisy(wrong_person=1), request(video))
        assert torch.equal(labels.keypoints, truth(video)[0][[2, 2, 0]])
        assert torch.equal(labels.visible, truth(video)[1][[2, 2, 0]])

    def test_where_nobody_else_is_there_it_is_the_right_one(self) -> None:
        video = people(5, alone=True)
        labels = answered(Noisy(wrong_person=1), request(video))
        assert torch.equal(labels.keypoints, truth(video)[0])

    def test_nobody_takes_a_pose_that_is_not_known(self) -> None:
        video = people(4)
        video.instances.known[1] = False
        video.instances.visible[1] = False  # type: ignore[index]
        labels = answered(Noisy(wrong_person=1), request(video, [0, 2]))
        assert torch.equal(labels.keypoints, truth(video)[0][[0, 3]])


# --------------------------------------------------------------------------------------------------------- determinism
ALL = Noisy(jitter=0.3, swapped=0.4, missed=0.2, wrong_person=0.3)


class TestTheSameErrors:
    def test_whatever_else_is_asked_and_in_whatever_order(self) -> None:
        video = people(30)
        labels = answered(ALL, request(video))
        whole = dict(zip(labels.index.tolist(), zip(labels.keypoints, labels.visible, strict=True), strict=True))
        part = answered(ALL, request(video, [21, 4, 17]))
        for place, number in enumerate([21, 4, 17]):
            assert torch.equal(part.keypoints[place], whole[number][0])
            assert torch.equal(part.visible[place], whole[number][1])

    def test_others_by_another_seed_and_in_another_video(self) -> None:
        video = people(10)
        first = answered(Noisy(jitter=0.1), request(video)).keypoints
        assert not (answered(Noisy(jitter=0.1, seed=1), request(video)).keypoints == first).any()
        elsewhere = attrs.evolve(video, name="elsewhere")
        assert not (answered(Noisy(jitter=0.1), request(elsewhere)).keypoints == first).any()

    def test_one_kind_of_error_does_not_change_another(self) -> None:
        video = people(40)
        missed = answered(Noisy(missed=0.3), request(video)).visible
        assert torch.equal(answered(Noisy(missed=0.3, jitter=0.5), request(video)).visible, missed)
        jitter = answered(Noisy(jitter=0.5), request(video)).keypoints
        assert torch.equal(answered(Noisy(missed=0.3, jitter=0.5), request(video)).keypoints, jitter)
        more = answered(Noisy(missed=0.6), request(video)).visible
        assert not (more & ~missed).any(), "with a larger share come errors, and none goes"

    def test_the_truth_stays_as_it_is(self) -> None:
        video, kept = people(12), people(12)
        answered(ALL, request(video))
        assert torch.equal(truth(video)[0], truth(kept)[0])
        assert torch.equal(truth(video)[1], truth(kept)[1])


# ------------------------------------------------------------------------------------------------------------- in runs
class CutError(Exception):
    """As if the power had gone."""


@attrs.frozen
class CutOff(Noisy):
    """Gives one label after the other, and breaks off once in the second query."""

    def annotate(self, request: Request) -> Iterator[Answer]:
        whole = answered_in_rows(super().annotate(request))
        for number, answer in enumerate(whole):
            if request.cycle == 1 and number == 2 and len(request) == len(request.query):
                raise CutError
            yield answer


def answered_in_rows(answers: Iterable[Answer]) -> Iterator[Answer]:
    for labels in answers:
        assert isinstance(labels, Labels)
        for row in range(len(labels.index)):
            yield Labels(
                labels.index[[row]], labels.keypoints[[row]], labels.visible[[row]], labels.annotator,
                labels.seconds[[row]],
            )  # fmt: skip


CUT_OFF = Component("oracle", "cut-off", "", "tests.unit.test_noisy:CutOff")
OPTIONS = {"jitter": 0.2, "swapped": 0.5, "wrong_person": 0.3, "around": "costly,instance=5,frame=20,keypoint=1"}


def test_a_run_that_was_cut_off_goes_on_to_the_same_labels_and_costs(registered: Registered, tmp_path: Path) -> None:
    settings: dict[str, Any] = {"query": "lc", "select": "top", "schedule": ["4", "9"]}
    whole = configured(
        registered(), tmp_path, name="whole", oracle="noisy", options={"oracle": {"noisy": OPTIONS}}, **settings
    )
    execute(whole, registered())
    registry = registered(CUT_OFF)
    cut = configured(registry, tmp_path, oracle="cut-off", options={"oracle": {"cut-off": OPTIONS}}, **settings)
    with pytest.raises(CutError):
        execute(cut, registry)
    assert len(Answers(cut.path / "labels.sqlite").history()) == 6, "two of the second query are kept"
    execute(cut.path, registered(CUT_OFF))
    given, again = ([attrs.evolve(g, at=0) for g in Answers(c.path / "labels.sqlite").history()] for c in (whole, cut))
    assert given == again
    assert outcome(whole.path) == outcome(cut.path)
    cost = sum(g.seconds for g in given)
    assert sum(r.annotation_seconds for r in PastRun.open(whole.path, registry).cycles) == pytest.approx(cost)


@pytest.mark.parametrize("around", ["costly,instance=1", "costly,instance=1,around=noisy,missed=0.1"])
def test_options_that_do_not_reach_the_oracle_inside_are_refused(
    registered: Registered, tmp_path: Path, around: str
) -> None:
    options = {"oracle": {"noisy": {"jitter": 0.1, "around": around}, "costly": {"frame": 20}}}
    with pytest.raises(InputError, match=r"-o noisy\.around=costly,frame=20 in place of -o costly\.frame=…"):
        execute(configured(registered(), tmp_path, oracle="noisy", options=options), registered())
    assert not (tmp_path / "run").exists()
    alone = {"noisy": {"jitter": 0.1}, "costly": {"frame": 20}}
    made = configured(registered(), tmp_path, oracle="noisy", retrain="none", query="lc", options={"oracle": alone})
    execute(made, registered())


@attrs.frozen
class Sideless(Sticks):
    """Sticks of which nobody said what is left."""

    def load(self, name: str) -> Video:
        video = super().load(name)
        return attrs.evolve(video, skeleton=Skeleton("blob", video.skeleton.keypoints))


def test_without_sides_none_are_exchanged_and_no_run_begins(registered: Registered, tmp_path: Path) -> None:
    registry = registered(Component("dataset", "sideless", "", "tests.unit.test_noisy:Sideless"))
    options = {"oracle": {"noisy": {"swapped": 0.1}}}
    with pytest.raises(InputError, match=r"swapped = 0\.1, and no keypoint of 'blob' is another's left or right"):
        execute(configured(registry, tmp_path, dataset="sideless", oracle="noisy", options=options), registry)
    assert not (tmp_path / "run").exists()


# ---------------------------------------------------------------------------------------------------- around an oracle
@attrs.frozen
class Tired(Oracle):
    """Says at once that it is enough; an object of one's own."""

    def annotate(self, request: Request) -> Iterator[Answer]:
        yield Enough("tired")


class TestAround:
    def test_its_options_stand_behind_its_name(self) -> None:
        for around in ("costly,instance=8, frame=20", ["costly", "instance=8", "frame=20"]):
            made = build(discover(), "oracle", "noisy", {"jitter": "0.1", "around": around})
            assert made.around == ("costly", "instance=8", "frame=20")
            assert made._inside == Costly(instance=8, frame=20)

    def test_what_follows_around_belongs_to_the_next(self) -> None:
        around = "noisy,seed=3,missed=0.5,around=costly,frame=9,instance=2"
        made = build(discover(), "oracle", "costly", {"instance": 1, "around": around})
        assert made._inside == Noisy(seed=3, missed=0.5, around=("costly", "frame=9", "instance=2"))
        labels = answered(made, request(people(4), [0, 1, 2]))
        assert labels.seconds.tolist() == [1 + 9 + 2, 1 + 2, 1 + 9 + 2]
        assert labels.annotator == "noisy ground-truth"

    def test_an_object_in_python(self) -> None:
        (answer,) = Noisy(jitter=0.1, around=Tired()).annotate(request(people(2)))
        assert answer == Enough("tired"), "what is no label passes as it is"

    def test_can_answer_for_what_the_oracle_inside_can(self) -> None:
        video = people(4)
        video.instances.known[2] = False
        assert Noisy(jitter=0.1).can_answer(video).tolist() == [True, True, False, True]  # type: ignore[union-attr]
        assert Noisy(jitter=0.1, around=Tired()).can_answer(video) is None

    def test_what_the_oracle_inside_lets_others_do_is_told(self) -> None:
        inside = exposed(discover(), "oracle", "browser", {"host": "0.0.0.0"})
        assert inside
        for around in ("browser,host=0.0.0.0", ["costly", "instance=1", "around=browser", "host=0.0.0.0"]):
            assert exposed(discover(), "oracle", "noisy", {"around": around}) == inside


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({}, "no label has an error: set jitter, swapped, missed or wrong_person"),
        ({"seed": 3}, "no label has an error"),
        ({"jitter": 1}, "jitter' must be < 1"),
        ({"jitter": -0.1}, "jitter' must be >= 0"),
        ({"jitter": "nan"}, "jitter = 'nan' does not fit"),
        ({"jitter": float("nan")}, "jitter = nan does not fit"),
        ({"swapped": 1.1}, "swapped' must be <= 1"),
        ({"missed": -1}, "missed' must be >= 0"),
        ({"wrong_person": "half"}, "wrong_person = 'half' does not fit: float is expected"),
        ({"jitter": 0.1, "seed": -1}, "seed' must be >= 0"),
        ({"jitter": 0.1, "around": ""}, "no oracle is called ''"),
        ({"jitter": 0.1, "around": 5}, "around = 5 does not fit"),
        ({"jitter": 0.1, "around": "nobody"}, "no oracle is called 'nobody'"),
        ({"jitter": 0.1, "around": "costly"}, "as costly,instance=20"),
        ({"jitter": 0.1, "around": "costly,20"}, "'20' is to be OPTION=VALUE, an option of 'costly'"),
        ({"jitter": 0.1, "around": "costly,=20"}, "'=20' is to be OPTION=VALUE"),
        ({"jitter": 0.1, "around": "costly,instance=much"}, "oracle 'costly': instance = 'much' does not fit"),
        ({"jitter": 0.1, "around": "costly,instant=2"}, "did you mean 'instance'"),
        ({"jitter": 0.1, "around": "costly,frame=1,around="}, "no oracle is called ''"),
        ({"jitter": 0.1, "around": "browser,host=0.0.0.0"}, "around = browser: people's labels have errors"),
        ({"jitter": 0.1, "around": "files"}, "around = files: people's labels have errors"),
    ],
)
def test_what_makes_no_sense_is_refused_in_a_line(options: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError) as error:
        build(discover(), "oracle", "noisy", options)
    assert said in str(error.value)
    assert "\n" not in str(error.value)

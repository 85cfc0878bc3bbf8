"""Components that are wrong on purpose, one in each way that strangers' may be; and what the kit is to say of each."""

from __future__ import annotations

import gc
import inspect
import itertools
from collections.abc import Iterable
from typing import Any, ClassVar

import attrs
import torch
from torch import Tensor, nn

from vatl_core.contracts import (
    Criterion,
    Dataset,
    Enough,
    Estimator,
    Executor,
    Labels,
    Maps,
    Oracle,
    Outcome,
    Panel,
    Poses,
    Recipe,
    Request,
    Retraining,
    Selector,
    Stopping,
    Window,
    attempt,
)
from vatl_core.video import Frames, Instances, Skeleton, Video
from vatl_kit.material import stick_video
from vatl_kit.small_parts import Here, OneEpoch, Small, Sticks, Truth

POSES: frozenset[str] = frozenset({"poses"})


def scoring(score: Any, needs: Iterable[str] = POSES, **more: Any) -> Criterion:
    """A criterion with this ``score(self, window)``."""
    body = {"needs": frozenset(needs), "score": score, "__doc__": "Wrong.", **more}
    return attrs.define(type("Wrong", (Criterion,), body), slots=False)()  # type: ignore[no-any-return]


def _found() -> Tensor:
    """Something about every true pose that lies about in memory."""
    truths = [i.keypoints for i in gc.get_objects() if type(i) is Instances and i.keypoints is not None]
    return torch.stack([truth.nan_to_num().abs().mean() for truth in truths]).sum()


def _finds_the_truth(self: Any, window: Window) -> Tensor:
    return window.scores.mean(1) * _found()


def _walks_to_the_truth(self: Any, window: Window) -> Tensor:
    frame, truth = inspect.currentframe(), None
    while frame is not None and truth is None:
        truth = getattr(getattr(frame.f_locals.get("run"), "video", None), "instances", None)
        frame = frame.f_back
    if truth is None or truth.keypoints is None:
        return window.scores.mean(1)
    return (truth.keypoints[window.index.cpu()] - window.keypoints.cpu()).norm(dim=-1).mean(1).to(window.scores.device)


def _remembers_batches(self: Any, window: Window) -> Tensor:
    return window.scores.mean(1) - window.scores.mean()


def _in_place(self: Any, window: Window) -> Tensor:
    return window.scores.mul_(2).mean(1)


def _fit_to_nan(self: Any, labelled: Poses, generator: torch.Generator) -> None:
    self.level = labelled.keypoints.mean() if len(labelled) else torch.tensor(0.0)


CRITERIA = {
    "one score for each instance": scoring(lambda self, w: w.scores),
    "keeps scores on the window's device": scoring(lambda self, w: w.scores.mean(1).to("meta")),
    "gives finite scores": scoring(lambda self, w: w.scores.mean(1) / 0.0),
    "gives scores as a tensor": scoring(lambda self, w: w.scores.mean(1).tolist()),
    "numbers with a point": scoring(lambda self, w: w.index),
    "does not depend on its batch": scoring(_remembers_batches),
    "scores follow their instances": scoring(lambda self, w: torch.arange(len(w)).float(), {"pool"}),
    "the same seed gives the same scores": scoring(lambda self, w: torch.rand(len(w)), {"pool"}),
    "leaves the window as it is": scoring(_in_place),
    "read no more of a window than needs declares": scoring(lambda self, w: w.next.mean((1, 2, 3))),
    "score a window": scoring(lambda self, w: {}["none"]),
    "any of extra, features, heatmaps, neighbours, network, pool, poses": scoring(
        lambda self, w: w.scores[:, 0], {"pose"}
    ),
    "keypoints only where they are visible": scoring(
        lambda self, w: w.scores.mean(1) + self.level, fit=_fit_to_nan, level=torch.tensor(0.0)
    ),
    "window.has_previous": scoring(
        lambda self, w: (w.heatmaps - w.previous).abs().mean((1, 2, 3)), {"heatmaps", "neighbours"}
    ),
    "explain gives Panels": scoring(
        lambda self, w: w.scores.mean(1), explain=lambda self, w: [Panel("all", heatmaps=torch.zeros(1, 5, 4, 4))]
    ),
    "condense keeps a row an instance": scoring(
        lambda self, w: w.scores.mean(1), {"pool", "heatmaps"}, condense=lambda self, w: w.heatmaps.mean(0)
    ),
    "scores of wrong in cycle 0 whatever is true": scoring(_finds_the_truth),
    "no objects of the run by gc, frames": scoring(_walks_to_the_truth),
}


def selecting(select: Any, **more: Any) -> Selector:
    body = {"select": select, "__doc__": "Wrong.", **more}
    return attrs.define(type("Wrong", (Selector,), body), slots=False)()  # type: ignore[no-any-return]


def _plainly(self: Any, pool: Any, count: int, generator: Any) -> Tensor:
    return pool.unlabelled[:count]  # type: ignore[no-any-return]


def _rotate(self: Any, pool: Any, count: int, generator: Any) -> Tensor:
    self.asked = getattr(self, "asked", 0) + 1
    return pool.unlabelled.roll(self.asked)[:count]  # type: ignore[no-any-return]


def _spoil(self: Any, pool: Any, count: int, generator: Any) -> Tensor:
    pool.scores.zero_()
    return pool.unlabelled[:count]  # type: ignore[no-any-return]


def _best_by_truth(self: Any, pool: Any, count: int, generator: Any) -> Tensor:
    order = torch.randperm(len(pool.unlabelled), generator=torch.Generator().manual_seed(int(1000 * _found())))
    return pool.unlabelled[order][:count]  # type: ignore[no-any-return]


SELECTORS = {
    "picks by indices": selecting(lambda self, pool, count, generator: pool.scores[:count]),
    "picks what is asked for": selecting(lambda self, pool, count, generator: pool.unlabelled),
    "picks nothing that is labelled": selecting(
        lambda self, pool, count, generator: torch.arange(min(count, len(pool.unlabelled)))
    ),
    "picks nobody twice": selecting(
        lambda self, pool, count, generator: pool.unlabelled[:1].repeat(min(count, len(pool.unlabelled)))
    ),
    "the same seed picks the same": selecting(
        lambda self, pool, count, generator: pool.unlabelled[torch.randperm(len(pool.unlabelled))[:count]]
    ),
    "a run that is taken up again picks": selecting(_rotate),
    "leaves the pool as it is": selecting(_spoil),
    "not 'nothing-like-it'; came no criterion is called": selecting(_plainly, watches=("nothing-like-it",)),
    "mind the comma": selecting(_plainly, watches="thc"),
    "query in cycle 0 whatever is true": selecting(_best_by_truth),
    "select 100 of 18 unlabelled": selecting(
        lambda self, pool, count, generator: pool.unlabelled[pool.scores[pool.unlabelled].topk(count).indices]
    ),
}


def deciding(decide: Any, **more: Any) -> Stopping:
    body = {"decide": decide, "__doc__": "Wrong.", **more}
    return attrs.define(type("Wrong", (Stopping,), body), slots=False)()  # type: ignore[no-any-return]


def _counting(self: Any, history: Any) -> str | None:
    self.asked = getattr(self, "asked", 0) + 1
    return "three cycles" if self.asked > 3 else None


def _knowing(self: Any, history: Any) -> str | None:
    return f"the truth is {float(_found())}"


STOPPING = {
    "decisions to stop whatever is true": deciding(_knowing),
    "watches criteria that are installed": deciding(lambda self, history: None, watches=("thcc",)),
    "decide says why, in a line": deciding(lambda self, history: True),
    "decide, where": deciding(lambda self, history: "good" if history.present.query_mean_oks > 0.9 else None),
    "decide, in the first cycle": deciding(lambda self, history: history.cycles[1].stopped_by),
    "allowance says how many": deciding(lambda self, history: None, allowance=lambda self, history: -1),
    "stops where it would have stopped": deciding(_counting),
}


def learning(retrain: Any) -> Retraining:
    return attrs.define(type("Wrong", (Retraining,), {"retrain": retrain, "__doc__": "Wrong."}), slots=False)()  # type: ignore[no-any-return]


def _everything(
    self: Any, estimator: Any, source: Any, labelled: Any, unlabelled: Any, history: Any, trainer: Any
) -> Any:
    labelled.pictures.get(torch.arange(12))
    return estimator


def _all_others(self: Any, estimator: Any, source: Any, labelled: Any, unlabelled: Any, *rest: Any) -> Any:
    unlabelled.pictures.get(labelled.index)
    return estimator


def _needs_others(self: Any, estimator: Any, source: Any, labelled: Any, unlabelled: Any, *rest: Any) -> Any:
    with torch.no_grad():
        estimator.last.bias += unlabelled.scores.mean()
    return estimator


def _reseeds(self: Any, estimator: Any, *rest: Any) -> Any:
    torch.manual_seed(0)
    return estimator


def _source_itself(
    self: Any, estimator: Any, source: Any, labelled: Any, unlabelled: Any, history: Any, trainer: Any
) -> Any:
    next(iter(source.values())).zero_()
    return estimator


def _another(self: Any, estimator: Any, source: Any, labelled: Any, *rest: Any) -> Any:
    estimator.last = nn.Conv2d(8, 7, 1)
    return estimator


def _any_chance(
    self: Any, estimator: Any, source: Any, labelled: Any, unlabelled: Any, history: Any, trainer: Any
) -> Any:
    with torch.no_grad():
        estimator.last.weight += torch.randn(estimator.last.weight.shape).to(estimator.last.weight.device)
    return estimator


def _diverges(
    self: Any, estimator: Any, source: Any, labelled: Any, unlabelled: Any, history: Any, trainer: Any
) -> Any:
    with torch.no_grad():
        estimator.last.weight /= 0.0
    return estimator


def _sees_unseen(
    self: Any, estimator: Any, source: Any, labelled: Any, unlabelled: Any, history: Any, trainer: Any
) -> Any:
    with torch.no_grad():
        estimator.last.bias += labelled.keypoints.mean()
    return estimator


def _warms_up(
    self: Any, estimator: Any, source: Any, labelled: Any, unlabelled: Any, history: Any, trainer: Any
) -> Any:
    self.asked = getattr(self, "asked", 0) + 1
    trainer.fit(estimator, labelled, Recipe(self.asked, alike=True))
    return estimator


def _cheats(self: Any, estimator: Any, source: Any, labelled: Any, *rest: Any) -> Any:
    with torch.no_grad():
        estimator.last.bias += _found().to(estimator.last.bias.device)
    return estimator


RETRAINING = {
    "weights after the first retraining whatever is true": learning(_cheats),
    "returns the estimator of the next cycle": learning(lambda self, *rest: None),
    "learns from what is labelled": learning(_everything),
    "learns from what is unlabelled": learning(_all_others),
    "when all are labelled": learning(_needs_others),
    "leaves torch's own random numbers": learning(_reseeds),
    "leaves the source weights": learning(_source_itself),
    "keeps the network's form": learning(_another),
    "the same seed gives the same weights": learning(_any_chance),
    "leaves weights that are numbers after 6": learning(_diverges),
    "where a keypoint is not visible": learning(_sees_unseen),
    "learns what it would have learnt": learning(_warms_up),
}


def estimating(**more: Any) -> Estimator:
    """The kit's own small estimator with something changed."""
    wrong = type("Wrong", (Small,), {"__doc__": "Wrong.", **more})
    decorated = attrs.define(wrong, eq=False, slots=False, on_setattr=attrs.setters.NO_OP)
    return decorated()  # type: ignore[no-any-return]


def _build_seventeen(self: Any, skeleton: Skeleton) -> None:
    Small.build(self, skeleton)
    self.last = nn.Conv2d(8, 17, 3, 1, 1)


def _build_with_chance(self: Any, skeleton: Skeleton) -> None:
    Small.build(self, skeleton)
    torch.nn.init.normal_(self.last.weight, generator=torch.Generator().manual_seed(next(_NUMBERS)))


def _build_aside(self: Any, skeleton: Skeleton) -> None:
    Small.build(self, skeleton)
    self.__dict__["aside"] = torch.randn(1)


_NUMBERS = itertools.count()


def _centred(self: Any, crops: Tensor) -> Maps:
    return Small.forward(self, crops - crops.mean())


def _aside(self: Any, crops: Tensor) -> Maps:
    maps = Small.forward(self, crops)
    return maps._replace(heatmaps=maps.heatmaps + self.aside)


def featured(change: Any) -> Estimator:
    """Features that were changed, and heatmaps as they were."""

    def forward(self: Any, crops: Tensor) -> Maps:
        maps = Small.forward(self, crops)
        return maps._replace(features=change(maps.features))

    return estimating(forward=forward)


ESTIMATORS = {
    "gives one heatmap a keypoint": estimating(build=_build_seventeen),
    "forward gives heatmaps and features": estimating(forward=lambda self, crops: Small.forward(self, crops)[0]),
    "gives a feature for each crop": estimating(forward=lambda self, c: Maps(Small.forward(self, c)[0], c.flatten())),
    "do not depend on its batch": estimating(forward=_centred),
    "features do not depend on its batch": featured(lambda features: features - features.mean(0)),
    "features follow their crops": featured(
        lambda features: features + torch.arange(len(features)).to(features)[:, None]
    ),
    "have the same features": featured(lambda features: features + torch.rand(features.shape).to(features)),
    "the same seed builds the same weights": estimating(build=_build_with_chance),
    "parameter_groups has every parameter once": estimating(
        parameter_groups=lambda self, lr: [{"params": list(self.first.parameters()), "lr": lr}]
    ),
    "how fast each part learns": estimating(parameter_groups=lambda self, lr: [{"params": list(self.parameters())}]),
    "`head` names": estimating(head="final"),
    "what it estimates lies in its weights": estimating(build=_build_aside, forward=_aside),
    "its loss is one finite number": estimating(loss=lambda self, maps, *rest: maps.heatmaps.mean((2, 3))),
    "its loss trains every head": estimating(
        forward=lambda self, crops: Maps(*Small.forward(self, crops)[:2], {"spread": self.last(self.first(crops))})
    ),
    "a crop's spread do not depend": estimating(
        forward=lambda self, crops: Maps(*Small.forward(self, crops)[:2], {"spread": crops - crops.mean()})
    ),
    "a step of training": estimating(
        forward=lambda self, crops: Maps(*(part.detach() for part in Small.forward(self, crops)[:2]))
    ),
    "known weights are Downloads": estimating(known=lambda self: {"public": "https://example.org/weights"}),
}


def showing(**more: Any) -> Dataset:
    return attrs.define(type("Wrong", (Sticks,), {"__doc__": "Wrong.", **more}), slots=False)()  # type: ignore[no-any-return]


def loading(**columns: Any) -> Dataset:
    """A data set whose instances have other columns."""

    def load(self: Any, name: str) -> Video:
        video = Sticks.load(self, name)
        return attrs.evolve(video, instances=attrs.evolve(video.instances, **columns))

    return showing(load=load)


@attrs.frozen
class Backwards(Frames):
    """Gives another picture each time, bytes of the wrong form, or sizes the wrong way round."""

    wrong: str
    read_before: list[int] = attrs.field(factory=list)

    def __len__(self) -> int:
        return 8

    def read(self, index: int) -> Tensor:
        pictures = stick_video(8).frames
        if self.wrong == "form":
            return pictures.read(index).permute(1, 2, 0)
        if self.wrong in ("size", "time"):
            return pictures.read(index)
        self.read_before.append(index)
        return pictures.read(len(self.read_before) % 8)

    def time(self, index: int) -> float:
        return -super().time(index) if self.wrong == "time" else super().time(index)

    def size(self, index: int) -> tuple[int, int]:
        width, height = super().size(index)
        return (height, width) if self.wrong == "size" else (width, height)


def _framed(wrong: str) -> Dataset:
    return showing(load=lambda self, name: attrs.evolve(Sticks.load(Sticks(), name), frames=Backwards(wrong)))


def _any_name(self: Any, name: str) -> Video:
    return stick_video(8)


def _key_error(self: Any, name: str) -> Video:
    return {"sticks": stick_video(8)}[name]


def _random_boxes(self: Any, name: str) -> Video:
    video = Sticks.load(self, name)
    boxes = video.instances.boxes + torch.rand(video.instances.boxes.shape)
    return attrs.evolve(video, instances=attrs.evolve(video.instances, boxes=boxes))


_PLAIN: Instances = stick_video(8).instances
_FLAT = _PLAIN.boxes * torch.tensor([1.0, 1.0, 0.0, 1.0])
_UNKNOWN = torch.full_like(_PLAIN.keypoints, torch.nan) if _PLAIN.keypoints is not None else None

DATA_SETS = {
    "videos() names what there is": showing(videos=lambda self: []),
    "names each once": showing(videos=lambda self: ["sticks", "sticks"]),
    "every box has an area": loading(boxes=_FLAT),
    "torch.int64; came torch.float32: make frame": loading(frame=_PLAIN.frame.float()),
    "torch.int64; came torch.int32: make track": loading(track=_PLAIN.track.int()),
    "torch.float32; came torch.float64: make boxes": loading(boxes=_PLAIN.boxes.double()),
    "torch.float32; came torch.int64: make keypoints": loading(keypoints=torch.zeros(len(_PLAIN), 5, 2).long()),
    "torch.bool; came torch.int64: make visible": loading(visible=torch.ones(len(_PLAIN), 5).long()),
    "every box meets its picture": loading(boxes=_PLAIN.boxes + torch.tensor([10_000.0, 10_000.0, 0.0, 0.0])),
    "size tells what read gives": _framed("size"),
    "what nobody knows has no visible keypoint": loading(known=torch.arange(len(_PLAIN)) > 3),
    "what is known has keypoints": loading(keypoints=None, visible=None),
    "torch.bool; came torch.int64: make known": loading(known=torch.ones(len(_PLAIN)).long()),
    "time goes on from the first": _framed("time"),
    "annotated keypoints are numbers": loading(keypoints=_UNKNOWN),
    "previous and next are the same track's": loading(previous=_PLAIN.next, next=_PLAIN.previous),
    "every instance has an id of its own": loading(ids=("one",) * len(_PLAIN)),
    "has a row an instance": loading(track=_PLAIN.track[:3]),
    "a frame is the same in whatever order": _framed("order"),
    "frames are (3, H, W) uint8": _framed("form"),
    "asked for the video 'no such video'": showing(load=_any_name),
    "came KeyError": showing(load=_key_error),
    "sees the same instances": showing(load=_random_boxes),
    "pickle it": showing(),  # its class is in no module
}


def answering(annotate: Any, **more: Any) -> Oracle:
    body = {"annotate": annotate, "__doc__": "Wrong.", **more}
    return attrs.define(type("Wrong", (Oracle,), body), slots=False)()  # type: ignore[no-any-return]


def _truth(request: Request, index: Tensor, **changed: Any) -> Labels:
    truth = request.video.instances
    if truth.keypoints is None or truth.visible is None:
        from vatl_core.errors import InputError

        raise InputError("there is no truth")
    labels = Labels(index, truth.keypoints[index], truth.visible[index], "wrong", torch.zeros(len(index)))
    return attrs.evolve(labels, **changed)


def _spoils_the_truth(self: Any, request: Request) -> Iterable[Labels]:
    yield _truth(request, request.indices)
    if request.video.instances.keypoints is not None:
        request.video.instances.keypoints.add_(1)


ORACLES = {
    "answers everything it is asked": answering(lambda self, r: [_truth(r, r.indices[:1])]),
    "tells which instances it can answer for": answering(
        lambda self, r: [_truth(r, r.indices)], can_answer=lambda self, video: torch.ones(len(video.instances))
    ),
    "answers for every instance that it says": answering(
        lambda self, r: [_truth(r, r.indices if r.video.instances.known.all() else r.indices[1:])],
        can_answer=lambda self, video: video.instances.known,
    ),
    "gives answers": answering(lambda self, r: [_truth(r, r.indices), "done"]),
    "labels what it was asked for": answering(lambda self, r: [_truth(r, torch.arange(12))]),
    "asks for the rest of a query": answering(lambda self, r: [_truth(r, r.query)]),
    "does not depend on what else is asked": answering(
        lambda self, r: [_truth(r, r.indices, keypoints=_truth(r, r.indices).keypoints + len(r.indices))]
    ),
    "keypoints of Labels has a row": answering(lambda self, r: [_truth(r, r.indices, keypoints=torch.zeros(1, 5, 2))]),
    "how long a label took": answering(lambda self, r: [_truth(r, r.indices, seconds=-torch.ones(len(r.indices)))]),
    "leaves the truth as it is": answering(_spoils_the_truth),
    "finite keypoints where": answering(
        lambda self, r: [_truth(r, r.indices, keypoints=torch.full((len(r.indices), 5, 2), torch.nan))]
    ),
    "answers or says that it cannot": answering(
        lambda self, r: [Labels(r.indices, r.video.instances.keypoints[r.indices], r.video.instances.visible[r.indices],
                                "wrong", torch.zeros(len(r.indices)))]
    ),
}  # fmt: skip


def mapping(run_all: Any, **more: Any) -> Executor:
    body = {"map": run_all, "__doc__": "Wrong.", **more}
    return attrs.define(type("Wrong", (Executor,), body), slots=False)()  # type: ignore[no-any-return]


def _stops_at_the_first(self: Any, work: Any, runs: Any) -> Any:
    for index, run in enumerate(runs):
        yield Outcome(index, work(run))


def _first_only(self: Any, work: Any, runs: Any) -> Any:
    if runs:
        yield attempt(work, 0, runs[0])


def _same_number(self: Any, work: Any, runs: Any) -> Any:
    for run in runs:
        yield attempt(work, 0, run)


def _a_list(self: Any, work: Any, runs: Any) -> Any:
    return [attempt(work, index, run) for index, run in enumerate(runs)]


def _results(self: Any, work: Any, runs: Any) -> Any:
    for run in runs:
        yield work(run)


EXECUTORS = {
    "the others go on": (_stops_at_the_first, "map over 3 runs"),
    "one outcome a run": (_first_only, "map gives one outcome a run"),
    "its number": (_same_number, "map gives one outcome a run"),
    "closed": (_a_list, "close map after its first outcome"),
    "Outcomes": (_results, "map gives Outcomes"),
    "pickle": (Here.map, "pickle it"),
}


@attrs.define
class Undocumented(Truth):
    """An oracle whose option nobody explains."""

    haste: float = 1.0


@attrs.define
class Forgetful(OneEpoch):
    """A policy that does not keep what it is given.

    Attributes:
        epochs: passes.
    """

    epochs: int = attrs.field(default=3, converter=lambda value: int(value) + 1)


@attrs.define
class Tabled(OneEpoch):
    """A policy with an option that cannot be typed.

    Attributes:
        shares: by name.
    """

    shares: dict[str, float] = attrs.field(factory=lambda: {"a": 1.0})


class Secret(str):
    """Text that does not let itself be shown."""

    def __str__(self) -> str:
        raise RuntimeError("a secret")


@attrs.define
class Unprintable(Truth):
    """An oracle with such an option.

    Attributes:
        word: whatever.
    """

    word: str = attrs.field(factory=lambda: Secret("x"))


class Bare:
    """No component at all."""

    person: ClassVar[bool] = False


QUITS = answering(lambda self, request: [Enough("nobody")])
"""An oracle that is right: it may have had enough."""

"""Every output of a component, held to its contract.

What is called ``checked_…`` gives back what a component gave, or raises a PluginError that names the component, its
plugin and the flaw in a line. Columns have N rows, a batch B; K are the keypoints.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from numbers import Integral
from typing import Final, TypeVar

import torch
from torch import Tensor

from vatl_core.contracts import (  # isort: skip
    Criterion, Dataset, Enough, Estimator, Executor, Labels, Maps, Oracle, Outcome, Redrawn, Refined, Refinement,
    Refusal, Retraining, Selector, Stopping, Window,
)  # fmt: skip
from vatl_core.errors import InputError, PluginError, VatlError
from vatl_core.plugins import culprit, describe, whose
from vatl_core.records import History
from vatl_core.video import Frames, Instances, Skeleton, Video

T = TypeVar("T")
R = TypeVar("R")
Shape = tuple[int | str, ...]
"""A letter stands for any size, ``…`` at the end for any further axes."""
_FLOATS: Final = (torch.float32, torch.float64, torch.bfloat16, torch.float16)
_WHOLE: Final = (torch.int64,)


def breach(who: str, component: object, flaw: str) -> PluginError:
    """The error for a component, called ``who``, that breaks its contract, with the plugin it is from."""
    return PluginError(f"{who} {flaw}{whose(component)}")


def _hold(who: str, component: object, flaw: str | None) -> None:
    if flaw:
        raise breach(who, component, flaw)


def _flaw_of_tensor(
    what: str, given: object, shape: Shape, kinds: Sequence[torch.dtype] = _FLOATS, device: torch.device | None = None
) -> str | None:
    """In which way ``what`` is no tensor of this shape, one of these kinds and on this device, in words."""
    expected = f"({', '.join(map(str, shape))})"
    if not isinstance(given, Tensor):
        return f"{what} that are a {type(given).__name__}: a tensor {expected} is expected"
    sizes = shape if shape[-1] != "…" else (*shape[:-1], *given.shape[len(shape) - 1 :])
    if given.ndim != len(sizes) or any(isinstance(s, int) and s != g for s, g in zip(sizes, given.shape, strict=True)):
        return f"{what} of shape {tuple(given.shape)}: {expected} is expected"
    if given.dtype not in (kinds or [given.dtype]):
        return f"{what} of {given.dtype}: {kinds[0]} is expected"
    if given.is_meta or device not in (None, given.device):
        return f"{what} on {given.device}: they are to stay on {device or 'the CPU or the GPU'}"
    return None


def checked_names(dataset: Dataset) -> Sequence[str]:
    """What a data set has to adapt to."""
    names: object = dataset.videos()
    if not isinstance(names, list | tuple) or not all(isinstance(name, str) for name in names):
        flaw = f"names its videos by a {type(names).__name__}: videos() is to return a list of text"
        raise breach(f"data set {type(dataset).__name__}", dataset, flaw)
    return names


def checked_video(dataset: Dataset, name: str) -> Video:
    """The video of this name, as the data set loads it.

    Raises:
        InputError: there is none.
    """
    video: object = dataset.load(name)
    who = f"data set {type(dataset).__name__}: video '{name}'"
    if not isinstance(video, Video):
        raise breach(who, dataset, f"is a {type(video).__name__}: load is to return a Video")
    _hold(who, dataset, _flaw_of_poses(video.instances, video.skeleton))
    return video


def checked_decoded(decoder: str, frames: Frames, given: object) -> Frames:
    """What a plugin's decoder of this name gave of these frames: as many."""
    who = f"decoder '{decoder}'"
    if not isinstance(given, Frames):
        raise breach(who, given, f"gave a {type(given).__name__}: Frames are expected")
    _hold(who, given, None if len(given) == len(frames) else f"gave {len(given)} frames of {len(frames)}")
    return given


def checked_poses(dataset: Dataset, split: str) -> Iterator[tuple[Skeleton, Instances]]:
    """The instances of a split's videos, each with the skeleton that they are made of.

    Raises:
        InputError: there is no such split.
    """
    for skeleton, instances in dataset.split_poses(split):
        _hold(f"data set {type(dataset).__name__}: split '{split}'", dataset, _flaw_of_poses(instances, skeleton))
        yield skeleton, instances


def _flaw_of_poses(instances: Instances, skeleton: Skeleton) -> str | None:
    flaw = _flaw_of_columns(instances, len(skeleton)) or _flaw_of_instances(instances)
    return f"has {flaw}" if flaw else None


def _flaw_of_columns(instances: Instances, keypoints: int) -> str | None:
    """What is wrong with the form of the instances of a skeleton of K ``keypoints``, in words."""
    count, exactly = len(instances), (torch.float32,)
    columns: dict[str, tuple[Shape, Sequence[torch.dtype]]] = {
        "frame": ((count,), _WHOLE), "track": ((count,), _WHOLE), "boxes": ((count, 4), exactly),
        "previous": ((count,), _WHOLE), "next": ((count,), _WHOLE),
        "keypoints": ((count, keypoints, 2), _FLOATS[:2]), "visible": ((count, keypoints), (torch.bool,)),
        "known": ((count,), (torch.bool,)),
    }  # fmt: skip
    present = {name: getattr(instances, name) for name in columns}
    absent = {name for name in ("keypoints", "visible") if present[name] is None}
    cpu, names = torch.device("cpu"), [name for name in columns if name not in absent]
    flaws = (_flaw_of_tensor(name, present[name], *columns[name], cpu) for name in names)
    return next(filter(None, flaws), None)


def _flaw_of_instances(instances: Instances) -> str | None:
    """What is wrong with what the instances' columns say, in words."""
    count, boxes = len(instances), instances.boxes
    if len(instances.ids) != count:
        return f"{len(instances.ids)} ids for {count} instances"
    neighbours = torch.cat([instances.previous, instances.next])
    if ((neighbours < -1) | (neighbours >= count)).any():
        return "neighbours in time that are no instances of it: make Instances by Instances.of(…)"
    flat = ~(boxes.isfinite().all(1) & (boxes[:, 2:] > 0).all(1))
    if flat.any():
        return f"{int(flat.sum())} boxes without an area: drop such instances, and count them in Video.dropped"
    points, visible = instances.keypoints, instances.visible
    if (points is None) != (visible is None):
        return "keypoints without visible, or the reverse: give both, or neither where no truth is known"
    if bool(instances.known.any() if visible is None else visible[~instances.known].any()):
        return "keypoints and known at odds: what is not known has no visible keypoint, what is known has keypoints"
    if points is not None and visible is not None and not points[visible].isfinite().all():
        return "annotated keypoints that are NaN or infinite: visible is to be False where one is not known"
    return None


def checked_pictures(frames: Frames, numbers: Sequence[int]) -> Iterator[Tensor]:
    """These frames one after the other, (3, H, W) uint8 each.

    Raises:
        InputError: one cannot be read.
    """
    given: object = frames.read_many(numbers)
    who = f"{type(frames).__name__}, the frames of a video,"
    pictures = iter(given if isinstance(given, Iterable) else ())
    for number in numbers:
        picture: object = next(pictures, None)
        _hold(who, frames, _flaw_of_tensor(f"read pixels of frame {number}", picture, (3, "H", "W"), (torch.uint8,)))
        yield picture  # type: ignore[misc]  # it has no flaw
    if next(pictures, None) is not None:
        raise breach(who, frames, f"read more frames than the {len(numbers)} it was asked for")


def checked_maps(estimator: Estimator, given: object, crops: Tensor, keypoints: int, width: int | None) -> Maps:
    """What ``forward`` gave of crops (B, 3, H, W): heatmaps (B, K, h, w), features (B, D) and extra (B, …).

    They are numbers with a point on the crops' device, and the features of the ``width`` D of earlier batches.
    """
    who = f"estimator {type(estimator).__name__}"
    if not isinstance(given, Maps) or not isinstance(given.extra, Mapping):
        flaw = f"gave a {type(given).__name__}: `return Maps(heatmaps, features)` is expected, with a mapping as extra"
        raise breach(who, estimator, flaw)
    parts: list[tuple[str, Tensor, Shape]] = [
        ("heatmaps", given.heatmaps, (len(crops), keypoints, *estimator.heatmap_size)),
        ("features", given.features, (len(crops), "D" if width is None else width)),
        *((name, part, (len(crops), "…")) for name, part in given.extra.items()),
    ]
    for name, part, shape in parts:
        _hold(who, estimator, _flaw_of_tensor(f"gave {name}", part, shape, device=crops.device))
    return given


@contextmanager
def finite_maps(estimator: Estimator) -> Iterator[Callable[[Tensor, Tensor], None]]:
    """Within this block, a pass over a video: gives what notes each batch's heatmaps (B, K, h, w) and features (B, D).

    Whether they are finite is asked once, since each asking waits for the device: at the end of the block, or as soon
    as something in it fails, for which they may be the reason.
    """
    sums: list[Tensor] = []  # one is NaN or infinite as soon as one of its terms is, and looks at each only once

    def note(heatmaps: Tensor, features: Tensor) -> None:
        sums.append(torch.stack([heatmaps.flatten(1).sum(1), features.sum(1)]))

    failure: Exception | None = None
    try:
        yield note
    except Exception as error:
        failure = error
    finite = torch.cat(sums, 1).isfinite() if sums else torch.ones(2, 0)
    if not finite.all():
        name, bad = "features" if finite[0].all() else "heatmaps", int((~finite).any(0).sum())
        why = f"gave {name} that are NaN or infinite for {bad} of {finite.shape[1]} instances: its forward, or "
        raise breach(f"estimator {type(estimator).__name__}", estimator, f"{why}its weights, are at fault") from failure
    if failure:
        raise failure


def checked_scores(name: str, criterion: Criterion, window: Window) -> Tensor:
    """(B,) float32, the scores of a window's instances by the criterion of this name."""
    scores = criterion.score(window)
    flaw = _flaw_of_tensor("gave scores", scores, (len(window),), device=window.index.device)
    _hold(f"criterion '{name}'", criterion, flaw)
    return scores.float()


def checked_condensed(name: str, criterion: Criterion, window: Window, earlier: Tensor | None) -> Tensor:
    """(B, …) what a criterion of the pool keeps of a window's heatmaps: rows like the ``earlier`` (N, …), if any."""
    kept = criterion.condense(window)
    rows, kinds = (("…",), ()) if earlier is None else (tuple(earlier.shape[1:]), (earlier.dtype,))
    flaw = _flaw_of_tensor("condensed heatmaps to rows", kept, (len(window), *rows), kinds, window.index.device)
    _hold(f"criterion '{name}'", criterion, flaw)
    return kept


def check_finite(scores: Mapping[str, Tensor], criteria: Mapping[str, Criterion]) -> None:
    """Refuse scores (N,) that are no numbers; asked once a pass, since each asking waits for the device."""
    for name, column in scores.items():
        if bad := int((~column.isfinite()).sum()):
            flaw = f"gave {bad} of {len(column)} scores that are NaN or infinite"
            raise breach(f"criterion '{name}'", criteria[name], flaw)


def checked_refinement(name: str, refinement: Refinement, given: object, found: tuple[Tensor, Tensor]) -> Refined:
    """The poses (N, K, 2) and spread (N, K) by the refinement of this name, in place of poses and scores ``found``."""
    who = f"refinement '{name}'"
    if not isinstance(given, tuple) or len(given) != 2:
        raise breach(who, refinement, f"gave a {type(given).__name__}: Refined(keypoints, spread) is expected")
    for what, part, like in zip(("keypoints", "spread"), given, found, strict=True):
        _hold(who, refinement, _flaw_of_tensor(f"gave {what}", part, tuple(like.shape), device=like.device))
        _hold(who, refinement, None if part.isfinite().all() else f"gave {what} that are NaN or infinite")
    return Refined(*given)


def checked_picks(name: str, selector: Selector, picks: object, labelled: Tensor, count: int) -> Tensor:
    """The picks (q,) of the selector of this name, on the CPU.

    They are ``count`` different instances, or all that remain, that are not ``labelled`` (N,).
    """
    who = f"selector '{name}'"
    _hold(who, selector, _flaw_of_tensor("must pick by indices, and gave picks", picks, ("q",), _WHOLE))
    settled = labelled.cpu()
    picked: Tensor = picks.cpu()  # type: ignore[attr-defined]  # it has no flaw
    if ((picked < 0) | (picked >= len(settled))).any():
        raise breach(who, selector, f"picked what is no instance of {len(settled)}")
    expected, different = min(count, int((~settled).sum())), len(picked.unique())
    if (len(picked), different, int(settled[picked].sum())) != (expected, expected, 0):
        flaw = f"must pick {expected} different unlabelled instances; it picked {len(picked)}, {different} of them "
        raise breach(who, selector, f"{flaw}different, {int(settled[picked].sum())} labelled")
    return picked


def checked_answerable(name: str, oracle: Oracle, video: Video) -> Tensor | None:
    """(N,) bool on the CPU, which of a video's instances the oracle of this name can answer for; None for any.

    Raises:
        InputError: for none of them.
    """
    mask, count = oracle.can_answer(video), len(video.instances)
    if mask is None:
        return None
    flaw = _flaw_of_tensor("says what it can answer by values", mask, (count,), (torch.bool,))
    _hold(f"oracle '{name}'", oracle, flaw and f"{flaw}, or None")
    if not mask.any():
        none = f"oracle '{name}' can answer for none of the {count} instances of video '{video.name}'"
        raise InputError(f"{none}: their truth is not known; ask somebody who sees them, as by --oracle browser")
    return mask.cpu()


def flaw_of_answer(answer: object, asked: Set[int], keypoints: int) -> str | None:
    """What is wrong with an oracle's answer, in words that follow its name; these were ``asked`` of it."""
    if not isinstance(answer, Labels | Redrawn | Refusal | Enough):
        return f"gave a {type(answer).__name__}, which is no answer"
    if not isinstance(answer.annotator, str):
        return f"gave {answer.annotator!r} as the annotator: a name is expected"
    if isinstance(answer, Labels):
        return _flaw_of_columns_of(answer, keypoints) or _flaw_of_labels(answer, asked)
    if isinstance(answer, Redrawn | Refusal) and not (isinstance(answer.index, Integral) and answer.index in asked):
        return f"spoke of instance {answer.index}, which it was not asked for"
    if isinstance(answer, Redrawn) and not _has_area(answer.box):
        return f"gave instance {answer.index} the box {answer.box}: it must have an area"
    return None


def _flaw_of_columns_of(labels: Labels, keypoints: int) -> str | None:
    if flaw := _flaw_of_tensor("gave labels with an index", labels.index, ("M",), _WHOLE):
        return flaw
    count = len(labels.index)
    shapes: dict[str, Shape] = {
        "keypoints": (count, keypoints, 2), "visible": (count, keypoints), "occluded": (count, keypoints),
        "proposals": (count, keypoints, 2), "seconds": (count,), "moved": (count,),
    }  # fmt: skip
    flaws = (_flaw_of_tensor(f"gave labels with {n}", getattr(labels, n), shape, ()) for n, shape in shapes.items())
    return next(filter(None, flaws), None)


def _flaw_of_labels(labels: Labels, asked: Set[int]) -> str | None:
    strange = [i for i in labels.index.tolist() if i not in asked]
    if strange:
        return f"labelled instance {strange[0]}, which it was not asked for"
    if not labels.keypoints[labels.visible > 0].isfinite().all():
        return "gave annotated keypoints that are NaN or infinite"
    if not (labels.seconds.isfinite() & (labels.seconds >= 0)).all():
        return "spent a time on a label that is negative, NaN or infinite"
    return None


def _has_area(box: Sequence[float]) -> bool:
    try:
        sides = [float(side) for side in box]
    except (TypeError, ValueError):
        return False
    return len(sides) == 4 and min(sides[2:]) > 0 and all(abs(side) < 2**24 for side in sides)


def checked_estimator(name: str, policy: Retraining, given: object, source: dict[str, Tensor]) -> Estimator:
    """What the retraining policy of this name returned: an estimator of the form and place of the ``source`` weights.

    What was finite in those is finite.
    """
    who = f"retraining policy '{name}'"
    if not isinstance(given, Estimator):
        raise breach(who, policy, f"returned a {type(given).__name__}: it is to end with `return estimator`")
    weights = given.state_dict()
    if changed := [key for key in source | weights if _form(source.get(key)) != _form(weights.get(key))]:
        first = f"first: {changed[0]}, {_form(source.get(changed[0]))} before, {_form(weights.get(changed[0]))} now"
        raise breach(who, policy, f"changed or moved layers, where only numbers may change ({len(changed)}, {first})")
    bad = [(source[key].isfinite() & ~tensor.isfinite()).any() for key, tensor in weights.items()]
    lost = [key for key, is_bad in zip(weights, torch.stack(bad).tolist(), strict=True) if is_bad] if bad else []
    if lost:  # the device was waited for once
        flaw = f"left weights that are NaN or infinite ({len(lost)}, first: {lost[0]}): let keypoints count only where "
        raise breach(who, policy, f"{flaw}they are visible, or lower the learning rate")
    return given


def _form(tensor: Tensor | None) -> str:
    return "none" if tensor is None else f"{tensor.dtype} {tuple(tensor.shape)} on {tensor.device}"


def checked_reason(name: str, stopping: Stopping, history: History) -> str | None:
    """Why the stopping criterion of this name would stop, or None."""
    reason = _asked(name, stopping, stopping.decide, history)
    if not isinstance(reason, str | None):
        flaw = f"decided {reason!r}: a line of text that says why, or None, is expected"
        raise breach(f"stopping criterion '{name}'", stopping, flaw)
    return reason


def checked_allowance(name: str, stopping: Stopping, history: History) -> int | None:
    """How many labels the stopping criterion of this name still allows; None for any number."""
    allowed = _asked(name, stopping, stopping.allowance, history)
    if not isinstance(allowed, Integral | None) or isinstance(allowed, bool):
        flaw = f"allows {allowed!r} labels: a whole number, or None for any, is expected"
        raise breach(f"stopping criterion '{name}'", stopping, flaw)
    return None if allowed is None else int(allowed)


def _asked(name: str, stopping: Stopping, question: Callable[[History], T], history: History) -> T:
    try:
        return question(history)
    except VatlError:
        raise
    except Exception as error:  # a stranger's code: whatever it raises, it is to be known whose it was
        origin = culprit(error) or whose(stopping)
        raise PluginError(f"stopping criterion '{name}' failed: {describe(error)}{origin}") from error


def checked_outcomes(
    name: str, executor: Executor, work: Callable[[T], R], runs: Sequence[T]
) -> Generator[Outcome[R], None, None]:
    """What came of each of the runs that the executor of this name was given, as it comes.

    Closing the generator ends what is under way.

    Raises:
        InputError: runs cannot be carried out there at all.
    """
    who, left = f"executor '{name}'", set(range(len(runs)))
    given: object = executor.map(work, runs)
    if not isinstance(given, Iterable):
        raise breach(who, executor, f"gave a {type(given).__name__}: outcomes are expected, so yield them")
    try:
        for outcome in given:
            if flaw := _flaw_of_outcome(outcome, left):
                raise breach(who, executor, f"gave {flaw}")
            left.discard(outcome.index)
            yield outcome
    finally:
        if isinstance(given, Generator):
            given.close()
    if left:
        raise breach(who, executor, f"gave no outcome of {len(left)} of {len(runs)} runs: one for each is expected")


def _flaw_of_outcome(outcome: object, left: Set[int]) -> str | None:
    """What is wrong with an outcome, in words, where those of the runs ``left`` are still to come."""
    if not isinstance(outcome, Outcome):
        return f"a {type(outcome).__name__}: Outcomes are expected, so yield Outcome(index, result)"
    if outcome.index not in left:
        return f"an outcome of run {outcome.index!r}, which is none or has one already: one for each is expected"
    if not isinstance(outcome.error, Exception | None) or (outcome.error is None and outcome.result is None):
        return "an outcome with neither a result nor an error: Outcome(index, result) or Outcome(index, error=…)"
    return None

"""Putting a query to the oracle: each answer is checked, committed and heeded before the next is drawn."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence, Set
from numbers import Integral
from typing import TYPE_CHECKING

import attrs
import torch
from torch import Tensor

from vatl_core.contracts import Answer, Enough, Labels, Redrawn, Refusal, Request
from vatl_core.errors import PluginError, VatlError
from vatl_core.metrics import evaluate, measured_oks
from vatl_core.plugins import whose
from vatl_core.records import ANNOTATOR, CycleRecord, Evaluation

if TYPE_CHECKING:
    from vatl_core.cycle.cycle import Run


def ask(run: Run, query: list[int]) -> list[int]:
    """Have a cycle's query answered as far as it is not yet.

    Args:
        run: whose oracle is asked.
        query: the instances, in the order of asking.

    Returns:
        Those that are labelled now, in the same order; the others were refused, or it was said to be enough.

    Raises:
        PluginError: the oracle answers what it was not asked, or leaves instances unanswered.
    """
    answers = run.folder.answers
    request = request_of(run, query)
    if len(request) and answers.ended(run.cycle) is None:
        given: object = run.oracle.annotate(request)
        if not isinstance(given, Iterable):
            raise _breach(run, f"gave a {type(given).__name__}: answers are expected, so yield one after the other")
        take(run, request, query, given, lambda flaw: _breach(run, flaw))
    left = _unsettled(run, query)
    if left and answers.ended(run.cycle) is None:
        raise PluginError(
            f"oracle '{run.config.oracle}' left {len(left)} of {len(query)} instances unanswered "
            f"(first: {run.video.instances.ids[left[0]]}){whose(run.oracle)}"
        )
    refused = answers.refused()
    return [i for i in query if i not in refused and i not in left]


def _breach(run: Run, flaw: str) -> VatlError:
    return PluginError(f"oracle '{run.config.oracle}' {flaw}{whose(run.oracle)}")


def take(
    run: Run, request: Request, query: Sequence[int], given: Iterable[Answer], breach: Callable[[str], VatlError]
) -> None:
    """Check and commit the answers to a request, one after the other as they come.

    Args:
        run: whose query it is.
        request: what was asked.
        query: all of the cycle's.
        given: the answers.
        breach: the error for an answer that breaks the contract, from what is wrong with it.
    """
    for answer in given:
        if flaw := _flaw(run, request, answer):
            raise breach(flaw)
        run.folder.answers.save(run.cycle, answer)
        if isinstance(answer, Redrawn):
            request.video.instances.boxes[answer.index] = torch.tensor(answer.box)
        run.progress("label", len(query) - len(_unsettled(run, query)), len(query))


def redraw(run: Run) -> None:
    """Give the instances whose box was redrawn in this cycle their new one; the next pass estimates them there.

    Raises:
        InputError: a frame cannot be read.
    """
    answers = run.folder.answers
    earlier = answers.boxes(before=run.cycle)
    for index, box in answers.boxes().items():
        if earlier.get(index) != box:
            run.video.instances.boxes[index] = torch.tensor(box)  # shared with the video without truth
            run.crops.redraw(index)
            run.pictures.redraw(index)


def answered(run: Run, record: CycleRecord, labelled: list[int]) -> CycleRecord:
    """A cycle's record with what the oracle answered.

    Args:
        run: whose oracle was asked.
        record: of the cycle, as it began.
        labelled: those of its query that got a label.
    """
    answers, standing = run.folder.answers, run.standing()
    there, ended = standing.there(run.compute.device), answers.ended(run.cycle)
    all_there = standing.instances == record.instances
    similarity = _similarity(run, run.labels([*standing.asked, *labelled]))
    return attrs.evolve(
        record,
        instances=standing.instances,
        labelled=len(standing.asked),
        query=tuple(labelled),
        corrected=tuple(i for i in answers.given_in(run.cycle) if i in standing.asked),
        query_oks=tuple(similarity[len(standing.asked) :]),
        labelled_oks=tuple(similarity),
        mean_scores=run.mean_scores(there),
        evaluation=record.evaluation if all_there else _evaluated(run, there),
        annotation_seconds=answers.seconds(run.cycle),
        fired={} if ended is None else {ANNOTATOR: f"{ended or 'an annotator'} said that it is enough"},
        stopped_by=None if ended is None else ANNOTATOR,
    )


def _evaluated(run: Run, there: Tensor) -> Evaluation | None:
    """What the truth says of the pass, without the instances that turned out to be none."""
    return evaluate(run.video, run.present, run.beginning()[1], run.config.threshold, there)


def _similarity(run: Run, labels: Labels) -> list[float | None]:
    """M OKS of the present estimates against the labels; None where nothing of one is visible."""
    index, device = labels.index, run.compute.device
    boxes = run.video.instances.boxes[index].to(device)
    estimated = run.present.keypoints[index.to(device)]
    points, visible = labels.keypoints.to(device), labels.visible.to(device)
    found = measured_oks(estimated, points, visible, boxes, run.video.skeleton.sigmas)
    return [None if math.isnan(value) else value for value in found.tolist()]


def request_of(run: Run, query: Sequence[int]) -> Request:
    """What is asked of an oracle: the instances of the query that have no answer yet."""
    missing = torch.tensor(_unsettled(run, query), dtype=torch.int64)
    estimates, instances = run.present, run.video.instances
    redrawn = instances.with_boxes(run.folder.answers.boxes())  # of its own: the pass has been made in the old ones
    return Request(
        video=attrs.evolve(run.video, instances=redrawn),
        cycle=run.cycle,
        query=torch.tensor(query, dtype=torch.int64),
        indices=missing,
        proposals=estimates.keypoints[missing.to(estimates.keypoints.device)].cpu(),
        scores=estimates.scores[missing.to(estimates.scores.device)].cpu(),
        labels=run.labels([*run.asked, *query]),
        folder=run.folder.cycle_folder(run.cycle),
    )


def _unsettled(run: Run, query: Sequence[int]) -> list[int]:
    """Those that are neither labelled nor refused."""
    answers = run.folder.answers
    done = answers.labelled() | answers.refused().keys()
    return [i for i in query if i not in done]


def _flaw(run: Run, request: Request, answer: Answer) -> str | None:
    """What is wrong with an answer, in words."""
    known = {*request.query.tolist(), *(i for record in run.records for i in record.query)}
    if not isinstance(answer, Labels | Redrawn | Refusal | Enough):
        return f"gave a {type(answer).__name__}, which is no answer"
    if not isinstance(answer.annotator, str):
        return f"gave {answer.annotator!r} as the annotator: a name is expected"
    if isinstance(answer, Labels):
        return _flaw_of_labels(answer, known, len(run.video.skeleton))
    if isinstance(answer, Redrawn | Refusal) and not (isinstance(answer.index, Integral) and answer.index in known):
        return f"spoke of instance {answer.index}, which it was not asked for"
    if isinstance(answer, Redrawn) and not _has_area(answer.box):
        return f"gave instance {answer.index} the box {answer.box}: it must have an area"
    return None


def _flaw_of_labels(labels: Labels, known: Set[int], keypoints: int) -> str | None:
    """As :func:`_flaw`, for labels of K ``keypoints``."""
    if flaw := _flaw_of_form(labels, keypoints):
        return flaw
    strange = [i for i in labels.index.tolist() if i not in known]
    if strange:
        return f"labelled instance {strange[0]}, which it was not asked for"
    if not labels.keypoints[labels.visible > 0].isfinite().all():
        return "gave annotated keypoints that are NaN or infinite"
    if not (labels.seconds.isfinite() & (labels.seconds >= 0)).all():
        return "spent a time on a label that is negative, NaN or infinite"
    return None


def _flaw_of_form(labels: Labels, keypoints: int) -> str | None:
    """As :func:`_flaw_of_labels`, of what kind and shape the columns are."""
    index: object = labels.index
    if not isinstance(index, Tensor) or index.ndim != 1 or index.dtype != torch.int64 or index.is_meta:
        form = f"a {index.dtype} {tuple(index.shape)}" if isinstance(index, Tensor) else f"a {type(index).__name__}"
        return f"gave {form} as the index of its labels: one row of int64 is expected, the instances' numbers"
    count = len(index)
    expected = {
        "keypoints": (count, keypoints, 2), "visible": (count, keypoints), "occluded": (count, keypoints),
        "proposals": (count, keypoints, 2), "seconds": (count,), "moved": (count,),
    }  # fmt: skip
    for name, shape in expected.items():
        column: object = getattr(labels, name)
        if not isinstance(column, Tensor) or column.is_meta:
            return f"gave {name} of its labels as a {type(column).__name__} without numbers: a tensor is expected"
        if (found := tuple(column.shape)) != shape:
            return f"gave {name} of shape {found} for {count} instances of {keypoints} keypoints: {shape} is expected"
    return None


def _has_area(box: Sequence[float]) -> bool:
    try:
        sides = [float(side) for side in box]
    except (TypeError, ValueError):
        return False
    return len(sides) == 4 and min(sides[2:]) > 0 and all(abs(side) < 2**24 for side in sides)

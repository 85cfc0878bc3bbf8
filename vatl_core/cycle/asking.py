"""Putting a query to the oracle: each answer is checked, committed and heeded before the next is drawn."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

import attrs
import torch
from torch import Tensor

from vatl_core.contracts import Answer, Enough, Labels, Oracle, Redrawn, Refusal, Request
from vatl_core.cycle.querying import chosen
from vatl_core.cycle.state import RunState
from vatl_core.errors import InputError, VatlError
from vatl_core.metrics import evaluate, measured_oks
from vatl_core.promises import breach, flaw_of_answer
from vatl_core.records import ANNOTATOR, CycleRecord


def asked(run: RunState, record: CycleRecord) -> CycleRecord:
    """The record of a cycle whose query is answered; where nobody could label any of it, the cycle asks for others.

    Raises:
        InputError: a frame cannot be read.
        PluginError: the oracle, the selector or a stopping criterion breaks its contract.
    """
    labelled: list[int] = []
    while query := chosen(run, record):
        if query != run.folder.given:
            run.hook.vatl_queried(run=run, cycle=run.cycle, indices=query)
        started = time.perf_counter()
        labelled = ask(run, query)
        record.seconds["label"] = record.seconds.get("label", 0.0) + time.perf_counter() - started
        run.hook.vatl_labelled(run=run, cycle=run.cycle, indices=labelled)
        if labelled or run.folder.answers.ended(run.cycle) is not None:
            break
        run.folder.forget_query(run.cycle)
    record = answered(run, record, labelled)
    redraw(run)
    return record


def redraw(run: RunState) -> None:
    """Give the instances whose box was redrawn in this cycle their new one; what was measured of it was in the old."""
    answers = run.folder.answers
    earlier = answers.boxes(before=run.cycle)
    for index, box in answers.boxes().items():
        if earlier.get(index) != box:
            run.video.instances.boxes[index] = torch.tensor(box)  # shared with the video without truth
            run.crops.redraw(index)
            run.pictures.redraw(index)


def ask(run: RunState, query: list[int]) -> list[int]:
    """Have a cycle's query answered as far as it is not yet; those that are labelled now, in the same order.

    The others were refused, or it was said to be enough.
    """
    answers, request = run.folder.answers, request_of(run, query)
    broken = partial(breach, f"oracle '{run.config.oracle}'", run.oracle)
    if len(request) and answers.ended(run.cycle) is None:
        given: object = run.oracle.annotate(request)
        if not isinstance(given, Iterable):
            raise broken(f"gave a {type(given).__name__}: answers are expected, so yield one after the other")
        take(run, request, given, broken)
    left = _unsettled(run, query)
    if left and answers.ended(run.cycle) is None:
        first = run.video.instances.ids[left[0]]
        raise broken(f"left {len(left)} of {len(query)} instances unanswered (first: {first})")
    refused = answers.refused()
    return [i for i in query if i not in refused and i not in left]


def take(run: RunState, request: Request, given: Iterable[Answer], broken: Callable[[str], VatlError]) -> None:
    """Check and commit the answers to a request as they come; ``broken`` makes an error of what is wrong with one."""
    query = request.query.tolist()
    asked = {*query, *(i for record in run.records for i in record.query)}
    for answer in given:
        if flaw := flaw_of_answer(answer, asked, len(run.video.skeleton)):
            raise broken(flaw)
        run.folder.answers.save(run.cycle, answer)
        if isinstance(answer, Redrawn):
            request.video.instances.boxes[answer.index] = torch.tensor(answer.box)
        run.progress("label", len(query) - len(_unsettled(run, query)), len(query))


def answered(run: RunState, record: CycleRecord, labelled: list[int]) -> CycleRecord:
    """A cycle's record with what the oracle answered: of its query these got a label."""
    answers, standing = run.folder.answers, run.standing()
    there, ended = standing.there(run.compute.device), answers.ended(run.cycle)
    similarity = _similarity(run, run.labels([*standing.asked, *labelled]))
    evaluation = record.evaluation
    if standing.instances != record.instances:  # measured anew without those that turned out to be none
        evaluation = evaluate(run.video, run.present, run.beginning()[1], run.config.threshold, there, run.hook)
    return attrs.evolve(
        record, instances=standing.instances, labelled=len(standing.asked), query=tuple(labelled),
        corrected=tuple(i for i in answers.given_in(run.cycle) if i in standing.asked),
        query_oks=tuple(similarity[len(standing.asked) :]), labelled_oks=tuple(similarity),
        mean_scores=run.mean_scores(there), evaluation=evaluation, annotation_seconds=answers.seconds(run.cycle),
        fired={} if ended is None else {ANNOTATOR: f"{ended or 'an annotator'} said that it is enough"},
        stopped_by=None if ended is None else ANNOTATOR,
    )  # fmt: skip


def _similarity(run: RunState, labels: Labels) -> list[float | None]:
    """M OKS of the present estimates against the labels; None where nothing of one is visible."""
    device = run.compute.device
    truth = (labels.keypoints, labels.visible, run.video.instances.boxes[labels.index])
    points, visible, boxes = (column.to(device) for column in truth)
    estimated = run.present.keypoints[labels.index.to(device)]
    found = measured_oks(estimated, points, visible, boxes, run.video.skeleton.sigmas)
    return [None if math.isnan(value) else value for value in found.tolist()]


def request_of(run: RunState, query: Sequence[int]) -> Request:
    """What is asked of an oracle: the instances of the query that have no answer yet."""
    missing = torch.tensor(_unsettled(run, query), dtype=torch.int64)
    estimates, instances = run.present, run.video.instances
    redrawn = instances.with_boxes(run.folder.answers.boxes())  # of its own: the pass has been made in the old ones
    return Request(
        video=attrs.evolve(run.video, instances=redrawn), cycle=run.cycle, folder=run.folder.cycle_folder(run.cycle),
        query=torch.tensor(query, dtype=torch.int64), indices=missing,
        proposals=estimates.keypoints[missing.to(estimates.keypoints.device)].cpu(),
        scores=estimates.scores[missing.to(estimates.scores.device)].cpu(),
        labels=run.labels([*run.asked, *query]),
    )  # fmt: skip


def _unsettled(run: RunState, query: Sequence[int]) -> list[int]:
    """Those that are neither labelled nor refused."""
    answers = run.folder.answers
    done = answers.labelled() | answers.refused().keys()
    return [i for i in query if i not in done]


@attrs.frozen
class Asked(Oracle):
    """A function as an oracle.

    Attributes:
        function: is given the request; returns answers, one answer, or keypoints (m, K, 2) of the instances asked for,
            NaN where one is not annotated.
    """

    function: Callable[[Request], Any]

    def annotate(self, request: Request) -> Iterable[Answer]:
        """What the function returns."""
        name = getattr(self.function, "__name__", type(self.function).__name__)
        return answers_from(self.function(request), request.indices, name)


def answers_from(given: Any, index: Tensor, annotator: str) -> Iterable[Answer]:
    """Answers, one answer, or the annotator's keypoints (M, K, 2) of the instances ``index`` (M,), as answers.

    Raises:
        InputError: it is nothing of the kind.
    """
    if isinstance(given, Labels | Redrawn | Refusal | Enough):
        return [given]
    if hasattr(given, "__array__"):
        keypoints = torch.as_tensor(given).detach().cpu().float()
        if keypoints.ndim != 3 or len(keypoints) != len(index):
            raise InputError(f"{len(index)} instances were asked for: keypoints {tuple(keypoints.shape)} do not fit")
        return [Labels(index, keypoints, keypoints.isfinite().all(2), annotator, torch.zeros(len(index)))]
    if not isinstance(given, Iterable):
        raise InputError(f"'{annotator}' gave a {type(given).__name__}: answers or keypoints are expected")
    return given

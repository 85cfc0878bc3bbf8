"""Putting a query to the oracle: each answer is checked, committed and heeded before the next is drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from vatl_core.contracts import Answer, Labels, Redrawn, Refusal, Request
from vatl_core.errors import PluginError

if TYPE_CHECKING:
    from vatl_core.cycle import Run


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
    request = _request(run, query)
    if len(request) and answers.ended(run.cycle) is None:
        for answer in run.oracle.annotate(request):
            _check(run, request, answer)
            answers.save(run.cycle, answer)
            if isinstance(answer, Redrawn):
                run.redraw(answer.index, answer.box)
            settled = len(query) - len(_unsettled(run, query))
            run.progress("label", settled, len(query))
    left = _unsettled(run, query)
    if left and answers.ended(run.cycle) is None:
        raise PluginError(
            f"oracle '{run.config.oracle}' left {len(left)} of {len(query)} instances unanswered "
            f"(first: {run.video.instances.ids[left[0]]})"
        )
    refused = answers.refused()
    return [i for i in query if i not in refused and i not in left]


def _request(run: Run, query: list[int]) -> Request:
    missing = torch.tensor(_unsettled(run, query), dtype=torch.int64)
    estimates = run.present
    return Request(
        video=run.video,
        cycle=run.cycle,
        query=torch.tensor(query, dtype=torch.int64),
        indices=missing,
        proposals=estimates.keypoints[missing.to(estimates.keypoints.device)].cpu(),
        scores=estimates.scores[missing.to(estimates.scores.device)].cpu(),
        labels=run.labels([*run.asked, *query]),
        folder=run.folder.cycle_folder(run.cycle),
    )


def _unsettled(run: Run, query: list[int]) -> list[int]:
    """Those that are neither labelled nor refused."""
    done = set(run.labels(query).index.tolist()) | run.folder.answers.refused().keys()
    return [i for i in query if i not in done]


def _check(run: Run, request: Request, answer: Answer) -> None:
    """Hold an answer to the contract.

    Raises:
        PluginError: it speaks of an instance that was not asked for, or its columns do not fit.
    """
    flaw = _flaw(run, request, answer)
    if flaw:
        raise PluginError(f"oracle '{run.config.oracle}' {flaw}")


def _flaw(run: Run, request: Request, answer: Answer) -> str | None:
    known = {*request.query.tolist(), *run.asked}
    if isinstance(answer, Labels):
        strange = [i for i in answer.index.tolist() if i not in known]
        if strange:
            return f"labelled instance {strange[0]}, which it was not asked for"
        count, keypoints = len(answer.index), len(run.video.skeleton)
        if answer.keypoints.shape != (count, keypoints, 2) or answer.visible.shape != (count, keypoints):
            return (
                f"gave keypoints of shape {tuple(answer.keypoints.shape)} for {count} instances of {keypoints} "
                f"keypoints: ({count}, {keypoints}, 2) is expected, and ({count}, {keypoints}) of visible"
            )
        if not answer.keypoints[answer.visible].isfinite().all():
            return "gave annotated keypoints that are NaN or infinite"
    if isinstance(answer, Redrawn | Refusal) and answer.index not in known:
        return f"spoke of instance {answer.index}, which it was not asked for"
    if isinstance(answer, Redrawn) and not (min(answer.box[2:]) > 0 and all(abs(v) < 2**24 for v in answer.box)):
        return f"gave instance {answer.index} the box {answer.box}: it must have an area"
    return None

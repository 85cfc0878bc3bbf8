"""Estimate: pose and scores of every instance, from one pass, and what the truth says of them."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable

import attrs
import torch
from torch import Tensor

from vatl_core.compute import Stopwatch
from vatl_core.contracts import Labels, Poses
from vatl_core.cycle.state import RunState
from vatl_core.errors import InputError
from vatl_core.estimation import Estimates, estimate, refined, score_pool
from vatl_core.metrics import evaluate
from vatl_core.promises import check_finite
from vatl_core.records import CycleRecord
from vatl_core.seeds import generator, seed_of


def estimated(run: RunState) -> CycleRecord:
    """The record with which a cycle begins; ``run.estimates`` are those of its pass.

    Raises:
        InputError: a frame cannot be read.
        PluginError: a component breaks its contract.
    """
    started = time.perf_counter()
    run.hook.vatl_cycle_started(run=run, cycle=run.cycle)
    kept = _kept(run)
    run.estimates = kept or one_pass(run)
    if not kept:
        run.folder.save_estimates(run.cycle, run.estimates)
    scoring, seconds = run.present.scoring.seconds, time.perf_counter() - started
    run.hook.vatl_estimated(run=run, cycle=run.cycle)
    standing, labels = run.beginning()
    there = standing.there(run.compute.device)
    return CycleRecord(
        cycle=run.cycle,
        instances=standing.instances,
        labelled=len(standing.asked),
        mean_scores=run.mean_scores(there),
        further_passes=run.present.passes,
        seconds={"estimate": seconds - scoring, "score": scoring},
        evaluation=evaluate(run.video, run.present, labels, run.config.threshold, there, run.hook),
    )


def _kept(run: RunState) -> Estimates | None:
    """What was found before an interruption, where the query or the end has been decided by it."""
    known = run.folder.query(run.cycle) is not None or run.stopped_by is not None
    kept = run.folder.estimates(run.cycle, run.compute.device) if known else None
    if kept and kept.keypoints.shape[:2] != (len(run.video.instances), len(run.video.skeleton)):
        raise InputError(f"{run.folder.cycle_folder(run.cycle)}: estimates.npz is another video's: delete it")
    return kept


def one_pass(run: RunState) -> Estimates:
    """Pose, features and scores of every instance with the run's present weights; the labels are those it began with.

    Before it, criteria learn from the labels; after it some score the whole pool, and poses are refined.
    """
    of_pool = [name for name, criterion in run.criteria.items() if "pool" in criterion.needs]
    (standing, labels), device, scoring = run.beginning(), run.compute.device, Stopwatch()
    with scoring.on(device):
        _fit(run, labels, (name for name in run.criteria if name not in of_pool))
    estimates = estimate(
        run.estimator, run.crops, run.criteria, run.compute, run.config.batch, run.progress, scoring,
        candidates=run.refinement.candidates, seed=seed_of(run.config.seed, run.cycle),
    )  # fmt: skip
    small = f"not more than {estimates.fitting} instances at a time fit into the device's memory: set --batch"
    run.warnings += [small] if estimates.fitting and small not in run.warnings else []
    with scoring.on(device):
        _fit(run, labels, of_pool, estimates)
    score_pool(run.criteria, estimates, run.crops, standing.labelled(device))
    check_finite(estimates.criteria, run.criteria)
    poses, spread = refined(run.config.refine, run.refinement, run.crops, estimates, labels)
    own = standing.labelled(device)[:, None, None]  # a refinement may pin labels, and figures are not of these
    poses = torch.where(own, estimates.keypoints, poses)
    kept = {n: rows.float().reshape(len(rows), -1) for n, rows in estimates.condensed.items() if run.criteria[n].keeps}
    return attrs.evolve(estimates, keypoints=poses, spread=spread, candidates=None, kept=kept)


def _fit(run: RunState, labels: Labels, names: Iterable[str], found: Estimates | None = None) -> None:
    """Show these criteria what is labelled; those that score after the pass see what is ``found`` in it, too."""
    device = run.compute.device
    index, boxes = labels.index.to(device), run.video.instances.boxes[labels.index].to(device)
    asked = {i: (r.cycle, oks) for r in run.records for i, oks in zip(r.query, r.query_oks, strict=True)}
    then = [(n, math.nan if oks is None else oks) for n, oks in (asked[i] for i in labels.index.tolist())]
    cycle, known = torch.tensor(then, dtype=torch.float32, device=device).view(-1, 2).unbind(1)
    seen = None if found is None else found.features[index]
    poses = Poses(labels.keypoints.to(device), labels.visible.to(device), boxes, seen, cycle.long(), known)
    for name in names:
        now = found.condensed[name] if found and name in found.condensed else None
        kept = _kept_when_asked(run, name, now)[index] if now is not None and run.criteria[name].keeps else None
        shown = attrs.evolve(poses, kept=kept, condensed=None if now is None else now[index])
        run.criteria[name].fit(shown, generator(run.config.seed, run.cycle, "fit", name))


def _kept_when_asked(run: RunState, name: str, like: Tensor) -> Tensor:
    """(N, …) ``like`` what the criterion condenses now, what it did in the cycle that asked for each; else NaN."""
    rows = torch.full_like(like, torch.nan)
    for record in run.records:
        then, query = run.folder.estimates(record.cycle, like.device), list(record.query)
        if then and name in then.kept:
            rows[query] = then.kept[name][query].view_as(rows[query])
    return rows

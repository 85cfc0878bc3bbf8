"""The one pass of a cycle; before it, criteria learn from the labels, and after it some score the whole pool."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from torch import Tensor

from vatl_core.compute import Stopwatch
from vatl_core.contracts import Poses
from vatl_core.cycle.advice import drop_what_is_no_number, give_up
from vatl_core.estimation import Estimates, check_finite, estimate, score_pool
from vatl_core.seeds import generator

if TYPE_CHECKING:
    from vatl_core.cycle.cycle import Run


def one_pass(run: Run) -> Estimates:
    """Pose, features and scores of every instance with the run's present weights; the labels are those it began with.

    Raises:
        PluginError: a criterion breaks its contract.
    """
    try:
        return _whole(run)
    except Exception as error:
        if not give_up(run, error):
            raise
        return _whole(run)


def _whole(run: Run) -> Estimates:
    of_pool = [name for name, criterion in run.criteria.items() if "pool" in criterion.needs]
    scoring = Stopwatch()
    with scoring.on(run.compute.device):
        _fit(run, (name for name in run.criteria if name not in of_pool))
    estimates = estimate(run.estimator, run.crops, run.criteria, run.compute, run.config.batch, run.progress, scoring)
    with scoring.on(run.compute.device):
        _fit(run, of_pool, estimates.features)
    labelled = run.beginning()[0].labelled(run.compute.device)
    score_pool(run.criteria, estimates, run.crops, labelled)
    check_finite({name: s for name, s in estimates.criteria.items() if name not in run.spare}, run.criteria)
    drop_what_is_no_number(run, estimates)
    return estimates


def _fit(run: Run, names: Iterable[str], features: Tensor | None = None) -> None:
    """Show these criteria what is labelled; those that score after the pass see its features (N, D) too."""
    (_, labels), device = run.beginning(), run.compute.device
    index = labels.index.to(device)
    poses = Poses(
        labels.keypoints.to(device),
        labels.visible.to(device),
        run.video.instances.boxes[labels.index].to(device),
        None if features is None else features[index],
    )
    for name in names:
        run.criteria[name].fit(poses, generator(run.config.seed, run.cycle, "fit", name))

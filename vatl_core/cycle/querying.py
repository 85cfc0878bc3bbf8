"""What a cycle asks for: how many labels the schedule and the stopping criteria allow, and which the selector picks."""

from __future__ import annotations

import time
from collections.abc import Mapping

import torch
from torch import Tensor

from vatl_core.contracts import Pool
from vatl_core.cycle.combining import query_score
from vatl_core.cycle.estimating import one_pass
from vatl_core.cycle.state import RunState
from vatl_core.errors import InputError
from vatl_core.estimation import tracks_of
from vatl_core.promises import checked_allowance, checked_picks
from vatl_core.records import CycleRecord
from vatl_core.seeds import generator


def chosen(run: RunState, record: CycleRecord) -> list[int]:
    """The instances that the cycle of this record asks for, decided once and kept before anybody is asked.

    Raises:
        PluginError: the selector or a stopping criterion breaks its contract.
    """
    kept, last = run.folder.query(run.cycle), len(run.video.instances) - 1
    if kept and not (0 <= min(kept) <= max(kept) <= last and len({*kept}) == len(kept)):
        raise InputError(f"{run.folder.cycle_folder(run.cycle)}: query.json asks twice, or beyond {last}: delete it")
    if kept is not None or not (count := how_many(run, record)):
        return kept or []
    started = time.perf_counter()
    query: list[int] = _select(run, record, count).tolist()
    record.seconds["select"] = time.perf_counter() - started
    run.folder.save_query(run.cycle, query)
    return query


def how_many(run: RunState, record: CycleRecord) -> int:
    """The number of labels to ask for in the cycle of this record; 0 ends the run."""
    if run.stopped_by is not None or not (scheduled := left_to_ask(run, record)):
        return 0
    history = run.history(record)
    allowances = [a for name, s in run.stopping.items() if (a := checked_allowance(name, s, history)) is not None]
    return max(0, min([scheduled, *allowances]))


def left_to_ask(run: RunState, record: CycleRecord) -> int:
    """The number of labels that the schedule asks for after this record's query, as far as any are left to ask for."""
    askable = run.standing().askable(torch.device("cpu"))
    askable[list(record.query)] = False
    asked, schedule = record.labelled_after - len(run.folder.given), run.config.schedule
    ahead = [amount for amount in amounts(schedule, record.instances, run.config.rounding) if amount > asked]
    return min(ahead[0] - asked, int(askable.sum())) if ahead else 0


def amounts(schedule: tuple[str, ...], instances: int, rounding: str = "nearest") -> list[int]:
    """A schedule as cumulative numbers of labels to ask for, rising, each at most ``instances``."""
    if schedule == ("one-by-one",):
        return list(range(1, instances + 1))
    whole = int if rounding == "down" else round
    counts = [max(1, whole(float(entry) * instances)) if "." in entry else int(entry) for entry in schedule]
    return sorted({min(count, instances) for count in counts})


def scores_of(run: RunState, columns: Mapping[str, Tensor], among: Tensor, fraction: float) -> Tensor:
    """(N,) what a query ranks by, from ``{criterion: (N,)}``: 0 to 1 ``among`` those that it may ask for."""
    share_of = {name: run.criteria[name].share for name in run.config.criteria if name in run.criteria}
    return query_score(columns, share_of, among, fraction, run.config.query_weights)


def _select(run: RunState, record: CycleRecord, count: int) -> Tensor:
    """(count,) the selector's picks, on the CPU."""
    if not run.present.features.numel():  # those on disk have none, and a query that nobody could label was theirs
        run.estimates = one_pass(run)
    pool = _pool(run, record.fraction)
    picks = run.selector.select(pool, count, generator(run.config.seed, run.cycle, "select"))
    return checked_picks(run.config.select, run.selector, picks, ~pool.askable, count)


def _pool(run: RunState, fraction: float) -> Pool:
    """What the selector chooses from."""
    estimates, tracks = run.present, tracks_of(run.crops, run.present)
    standing, device = run.standing(), run.compute.device
    shared = ("keypoints", "boxes", "frame", "track", "time", "previous", "next")
    return Pool(
        scores=scores_of(run, estimates.criteria, standing.askable(device), fraction), features=estimates.features,
        query_oks=run.records[-1].query_mean_oks if run.records else None, labelled=standing.settled(device),
        answerable=None if standing.answerable is None else standing.answerable.to(device),
        watched={name: estimates.criteria[name] for name in run.selector.watches},
        embeddings={n: estimates.condensed[n] for n in run.selector.watches if n in estimates.condensed},
        keypoint_scores=tracks.scores, **{name: getattr(tracks, name) for name in shared},
    )  # fmt: skip

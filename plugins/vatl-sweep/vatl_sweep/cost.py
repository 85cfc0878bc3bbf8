"""How long a sweep takes, and how much disk: by what runs of it that have ended took."""

from __future__ import annotations

import heapq
import json
from collections.abc import Iterable, Mapping, Sequence

import attrs

from vatl_core.cycle import amounts
from vatl_core.errors import InputError
from vatl_core.plugins import Registry, build
from vatl_core.promises import checked_video
from vatl_sweep.folder import SweepFolder
from vatl_sweep.plan import SweepRun


@attrs.frozen
class Size:
    """How much a run has to do.

    Attributes:
        instances: N, of its video.
        passes: estimation passes, the closing one included; as many as its schedule has where nothing stops it before.
    """

    instances: int
    passes: int

    @property
    def work(self) -> int:
        """Instances times passes: what a run's time and most of its disk grow by."""
        return self.instances * self.passes


@attrs.frozen
class Rates:
    """What runs take, with as many of them side by side as those that it was measured on.

    A run's time is proportional to instances × passes: estimating and scoring are, and so is retraining by the
    published recipes, which learn from a share of the instances. Weights are kept once a pass, whatever the video.

    Attributes:
        seconds: for an instance in a pass: estimating, scoring, measuring and its share of retraining.
        bytes: for an instance in a pass: poses, scores, records, report.
        weights: bytes for a pass: the estimator as it was then.
        runs: how many it was measured on.
    """

    seconds: float
    bytes: float
    weights: float
    runs: int


@attrs.frozen
class Cost:
    """What a sweep costs.

    Attributes:
        workers: runs side by side.
        seconds: until the last run ends.
        bytes: on disk.
    """

    workers: int
    seconds: float
    bytes: float


def sizes(registry: Registry, runs: Iterable[SweepRun]) -> dict[str, Size]:
    """The size of each run, by name; each video is read once, without its pictures.

    Raises:
        InputError: there is no such video.
    """
    counts: dict[str, int] = {}
    found = {}
    for run in runs:
        made = run.config
        key = json.dumps([made.dataset, made.video, made.of("dataset", made.dataset)], default=str)
        if key not in counts:
            dataset = build(registry, "dataset", made.dataset, made.of("dataset", made.dataset))
            counts[key] = len(checked_video(dataset, made.video).instances)
        found[run.name] = Size(counts[key], len(amounts(made.schedule, counts[key], made.rounding)) + 1)
    return found


def measured(folder: SweepFolder, runs: Sequence[SweepRun]) -> dict[str, Rates]:
    """The rates of each variant that has runs which have ended; those of all together under the empty name.

    Raises:
        InputError: none has.
    """
    ended = [(run, record) for run in runs if (record := folder.record(run)) and record.instances]
    if not ended:
        none = f"no run in {folder.path} has ended yet, so nothing is measured"
        raise InputError(f"{none}: carry the sweep out until one has, interrupt it (Ctrl-C), and ask again")
    variants: dict[str, list[tuple[SweepRun, Size, float]]] = {}
    for run, record in ended:
        row = run, Size(record.instances, record.cycles + 1), record.seconds
        for name in ("", run.variant):
            variants.setdefault(name, []).append(row)
    return {name: _rates(rows) for name, rows in variants.items()}


def _rates(rows: Sequence[tuple[SweepRun, Size, float]]) -> Rates:
    work, passes = sum(size.work for _, size, _ in rows), sum(size.passes for _, size, _ in rows)
    weights, others = 0, 0
    for run, _, _ in rows:
        for file in run.path.rglob("*"):
            if file.is_file() and file.suffix == ".safetensors":
                weights += file.stat().st_size
            elif file.is_file():
                others += file.stat().st_size
    return Rates(sum(seconds for *_, seconds in rows) / work, others / work, weights / passes, len(rows))


def cost(runs: Sequence[SweepRun], sizes: Mapping[str, Size], rates: Mapping[str, Rates], workers: int) -> Cost:
    """What the runs cost from their beginning, begun in this order by so many ``workers``, each when one is free.

    Args:
        runs: of the sweep.
        sizes: of each, by name.
        rates: of each variant; where one has none, those of all under the empty name.
        workers: runs side by side.
    """
    free, total = [0.0] * workers, 0.0
    for run in runs:
        size, rate = sizes[run.name], rates.get(run.variant, rates[""])
        heapq.heapreplace(free, free[0] + rate.seconds * size.work)
        total += rate.bytes * size.work + rate.weights * size.passes
    return Cost(workers, max(free), total)


def told(costs: Iterable[Cost], runs: int, rates: Mapping[str, Rates]) -> str:
    """A table for people."""
    of = rates[""].runs
    lines = [f"{runs} runs, by the rates of {of} that {'has' if of == 1 else 'have'} ended; none stopping early:"]
    lines += [f"  {each.workers:>3} at a time: {_duration(each.seconds):>9}  {_size(each.bytes)}" for each in costs]
    return "\n".join(lines)


def _duration(seconds: float) -> str:
    for unit, length in (("days", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.1f} {unit}"
    return f"{seconds:.0f} s"


def _size(count: float) -> str:
    for unit, size in (("TB", 1e12), ("GB", 1e9)):
        if count >= size:
            return f"{count / size:.1f} {unit}"
    return f"{count / 1e6:.1f} MB"

"""Many runs as one experiment: methods on videos, several seeds each."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import TYPE_CHECKING, Final

import attrs

from vatl_report.curves import Curve, accuracy_curves, query_curve
from vatl_report.methods import method_names, video_names
from vatl_report.statistics import Mean, mean_of

if TYPE_CHECKING:
    from vatl_core.run import PastRun

QUERY: Final = "query"
"""The measure that needs no truth: each query's mean OKS against its labels."""
_MOST_POINTS: Final = 60
_COLUMNS: Final = (0.0, 5.0, 10.0, 15.0, 20.0, 30.0, 40.0, 60.0, 80.0, 100.0)
"""The percentages that the method's papers report."""


@attrs.frozen
class Trial:
    """One run as a part of an experiment.

    Attributes:
        name: the run's.
        method, video, seed: which it is of.
        past: the run.
        curves: ``{measure: curve}``; empty ones where it needs truth that there is not.
    """

    name: str
    method: str
    video: str
    seed: int
    past: PastRun
    curves: Mapping[str, Curve]

    @property
    def instances(self) -> int:
        """N of its video."""
        return self.past.cycles[-1].instances

    @property
    def tolerance(self) -> float:
        """What a whole number of labels may miss a percentage by: half a label, or nearly one that is rounded down."""
        return (100 / self.instances - 1e-9) if self.past.config.rounding == "down" else 50 / self.instances + 1e-9

    @property
    def planned(self) -> list[float]:
        """The percentages of its schedule, before they became whole labels."""
        percents = []
        for entry in self.past.config.schedule:
            number = float(entry) if entry.replace(".", "", 1).isdigit() else None
            if number is not None:
                percents.append(100 * number if "." in entry else 100 * number / self.instances)
        return percents or [100 * record.fraction for record in self.past.cycles]


@attrs.frozen
class Range:
    """What several curves have in common, in % labelled."""

    start: float
    end: float

    @classmethod
    def of(cls, curves: Sequence[Curve]) -> Range:
        """The percentages between the last first point and the first last one."""
        return cls(max(c.percent[0] for c in curves), min(c.percent[-1] for c in curves))


@attrs.frozen
class Experiment:
    """What there is to compare.

    Attributes:
        trials: the runs that count.
        left_out: ``{run: why}``, those that do not.
    """

    trials: tuple[Trial, ...]
    left_out: dict[str, str]

    @classmethod
    def of(cls, runs: Mapping[str, PastRun]) -> Experiment:
        """Sort runs, by name, into methods, videos and seeds.

        Unfinished runs do not count, unless none is finished; nor do runs that repeat another.
        """
        begun = {name: run for name, run in runs.items() if run.cycles}
        ended = {name: run for name, run in begun.items() if run.closing} or begun
        left_out = {name: "not finished" for name in runs if name not in ended}
        nobody = [name for name, run in ended.items() if not run.cycles[-1].instances]
        left_out |= dict.fromkeys(nobody, "nobody is in its video")
        ended = {name: run for name, run in ended.items() if name not in nobody}
        past = list(ended.values())
        videos = video_names(past)
        methods = method_names(past, videos)
        trials: dict[Hashable, Trial] = {}
        for (name, run), video, method in zip(ended.items(), videos, methods, strict=True):
            key = method, video, run.config.seed
            if key in trials:
                left_out[name] = f"repeats {trials[key].name}: same settings, video and seed"
            else:
                curves = accuracy_curves(run.cycles, run.closing) | {QUERY: query_curve(run.cycles)}
                trials[key] = Trial(name, method, video, run.config.seed, run, curves)
        return cls(tuple(trials.values()), left_out)

    @property
    def methods(self) -> list[str]:
        """Names, in the order of the runs."""
        return list(dict.fromkeys(trial.method for trial in self.trials))

    @property
    def videos(self) -> list[str]:
        """Names, sorted."""
        return sorted({trial.video for trial in self.trials})

    def with_curve(self, measure: str, videos: Sequence[str] | None = None) -> list[Trial]:
        """The trials that have this measure, on these videos or on all."""
        return [t for t in self.trials if t.curves.get(measure) and (videos is None or t.video in videos)]

    def shared(self, measure: str) -> list[str]:
        """The videos to pool: every method has this measure on them, and together they go far.

        Where runs on some videos end early, as many videos are pooled as make the number of videos times the common
        range largest: one short video does not cut all the others.
        """
        trials = self.with_curve(measure)
        ends = {v: min(t.curves[measure].percent[-1] for t in trials if t.video == v) for v in shared_videos(trials)}
        far = sorted(ends, key=lambda video: -ends[video])
        count = max(range(len(far) + 1), key=lambda n: (n * ends[far[n - 1]] if n else -1, n))
        return sorted(far[:count])


def shared_videos(trials: Sequence[Trial]) -> list[str]:
    """The videos that every method among ``trials`` was run on, sorted."""
    methods = {t.method for t in trials}
    on = {video: {t.method for t in trials if t.video == video} for video in {t.video for t in trials}}
    return sorted(video for video, here in on.items() if here == methods)


def grid(trials: Sequence[Trial], measure: str, most: int = _MOST_POINTS) -> list[float]:
    """Percentages at which these trials' curves are averaged: those of their schedules, within what all reached."""
    common = Range.of([t.curves[measure] for t in trials])
    tolerance = max(t.tolerance for t in trials)
    points: list[float] = []
    for point in sorted({common.start, *(p for t in trials for p in t.planned), common.end}):
        if common.start - tolerance <= point <= common.end + tolerance:
            if points and point - points[-1] < tolerance:
                points[-1] = max((points[-1], point), key=lambda p: p in _COLUMNS)
            else:
                points.append(point)
    if len(points) <= most:
        return points
    return [points[round(n * (len(points) - 1) / (most - 1))] for n in range(most)]


def columns(trials: Sequence[Trial], measure: str) -> list[float]:
    """Percentages for a table: the schedules' if they are few, else the papers'."""
    points = grid(trials, measure)
    if len(points) <= len(_COLUMNS) + 2:
        return points
    return [point for point in _COLUMNS if points[0] <= point <= points[-1]] or [points[0], points[-1]]


def mean_at(trials: Sequence[Trial], measure: str, percent: float) -> Mean | None:
    """The mean of a measure at a labelled percentage."""
    return by_video(trials, lambda t: t.curves[measure].at(percent, t.tolerance))


def by_video(trials: Sequence[Trial], value: Callable[[Trial], float | None]) -> Mean | None:
    """The mean over videos of the mean over runs; None where nothing is known."""
    strata: dict[str, list[float]] = {}
    for trial in trials:
        if (found := value(trial)) is not None:
            strata.setdefault(trial.video, []).append(found)
    return mean_of(list(strata.values())) if strata else None

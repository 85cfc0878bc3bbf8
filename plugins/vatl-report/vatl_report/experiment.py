"""Many runs as one experiment: methods on videos, several seeds each."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import TYPE_CHECKING, Final

import attrs

from vatl_report.curves import Curve, accuracy_curves, query_curve
from vatl_report.measure import QUERY, Measure
from vatl_report.methods import method_names, part_names, video_names
from vatl_report.statistics import Mean, mean_of

if TYPE_CHECKING:
    from vatl_core.run import PastRun

_MOST_POINTS: Final = 60
_COLUMNS: Final = (0.0, 5.0, 10.0, 15.0, 20.0, 30.0, 40.0, 60.0, 80.0, 100.0)
"""The percentages that the method's papers report."""
_DEFAULT: Final = (
    (Measure("ap"), Measure("ap", True)), (Measure("mean_oks_unlabelled"), Measure("mean_oks", True)), (Measure(QUERY),)
)  # fmt: skip
"""What is shown where nothing is asked for: the first of these that any run has."""
_ESTIMATOR: Final = ("estimator", "weights", "weights_keypoints")


@attrs.frozen
class Trial:
    """One run as a part of an experiment.

    Attributes:
        name: the run's.
        method, video, seed: which it is of.
        past: the run.
        curves: ``{measure's key: curve}``; of what needs truth where there is some.
        estimator, strategy: the method in two: what it is done with, and the rest.
        retraining: its retraining; ``besides``: the strategy without it.
    """

    name: str
    method: str
    video: str
    seed: int
    past: PastRun
    curves: Mapping[str, Curve]
    estimator: str = ""
    strategy: str = ""
    retraining: str = ""
    besides: str = ""

    @property
    def instances(self) -> int:
        """N of its video."""
        return self.past.cycles[-1].instances

    @property
    def judged(self) -> bool:
        """Whether there was truth to measure it against."""
        return any(record.evaluation for record in self.past.cycles)

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
        asked: by what to measure them; by the usual if empty.
    """

    trials: tuple[Trial, ...]
    left_out: dict[str, str]
    asked: tuple[Measure, ...] = ()

    @classmethod
    def of(cls, runs: Mapping[str, PastRun], asked: Sequence[Measure] = ()) -> Experiment:
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
        names = zip(*_names(past, videos), strict=True)
        measures = asked or [measure for choice in _DEFAULT for measure in choice]
        trials: dict[Hashable, Trial] = {}
        for (name, run), video, (method, *parts) in zip(ended.items(), videos, names, strict=True):
            key = method, video, run.config.seed
            if key in trials:
                left_out[name] = f"repeats {trials[key].name}: same settings, video and seed"
            else:
                curves = accuracy_curves(run.cycles, run.closing, measures) | {QUERY: query_curve(run.cycles)}
                trials[key] = Trial(name, method, video, run.config.seed, run, curves, *parts)
        return cls(tuple(trials.values()), left_out, tuple(asked))

    @property
    def measures(self) -> tuple[Measure, ...]:
        """By what the runs are compared: what was asked for, or AP, mean OKS or the queries' agreement with labels."""
        choices = [self.asked] if self.asked else _DEFAULT
        found = (tuple(m for m in choice if self.with_curve(m.key)) for choice in choices)
        return next((choice for choice in found if choice), ())

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


def _names(runs: Sequence[PastRun], videos: Sequence[str]) -> list[list[str]]:
    """For each run its method, and that in parts: estimator and strategy, retraining and what is besides these two."""
    return [
        method_names(runs, videos),
        part_names(runs, videos, "estimator", _ESTIMATOR),
        method_names(runs, videos, _ESTIMATOR),
        part_names(runs, videos, "retrain", ["retrain"]),
        method_names(runs, videos, [*_ESTIMATOR, "retrain"]),
    ]


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

"""What a benchmark found: labels needed by each strategy, and their ratios to the reference's."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

import attrs

from vatl_formats import csv_text
from vatl_sweep.labels_needed import MeanRatio, Needed, Sense, labels_needed, mean_ratio, median_needed, ratio
from vatl_sweep.learning_curves import TARGETS, LearningCurve
from vatl_sweep.strategies import REFERENCE

Key = tuple[str, str, int]
"""Strategy, video, seed."""
Curves = Mapping[Key, LearningCurve]
Goal = tuple[str, float]
"""A measure and the accuracy to be reached."""
GOALS: Final[tuple[Goal, ...]] = tuple((measure, target) for measure, values in TARGETS.items() for target in values)
EVERY: Final = "all videos"
_WORDS: Final[dict[Sense, str]] = {"=": "exact", ">": "at least", "<": "at most"}
"""For files: a spreadsheet would take the signs for formulas."""


@attrs.frozen
class Entry:
    """A strategy at one accuracy, on a video or on all of them.

    Attributes:
        strategy, video: which; no ``video`` where it is all of them.
        goal: the accuracy.
        runs, reached: how many there are, and how many of them reach it.
        needed: the median over the seeds of a video; None of all videos.
        ratio: to the reference, with the same video and seed.
    """

    strategy: str
    video: str
    goal: Goal
    runs: int
    reached: int
    needed: Needed | None
    ratio: MeanRatio


def entries(curves: Curves) -> list[Entry]:
    """For each video, then for all of them, each strategy at each accuracy."""
    strategies = list(dict.fromkeys(strategy for strategy, _, _ in curves))
    videos = list(dict.fromkeys(video for _, video, _ in curves))
    places = [[video] for video in videos] + [videos] * (len(videos) > 1)
    needed = {goal: _needed(curves, goal) for goal in GOALS}
    return [_entry(needed[goal], name, among, goal) for among in places for name in strategies for goal in GOALS]


def _needed(curves: Curves, goal: Goal) -> dict[Key, Needed]:
    measure, target = goal
    return {key: labels_needed(curve.labels, curve.accuracy[measure], target) for key, curve in curves.items()}


def _entry(needed: Mapping[Key, Needed], strategy: str, videos: Sequence[str], goal: Goal) -> Entry:
    own = [[key for key in needed if key[:2] == (strategy, video)] for video in videos]
    pairs = [[(needed[key], needed.get((REFERENCE, *key[1:]))) for key in keys] for keys in own]
    ratios = [[ratio(one, other) if other else None for one, other in of_video] for of_video in pairs]
    runs = [one for of_video in pairs for one, _ in of_video]
    single = len(videos) == 1
    return Entry(
        strategy,
        videos[0] if single else "",
        goal,
        len(runs),
        sum(one.reached for one in runs),
        median_needed(runs) if single and runs else None,
        mean_ratio(ratios),
    )


def needed_csv(curves: Curves) -> str:
    """A row for each run and accuracy."""
    head = ["strategy", "video", "seed", "measure", "target", "labels_needed", "reached"]
    found = {goal: _needed(curves, goal) for goal in GOALS}
    return csv_text(head, [(*key, *goal, *attrs.astuple(found[goal][key])) for key in curves for goal in GOALS])


def ratios_csv(found: Iterable[Entry]) -> str:
    """A row for each entry, with whether its figures are what they say or bounds."""
    head = ["strategy", "video", "measure", "target", "runs", "reached", "labels_needed", "labels_are"]
    return csv_text([*head, "ratio", "ratio_is", "low", "high", "pairs", "planned"], map(_row, found))


def _row(entry: Entry) -> list[Any]:
    needed, found = entry.needed, entry.ratio
    which = [entry.strategy, entry.video or EVERY, *entry.goal, entry.runs, entry.reached]
    labels = [None, None] if needed is None else [needed.labels, _WORDS["=" if needed.reached else ">"]]
    is_what = None if found.value is None else _WORDS[found.sense]
    return [*which, *labels, found.value, is_what, found.low, found.high, found.pairs, found.planned]


def text_table(found: Sequence[Entry]) -> str:
    """Videos and their strategies below each other, accuracies beside each other: labels needed, and their ratio."""
    cells = [["video", "strategy", *map(goal_text, GOALS)], *_lines(found)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(cells[0]))]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in cells)


def goal_text(goal: Goal) -> str:
    """``mean OKS ≥ 0.85``"""
    return f"{goal[0]} ≥ {goal[1]:g}"


def _lines(found: Sequence[Entry]) -> Iterator[list[str]]:
    for start in range(0, len(found), len(GOALS)):
        line = found[start : start + len(GOALS)]
        yield [line[0].video or EVERY, line[0].strategy, *map(_cell, line)]


def _cell(entry: Entry) -> str:
    labels = "" if entry.needed is None else f"{'' if entry.needed.reached else '> '}{entry.needed.labels:.0f}"
    if entry.strategy == REFERENCE:
        return labels or "1"
    return f"{labels}  × {ratio_text(entry.ratio)}".strip()


def ratio_text(found: MeanRatio) -> str:
    """``0.52 [0.41, 0.66]``, a bound as ``> 2.1`` or ``< 0.4``, ``—`` where nothing is known, ``(3 of 5)`` pairs."""
    if found.value is None:
        return "—"
    of = f" ({found.pairs} of {found.planned})" if found.pairs < found.planned else ""
    if found.sense != "=":
        return f"{found.sense} {found.value:.2g}{of}"
    between = "" if found.low is None or found.high is None else f" [{found.low:.2f}, {found.high:.2f}]"
    return f"{found.value:.2f}{between}{of}"

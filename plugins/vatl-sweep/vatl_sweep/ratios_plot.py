"""The picture of a benchmark: how many of the reference's labels each strategy needs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from vatl_drawing import COLOURS, INK, Plot, plotted
from vatl_sweep.strategies import REFERENCE
from vatl_sweep.yardstick import EVERY, GOALS, Entry, Goal, goal_text


def ratios_plot(found: Sequence[Entry]) -> Plot:
    """A panel for each accuracy, a row for each strategy, a colour for each video: the ratio and its interval.

    A bound is an arrow that points to where the ratio lies.
    """
    strategies = [name for name in dict.fromkeys(entry.strategy for entry in found) if name != REFERENCE]
    videos = list(dict.fromkeys(entry.video for entry in found))
    height = max(2.5, 1.2 + len(strategies) * (0.25 + 0.12 * len(videos)))

    def draw(figure: Any) -> None:
        axes = figure.subplots(1, len(GOALS), sharey=True)
        for axis, goal in zip(axes, GOALS, strict=True):
            _frame(axis, goal)
            for entry in found:
                if entry.goal == goal and entry.strategy != REFERENCE and entry.ratio.value is not None:
                    place = strategies.index(entry.strategy) + _offset(videos.index(entry.video), len(videos))
                    _mark(axis, entry, place, _colour(videos.index(entry.video)))
        axes[0].set_yticks(range(len(strategies)), labels=strategies, parse_math=False)
        axes[0].set_ylim(max(len(strategies), 1) - 0.5, -0.5)
        _legend(figure, videos)

    return plotted(draw, 2.2 * len(GOALS) + 1.5, height)


def _frame(axis: Any, goal: Goal) -> None:
    """The scale, with lines where nothing and where half is saved."""
    axis.set_xscale("log", base=2)
    axis.set_xlim(1 / 8, 8)
    axis.set_xticks([0.125, 0.25, 0.5, 1, 2, 4, 8], labels=["⅛", "¼", "½", "1", "2", "4", "8"])
    axis.set_title(goal_text(goal), fontsize=9)
    axis.axvline(1, color=INK, linewidth=1)
    axis.axvline(0.5, color=INK, linewidth=0.8, linestyle=":")
    axis.set_xlabel(f"labels / {REFERENCE}'s")


def _mark(axis: Any, entry: Entry, place: float, colour: str) -> None:
    value = min(max(entry.ratio.value or 1.0, 1 / 7.5), 7.5)
    marker = {"=": "o", "<": "<", ">": ">"}[entry.ratio.sense]
    axis.plot([value], [place], marker=marker, color=colour, linestyle="none", markersize=5)
    if entry.ratio.low is not None and entry.ratio.high is not None:
        axis.plot([entry.ratio.low, entry.ratio.high], [place, place], color=colour, linewidth=1.4)


def _offset(number: int, count: int) -> float:
    return 0.7 * ((number + 0.5) / count - 0.5)


def _colour(number: int) -> str:
    return COLOURS[number % len(COLOURS)]


def _legend(figure: Any, videos: Sequence[str]) -> None:
    from matplotlib.lines import Line2D

    handles = [Line2D([], [], color=_colour(n), marker="o") for n in range(len(videos))]
    legend = figure.legend(handles, ["name"] * len(videos), loc="outside lower center", ncols=4)
    for text, video in zip(legend.get_texts(), videos, strict=True):
        text.set(text=video or EVERY, parse_math=False)

"""Learning curves as pictures, made to survive a photocopier and every kind of colour vision."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import attrs

from vatl_drawing import COLOURS, DASHES, INK, Plot, plotted

if TYPE_CHECKING:
    from vatl_report.curves import Curve
    from vatl_report.stops import Stop

ACROSS: Final = 3
"""Panels in a row."""
MARKERS: Final = ("o", "s", "^", "D", "v", "P", "X", "*")
LABELLED: Final = "labelled instances (% of the video's)"


@attrs.frozen
class Style:
    """How one thing is drawn wherever it occurs: by colour, dashes and marker, so that any one of them will do."""

    colour: str
    dash: Any
    marker: str

    @property
    def line(self) -> dict[str, Any]:
        """For a line with markers."""
        return {"color": self.colour, "linestyle": self.dash, "marker": self.marker}

    @property
    def points(self) -> dict[str, Any]:
        """For markers alone."""
        return {"color": self.colour, "linestyle": "none", "marker": self.marker}


def styles(names: Iterable[str]) -> dict[str, Style]:
    """A style for each name."""
    return {
        name: Style(COLOURS[n % len(COLOURS)], DASHES[n % len(DASHES)], MARKERS[n % len(MARKERS)])
        for n, name in enumerate(names)
    }


def in_grid(
    draw: Callable[[Any, Sequence[Any]], None], panels: int, width: float, height: float, **shared: Any
) -> Plot:
    """``draw`` on a figure with this many panels of this size in inches, :data:`ACROSS` in a row."""
    wide = min(panels, ACROSS)
    rows = -(-panels // wide)

    def drawn(figure: Any) -> None:
        axes = figure.subplots(rows, wide, squeeze=False, **shared).flatten()
        for axis in axes[panels:]:
            axis.remove()
        draw(figure, axes[:panels])

    return plotted(drawn, max(width * wide, 6), height * rows + 0.9)


def legend_below(figure: Any, looks: Mapping[str, Style], columns: int = 4, lines: bool = True) -> None:
    """Names and their styles under the figure."""
    from matplotlib.lines import Line2D

    handles = [Line2D([], [], **(look.line if lines else look.points)) for look in looks.values()]
    words = max(map(len, looks), default=0)
    columns = min(columns, max(1, round(90 / max(words, 1))))
    legend = figure.legend(handles, ["name"] * len(looks), loc="outside lower center", ncols=columns)
    for text, name in zip(legend.get_texts(), looks, strict=True):
        text.set(text=name, parse_math=False)


def accuracy_plot(curves: Mapping[str, Curve], marks: Sequence[Stop], instances: int) -> Plot:
    """Accuracies of one run by their titles, two of a colour, and where criteria would have stopped."""

    def draw(figure: Any) -> None:
        axes = figure.subplots()
        for n, (label, curve) in enumerate(curves.items()):
            colour, dash = COLOURS[n // 2 % len(COLOURS)], DASHES[n % 2]
            line(axes, curve, label, colour, dash, MARKERS[n % len(MARKERS)])
        unit_scale(axes, f"{', '.join(dict.fromkeys(label.partition(',')[0] for label in curves))} (0–1)")
        _mark(axes, marks, instances)
        _legend(axes, 2)

    return plotted(draw, 8, 4.6)


def unlabelled_plot(query: Curve, scores: Mapping[str, Curve], marks: Sequence[Stop], instances: int) -> Plot:
    """What is known without truth: agreement of each query with its labels, and each criterion's mean."""
    shown = [(name, curve) for name, curve in scores.items() if curve][:3]

    def draw(figure: Any) -> None:
        axes = figure.subplots(1 + len(shown), 1, sharex=True, squeeze=False)[:, 0]
        line(axes[0], query, "", COLOURS[0], DASHES[0], MARKERS[0])
        unit_scale(axes[0], "mean OKS of the query\nagainst its labels (0–1)")
        for number, (axis, (name, curve)) in enumerate(zip(axes[1:], shown, strict=True), start=1):
            line(axis, curve, "", COLOURS[number], DASHES[number], MARKERS[number])
            axis.set_ylabel(f"mean score\n{name}", parse_math=False)
        for axis in axes[:-1]:
            axis.set_xlabel("")
        percent_scale(axes[-1])
        _mark(axes[0], marks, instances)

    return plotted(draw, 8, 3 + 1.7 * len(shown))


def line(axes: Any, curve: Curve, label: str, colour: str, dash: Any, marker: str) -> Any:
    """One curve; its values may be a single point."""
    (drawn,) = axes.plot(
        curve.percent, curve.values, label=label, color=colour, linestyle=dash, marker=marker, clip_on=False, zorder=3
    )
    return drawn


def unit_scale(axes: Any, label: str) -> None:
    """0 to 1 upward, percent to the right."""
    axes.set_ylim(0, 1)
    axes.set_yticks([0, 0.2, 0.4, 0.6, 0.8, 1])
    axes.set_ylabel(label)
    percent_scale(axes)


def percent_scale(axes: Any, label: str = LABELLED) -> None:
    """Labelled percentages to the right."""
    axes.set_xlabel(label)
    axes.set_xlim(left=0, right=max(axes.get_xlim()[1], 5))


def _mark(axes: Any, marks: Sequence[Stop], instances: int) -> None:
    """A line at the labels each criterion would have taken, its name above; those at one place share a line."""
    places: dict[float, list[str]] = {}
    for stop in marks:
        if stop.labelled is not None:
            places.setdefault(100 * stop.labelled / instances, []).append(stop.name)
    if places:
        axes.set_xlim(right=max(axes.get_xlim()[1], max(places) * 1.02))
    for x, here in places.items():
        axes.axvline(x, color=INK, linestyle=":", linewidth=1, alpha=0.7)
        axes.annotate(
            ", ".join(here), (x, 1.01), xycoords=("data", "axes fraction"), rotation=25, fontsize=9, parse_math=False
        )


def _legend(axes: Any, columns: int) -> None:
    axes.figure.legend(loc="outside lower center", ncols=columns)

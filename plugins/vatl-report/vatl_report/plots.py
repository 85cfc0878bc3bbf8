"""Learning curves as pictures, made to survive a photocopier and every kind of colour vision."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import attrs

if TYPE_CHECKING:
    from pathlib import Path

    from vatl_report.curves import Curve
    from vatl_report.stops import Stop

INK: Final = "#24292f"
COLOURS: Final = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#7f7f7f")
"""Okabe and Ito's colours that stand out on white and on black."""
DASHES: Final = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (8, 3)))
ACROSS: Final = 3
"""Panels in a row."""
MARKERS: Final = ("o", "s", "^", "D", "v", "P", "X", "*")
_STYLE: Final = {
    "font.family": "sans-serif", "font.size": 10, "svg.fonttype": "none", "svg.hashsalt": "vatl", "text.color": INK,
    "axes.labelcolor": INK, "axes.edgecolor": INK, "xtick.color": INK, "ytick.color": INK,
    "axes.spines.top": False, "axes.spines.right": False, "axes.grid": True, "grid.color": INK, "grid.alpha": 0.12,
    "lines.linewidth": 1.8, "lines.markersize": 6, "legend.frameon": False, "legend.handlelength": 3.2,
    "hatch.linewidth": 0.6,
}  # fmt: skip
_NO_METADATA: Final = {"Date": None, "Creator": None, "Format": None, "Type": None}
LABELLED: Final = "labelled instances (% of the video's)"


@attrs.frozen
class Plot:
    """One figure in its three forms.

    Attributes:
        png, svg: files to use elsewhere, on white.
        inline: an ``<svg>`` element whose lettering takes the colour of the text around it.
    """

    png: bytes
    svg: bytes
    inline: str

    def write(self, folder: Path, name: str) -> None:
        """Write ``name.png`` and ``name.svg``."""
        from vatl_core.files import write_whole

        write_whole(folder / f"{name}.png", self.png)
        write_whole(folder / f"{name}.svg", self.svg)


def plotted(draw: Callable[[Any], None], width: float, height: float) -> Plot:
    """``draw`` on a figure of this size in inches, saved three times."""
    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with matplotlib.rc_context(_STYLE), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing")  # a run may have any name; the SVG spells it
        figure = Figure(figsize=(width, height), layout="constrained")
        FigureCanvasAgg(figure)
        draw(figure)
        png = _saved(figure, format="png", dpi=160, facecolor="white")
        svg = _saved(figure, format="svg", facecolor="white", metadata=_NO_METADATA)
    return Plot(png, svg, _inline(svg.decode()))


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


def _saved(figure: Any, **options: Any) -> bytes:
    figure.savefig(buffer := io.BytesIO(), **options)
    return buffer.getvalue()


def _inline(svg: str) -> str:
    """The element alone, without ground, with the page's colour for its lettering and the page's width for its size."""
    element = svg[svg.index("<svg") :].replace(INK, "currentColor").replace("fill: #ffffff", "fill: none")
    return re.sub(
        r'(<svg[^>]*?) width="[^"]*"', r"\1", re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", element, count=1), count=1
    )


def accuracy_plot(curves: Mapping[str, Curve], marks: Sequence[Stop], instances: int) -> Plot:
    """AP and mean OKS of one run, with and without the labels counted in, and where criteria would have stopped."""
    lines = {
        "ap": ("AP, estimates alone", 0, 0), "ap_with_labels": ("AP, labels counted in", 0, 1),
        "mean_oks": ("mean OKS, estimates alone", 1, 0), "mean_oks_with_labels": ("mean OKS, labels counted in", 1, 1),
    }  # fmt: skip

    def draw(figure: Any) -> None:
        axes = figure.subplots()
        for number, (name, (label, colour, dash)) in enumerate(lines.items()):
            if curves[name]:
                line(axes, curves[name], label, COLOURS[colour], DASHES[dash], MARKERS[number])
        unit_scale(axes, "AP, mean OKS (0–1)")
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

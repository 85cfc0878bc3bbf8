"""Charts, made to survive a photocopier and every kind of colour vision."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import attrs

INK: Final = "#24292f"


COLOURS: Final = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#7f7f7f")
"""Okabe and Ito's colours that stand out on white and on black."""


DASHES: Final = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (8, 3)))


_STYLE: Final = {
    "font.family": "sans-serif", "font.size": 10, "svg.fonttype": "none", "svg.hashsalt": "vatl", "text.color": INK,
    "axes.labelcolor": INK, "axes.edgecolor": INK, "xtick.color": INK, "ytick.color": INK,
    "axes.spines.top": False, "axes.spines.right": False, "axes.grid": True, "grid.color": INK, "grid.alpha": 0.12,
    "lines.linewidth": 1.8, "lines.markersize": 6, "legend.frameon": False, "legend.handlelength": 3.2,
    "hatch.linewidth": 0.6,
}  # fmt: skip


_NO_METADATA: Final = {"Date": None, "Creator": None, "Format": None, "Type": None}


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
    with _drawn(draw, width, height) as figure:
        png = _png(figure)
        svg = _saved(figure, format="svg", facecolor="white", metadata=_NO_METADATA)
    return Plot(png, svg, _inline(svg.decode()))


def plotted_png(draw: Callable[[Any], None], width: float, height: float) -> bytes:
    """``draw`` on a figure of this size in inches, as a PNG alone: of many pictures an SVG takes as long again."""
    with _drawn(draw, width, height) as figure:
        return _png(figure)


@contextmanager
def _drawn(draw: Callable[[Any], None], width: float, height: float) -> Iterator[Any]:
    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with matplotlib.rc_context(_STYLE), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing")  # a run may have any name; the SVG spells it
        figure = Figure(figsize=(width, height), layout="constrained")
        FigureCanvasAgg(figure)
        draw(figure)
        yield figure


def _png(figure: Any) -> bytes:
    return _saved(figure, format="png", dpi=160, facecolor="white")


def _saved(figure: Any, **options: Any) -> bytes:
    figure.savefig(buffer := io.BytesIO(), **options)
    return buffer.getvalue()


def _inline(svg: str) -> str:
    """The element alone, without ground, with the page's colour for its lettering and the page's width for its size."""
    element = svg[svg.index("<svg") :].replace(INK, "currentColor").replace("fill: #ffffff", "fill: none")
    return re.sub(
        r'(<svg[^>]*?) width="[^"]*"', r"\1", re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", element, count=1), count=1
    )

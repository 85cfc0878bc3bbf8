"""The errors of a criterion's fitting as a picture."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from vatl_core.files import write_whole
from vatl_drawing import COLOURS, DASHES, INK, plotted_png


def draw_fitting(record: Path) -> Path | None:
    """Draw the curve in a record of ``vatl fit`` into a PNG beside it; nothing where it has none."""
    fitted = json.loads(record.read_text(encoding="utf-8"))
    if not fitted["curve"]:
        return None
    picture = record.with_suffix(".png")
    write_whole(picture, plotted_png(lambda figure: _draw(figure, fitted), 7, 4.2))
    return picture


def _draw(figure: Any, fitted: dict[str, Any]) -> None:
    axes = figure.subplots()
    epochs = [point["epoch"] for point in fitted["curve"]]
    for number, part in enumerate(("training", "validation")):
        errors = [point[part] for point in fitted["curve"]]
        axes.plot(epochs, errors, label=f"{part} poses", color=COLOURS[number], linestyle=DASHES[number])
    axes.axvline(fitted["figures"]["epoch"], color=INK, linestyle=":", linewidth=1, label="kept")
    if min(point["validation"] for point in fitted["curve"]) > 0:
        axes.set_yscale("log")
    axes.set_xlabel("epoch")
    axes.set_ylabel("mean error")
    title = f"{fitted['serves']['criterion']}, {fitted['split']} of {fitted['dataset']}, {fitted['poses'][0]} poses"
    axes.set_title(title, parse_math=False, fontsize=10)
    axes.legend()

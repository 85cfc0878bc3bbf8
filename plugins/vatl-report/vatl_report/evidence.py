"""What lies behind the highest scores of a criterion, as one sheet of pictures.

A few instances are drawn by OpenCV and Matplotlib, which work on the CPU: here they leave the device.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import attrs
import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vatl_core.contracts import Panel
from vatl_core.files import write_whole
from vatl_drawing import PALETTE, draw_pose, plotted_png
from vatl_report.again import window_of
from vatl_report.remaining import apart
from vatl_report.wording import score

if TYPE_CHECKING:
    from vatl_core.contracts import Criterion, Window
    from vatl_core.cycle import Run
    from vatl_core.estimation import Estimates

_COLOURS: Final = "inferno"
_SIDE: Final = 2.1
"""Inches across a picture."""
_HEIGHT: Final = 512
"""Pixels."""


@attrs.frozen
class Row:
    """One instance of a sheet.

    Attributes:
        words: what is written beside it.
        pictures: ``(crop, heatmap)`` for each panel, (H, W, 3) uint8 and (h, w) or None; None where there is nothing.
    """

    words: str
    pictures: tuple[tuple[NDArray[np.uint8], NDArray[np.float32] | None] | None, ...]


def write_sheet(run: Run, name: str, criterion: Criterion, kept: Estimates, count: int, path: Path) -> Path | None:
    """The instances with the highest scores, the highest first; None where the criterion has nothing to show.

    Args:
        run: as it stood in the cycle.
        name: of the criterion.
        criterion: as it stood in the cycle.
        kept: the cycle's estimates.
        count: instances at most; of one track only such as are some frames apart.
        path: of the PNG.

    Raises:
        InputError: a frame cannot be read.
    """
    scores = kept.criteria[name]
    ranked = scores.argsort(descending=True, stable=True)
    ranked = ranked[run.standing().there(ranked.device)[ranked]]
    index = torch.tensor(apart(run.video, ranked, count))
    with torch.inference_mode():
        panels = panels_of(criterion, window_of(run, index))
    if not panels:
        return None
    rows = [
        Row(_words(run, n + 1, int(i), float(scores[i])), tuple(_picture(run, panel, n, int(i)) for panel in panels))
        for n, i in enumerate(index)
    ]
    write_whole(path, _drawn(name, [panel.title for panel in panels], rows))
    return path


def panels_of(criterion: Criterion, window: Window) -> list[Panel]:
    """What a criterion explains its scores by, or else the heatmaps that it compares or reads, or the poses."""
    if own := criterion.explain(window):
        return own
    if "neighbours" in criterion.needs:
        return [
            Panel("previous frame", window.previous, when=-1, there=window.has_previous),
            Panel("present frame", window.heatmaps),
            Panel("next frame", window.next, when=1, there=window.has_next),
        ]
    if "heatmaps" in criterion.needs:
        return [Panel("heatmaps", window.heatmaps)]
    return [Panel("estimate", keypoints=window.keypoints)] if "poses" in criterion.needs else []


def _words(run: Run, rank: int, instance: int, value: float) -> str:
    frame, track = int(run.video.instances.frame[instance]), int(run.video.instances.track[instance])
    asked = "\nlabelled before" if instance in run.asked else ""
    return f"no. {rank}\nframe {frame}, track {track}\nscore {score(value)}{asked}"


def _picture(
    run: Run, panel: Panel, row: int, instance: int
) -> tuple[NDArray[np.uint8], NDArray[np.float32] | None] | None:
    """One panel of one instance; None where the instance has no such thing."""
    if panel.there is not None and not bool(panel.there[row]):
        return None
    instances = run.video.instances
    whose = {-1: instances.previous, 0: torch.arange(len(instances)), 1: instances.next}[panel.when][instance]
    small = run.crops.get(whose[None])[0].permute(1, 2, 0).contiguous().cpu().numpy()
    size = _HEIGHT, round(_HEIGHT * small.shape[1] / small.shape[0])
    crop = cv2.resize(small, size[::-1], interpolation=cv2.INTER_CUBIC)
    if panel.keypoints is not None:
        pixels = _in_crop(panel.keypoints[row], run.crops.boxes[int(whose)], size)
        draw_pose(crop, pixels, run.video.skeleton, PALETTE[0], _HEIGHT / 2)
    heat = None if panel.heatmaps is None else panel.heatmaps[row].amax(0).float().cpu().numpy()
    return crop, heat


def _in_crop(points: Tensor, box: Tensor, size: tuple[int, int]) -> NDArray[np.float64]:
    """Points (K, 2) of the frame in pixels of the crop with box x1, y1, x2, y2."""
    scale = points.new_tensor([size[1], size[0]]) / (box[2:] - box[:2])
    placed: NDArray[np.float64] = ((points - box[:2]) * scale).double().cpu().numpy()
    return placed


def _drawn(name: str, titles: Sequence[str], rows: Sequence[Row]) -> bytes:
    """The sheet as a PNG."""
    height, width = next(picture[0].shape[:2] for row in rows for picture in row.pictures if picture)
    heats = [picture[1] for row in rows for picture in row.pictures if picture and picture[1] is not None]
    top = max((float(heat.max()) for heat in heats), default=0.0)

    def draw(figure: Any) -> None:
        axes = figure.subplots(len(rows), len(titles), squeeze=False)
        shown = None
        for line, row in zip(axes, rows, strict=True):
            for axis, picture in zip(line, row.pictures, strict=True):
                shown = _show(axis, picture, top, height / width) or shown
            line[0].set_ylabel(row.words, rotation=0, ha="right", va="center", fontsize=9)
        for axis, title in zip(axes[0], titles, strict=True):
            axis.set_title(title, fontsize=10)
        figure.suptitle(f"Highest {name}", fontsize=11, parse_math=False)
        if shown is not None:
            figure.colorbar(shown, ax=axes, label="heatmap value, the highest of all keypoints", shrink=0.6, pad=0.02)

    across = _SIDE * len(titles) + 1.6 + (0.9 if heats else 0)
    return plotted_png(draw, across, (_SIDE * height / width + 0.15) * len(rows) + 0.9)


def _show(
    axis: Any, picture: tuple[NDArray[np.uint8], NDArray[np.float32] | None] | None, top: float, aspect: float
) -> Any:
    """One picture, its heatmap laid over a grey crop; the heatmap's image for the colour bar."""
    axis.set_xticks([])
    axis.set_yticks([])
    axis.grid(visible=False)
    if picture is None:
        axis.set_box_aspect(aspect)
        axis.spines[:].set_visible(False)
        axis.text(0.5, 0.5, "no such frame", ha="center", va="center", transform=axis.transAxes, fontsize=9)
        return None
    crop, heat = picture
    if heat is None:
        axis.imshow(crop)
        return None
    axis.imshow(crop.mean(2), cmap="gray", vmin=0, vmax=255)
    strength = np.clip(heat / max(top, 1e-6), 0, 1)
    extent = (-0.5, crop.shape[1] - 0.5, crop.shape[0] - 0.5, -0.5)
    return axis.imshow(
        heat,
        cmap=_COLOURS,
        vmin=0,
        vmax=max(top, 1e-6),
        alpha=0.15 + 0.7 * strength,
        extent=extent,
        interpolation="bilinear",
    )

"""A sheet of frames with their annotations drawn, to see at a glance whether a data set was read right."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import attrs
import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from vatl_core.files import whole
from vatl_core.video import Skeleton, crop_boxes
from vatl_datasets.inspection import Sample
from vatl_drawing import SIDES, Colour, Picture, draw_pose, track_colour

WIDTH: Final = 1680
"""Of the sheet, in pixels."""
MARGIN: Final = 12
CAPTION: Final = 24
CLOSE_UP: Final = (200, 150)
"""Height and width of an instance seen closely."""
WIDE: Final = 2.5
"""From this ratio of width to height on a frame has the sheet's whole width."""
GROUND: Final[Colour] = (24, 26, 30)
INK: Final[Colour] = (235, 235, 235)
LEGEND: Final = "Frames: one colour for each track, a dot for each annotated keypoint.  Close-ups: keypoints of the"


def write_sheet(path: Path, title: str, samples: Sequence[Sample]) -> None:
    """Write the sheet as PNG.

    Args:
        path: where; appears only when it is complete.
        title: its first line.
        samples: at least one frame.
    """
    wide = any(sample.picture.shape[2] > WIDE * sample.picture.shape[1] for sample in samples)
    columns = 1 if wide or len(samples) == 1 else 2
    width = (WIDTH - (columns + 1) * MARGIN) // columns
    blocks = [_block(sample, width) for sample in samples]
    rows = [blocks[i : i + columns] for i in range(0, len(blocks), columns)]
    heights = [max(block.shape[0] for block in row) for row in rows]
    sheet = _ground(sum(heights) + MARGIN * (len(rows) + 1) + 2 * CAPTION, WIDTH)
    top = 2 * CAPTION + MARGIN
    for row, height in zip(rows, heights, strict=True):
        for column, block in enumerate(row):
            left = MARGIN + column * (width + MARGIN)
            sheet[top : top + block.shape[0], left : left + width] = block
        top += height + MARGIN
    page = Image.fromarray(sheet)
    _head(page, title)
    with whole(path) as beside:
        page.save(beside, format="PNG", compress_level=3)


def _head(page: Image.Image, title: str) -> None:
    """The title, and what the colours of the close-ups mean."""
    draw = ImageDraw.Draw(page)
    draw.text((MARGIN, 8), title, INK, ImageFont.load_default(18))
    font, x = ImageFont.load_default(14), float(MARGIN)
    for text, colour in [(LEGEND, INK), *SIDES.items()]:
        draw.text((x, 34), text, colour, font)
        x += draw.textlength(text + "  ", font)


def _block(sample: Sample, width: int) -> Picture:
    """(H, width, 3) a caption, the frame with its poses, and below it the largest instances closely."""
    frame = np.ascontiguousarray(sample.picture.permute(1, 2, 0).numpy())
    index = torch.nonzero(sample.video.instances.frame == sample.frame).flatten()
    shown = _frame(sample, index, frame, width)
    close = _close_ups(sample, index, frame, width)
    caption = _ground(CAPTION, width)
    name = f"{sample.split} / {sample.video.name} / {sample.video.frames.name(sample.frame)}"
    lettered = Image.fromarray(caption)
    text = f"{name}   frame {sample.frame}, {len(index)} instance{'s' * (len(index) != 1)}"
    ImageDraw.Draw(lettered).text((0, 3), text, INK, ImageFont.load_default(15))
    return np.concatenate([np.asarray(lettered), shown, _ground(4, width), close])


def _frame(sample: Sample, index: torch.Tensor, frame: Picture, width: int) -> Picture:
    """The frame with every instance's box and pose, scaled to ``width``."""
    scale = width / frame.shape[1]
    shown = cv2.resize(frame, (width, max(1, round(frame.shape[0] * scale))), interpolation=_kind(scale))
    instances = sample.video.instances
    for i in index.tolist():
        colour = track_colour(int(instances.track[i]))
        x, y, w, h = (instances.boxes[i] * scale).round().int().tolist()
        cv2.rectangle(shown, (x, y), (x + w, y + h), colour, 1, cv2.LINE_AA)
        points, visible = _pose(sample, i)
        draw_pose(shown, points * scale, sample.video.skeleton, colour, max(w, h), visible)
    return np.asarray(shown, dtype=np.uint8)


def _close_ups(sample: Sample, index: torch.Tensor, frame: Picture, width: int) -> Picture:
    """As many of the instances as fit beside each other, those with the largest boxes, each at the same size."""
    height, across = CLOSE_UP
    boxes = sample.video.instances.boxes
    order = index[torch.argsort(boxes[index, 2] * boxes[index, 3], descending=True, stable=True)]
    strip = _ground(height, width)
    for place, i in enumerate(order[: (width + 4) // (across + 4)].tolist()):
        left = place * (across + 4)
        strip[:, left : left + across] = _close_up(sample, i, frame)
    return strip


def _close_up(sample: Sample, i: int, frame: Picture) -> Picture:
    height, across = CLOSE_UP
    x1, y1, x2, _ = crop_boxes(sample.video.instances.boxes[i : i + 1], CLOSE_UP)[0].tolist()
    scale = across / max(1.0, x2 - x1)
    matrix = np.array([[scale, 0, -x1 * scale], [0, scale, -y1 * scale]])
    shown = np.asarray(cv2.warpAffine(frame, matrix, (across, height), flags=_kind(scale)), dtype=np.uint8)
    points, visible = _pose(sample, i)
    skeleton = sample.video.skeleton
    points = (points - (x1, y1)) * scale
    draw_pose(shown, points, skeleton, (150, 150, 150), 60, visible)
    for side, colour in SIDES.items():
        draw_pose(shown, points, attrs.evolve(skeleton, edges=()), colour, 90, visible & _on(skeleton, side))
    return shown


def _pose(sample: Sample, i: int) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """(K, 2) keypoints in pixels of the frame, and (K,) which of them are annotated."""
    instances = sample.video.instances
    if instances.keypoints is None or instances.visible is None:
        return np.zeros((len(sample.video.skeleton), 2)), np.zeros(len(sample.video.skeleton), dtype=np.bool_)
    return instances.keypoints[i].double().numpy(), instances.visible[i].numpy()


def _on(skeleton: Skeleton, side: str) -> NDArray[np.bool_]:
    """(K,) which keypoints are on that side of the body, as their names or the order of their pairs tell."""
    found = ["middle"] * len(skeleton)
    for a, b in skeleton.flip_pairs:
        reverse = "right" in skeleton.keypoints[a].lower() or skeleton.keypoints[a].rstrip("0123456789").endswith("R")
        found[a], found[b] = ("right", "left") if reverse else ("left", "right")
    return np.array([name == side for name in found], dtype=np.bool_)


def _kind(scale: float) -> int:
    return cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR


def _ground(height: int, width: int) -> Picture:
    return np.full((height, width, 3), GROUND, dtype=np.uint8)

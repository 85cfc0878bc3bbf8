"""Pieces of frames with poses drawn over them, as pictures that a page can hold."""

from __future__ import annotations

import base64
from typing import Final

import attrs
import cv2
import numpy as np
from numpy.typing import NDArray
from torch import Tensor

import vatl_drawing
from vatl_core.promises import checked_pictures
from vatl_core.video import Frames, Skeleton
from vatl_drawing import Picture

_OUTSIDE: Final = 128


def read(frames: Frames, index: int) -> Picture:
    """One frame as a picture.

    Raises:
        InputError: it cannot be read.
        PluginError: what comes is no picture.
    """
    (given,) = checked_pictures(frames, [index])
    picture: Picture = given.permute(1, 2, 0).contiguous().numpy()
    return picture


@attrs.frozen
class View:
    """A rectangle of a frame, and the size at which it is shown.

    Attributes:
        left, top, width, height: in pixels of the frame; may reach beyond it.
        size: width and height of the shown picture.
    """

    left: int
    top: int
    width: int
    height: int
    size: tuple[int, int]

    @classmethod
    def around(cls, boxes: Tensor, grow: float, aspect: float, shown: int) -> View:
        """What holds all of ``boxes`` (M, 4) x, y, w, h, ``grow`` times over, at this width to height.

        Args:
            shown: pixels of the longer side of the picture.
        """
        low, high = boxes[:, :2].amin(0), (boxes[:, :2] + boxes[:, 2:]).amax(0)
        (x, y), (w, h) = ((low + high) / 2).tolist(), ((high - low) * grow).tolist()
        w, h = max(w, h * aspect, 2.0), max(h, w / aspect, 2.0)
        size = (shown, round(shown / aspect)) if aspect >= 1 else (round(shown * aspect), shown)
        return cls(round(x - w / 2), round(y - h / 2), round(w), round(h), size)

    def show(self, frame: Picture) -> Picture:
        """The rectangle at its size, grey where it reaches beyond the frame."""
        cut = np.full((self.height, self.width, 3), _OUTSIDE, np.uint8)
        x, y = max(self.left, 0), max(self.top, 0)
        piece = frame[y : max(self.top + self.height, 0), x : max(self.left + self.width, 0)]
        if piece.size:
            cut[y - self.top : y - self.top + piece.shape[0], x - self.left : x - self.left + piece.shape[1]] = piece
        smaller = self.size[0] < self.width
        shown: Picture = cv2.resize(cut, self.size, interpolation=cv2.INTER_AREA if smaller else cv2.INTER_CUBIC)
        return shown

    def inside(self, frame: Picture) -> View:
        """The same view brought into the frame: no larger than shows all of it, and moved as far as it fits."""
        high, wide = frame.shape[:2]
        scale = min(1.0, max(wide / self.width, high / self.height))
        width, height = max(1, round(self.width * scale)), max(1, round(self.height * scale))
        left = self.left + (self.width - width) // 2
        top = self.top + (self.height - height) // 2
        left = min(max(left, 0), wide - width) if width <= wide else (wide - width) // 2
        top = min(max(top, 0), high - height) if height <= high else (high - height) // 2
        return View(left, top, width, height, self.size)

    def shown_size(self, box: Tensor) -> float:
        """The root of a box's (4,) shown area: how large an instance appears, in pixels."""
        return float((box[2] * box[3]).sqrt()) * self.size[0] / self.width

    def place(self, points: Tensor) -> NDArray[np.float64]:
        """Frame coordinates (K, 2) in pixels of the shown picture."""
        scale = np.array([self.size[0] / self.width, self.size[1] / self.height])
        placed: NDArray[np.float64] = (points.double().numpy() - (self.left, self.top)) * scale
        return placed


@attrs.frozen
class Pen:
    """How a pose is drawn.

    Attributes:
        colour: RGB.
        square: whether keypoints are squares, for those who cannot tell the colours.
    """

    colour: tuple[int, int, int]
    square: bool = False


ESTIMATE: Final = Pen(vatl_drawing.PALETTE[0])
LABEL: Final = Pen(vatl_drawing.PALETTE[1], square=True)
"""Orange and sky blue: apart for every kind of colour vision."""


def draw_pose(
    picture: Picture,
    points: NDArray[np.float64],
    visible: NDArray[np.bool_],
    skeleton: Skeleton,
    pen: Pen,
    size: float,
    hidden: NDArray[np.bool_] | None = None,
) -> None:
    """Draw the annotated keypoints (K, 2) of a pose, in pixels of the picture, with :data:`ESTIMATE` or :data:`LABEL`.

    Those of them that are ``hidden`` (K,) in the picture are hollow.
    """
    vatl_drawing.draw_pose(picture, points, skeleton, pen.colour, size, visible, pen.square, hidden)


def jpeg(picture: Picture, quality: int = 80) -> str:
    """A picture as a data URI."""
    _, data = cv2.imencode(".jpg", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, quality])
    return data_uri("image/jpeg", data.tobytes())


def data_uri(kind: str, data: bytes) -> str:
    """Bytes where an address is expected."""
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"

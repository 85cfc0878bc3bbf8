"""Pictures written as a video file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import torch
from torch import Tensor

from vatl_core.files import whole


def write_video(
    path: Path, pictures: Iterator[Tensor], frames_per_second: float = 25.0, repeatable: bool = False
) -> None:
    """Write (3, H, W) uint8 RGB pictures as H.264, which every browser plays; odd sizes lose a row or column.

    Args:
        path: where; appears only when it is complete.
        pictures: at least one picture; those of another size than the first are scaled into it, with black edges.
        frames_per_second: playing speed.
        repeatable: encode slower, so that the same pictures always give the same file.
    """
    from fractions import Fraction

    import av

    with whole(path) as beside, av.open(str(beside.absolute()), "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=Fraction(frames_per_second).limit_denominator(1000))
        stream.pix_fmt = "yuv420p"
        stream.options = {"crf": "20", "preset": "veryfast"}
        if repeatable:  # x264's assembler rounds by where its memory happens to lie
            stream.options |= {"x264-params": "asm=0"}
            stream.codec_context.thread_count = 1
        for picture in pictures:
            if not stream.codec_context.is_open:
                size = picture.shape[1:]
                stream.height, stream.width = size[0] // 2 * 2, size[1] // 2 * 2
            even = _fitted(picture, size)[:, : stream.height, : stream.width]
            frame = av.VideoFrame.from_ndarray(even.permute(1, 2, 0).contiguous().numpy(), format="rgb24")
            container.mux(stream.encode(frame.reformat(format="yuv420p", interpolation="BICUBIC")))
        container.mux(stream.encode())


def _fitted(picture: Tensor, size: tuple[int, ...]) -> Tensor:
    """The picture (3, h, w) in the middle of one of this height and width, as large as it fits."""
    if picture.shape[1:] == size:
        return picture
    import cv2

    scale = min(size[0] / picture.shape[1], size[1] / picture.shape[2])
    height, width = (max(1, round(length * scale)) for length in picture.shape[1:])
    colours = picture.permute(1, 2, 0).contiguous().numpy()
    scaled = cv2.resize(colours, (width, height), interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    canvas = torch.zeros((3, *size), dtype=torch.uint8)
    top, left = (size[0] - height) // 2, (size[1] - width) // 2
    canvas[:, top : top + height, left : left + width] = torch.from_numpy(scaled).permute(2, 0, 1)
    return canvas

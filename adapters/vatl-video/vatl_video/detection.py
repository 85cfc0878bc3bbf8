"""One pass of a detector over a video, and the file that keeps what it found."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Final

import numpy as np
import safetensors
import torch
from safetensors.torch import load_file
from safetensors.torch import save as serialise
from torch import Tensor, nn

from vatl_core.errors import InputError
from vatl_core.estimation import ahead
from vatl_core.progress import Progress
from vatl_core.video import Frames
from vatl_video.boxes import Boxes

FLOOR: Final = 0.05
"""The least score that is kept."""
SAME: Final = 0.7
"""The overlap (intersection over union) from which boxes of different classes are one thing."""


def detect(
    network: nn.Module,
    frames: Frames,
    numbers: Sequence[int],
    labels: Sequence[int],
    device: torch.device,
    batch: int,
    progress: Progress,
) -> dict[str, Tensor]:
    """Find things in the frames ``numbers``.

    Args:
        network: one of torchvision's detectors, on the device.
        frames: of the video.
        numbers: which of them.
        labels: of the classes that are wanted.
        device: where it is.
        batch: frames to a forward pass.
        progress: told the stage ``detect`` in frames.

    Returns:
        ``frame`` (n,) int64, ``boxes`` (n, 4) float32 x, y, w, h in pixels, ``score`` (n,) float32, on the CPU.
    """
    wanted = torch.tensor(labels, device=device)
    found: list[tuple[Tensor, Tensor, Tensor]] = []
    done = 0
    progress("detect", done, len(numbers))
    for pictures in ahead(_batches(frames, numbers, batch)):
        with torch.inference_mode():
            results = network([picture.to(device, non_blocking=True) / 255 for picture in pictures])
        for number, result in zip(numbers[done : done + len(pictures)], results, strict=True):
            boxes, score = _chosen(result, wanted)
            found.append((torch.full(score.shape, number, device=score.device), boxes, score))
        done += len(pictures)
        progress("detect", done, len(numbers))
    frame, boxes, score = (torch.cat(column).cpu() for column in zip(*found, strict=True))
    return {"frame": frame, "boxes": torch.cat([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]], dim=1), "score": score}


def _batches(frames: Frames, numbers: Sequence[int], size: int) -> Iterator[list[Tensor]]:
    pictures = iter(frames.read_many(numbers))
    while batch := list(islice(pictures, size)):
        yield batch


def _chosen(result: dict[str, Tensor], wanted: Tensor) -> tuple[Tensor, Tensor]:
    """The corners (m, 4) and scores (m,) of what is of the wanted classes; a thing found as two of them counts once."""
    from torchvision.ops import nms

    kept = torch.isin(result["labels"], wanted) & (result["scores"] >= FLOOR)
    boxes, score = result["boxes"][kept].float(), result["scores"][kept].float()
    if len(wanted) > 1:
        once = nms(boxes, score, SAME)
        boxes, score = boxes[once], score[once]
    return boxes, score


def save(path: Path, found: dict[str, Tensor]) -> None:
    """Keep what :func:`detect` found."""
    path.write_bytes(serialise({name: column.contiguous() for name, column in found.items()}))


def read(path: Path) -> Boxes:
    """What :func:`save` kept.

    Raises:
        InputError: the file is damaged.
    """
    try:
        columns: dict[str, Any] = {name: column.numpy() for name, column in load_file(path).items()}
    except (safetensors.SafetensorError, OSError) as error:
        raise InputError(f"{path} is damaged ({error}): delete it, and it will be made again") from error
    frame = columns["frame"].astype(np.int64)
    track = np.full(len(frame), -1, dtype=np.int64)
    score = columns["score"].astype(np.float64)
    return Boxes(frame, track, columns["boxes"].astype(np.float64), score, [str(i) for i in range(len(frame))])

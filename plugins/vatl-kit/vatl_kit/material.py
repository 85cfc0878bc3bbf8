"""What components are tried on: a small video with its truth, poses and windows, all made from a seed."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import attrs
import torch
from torch import Tensor

from vatl_core.contracts import Maps, Poses, Window
from vatl_core.errors import InputError
from vatl_core.video import Frames, Instances, Skeleton, Video, crop_boxes, decode, gaussian_targets, invert, transform
from vatl_core.video import crop_matrices as matrices_of

STICK = Skeleton(
    "stick",
    ("head", "left_hand", "right_hand", "left_foot", "right_foot"),
    ((0, 1), (0, 2), (0, 3), (0, 4)),
    ((1, 2), (3, 4)),
)
"""Five keypoints, so that no number of channels is a coincidence."""
_POSE = torch.tensor([[0, -24], [-14, -4], [14, -4], [-8, 22], [8, 22]], dtype=torch.float32)
_COLOURS = torch.tensor([[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 0], [0, 255, 255]], dtype=torch.uint8)


@attrs.frozen(eq=False)
class Drawn(Frames):
    """Pictures that are there already, (F, 3, H, W) uint8."""

    pictures: Tensor

    def __len__(self) -> int:
        return len(self.pictures)

    def read(self, index: int) -> Tensor:
        """A copy, so that nobody draws into the original."""
        if not 0 <= index < len(self):
            raise InputError(f"there is no frame {index}: there are {len(self)}")
        return self.pictures[index].clone()


def devices() -> list[torch.device]:
    """Those that components are tried on: the CPU, and CUDA where there is one."""
    return [torch.device("cpu"), *([torch.device("cuda")] if torch.cuda.is_available() else [])]


def generator(seed: int = 0) -> torch.Generator:
    """A generator on the CPU."""
    return torch.Generator().manual_seed(seed)


def stick_video(frames: int = 6, tracks: int = 2, seed: int = 0) -> Video:
    """Stick figures that drift over noise; each keypoint a square of its own colour."""
    draw = generator(seed)
    centres = torch.tensor([[40.0 + 60 * t, 60.0] for t in range(tracks)])
    wiggle = torch.randn(frames, tracks, 5, 2, generator=draw) * 3
    keypoints = (centres[None, :, None] + _POSE + wiggle).round()
    pictures = torch.randint(40, 90, (frames, 3, 120, 40 + 60 * tracks), generator=draw, dtype=torch.uint8)
    for frame in range(frames):
        for (x, y), colour in zip(
            keypoints[frame].flatten(0, 1).int().tolist(), _COLOURS.repeat(tracks, 1), strict=True
        ):
            pictures[frame, :, y - 3 : y + 4, x - 3 : x + 4] = colour[:, None, None]
    flat = keypoints.flatten(0, 1)
    instances = Instances.of(
        torch.arange(frames).repeat_interleave(tracks),
        torch.arange(tracks).repeat(frames),
        _around(flat),
        None,
        flat,
        torch.ones(len(flat), 5, dtype=torch.bool),
    )
    return Video("sticks", STICK, Drawn(pictures), instances)


def poses(count: int = 40, seed: int = 1, device: torch.device | None = None, features: bool = False) -> Poses:
    """Known poses; of every seventh keypoint nobody knows where it is, and it says NaN."""
    draw = generator(seed)
    keypoints = 60 + _POSE + torch.randn(count, 5, 2, generator=draw) * 4
    visible = (torch.arange(count * 5) % 7 != 3).view(count, 5)
    boxes = _around(keypoints)
    keypoints[~visible] = torch.nan
    seen = torch.randn(count, 6, generator=draw)
    return Poses(keypoints.to(device), visible.to(device), boxes.to(device), seen.to(device) if features else None)


def as_asked(known: Poses, seed: int = 9) -> Poses:
    """The same poses as labels of earlier cycles, four to each; of every fifth nothing is visible."""
    count, device = len(known), known.keypoints.device
    oks = torch.rand(count, generator=generator(seed))
    oks[::5] = torch.nan
    return attrs.evolve(known, cycle=torch.arange(count, device=device) // 4, oks=oks.to(device))


def window(device: torch.device, seed: int = 2, frames: int = 5, tracks: int = 2) -> Window:
    """Every instance of a video as criteria see it, with everything that a criterion may need.

    Heatmaps of neighbours that do not exist are NaN: they are undefined, and may not show in any score.
    """
    draw, instances = generator(seed), stick_video(frames, tracks, seed).instances
    boxes, count = instances.boxes, len(instances)
    crops = crop_boxes(boxes, (64, 48))
    truth = instances.keypoints if instances.keypoints is not None else torch.zeros(0)
    moved = truth + torch.randn(truth.shape, generator=draw) * 2
    in_crop = transform(moved, invert(matrices_of(crops, (64, 48))))
    heatmaps, _ = gaussian_targets(in_crop, torch.ones(count, 5, dtype=torch.bool), (16, 12), 4)
    heatmaps = heatmaps * torch.rand(count, 5, 1, 1, generator=draw) + 0.05 * torch.rand(heatmaps.shape, generator=draw)
    keypoints, scores = decode(heatmaps, crops)
    columns = {
        "index": torch.arange(count), "frame": instances.frame, "track": instances.track,
        "time": instances.frame.double() / 25, "boxes": boxes, "crops": crops, "keypoints": keypoints, "scores": scores,
        "features": torch.randn(count, 6, generator=draw).abs(), "heatmaps": heatmaps,
        "previous": _of(heatmaps, instances.previous), "next": _of(heatmaps, instances.next),
        "has_previous": instances.previous >= 0, "has_next": instances.next >= 0,
        "labelled": torch.arange(count) % 5 == 1,
        "pictures": torch.randint(0, 256, (count, 3, 64, 48), generator=draw, dtype=torch.uint8),
    }  # fmt: skip
    extra = {"log_variance": torch.randn(count, 5, generator=draw).to(device)}
    there: dict[str, Any] = {name: column.to(device) for name, column in columns.items()}
    return Window(skeleton=STICK, extra=extra, network=shrunk, **there)


def shrunk(pictures: Tensor, dropout: float | None = None, sample: int = 0) -> Maps:
    """A network that makes heatmaps (B, 5, 16, 12) of pictures by shrinking them; dropout leaves some rows out."""
    grey = torch.nn.functional.avg_pool2d(pictures.float().mean(1, keepdim=True) / 255, 4)
    kept = torch.rand(1, 5, 16, 1, generator=generator(sample)).to(grey.device) >= (dropout or 0.0)
    return Maps(grey.expand(-1, 5, -1, -1) * kept, grey.flatten(1)[:, :6])


def rows(whole: Window, which: Tensor) -> Window:
    """Some instances of a window, in this order."""
    return each(whole, lambda column: column[which.to(column.device)] if len(column) else column)


def each(whole: Window, change: Callable[[Tensor], Tensor]) -> Window:
    """The window with every column changed."""
    changed: dict[str, Any] = {
        field.name: change(column)
        for field in attrs.fields(Window)
        if isinstance(column := getattr(whole, field.name), Tensor)
    }
    return attrs.evolve(whole, extra={name: change(column) for name, column in whole.extra.items()}, **changed)


def needed(whole: Window, needs: frozenset[str]) -> Window:
    """A window with no other heatmaps than a criterion declares that it reads."""
    nothing = whole.heatmaps[:0, 0, 0, 0]
    if "neighbours" not in needs:
        whole = attrs.evolve(whole, previous=nothing, next=nothing, has_previous=nothing, has_next=nothing)
    if not needs & {"heatmaps", "neighbours"}:
        whole = attrs.evolve(whole, heatmaps=nothing)
    if "network" not in needs:
        whole = attrs.evolve(whole, pictures=nothing, network=None)
    if "extra" not in needs:
        whole = attrs.evolve(whole, extra={})
    return whole if "pool" in needs else attrs.evolve(whole, labelled=nothing)


def same(first: Tensor, second: Tensor) -> bool:
    """Whether two tensors agree but for rounding; NaN is equal to itself."""
    if first.shape != second.shape:
        return False
    if not first.is_floating_point():
        return torch.equal(first, second)
    return torch.allclose(first, second.to(first.dtype), rtol=2e-3, atol=1e-4, equal_nan=True)


def farthest(first: Tensor, second: Tensor) -> str:
    """How far two tensors lie apart, in words."""
    if first.shape != second.shape:
        return f"shapes {tuple(first.shape)} and {tuple(second.shape)}"
    apart = (first.double() - second.double()).abs().nan_to_num(math.inf)
    return f"up to {float(apart.max()) if apart.numel() else 0.0:.3g} apart"


def _around(keypoints: Tensor) -> Tensor:
    """Boxes (N, 4) six pixels around poses (N, K, 2)."""
    low, high = keypoints.amin(1) - 6, keypoints.amax(1) + 6
    return torch.cat([low, high - low], 1)


def _of(heatmaps: Tensor, neighbour: Tensor) -> Tensor:
    there = (neighbour >= 0)[:, None, None, None]
    return torch.where(there, heatmaps[neighbour.clamp(min=0)], torch.nan)

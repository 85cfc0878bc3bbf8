"""Local maxima of heatmaps, found for a whole batch at once."""

from __future__ import annotations

import attrs
import torch
from torch import Tensor


@attrs.frozen
class Peaks:
    """Up to P local maxima of each heatmap, the highest first.

    Attributes:
        values: (B, K, P) the heatmap there; 0 where there is no such peak.
        places: (B, K, P, 2) x and y in heatmap pixels, integers as floats; 0 where there is no such peak.
        found: (B, K, P) bool, whether there is one.
    """

    values: Tensor
    places: Tensor
    found: Tensor

    def log_weights(self) -> Tensor:
        """Logarithm of the softmax of each map's peaks, (B, K, P); 0 where there is no such peak."""
        logits = torch.where(self.found, self.values, -torch.inf)
        return torch.where(self.found, logits - torch.logsumexp(logits, -1, keepdim=True), 0.0)


def window_maximum(maps: Tensor, size: int) -> Tensor:
    """The maximum of every size × size window within a map, (B, K, h, w) → (B, K, h − size + 1, w − size + 1).

    Windows grow by doubling, and all maps are one line of numbers meanwhile: what runs over the end of a row is
    dropped in the end. Pooling pixel by pixel compares ten times as often.
    """
    count, channels, height, width = maps.shape
    line = maps.reshape(-1)
    for step in (1, width):
        reach = 1
        while reach < size:
            further = min(reach, size - reach)
            line = torch.maximum(line[: -further * step], line[further * step :])
            reach += further
    shape = (count, channels, height - size + 1, width - size + 1)
    return line.as_strided(shape, (channels * height * width, height * width, width, 1))


def local_maxima(heatmaps: Tensor, distance: int, count: int) -> Peaks:
    """The highest local maxima of each map.

    A peak is at least as high as everything up to ``distance`` pixels away in x and in y, higher than the map's
    minimum, and has ``distance`` pixels between itself and the border. Of equally high ones that are less than
    ``distance`` apart the first counts, row by row. These are the peaks that the published code looks at.

    Args:
        heatmaps: (B, K, h, w).
        distance: heatmap pixels.
        count: P, how many at the most.
    """
    size = 2 * distance + 1
    if not len(heatmaps) or min(heatmaps.shape[2:]) < size:
        nowhere = heatmaps.new_zeros(*heatmaps.shape[:2], count)
        return Peaks(nowhere, torch.stack([nowhere, nowhere], -1), nowhere > 0)
    inner = heatmaps[..., distance:-distance, distance:-distance]
    candidates = torch.where(inner == window_maximum(heatmaps, size), inner, -torch.inf)
    values, index = _highest(candidates.flatten(2), inner.shape[-1], distance, count)
    found = values > heatmaps.amin((2, 3))[..., None]
    places = torch.stack([index % inner.shape[-1], index // inner.shape[-1]], -1) + distance
    return Peaks(torch.where(found, values, 0.0), places * found[..., None].to(values.dtype), found)


def _highest(candidates: Tensor, width: int, distance: int, count: int) -> tuple[Tensor, Tensor]:
    """The highest of candidates (B, K, h·w), one after the other; those too near to one already taken drop out.

    Returns:
        values (B, K, count), −∞ where no candidate is left, and indices (B, K, count).
    """
    near = torch.arange(1 - distance, distance, device=candidates.device)
    height = candidates.shape[-1] // width
    taken = []
    for _ in range(count):
        value, index = candidates.max(-1, keepdim=True)
        taken.append((value, index))
        rows = (index // width + near).clamp(0, height - 1)
        columns = (index % width + near).clamp(0, width - 1)
        candidates.scatter_(-1, (rows[..., :, None] * width + columns[..., None, :]).flatten(-2), -torch.inf)
    values, indices = zip(*taken, strict=True)
    return torch.cat(values, -1), torch.cat(indices, -1)


def local_peak_mean(heatmaps: Tensor) -> Tensor:
    """The mean of all 3 × 3 local maxima that reach half their map's maximum, over an instance's maps.

    The weight γ of uncertainty against influence (Liu & Ferrari, *Active Learning for Human Pose Estimation*, ICCV
    2017). Every pixel of a plateau counts.

    Args:
        heatmaps: (B, K, h, w).

    Returns:
        (B,), 0 where no map has a maximum of at least 0.
    """
    half = heatmaps.amax((2, 3), keepdim=True) / 2
    count, channels, height, width = heatmaps.shape
    bordered = heatmaps.new_full((count, channels, height + 2, width + 2), -torch.inf)
    torch.maximum(heatmaps, half, out=bordered[..., 1:-1, 1:-1])  # so that what is lower than half cannot be a peak
    peak = torch.ge(heatmaps, window_maximum(bordered, 3), out=torch.empty_like(heatmaps)).flatten(1)
    total: Tensor = torch.linalg.vecdot(heatmaps.flatten(1), peak)
    return total / peak.sum(1).clamp(min=1)


def or_maximum(peaks: Peaks, heatmaps: Tensor) -> Peaks:
    """The peaks, and of each map (B, K, h, w) without one the place of its maximum, wherever that is."""
    value, index = heatmaps.flatten(2).max(-1)
    width = heatmaps.shape[-1]
    place = torch.stack([index % width, index // width], -1).to(value.dtype)
    first = torch.arange(peaks.found.shape[-1], device=value.device) == 0
    lacking = first & ~peaks.found
    return Peaks(
        torch.where(lacking, value[..., None], peaks.values),
        torch.where(lacking[..., None], place[..., None, :], peaks.places),
        peaks.found | lacking,
    )

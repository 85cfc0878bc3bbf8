"""How long the links of a pose are, as statistics and as a network predicts it from an instance's features."""

from __future__ import annotations

import attrs
import torch
from torch import Tensor, nn

from vatl_core.contracts import Poses
from vatl_core.video import Pair, Skeleton, crop_boxes
from vatl_criteria.uncertainty.auxiliary import FeatureNetwork, taught

LEAST_LOG_VARIANCE = -1.4
"""A length is not known better than to half a heatmap pixel."""
_ENOUGH = 5
"""Observations of a link from which its own mean and variance are believed."""


def tree(skeleton: Skeleton, root: int = 0) -> list[Pair]:
    """Edges (parent, child) of a spanning forest in breadth-first order; keypoints without edges start trees."""
    around: dict[int, list[int]] = {k: [] for k in range(len(skeleton))}
    for a, b in skeleton.edges:
        around[a].append(b)
        around[b].append(a)
    seen: set[int] = set()
    links: list[Pair] = []
    for start in [root, *range(len(skeleton))]:
        queue = [] if start in seen else [start]
        seen.add(start)
        while queue:
            parent = queue.pop(0)
            for child in (k for k in around[parent] if k not in seen):
                seen.add(child)
                links.append((parent, child))
                queue.append(child)
    return links


@attrs.frozen
class Lengths:
    """Link lengths of M poses.

    Attributes:
        values: (M, L) heatmap pixels.
        known: (M, L) bool, whether both ends are visible.
    """

    values: Tensor
    known: Tensor

    @classmethod
    def of(cls, poses: Poses, links: list[Pair], heatmap_size: tuple[int, int]) -> Lengths:
        """Measured on the heatmaps (height and width given) that the poses' crops would have."""
        crops = crop_boxes(poses.boxes, heatmap_size)
        scale = heatmap_size[1] / (crops[:, 2] - crops[:, 0]).clamp(min=1e-6)
        ends = torch.tensor(links, device=poses.keypoints.device, dtype=torch.int64).view(-1, 2)
        apart = poses.keypoints[:, ends[:, 0]] - poses.keypoints[:, ends[:, 1]]
        known = poses.visible[:, ends].all(2)
        values = torch.linalg.vector_norm(apart, dim=-1) * scale[:, None]
        return cls(torch.where(known, values, 0.0), known)

    def statistics(self, otherwise: Tensor | None = None) -> Tensor:
        """Mean and log-variance of each link, (2, L).

        Args:
            otherwise: (2, L) for links that are seen too seldom; those of all links together if not given.
        """
        if otherwise is None:
            otherwise = _moments(self.values.flatten(), self.known.flatten())[:, None].expand(2, self.known.shape[1])
        return torch.where(self.known.sum(0) >= _ENOUGH, _moments(self.values, self.known), otherwise)


def _moments(values: Tensor, known: Tensor) -> Tensor:
    """Mean and log-variance over the first dimension of what is known: (M, …) → (2, …)."""
    count = known.sum(0).clamp(min=1)
    mean = (values * known).sum(0) / count
    variance = ((values - mean).square() * known).sum(0) / count
    return torch.stack([mean, variance.clamp(min=1e-6).log().clamp(min=LEAST_LOG_VARIANCE)])


class LinkLengths(nn.Module):
    """The auxiliary network: features (B, D) → mean and log-variance of each link's length.

    It begins as constants, whatever the features, and learns to depart from them.

    Args:
        features: (M, D) of what is labelled, for their scale.
        constants: (2, L) mean and log-variance.
    """

    def __init__(self, features: Tensor, constants: Tensor) -> None:
        super().__init__()
        self.constants = constants
        self.change = FeatureNetwork(features, constants.numel())

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """(B, D) → (B, L) heatmap pixels, (B, L)."""
        change_of_mean, change_of_spread = self.change(features).chunk(2, 1)
        mean, log_variance = self.constants
        means = mean + change_of_mean * torch.exp(log_variance / 2)
        return means, (log_variance + change_of_spread).clamp(min=LEAST_LOG_VARIANCE)


def length_loss(means: Tensor, log_variances: Tensor, lengths: Lengths) -> Tensor:
    """½(μ − d)²·e^(−v) + ½v, the mean over the known links."""
    misfit = (means - lengths.values).square() * torch.exp(-log_variances)
    return ((misfit + log_variances) / 2 * lengths.known).sum() / lengths.known.sum().clamp(min=1)


def learn(features: Tensor, lengths: Lengths, constants: Tensor, steps: int, generator: torch.Generator) -> LinkLengths:
    """A network fitted to labelled poses: features (M, D), their lengths, and (2, L) constants to begin with."""

    def loss(network: LinkLengths, part: Tensor) -> Tensor:
        means, log_variances = network(features[part])
        return length_loss(means, log_variances, Lengths(lengths.values[part], lengths.known[part]))

    everything = torch.arange(len(features), device=features.device)
    return taught(lambda: LinkLengths(features, constants), loss, everything, steps, generator)

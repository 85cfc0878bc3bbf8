"""How far a network's poses of unlabelled instances can be trusted: by what labels show, and by the track."""

from __future__ import annotations

import attrs
import torch
from torch import Tensor

from vatl_core.compute import Compute
from vatl_core.contracts import Estimator, Labelled, Unlabelled
from vatl_retraining.looking import poses


@attrs.frozen
class Trusted:
    """Unlabelled instances to learn from.

    Attributes:
        index: (P,) of the video's instances.
        weights: (P, K) 0 to 1: how well each keypoint agrees with its neighbours in time.
        usual: (K,) the height of the heatmaps' maxima at labelled keypoints.
        sure: the share of it below which a maximum is worth nothing.
    """

    index: Tensor
    weights: Tensor
    usual: Tensor
    sure: float

    def certainty(self, heights: Tensor) -> Tensor:
        """(B, K) 0 to 1 of the maxima (B, K): as high as at labels is certain, much lower is nothing."""
        share = (heights / self.usual).clamp(0, 1)
        return share.where((self.usual > 0) & (share >= self.sure), 0.0)


def trusted(
    estimator: Estimator,
    labelled: Labelled,
    unlabelled: Unlabelled,
    compute: Compute,
    steadiness: float,
    sure: float,
) -> Trusted:
    """Trust in the poses that ``estimator`` sees at present.

    Args:
        estimator: that has learnt the labels.
        labelled: by which heights are judged.
        unlabelled: those that shall be learnt from.
        compute: where and how the estimator runs.
        steadiness: how far a keypoint may be from the middle between its neighbours in time, a share of its box's
            diagonal, to weigh e^(−1/2); 0 asks for no agreement.
        sure: as in :class:`Trusted`.
    """
    _, heights = poses(estimator, labelled.pictures, labelled.index, compute)
    usual = heights.masked_fill(~labelled.visible, torch.nan).nanmedian(0).values
    weights = torch.ones_like(unlabelled.scores)
    if steadiness:
        keypoints, _ = poses(estimator, unlabelled.pictures, unlabelled.index, compute)
        weights = agreement(keypoints, labelled, unlabelled, steadiness)
    return Trusted(unlabelled.index, weights, usual, sure)


def agreement(keypoints: Tensor, labelled: Labelled, unlabelled: Unlabelled, steadiness: float) -> Tensor:
    """(U, K) of the estimated (U, K, 2): exp(−½·(d / (steadiness·diagonal))²), d from the middle of both neighbours.

    1 where one of the two is not known: there is nothing to disagree with.
    """
    pool = torch.cat([labelled.index, unlabelled.index])
    last = int(pool.max()) + 1
    place = keypoints.new_full((last + 1, *keypoints.shape[1:]), torch.nan)  # the row at −1 stays unknown
    place[labelled.index] = labelled.keypoints.masked_fill(~labelled.visible[..., None], torch.nan)
    place[unlabelled.index] = keypoints
    before, after = (link.where(link < last, -1) for link in (unlabelled.previous, unlabelled.next))
    away = (keypoints - (place[before] + place[after]) / 2).norm(dim=-1)
    diagonal = unlabelled.boxes[:, 2:].norm(dim=-1, keepdim=True)
    return torch.exp(-0.5 * (away / (steadiness * diagonal)).square()).nan_to_num(1.0)

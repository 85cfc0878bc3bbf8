"""Which of its heatmap's maxima each keypoint is at, from all frames of its track together."""

from __future__ import annotations

import torch
from torch import Tensor

from vatl_refinement.scene import Scene
from vatl_refinement.viterbi import cheapest

_LEAST = 1e-3
"""Part of the highest value that a candidate counts for at least."""
_FARTHEST = 1.0
"""Box sizes beyond which all moves cost the same."""


def chosen(scene: Scene, candidates: Tensor) -> Tensor:
    """The candidates (N, K, 3) on the path through each chain whose Σ 2·log(vₘₐₓ / v) + log(1 + d² / σ²) is least.

    v is the candidate's value, d how far it lies from the one before in box sizes, σ the median of such moves among
    the first candidates, per step and keypoint, and at least half of the keypoint's OKS sigma. Heatmaps are likenesses
    of a density, so 2·log v stands for two independent looks; the cost of a move is Lorentzian (Black & Anandan, CVIU
    63(1), 1996) and ends at the size of the box, so that a limb may leap where the heatmaps are sure of it. A labelled
    keypoint's only place is its label; what is returned for it is what the pass found.

    Args:
        scene: its N instances.
        candidates: (N, K, C, 3) as by :meth:`Scene.scaled`, C ≥ 1.
    """
    places, values = candidates[..., :2], candidates[..., 2]
    share = (values / values[..., :1].clamp(min=torch.finfo(values.dtype).tiny)).clamp(_LEAST, 1)
    led = torch.where(scene.pinned[..., None, None], scene.label[:, :, None], places)
    moves = _moves(led, usual_move(scene, places[:, :, 0]), scene)
    choice = cheapest(share.log().mul_(-2)[scene.chains.forward], moves, scene.chains)[scene.chains.place]
    return candidates.gather(2, choice[..., None, None].expand(-1, -1, 1, 3))[:, :, 0]


def usual_move(scene: Scene, places: Tensor) -> Tensor:
    """(K,) median move per step, box sizes, of N × K places; no less than what is tolerated."""
    previous, steps = scene.around.previous, scene.around.before
    moved = torch.linalg.vector_norm(places - places[previous], dim=-1) / steps[:, None]
    moved = torch.where((previous >= 0)[:, None], moved, torch.nan)
    return moved.nanmedian(0).values.nan_to_num(0.0).maximum(scene.tolerance)


def _moves(places: Tensor, usual: Tensor, scene: Scene) -> Tensor:
    """(N, K, C, C) cost of coming from each candidate of the instance before to each of this one, rows of chains."""
    rows = scene.chains.forward
    before, here = places[scene.around.previous[rows]], places[rows]
    across, along = ((before[:, :, :, None, axis] - here[:, :, None, :, axis]).square_() for axis in (0, 1))
    far = across.add_(along).clamp_(max=_FARTHEST**2)
    return far.div_((usual[:, None, None] * scene.around.before[rows][:, None, None, None]).square()).log1p_()

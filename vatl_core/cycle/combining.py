"""The query's score: one criterion, or several, normalised and added (method §2, "Combining scores")."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor


def query_score(
    columns: Mapping[str, Tensor], share_of: Mapping[str, str | None], among: Tensor, fraction: float, weights: str
) -> Tensor:
    """(N,) what a query ranks by, from ``{criterion: (N,)}``: zeros where none of its criteria is computed.

    ``share_of`` has for each of them the one whose mean over the unlabelled is its share, or None; the rest is as for
    :func:`combined`.
    """
    computed = [name for name in share_of if name in columns]
    if not computed or not among.any():
        return torch.zeros_like(among, dtype=torch.float32)
    shares = [columns[share][among].mean() if (share := share_of[name]) else None for name in computed]
    return combined([columns[name] for name in computed], among, fraction, weights, shares)


def normalised(scores: Tensor, among: Tensor) -> Tensor:
    """Scores (N,) min–max normalised over those with ``among`` (N,) bool true; 0 elsewhere, and 0 if constant."""
    if not among.any():
        return torch.zeros_like(scores)
    low, high = scores[among].min(), scores[among].max()
    spread = high - low
    scaled = (scores - low) / torch.where(spread > 0, spread, torch.ones_like(spread))
    return torch.where(among, scaled, torch.zeros_like(scores))


def combined(
    columns: Sequence[Tensor],
    among: Tensor,
    fraction: float,
    weights: str = "constant",
    shares: Sequence[Tensor | None] = (),
) -> Tensor:
    """The sum of normalised scores (N,), normalised again.

    Args:
        columns: one (N,) a criterion.
        among: (N,) bool, the unlabelled.
        fraction: r, the labelled fraction.
        weights: ``constant``: all count alike; ``increase``: the first counts r, the others 1 − r; ``decrease``: the
            reverse; ``dynamic``: those with a share count it, the sum of the others counts the rest; all alike where
            none has one.
        shares: for each column its share of the sum, 0 to 1, or None.
    """
    if weights == "dynamic" and len(columns) > 1 and any(share is not None for share in shares):
        counting = _shared(columns, among, shares)
    else:
        first = {"increase": fraction, "decrease": 1 - fraction}.get(weights, 1.0)
        others = 1 - first if weights in ("increase", "decrease") else 1.0
        counting = [(column, others if number else first) for number, column in enumerate(columns)]
    total = torch.zeros_like(columns[0])
    for column, weight in counting:
        total += weight * normalised(column, among)
    return normalised(total, among)


def _shared(
    columns: Sequence[Tensor], among: Tensor, shares: Sequence[Tensor | None]
) -> list[tuple[Tensor, Tensor | float]]:
    """The columns with a share and that share, then the sum of the others and 1 − Σ share."""
    pairs = list(zip(columns, shares, strict=True))
    found = [(column, share) for column, share in pairs if share is not None]
    left = torch.ones_like(columns[0][0])
    for _, share in found:
        left = left - share
    rest = [column for column, share in pairs if share is None]
    return [*found, *([(combined(rest, among, 0.0), left.clamp(min=0))] if rest else [])]

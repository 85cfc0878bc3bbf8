"""The query's score: one criterion, or several, normalised and added (method §2, "Combining scores")."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor


def query_score(
    columns: Mapping[str, Tensor],
    parts: Sequence[str],
    share_of: Mapping[str, str | None],
    among: Tensor,
    fraction: float,
    weights: str,
) -> Tensor:
    """(N,) what a query of several ``parts`` ranks by: zeros where it has none that is computed.

    Args:
        columns: ``{criterion: (N,)}`` of what was computed.
        parts: the query's criteria.
        share_of: for each part the criterion whose mean over the unlabelled is its share of the sum, or None.
        among: (N,) bool, the unlabelled.
        fraction: r, the labelled fraction.
        weights: as for :func:`combined`.
    """
    computed = [name for name in parts if name in columns]
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
        return _shared(columns, among, shares)
    first = {"increase": fraction, "decrease": 1 - fraction}.get(weights, 1.0)
    others = 1 - first if weights in ("increase", "decrease") else 1.0
    total = torch.zeros_like(columns[0])
    for number, column in enumerate(columns):
        total += (others if number else first) * normalised(column, among)
    return normalised(total, among)


def _shared(columns: Sequence[Tensor], among: Tensor, shares: Sequence[Tensor | None]) -> Tensor:
    """Σ share·column + (1 − Σ share)·(the normalised sum of the columns without one), normalised again."""
    rest = [column for column, share in zip(columns, shares, strict=True) if share is None]
    total, left = torch.zeros_like(columns[0]), torch.ones_like(columns[0][0])
    for column, share in zip(columns, shares, strict=True):
        if share is not None:
            total += share * normalised(column, among)
            left = left - share
    if rest:
        total += left.clamp(min=0) * combined(rest, among, 0.0)
    return normalised(total, among)

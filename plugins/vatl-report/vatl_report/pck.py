"""PCK: the share of keypoints that are where they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import torch

from vatl_core.metrics import PosesInFrames

SHARE: Final = 0.2
"""PCK@0.2: how far off a correct keypoint may be, in longer sides of its box."""
CLOSER: Final = (0.1, 0.05)
"""Stricter shares that are measured as well, named in percent: PCK@10."""


def correct_keypoints(
    truth: PosesInFrames, predicted: PosesInFrames, names: Sequence[str], share: float = SHARE
) -> tuple[float | None, dict[str, float]]:
    """Percentage of correct keypoints, as a fraction: those within ``share`` of the longer side of the box.

    Yang & Ramanan, *Articulated Human Detection with Flexible Mixtures of Parts* (TPAMI 2013).

    Args:
        truth: N poses; ``weight`` says which keypoints are annotated.
        predicted: of the same N instances, on the same device.
        names: of the K keypoints.
        share: of the longer side.

    Returns:
        The share of all annotated keypoints, None where none is, and ``{name: share}`` of those annotated anywhere.
    """
    annotated = truth.weight > 0
    distance = torch.linalg.vector_norm(predicted.keypoints - truth.keypoints, dim=-1)
    correct = annotated & (distance <= share * truth.boxes[:, 2:].amax(1, keepdim=True))
    hits, all_of_them = correct.sum(0), annotated.sum(0)
    total = int(all_of_them.sum())
    columns = zip(names, hits.tolist(), all_of_them.tolist(), strict=True)
    by_keypoint = {name: hit / number for name, hit, number in columns if number}
    return int(hits.sum()) / total if total else None, by_keypoint


def of_keypoints(further: Mapping[str, float]) -> dict[str, float]:
    """The PCK of each keypoint among what plugins measured."""
    return {name.removeprefix("PCK."): value for name, value in further.items() if name.startswith("PCK.")}

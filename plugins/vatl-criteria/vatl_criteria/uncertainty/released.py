"""The auto-encoders released with the papers: ``WholeBodyAE_zdim4.pth`` and its like."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Final

import torch
from torch import Tensor

from vatl_core.errors import InputError
from vatl_core.video import Skeleton
from vatl_core.weights import PreTrained
from vatl_criteria.uncertainty.autoencoder import HIDDEN
from vatl_criteria.uncertainty.pose_feature import angle_triples, known_entries
from vatl_criteria.uncertainty.unnaturalness import COUNTED, PoseUnnaturalness
from vatl_weights import read_weights

SUFFIXES: Final = (".pth", ".pt")
LAYERS: Final = 2 * (len(HIDDEN) + 1)


def read_released(path: Path, criterion: PoseUnnaturalness, skeleton: Skeleton) -> PreTrained:
    """Read one for a criterion and a skeleton.

    Its features may have the entries of all keypoints, or lack those of the criterion's ``ignore``, as where the
    released code leaves out the ears, which PoseTrack21 does not annotate.

    Raises:
        InputError: it is missing, damaged, something else, or for another z, output or skeleton.
    """
    layers = _layers(path)
    size, z = layers[0][0].shape[1], len(layers[LAYERS // 2 - 1][0])
    if z != criterion.z_dim:
        raise InputError(f"{path}: its code has z = {z}, not {criterion.z_dim}: give -o wpu.z_dim={z}, or another file")
    if criterion.output != "sigmoid":
        raise InputError(f"{path}: the released auto-encoders end in a sigmoid: add -o wpu.output=sigmoid")
    triples = angle_triples(skeleton)
    kept = known_entries(torch.tensor([[name not in criterion.ignore for name in skeleton.keypoints]]), triples)[0]
    counted = {int(kept.sum()): kept, len(kept): torch.ones_like(kept)}.get(size)
    if counted is None:
        sizes = " or ".join(dict.fromkeys(map(str, (len(kept), int(kept.sum())))))
        told = f"it is of features of {size} entries, and those of skeleton '{skeleton.name}' have {sizes}"
        raise InputError(f"{path}: {told}: give a file for these, or those that it leaves out as wpu.ignore")
    return PreTrained(_parameters(layers, counted), {"what": f"the released auto-encoder {path.name} (z = {z})"})


def _layers(path: Path) -> list[tuple[Tensor, Tensor]]:
    """Weight (out, in) and bias (out,) of each layer, in the order of the file; its names for them do not matter."""
    tensors = read_weights(path).tensors
    weights, biases = ([t.float() for t in tensors.values() if t.ndim == dimensions] for dimensions in (2, 1))
    if not len(weights) == len(biases) == LAYERS or len(tensors) != 2 * LAYERS or not _fit(weights, biases):
        held = f"{len(tensors)} tensors ({', '.join(list(tensors)[:2])}, …)"
        form = "D → 24 → 12 → 7 → z → 7 → 12 → 24 → D"
        raise InputError(
            f"{path}: no auto-encoder as released, {form} by {2 * LAYERS} tensors in order: it holds {held}"
        )
    if not all(bool(tensor.isfinite().all()) for tensor in (*weights, *biases)):
        raise InputError(f"{path}: its parameters are damaged: they are not all finite")
    return list(zip(weights, biases, strict=True))


def _fit(weights: list[Tensor], biases: list[Tensor]) -> bool:
    """Whether the layers follow on each other, with the widths of the published network."""
    size, z = weights[0].shape[1], len(weights[LAYERS // 2 - 1])
    widths = [size, *HIDDEN, z, *reversed(HIDDEN), size]
    shapes = [((b, a), (b,)) for a, b in pairwise(widths)]
    return shapes == [(tuple(w.shape), tuple(b.shape)) for w, b in zip(weights, biases, strict=True)]


def _parameters(layers: list[tuple[Tensor, Tensor]], counted: Tensor) -> dict[str, Tensor]:
    """As :meth:`PoseUnnaturalness.pretrain` gives them; entries that are not counted have no weight."""
    weights, biases = (list(column) for column in zip(*layers, strict=True))
    entries, size = torch.nonzero(counted).flatten(), len(counted)
    weights[0] = torch.zeros(len(weights[0]), size).index_copy(1, entries, weights[0])
    weights[-1] = torch.zeros(size, weights[-1].shape[1]).index_copy(0, entries, weights[-1])
    biases[-1] = torch.zeros(size).index_copy(0, entries, biases[-1])
    named = {f"layers.{number}.weight": weight for number, weight in enumerate(weights)}
    return named | {f"layers.{number}.bias": bias for number, bias in enumerate(biases)} | {COUNTED: counted}

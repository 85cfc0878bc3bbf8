"""What an estimator gives, held to its contract: its form and place with every batch, its numbers once a pass."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TypeGuard

import attrs
import torch
from torch import Tensor

from vatl_core.contracts import Estimator, Maps
from vatl_core.errors import PluginError
from vatl_core.plugins import whose


def maps_of(estimator: Estimator, given: object, crops: Tensor, keypoints: int, width: int | None) -> Maps:
    """What an estimator gave of a batch.

    Args:
        estimator: whose ``forward`` it was.
        given: what it returned.
        crops: (B, 3, H, W) what it was given.
        keypoints: K.
        width: D of earlier batches; None with the first.

    Raises:
        PluginError: these are no maps of numbers with a point on the crops' device.
    """
    if not _are_maps(given):
        raise _breach(estimator, f"gave {_kind(given)}: `return Maps(heatmaps, features)`, of tensors, is expected")
    heatmaps, features, extra = given
    form, rows = (len(crops), keypoints, *estimator.heatmap_size), (len(crops), "D" if width is None else width)
    if heatmaps.shape != form or not _are_rows(features, len(crops), width):
        raise _breach(
            estimator,
            f"gave heatmaps {tuple(heatmaps.shape)} and features {tuple(features.shape)}: {form} and "
            f"({', '.join(map(str, rows))}) are expected",
        )
    for name, part in {**extra, "heatmaps": heatmaps, "features": features}.items():
        if part.shape[:1] != crops.shape[:1]:
            raise _breach(estimator, f"gave {name} {tuple(part.shape)}: ({len(crops)}, …) is expected")
        if part.device != crops.device or not part.is_floating_point():
            raise _breach(
                estimator,
                f"gave {name} of {part.dtype} on {part.device}: numbers with a point on {crops.device}, where the "
                "crops are, are expected",
            )
    return given


@attrs.frozen
class Numbers:
    """Whether what an estimator gave in a pass are numbers: asked once, since each asking waits for the device."""

    estimator: Estimator
    _sums: list[Tensor] = attrs.field(factory=list, init=False)

    def note(self, heatmaps: Tensor, features: Tensor) -> None:
        """Take down a batch's heatmaps (B, K, h, w) and features (B, D); nothing waits for the device.

        A sum is NaN or infinite as soon as one of its terms is, and looks at each of them only once.
        """
        self._sums.append(torch.stack([heatmaps.flatten(1).sum(1), features.sum(1)]))

    @contextmanager
    def told_first(self) -> Iterator[None]:
        """Ask at the end of the block, or as soon as something in it fails, for which they may be the reason.

        Raises:
            PluginError: some are NaN or infinite.
        """
        try:
            yield
        except Exception as error:
            if flaw := self._flaw():
                raise flaw from error
            raise
        if flaw := self._flaw():
            raise flaw

    def _flaw(self) -> PluginError | None:
        if not self._sums:
            return None
        sound = torch.cat(self._sums, 1).isfinite()
        if sound.all():
            return None
        name, bad = "features" if sound[0].all() else "heatmaps", int((~sound).any(0).sum())
        return _breach(
            self.estimator,
            f"gave {name} that are NaN or infinite for {bad} of {sound.shape[1]} instances: its forward is at fault, "
            "or the weights that it has",
        )


def _breach(estimator: Estimator, flaw: str) -> PluginError:
    return PluginError(f"estimator {type(estimator).__name__} {flaw}{whose(estimator)}")


def _are_maps(given: object) -> TypeGuard[Maps]:
    """Whether it is Maps, of tensors throughout."""
    if not isinstance(given, Maps) or not isinstance(given.extra, Mapping):
        return False
    return all(isinstance(part, Tensor) for part in (*given[:2], *given.extra.values()))


def _are_rows(features: Tensor, count: int, width: int | None) -> bool:
    return features.ndim == 2 and len(features) == count and width in (None, features.shape[1])


def _kind(given: object) -> str:
    """What was returned, in words."""
    if isinstance(given, tuple | list):
        return f"a {type(given).__name__} of {', '.join(type(part).__name__ for part in given) or 'nothing'}"
    return f"a {type(given).__name__}"

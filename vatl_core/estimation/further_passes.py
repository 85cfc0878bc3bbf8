"""Further passes of an estimator, for criteria that declare them: with or without dropout, and counted."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

import attrs
import torch
from torch import Tensor, nn

from vatl_core.compute import Compute, onto
from vatl_core.contracts import Estimator, Maps
from vatl_core.seeds import generator

_DROPOUT = (nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Dropout3d, nn.AlphaDropout, nn.FeatureAlphaDropout)


@attrs.define(eq=False)
class FurtherPasses:
    """An estimator that counts what it is asked for: the :class:`vatl_core.contracts.Network` of one criterion.

    Attributes:
        estimator: on the device, in evaluation mode.
        compute: device and precision.
        seed: of what dropout leaves out.
        count: how many instances went through it.
    """

    estimator: Estimator
    compute: Compute
    seed: int
    count: int = 0

    def __call__(self, pictures: Tensor, dropout: float | None = None, sample: int = 0) -> Maps:
        """As :class:`vatl_core.contracts.Network`."""
        self.count += len(pictures)
        with self._thinned(dropout or 0.0, sample):
            maps: Maps = self.compute.forward(self.estimator, pictures)
        return maps._replace(heatmaps=maps.heatmaps.float(), features=maps.features.float())

    @contextmanager
    def _thinned(self, share: float, sample: int) -> Iterator[None]:
        """Leave channels out within the block: at the network's own dropout, or before its head where it has none."""
        own = [(name, m) for name, m in self.estimator.named_modules() if isinstance(m, _DROPOUT)] if share else []
        handles = [m.register_forward_hook(lambda _, __, x, n=n: self._left(x, n, share, sample)) for n, m in own]
        if share and not own:
            head = self.estimator.get_submodule(self.estimator.head)
            handles = [head.register_forward_pre_hook(lambda _, given: (self._left(given[0], "", share, sample),))]
        try:
            with torch.compiler.set_stance("force_eager") if handles else nullcontext():  # which leaves no hook out
                yield
        finally:
            for handle in handles:
                handle.remove()

    def _left(self, values: Tensor, name: str, share: float, sample: int) -> Tensor:
        """What is left of values (B, C, …): the same channels for every instance, so that a batch changes nothing."""
        channels = values.ndim - 1 if values.ndim == 3 else 1  # transformers keep theirs last
        shape = [1] * channels + [values.shape[channels]] + [1] * (values.ndim - channels - 1)
        random = torch.rand(shape, generator=generator(self.seed, "dropout", name, sample))
        return values * onto(values.device, (random >= share).to(values.dtype) / (1 - share))

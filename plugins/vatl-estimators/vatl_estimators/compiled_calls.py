"""What torch has compiled of one network's calls."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Any, Final

import attrs
import torch
from torch import Tensor

from vatl_core.contracts import Estimator, Maps
from vatl_estimators.recording import alone, begin, gathers, lasting, records, undisturbed
from vatl_estimators.rehearsal import rehearse

BACKEND: Final[Any] = "inductor"
VERSIONS: Final = 64
"""Compiled versions of a function that torch may hold. Its own limit, 8, is soon met where the estimators of a class
share one, and little is said then; beyond this one they go on as they are, with a line."""
SIZES: Final = 32
"""So many sizes of a batch are recorded: each holds memory. Nine retrainings have eighteen at the most."""


class Mode(Enum):
    """How a call is compiled."""

    LAUNCHED = "launched"
    RECORDED = "recorded"


SETTINGS: Final[dict[Mode, dict[str, Any]]] = {
    Mode.LAUNCHED: {},
    Mode.RECORDED: {"fullgraph": True, "options": {"triton.cudagraphs": True, "graph_partition": False}},
}
"""Torch's: what it calls `reduce-overhead`, but as one graph or none. Of several, some versions of torch let later ones
write over what earlier ones have kept for their way back (pytorch/pytorch#194124)."""
REHEARSALS: Final = {Mode.LAUNCHED: 1, Mode.RECORDED: 3}
"""Steps until what is done from then on has been done once: torch runs a graph, records it, then replays it."""


@attrs.define(eq=False)
class CompiledCalls:
    """A network's compiled calls. Copies of the network, and those that come from a file, have none: these are its own.

    Attributes:
        records: whether steps may be recorded as CUDA graphs.
        calls: what has been compiled.
        proven: what has been called before, with which modes, states and sizes.
        sizes: of the batches that are recorded.
    """

    records: bool = True
    calls: dict[Mode, Callable[[Tensor], Maps]] = attrs.field(factory=dict, init=False)
    proven: set[tuple[object, ...]] = attrs.field(factory=set, init=False)
    sizes: set[int] = attrs.field(factory=set, init=False)

    def __reduce__(self) -> tuple[type[CompiledCalls], tuple[bool]]:
        return CompiledCalls, (self.records,)

    def mode(self, network: Estimator, crops: Tensor) -> Mode:
        """Recorded are training steps, where nothing can go wrong by it.

        A graph writes to the same memory whenever it is replayed. So nobody may still need what it wrote there: no
        earlier call of the step, no gradients to be added to.
        """
        step = self.records and network.training and torch.is_grad_enabled() and records(crops.device)
        room = len(crops) in self.sizes or len(self.sizes) < SIZES
        free = step and room and undisturbed() and not gathers(network)
        return Mode.RECORDED if free else Mode.LAUNCHED

    def __call__(self, network: Estimator, crops: Tensor, mode: Mode) -> Maps:
        """What the network gives of crops, compiled in this mode."""
        torch._dynamo.maybe_mark_dynamic(crops, 0)  # one version for every number of crops but one
        call, grad = self._call(network, mode), torch.is_grad_enabled()
        what = (mode, network.training, grad, torch.is_inference_mode_enabled(), len(crops))
        if what in self.proven:
            return call(crops)
        with torch._dynamo.config.patch(recompile_limit=VERSIONS, fail_on_recompile_limit_hit=True):
            if grad and alone():
                rehearse(network, call, crops, REHEARSALS[mode])
            maps = call(crops)
        self.proven.add(what)
        return maps

    def _call(self, network: Estimator, mode: Mode) -> Callable[[Tensor], Maps]:
        if mode not in self.calls:
            self.calls[mode] = torch.compile(network._call_impl, backend=BACKEND, **SETTINGS[mode])
        return self._recorded if mode is Mode.RECORDED else self.calls[mode]

    def _recorded(self, crops: Tensor) -> Maps:
        maps = self.calls[Mode.RECORDED](crops)
        self.sizes.add(len(crops))
        begin(maps)
        return lasting(maps)

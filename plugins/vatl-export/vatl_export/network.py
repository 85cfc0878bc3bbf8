"""What is written of an estimator: from crops as bytes to heatmaps, with its normalisation inside."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from io import StringIO

import torch
from torch import Tensor, nn
from torch.export import Dim, ExportedProgram

from vatl_core.contracts import Estimator
from vatl_core.errors import InputError
from vatl_export.subject import Subject

INPUT, OUTPUT = "crops", "heatmaps"
BATCH = {0: Dim("batch")}
TOLERANCE = 1e-4
"""How far the heatmaps of what is written may be from the estimator's own."""


class FromBytes(nn.Module):
    """An estimator's heatmaps of crops (B, 3, H, W) uint8, RGB."""

    mean: Tensor
    std: Tensor

    def __init__(self, estimator: Estimator) -> None:
        super().__init__()
        self.estimator = estimator
        for name in ("mean", "std"):
            values = torch.tensor(getattr(estimator.normalisation, name)).view(1, 3, 1, 1)
            self.register_buffer(name, values * 255)

    def forward(self, crops: Tensor) -> Tensor:
        """(B, 3, H, W) uint8 → (B, K, h, w) float32."""
        heatmaps: Tensor = self.estimator((crops - self.mean) / self.std).heatmaps
        return heatmaps


def traced(subject: Subject) -> ExportedProgram:
    """The network as a graph, for any number of crops.

    Raises:
        InputError: it cannot be one, or the graph gives other heatmaps than the network.
    """
    estimator = subject.estimator.cpu().float().eval().requires_grad_(False)
    crops = torch.randint(0, 256, (5, 3, *estimator.input_size), dtype=torch.uint8, generator=torch.Generator())
    with told_in_a_line(subject, "made a graph by torch.export"), torch.no_grad():
        program = torch.export.export(FromBytes(estimator), (crops[:2],), dynamic_shapes=(BATCH,))
        graph, own = program.module()(crops), estimator(estimator.normalisation(crops)).heatmaps
    if not torch.allclose(graph, own, atol=TOLERANCE, equal_nan=True):
        raise InputError(f"estimator '{subject.name}' cannot be exported: its graph gives other heatmaps than itself")
    return program


@contextmanager
def told_in_a_line(subject: Subject, what: str) -> Iterator[None]:
    """Have whatever a stranger's network makes torch stumble over told in a line; what torch says meanwhile is not.

    Raises:
        InputError: something in the block failed.
    """
    disabled = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with redirect_stdout(StringIO()), redirect_stderr(StringIO()), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except Exception as error:
        raise InputError(f"estimator '{subject.name}' cannot be {what}: {_cause(error)}") from error
    finally:
        logging.disable(disabled)


def _cause(error: BaseException) -> str:
    """What lies at the bottom of an error, without the pages that torch puts around it."""
    while error.__cause__ is not None:
        error = error.__cause__
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {lines[0] if lines else ''}"

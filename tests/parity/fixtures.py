"""The published numbers: where they lie, how ours are compared with them, and a table of the deviations."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import attrs
import numpy as np
import pytest
import torch
from torch import Tensor

FOLDER = Path(os.environ.get("VATL_PARITY_FIXTURES") or Path(__file__).parents[1] / "data" / "parity")
"""``VATL_PARITY_FIXTURES`` names another folder of the same layout, with other values and other counts."""
FILES = (
    "crop_target.npz", "heatmap_criteria.npz", "wpu.npz", "selection.npz", "vl4pose.npz", "oks_alc.npz",
    "coco_gt.json", "coco_predictions.json", "coco_expected.json", "models/seed.json", "models/expected_outputs.npz",
)  # fmt: skip
"""What a folder of fixtures must have; ``models`` has one more file a network."""
DEVICES = ["cpu", pytest.param("cuda", marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA"))]
NEAR_ZERO = 0.01
"""Relative deviations are to the expected value, or to this share of the largest one where that is more."""


@attrs.frozen
class Comparison:
    """One cell of a fixture on one device.

    Attributes:
        fixture, cell, device: what was compared where.
        deviation: the largest; NaN or infinite where ours cannot be compared.
        tolerance: 0 where only equality will do.
        test: the node of the test that compared it.
    """

    fixture: str
    cell: str
    device: str
    deviation: float
    tolerance: float
    test: str

    @property
    def passed(self) -> bool:
        return self.deviation <= self.tolerance

    def __str__(self) -> str:
        return f"{self.fixture}: {self.cell} on {self.device} deviates by {self.deviation:.3g}, not {self.tolerance:g}"


LEDGER: list[Comparison] = []
"""Every comparison of this session."""


def relative(ours: Tensor, theirs: Tensor) -> float:
    """The largest deviation relative to the expected value; ∞ where the shapes differ, NaN where ours is no number."""
    if ours.shape != theirs.shape:
        return float("inf")
    ours, theirs = ours.cpu().double(), theirs.cpu().double()
    least = NEAR_ZERO * theirs.abs().amax().clamp(min=1e-300)
    return float(((ours - theirs).abs() / theirs.abs().clamp(min=least)).amax())


def absolute(ours: Tensor, theirs: Tensor) -> float:
    """The largest difference; ∞ where the shapes differ."""
    if ours.shape != theirs.shape:
        return float("inf")
    return float((ours.cpu().double() - theirs.cpu().double()).abs().amax())


def overall(ours: Tensor, theirs: Tensor) -> float:
    """‖ours − theirs‖ / ‖theirs‖; ∞ where the shapes differ."""
    if ours.shape != theirs.shape:
        return float("inf")
    ours, theirs = ours.cpu().double(), theirs.cpu().double()
    return float(torch.linalg.norm(ours - theirs) / torch.linalg.norm(theirs))


def unequal(ours: object, theirs: object) -> float:
    """0 where the two are equal, else ∞."""
    return 0.0 if ours == theirs else float("inf")


@attrs.frozen
class Book:
    """Notes each comparison of one test, then asserts it."""

    device: str
    test: str

    def note(self, fixture: str, cell: str, deviation: float, tolerance: float) -> None:
        comparison = Comparison(fixture, cell, self.device, deviation, tolerance, self.test)
        LEDGER.append(comparison)
        assert comparison.passed, str(comparison)


@attrs.frozen
class Fixture:
    """One file of inputs and expected outputs, on a device."""

    name: str
    columns: dict[str, Any]
    book: Book

    def __getitem__(self, cell: str) -> Any:
        return self.columns[cell]

    def holds(self, cell: str, ours: Tensor, theirs: Tensor | None = None) -> None:
        """Ours is what the cell has, or ``theirs`` made from it, to 1e-4; to 1e-3 in float16; exactly for integers."""
        stored = self.columns[cell]
        theirs = stored if theirs is None else theirs
        if not stored.is_floating_point():
            self.book.note(self.name, cell, unequal(ours.tolist(), theirs.tolist()), 0)
        else:
            tolerance = 1e-3 if stored.dtype == torch.float16 else 1e-4
            self.book.note(self.name, cell, relative(ours, theirs), tolerance)

    def exactly(self, cell: str, ours: Tensor) -> None:
        """Ours equals the cell: a count that is kept as a float."""
        self.book.note(self.name, cell, unequal(ours.tolist(), self.columns[cell].tolist()), 0)


def arrays(name: str) -> dict[str, np.ndarray[Any, Any]]:
    """The arrays of one file by name."""
    with np.load(FOLDER / name, allow_pickle=False) as data:
        return {key: data[key] for key in data.files}


def content(name: str) -> Any:
    """The content of one JSON file."""
    return json.loads((FOLDER / name).read_text())

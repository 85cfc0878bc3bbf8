"""A vision transformer's position embeddings, for another number of patches than they were learnt for."""

from __future__ import annotations

from math import gcd, isqrt
from typing import Final

from torch import Tensor
from torch.nn import functional

_SHAPES: Final = ((1, 1), (4, 3))
"""Height to width of the pictures that backbones and estimators of poses are published for."""


def fitted_positions(positions: Tensor, grid: tuple[int, int], token: int = 0, *, shared: bool = False) -> Tensor:
    """Positions of any number of patches → (1, h·w, D), by bicubic interpolation, without a class token's.

    A file does not say how many rows its patches had. Theirs are the grid's proportions, else a square's or 4:3; where
    their number leaves that open, the positions are returned as they are, for their shape to be refused.

    Args:
        positions: (1, token + N, D).
        grid: rows h and columns w that are wanted.
        token: 1 where a class token's position comes first, else 0.
        shared: whether that is added to all others.
    """
    theirs = _read(positions.shape[1] - token, grid)
    if theirs is None:
        return positions
    patches = positions[:, token:].float()
    if theirs != grid:
        maps = patches.transpose(1, 2).unflatten(2, theirs)
        patches = functional.interpolate(maps, grid, mode="bicubic", align_corners=False).flatten(2).transpose(1, 2)
    return patches + positions[:, :1].float() if shared and token else patches


def _read(count: int, grid: tuple[int, int]) -> tuple[int, int] | None:
    """Rows and columns of so many patches; None where they may have been several."""
    possible = {found for shape in (grid, *_SHAPES) if (found := _grid(count, shape))}
    return grid if grid in possible else possible.pop() if len(possible) == 1 else None


def _grid(count: int, shape: tuple[int, int]) -> tuple[int, int] | None:
    """Rows and columns of so many patches in these proportions, if there are any."""
    rows, columns = (side // gcd(*shape) for side in shape)
    times = isqrt(max(count, 0) // (rows * columns))
    return (rows * times, columns * times) if count > 0 and rows * columns * times**2 == count else None

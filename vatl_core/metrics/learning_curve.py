"""The area under a learning curve."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from vatl_core.errors import InputError


def alc(fractions: Sequence[float], accuracy: Sequence[float]) -> float:
    """Area under the learning curve: trapezoids under accuracy (0–1) over the labelled fraction (0–1).

    The area is that over the fractions reached: a run that stopped at 0.2 has at most 0.2.

    Raises:
        InputError: the two do not have one value a point, or the fractions decrease.
    """
    if len(fractions) != len(accuracy) or not fractions:
        raise InputError(f"a learning curve needs pairs: {len(fractions)} fractions, {len(accuracy)} values were given")
    if any(b < a for a, b in pairwise(fractions)):
        raise InputError("a learning curve's labelled fractions must not decrease")
    return float(np.trapezoid(np.asarray(accuracy), np.asarray(fractions)))

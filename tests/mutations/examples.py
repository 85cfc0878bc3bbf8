"""How many mutated inputs are tried."""

from __future__ import annotations

import os
from typing import Final

from hypothesis import HealthCheck, Phase, settings

MANY: Final = os.environ.get("VATL_MUTATIONS")
"""Examples of each format; a few, always the same ones, if not given."""


def mutated(few: int) -> settings:
    """Settings of a test that tries ``few`` inputs, or VATL_MUTATIONS of them, new ones each time, if that is set."""
    return settings(
        max_examples=int(MANY or few),
        derandomize=MANY is None,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.explicit, Phase.generate, *([Phase.shrink] if MANY else [])],
    )

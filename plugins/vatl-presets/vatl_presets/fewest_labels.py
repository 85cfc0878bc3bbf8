"""What needs the fewest labels of all that was measured: docs/fewest-labels.md."""

from __future__ import annotations

from typing import Final

from vatl_core.plugins import Preset

SCHEDULE: Final = [
    "10", "20", "40", "60", "80", "100", "120", "160", "200", "240", "280", "320", "400", "480", "560", "640", "800",
    "960", "1120", "1280",
]  # fmt: skip
"""Counts, not fractions: how many labels a network needs hardly depends on how long the video is."""

FEWEST_LABELS: Final = Preset(
    "fewest-labels",
    "Coverage weighted by uncertainty, training that fits few labels, a stop without truth; what vatl does by default",
    {
        "run": {
            "query": "eoks",
            "select": "herding",
            "retrain": "few-labels",
            "refine": "tracks",
            "stop": ["sc-expected"],
            "schedule": SCHEDULE,
        },
    },
)

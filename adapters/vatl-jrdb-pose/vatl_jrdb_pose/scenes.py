"""Which scenes are used for what, as published (Taketsugu & Ukita, WACV 2024)."""

from __future__ import annotations

from typing import Final

TRAIN: Final = (
    "clark-center-2019-02-28_0", "clark-center-2019-02-28_1", "clark-center-intersection-2019-02-28_0",
    "huang-2-2019-01-25_0", "huang-basement-2019-01-25_0", "huang-lane-2019-02-12_0", "jordan-hall-2019-04-22_0",
    "packard-poster-session-2019-03-20_0", "packard-poster-session-2019-03-20_1",
    "packard-poster-session-2019-03-20_2",
)  # fmt: skip

VAL: Final = ("bytes-cafe-2019-02-07_0", "hewlett-packard-intersection-2019-01-24_0")

TEST: Final = (
    "cubberly-auditorium-2019-04-22_0", "forbes-cafe-2019-01-22_0", "gates-159-group-meeting-2019-04-03_0",
    "gates-ai-lab-2019-02-08_0", "gates-basement-elevators-2019-01-17_1", "gates-to-clark-2019-02-28_1",
    "memorial-court-2019-03-16_0", "meyer-green-2019-03-16_0", "nvidia-aud-2019-04-18_0", "stlc-111-2019-04-19_0",
    "svl-meeting-gates-2-2019-04-08_0", "svl-meeting-gates-2-2019-04-08_1", "tressider-2019-03-16_0",
    "tressider-2019-03-16_1", "tressider-2019-04-26_2",
)  # fmt: skip

SPLITS: Final = {"train": TRAIN, "val": VAL, "test": TEST}
"""All of them come from the data set's training archive, the only one with labels."""

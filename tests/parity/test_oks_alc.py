"""``oks_alc.npz``: object keypoint similarity, and the area under a learning curve."""

from __future__ import annotations

from typing import Any

import torch

from vatl_core.metrics import alc, oks
from vatl_core.video import PERSON_17

NAME = "oks_alc.npz"


def test_oks(load: Any) -> None:
    data = load(NAME)
    visible = data["gt"][..., 2] > 0
    ours = oks(data["pred"][..., :2], data["gt"][..., :2], visible, data["bbox_xywh"], PERSON_17.sigmas)
    data.holds("oks", ours)


def test_area_under_the_learning_curve(load: Any) -> None:
    data = load(NAME)
    ours = alc((data["label_percent"] / 100).tolist(), (data["ap_percent"] / 100).tolist())
    data.holds("alc", torch.tensor(ours, dtype=torch.float64))

"""``python -m tests.waits_of_training``: what fits of one epoch and of four wait for on a device, as JSON."""

from __future__ import annotations

import json

import torch

from tests import pretend_device
from tests.conftest import stick_video
from vatl_augmentation import LEVELS, CropAugmentation
from vatl_core.compute import Compute
from vatl_core.contracts import Labelled, Recipe
from vatl_core.estimation import Crops
from vatl_core.learning import MARGIN, GradientDescent
from vatl_core.seeds import generator
from vatl_estimators.tiny import Tiny

CHANGES = {**LEVELS, "halves": CropAugmentation(half_body=0.5)}


def fitted(epochs: int, augmentation: CropAugmentation | None) -> list[str]:
    """What the fit of a network to six labels, in two steps an epoch, waits for."""
    video, device, who = stick_video(6, tracks=1), pretend_device.device(), torch.arange(6)
    estimator, compute = Tiny(width=8, input_size=(32, 32)), Compute(device)
    estimator.build(video.skeleton)
    compute.place(estimator)
    pictures, truth = Crops(video.without_truth(), (32, 32), device, 2**24, MARGIN), video.instances
    columns = (column.to(device) for column in (who, truth.keypoints, truth.visible, torch.zeros(6), who >= 0))
    labelled, recipe = Labelled(*columns, pictures=pictures), Recipe(epochs, batch=3, augmentation=augmentation)
    with pretend_device.waits() as noted:
        GradientDescent(compute, generator(0, "waiting")).fit(estimator, labelled, recipe)
    return noted


if __name__ == "__main__":
    print(json.dumps({level: [fitted(epochs, change) for epochs in (1, 4)] for level, change in CHANGES.items()}))

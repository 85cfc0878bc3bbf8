"""The recipes that the code released with the papers trains its source estimators by, as presets of ``vatl train``.

Taketsugu & Ukita, WACV 2024; https://github.com/ImIntheMiddle/VATL4Pose-WACV2024. Values that are also the command's
defaults are given all the same: a preset means what was published, for good.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import attrs

from vatl_core.errors import InputError
from vatl_core.plugins import Options, Preset


@attrs.frozen
class TrainingPreset(Preset):
    """What ``vatl train --preset NAME`` stands for.

    Attributes:
        train: options of the command by the names of its parameters.
    """

    train: Mapping[str, Any] = attrs.field(factory=dict, kw_only=True)

    def on(self, dataset: str) -> tuple[dict[str, Any], Options]:
        """No run is made by it.

        Raises:
            InputError: always.
        """
        raise InputError(f"preset '{self.name}' is for `vatl train --preset {self.name}`: runs have others")


_SHARED: Final[dict[str, Any]] = {
    "optimiser": "adam",
    "weight_decay": 0.0,
    "decay": 1.0,
    "rotation": 40.0,
    "rotated": 0.6,
    "scale": 0.3,
    "flip": 0.5,
    "half_body": 0.0,
}
"""``TRAIN.OPTIMIZER`` and ``DATASET.TRAIN.AUG``, with what the released code adds to them."""
SHORT: Final = {"lr": 1e-3, "epochs": 200, "milestones": (90, 120, 160, 190), "restarts": (140,)}
LONG: Final = {"lr": 1e-3, "epochs": 270, "milestones": (170, 200, 230, 250), "restarts": (210,)}
"""``TRAIN.LR``, ``END_EPOCH``, ``LR_STEP`` with ``DPG_STEP`` behind it, and ``DPG_MILESTONE``; of HRNet the longer."""
PANORAMAS: Final = {"lr": 5e-4, "epochs": 100, "milestones": (90,), "restarts": ()}
"""The same for JRDB-Pose, where what was to come after its 100 epochs is left out."""


def _recipe(dataset: str, estimator: str, title: str, options: Mapping[str, Any], **train: Any) -> TrainingPreset:
    return TrainingPreset(
        f"{dataset}-{estimator}",
        f"For vatl train: {title}, batch {train['batch']} on each GPU (Taketsugu & Ukita, WACV 2024)",
        {"run": {"dataset": dataset, "estimator": estimator}, "estimator": {estimator: dict(options)}},
        train=_SHARED | train,
    )


RECIPES: Final = [
    _recipe(
        "posetrack21", "simplebaseline", "SimpleBaseline on PoseTrack21", {"backbone": "resnet50"}, batch=180, **SHORT
    ),
    _recipe("posetrack21", "fastpose", "FastPose on PoseTrack21", {"depth": 50}, batch=70, **SHORT),
    _recipe("posetrack21", "hrnet", "HRNet-W32 on PoseTrack21", {"width": 32}, batch=170, **LONG),
    _recipe("jrdb-pose", "fastpose", "FastPose on JRDB-Pose", {"depth": 50}, batch=240, **PANORAMAS),
]

"""What this distribution brings; nothing heavy is imported here."""

from __future__ import annotations

from vatl_core.hookspecs import hookimpl
from vatl_core.plugins import Component

vatl_contract = ">=2.0,<3"

COMPONENTS = [
    Component(
        "estimator",
        "simplebaseline",
        "Deconvolutions on a ResNet (Xiao et al., ECCV 2018)",
        "vatl_estimators.simplebaseline:SimpleBaseline",
        default=True,
    ),
    Component(
        "estimator",
        "hrnet",
        "Parallel branches that keep the resolution (Sun et al., CVPR 2019)",
        "vatl_estimators.hrnet:HRNet",
    ),
    Component(
        "estimator",
        "fastpose",
        "AlphaPose's SE-ResNet with pixel-shuffle upsampling (Fang et al., TPAMI 2022)",
        "vatl_estimators.fastpose:FastPose",
    ),
    Component(
        "estimator",
        "vitpose",
        "A plain vision transformer with a light decoder (Xu et al., NeurIPS 2022)",
        "vatl_estimators.vitpose:ViTPose",
    ),
    Component(
        "estimator",
        "tiny",
        "A heatmap network of half a million parameters, for small crops and quick trials",
        "vatl_estimators.tiny:Tiny",
    ),
]


@hookimpl
def vatl_components() -> list[Component]:
    """Describe the components."""
    return COMPONENTS

"""What this distribution brings; nothing heavy is imported here."""

from __future__ import annotations

from vatl_core.hookspecs import hookimpl
from vatl_core.plugins import Component

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
        "tiny",
        "A heatmap network of half a million parameters, for small crops and quick trials",
        "vatl_estimators.tiny:Tiny",
    ),
]


@hookimpl
def vatl_components() -> list[Component]:
    """Describe the components."""
    return COMPONENTS

"""What this distribution brings; nothing heavy is imported here."""

from __future__ import annotations

from vatl_core.hookspecs import hookimpl
from vatl_core.plugins import Component

COMPONENTS = [
    Component(
        "criterion",
        "lc",
        "Least confidence: low heatmap maxima",
        "vatl_criteria.uncertainty.confidence:LeastConfidence",
    ),
    Component(
        "criterion",
        "thc",
        "Temporal heatmap continuity: heatmaps that change between frames",
        "vatl_criteria.uncertainty.continuity:HeatmapContinuity",
        default=True,
    ),
    Component(
        "criterion",
        "wpu",
        "Whole-body pose unnaturalness: poses an auto-encoder cannot rebuild",
        "vatl_criteria.uncertainty.unnaturalness:PoseUnnaturalness",
        default=True,
    ),
    Component("selector", "random", "Uniformly at random", "vatl_criteria.selection.simple:Random"),
    Component("selector", "top", "The highest scores", "vatl_criteria.selection.simple:Top"),
    Component(
        "selector",
        "coreset",
        "Greedy k-centre in feature space (Sener & Savarese, ICLR 2018)",
        "vatl_criteria.selection.kcentre:CoreSet",
    ),
    Component(
        "selector",
        "duw",
        "Dynamic uncertainty weighting: k-centre that turns to uncertainty as poses get better",
        "vatl_criteria.selection.kcentre:DynamicUncertaintyWeighting",
        default=True,
    ),
]


@hookimpl
def vatl_components() -> list[Component]:
    """Describe the components."""
    return COMPONENTS

"""What this distribution brings; nothing heavy is imported here."""

from __future__ import annotations

from vatl_core.hookspecs import hookimpl
from vatl_core.plugins import Component

vatl_contract = ">=2.0,<3"

COMPONENTS = [
    Component(
        "stopping",
        "sc-correct",
        "Everything labelled is estimated correctly (the published criterion)",
        "vatl_stopping.correct:AllCorrect",
    ),
    Component(
        "stopping", "sc-min-error", "The mean OKS of the query is high enough", "vatl_stopping.correct:MinimumError"
    ),
    Component(
        "stopping",
        "sc-thc",
        "More labels would hardly make the heatmaps surer, or steadier over time",
        "vatl_stopping.settled:Settled",
    ),
    Component(
        "stopping",
        "sc-expected",
        "Twice the labels would change the mean expected OKS too little; needs none beyond the run's own",
        "vatl_stopping.expected:Expected",
        default=True,
    ),
    Component(
        "stopping",
        "budget",
        "Labels, labelled fraction, annotation minutes or hours are used up",
        "vatl_stopping.budget:Budget",
    ),
    Component("stopping", "none", "Only when the schedule runs out", "vatl_stopping.budget:Never"),
]


@hookimpl
def vatl_components() -> list[Component]:
    """Describe the components."""
    return COMPONENTS

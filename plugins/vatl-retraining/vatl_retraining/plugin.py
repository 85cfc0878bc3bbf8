"""What this distribution brings; nothing heavy is imported here."""

from __future__ import annotations

from vatl_core.hookspecs import hookimpl
from vatl_core.plugins import Component

vatl_contract = ">=2.0,<3"

COMPONENTS = [
    Component(
        "retraining",
        "continual",
        "Go on from the last weights, on the query and what is still wrong",
        "vatl_retraining.policies:Continual",
    ),
    Component(
        "retraining", "full", "Go on from the last weights, on everything labelled", "vatl_retraining.policies:Full"
    ),
    Component(
        "retraining",
        "from-source",
        "Start again from the source weights, on the query and what is still wrong",
        "vatl_retraining.beginning_anew:FromSource",
    ),
    Component(
        "retraining",
        "from-scratch",
        "Start again from random weights, on everything labelled",
        "vatl_retraining.beginning_anew:FromScratch",
    ),
    Component(
        "retraining",
        "few-labels",
        "Go on from the last weights, on everything labelled, in as many steps as few labels need",
        "vatl_retraining.few_labels:FewLabels",
        default=True,
    ),
    Component(
        "retraining",
        "semi",
        "As few-labels, then on with a mean teacher's poses of the unlabelled, where held-back labels get better by it",
        "vatl_retraining.semi:Semi",
    ),
    Component("retraining", "none", "Never retrain", "vatl_retraining.policies:Never"),
]


@hookimpl
def vatl_components() -> list[Component]:
    """Describe the components."""
    return COMPONENTS

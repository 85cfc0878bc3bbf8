"""What this distribution brings; nothing heavy is imported here."""

from __future__ import annotations

from vatl_core.hookspecs import hookimpl
from vatl_core.plugins import Component

vatl_contract = ">=1.1,<2"


@hookimpl
def vatl_components() -> list[Component]:
    """Describe the refinement."""
    return [
        Component(
            "refinement",
            "none",
            "The estimator's own poses, as published",
            "vatl_refinement.none:Unrefined",
            default=True,
        )
    ]

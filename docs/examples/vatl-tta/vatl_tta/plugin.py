"""What vatl-tta brings; nothing heavy is imported here."""

from __future__ import annotations

from vatl_core import Component, hookimpl

vatl_contract = ">=2.0,<3"


@hookimpl
def vatl_components() -> list[Component]:
    """Describe the component."""
    return [
        Component(
            "criterion",
            "tta",
            "Poses that move when their heatmaps are flipped and shifted",
            "vatl_tta.criterion:TestTime",
        )
    ]

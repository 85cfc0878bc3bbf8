"""What vatl-plateau brings; nothing heavy is imported here."""

from __future__ import annotations

from vatl_core import Component, hookimpl

vatl_contract = ">=2.0,<3"


@hookimpl
def vatl_components() -> list[Component]:
    """Describe the component."""
    return [Component("stopping", "plateau", "Queried poses no longer get better", "vatl_plateau.stopping:Plateau")]

"""What this distribution brings; nothing heavy is imported here."""

from __future__ import annotations

from vatl_core.hookspecs import hookimpl
from vatl_core.plugins import Component

vatl_contract = ">=2.0,<3"

COMPONENTS = [
    Component(
        "executor",
        "local",
        "On this machine, in this process or several beside it",
        "vatl_executors.local:Local",
        default=True,
    ),
]


@hookimpl
def vatl_components() -> list[Component]:
    """Describe the components."""
    return COMPONENTS

"""What this distribution brings; nothing heavy is imported here."""

from __future__ import annotations

from vatl_core.hookspecs import hookimpl
from vatl_core.plugins import Command

vatl_contract = ">=2.0,<3"


@hookimpl
def vatl_commands() -> list[Command]:
    """Describe the commands."""
    return [Command("tune", "Search for the options of components.", "vatl_tune.command:command")]

"""What this distribution brings; nothing heavy is imported here."""

from __future__ import annotations

from vatl_core.hookspecs import hookimpl
from vatl_core.plugins import Command

vatl_contract = ">=2.0,<3"


@hookimpl
def vatl_commands() -> list[Command]:
    """Describe the commands."""
    return [
        Command("sweep", "Carry out many runs as one experiment.", "vatl_sweep.command:command"),
        Command("bench", "Compare strategies by what they cost.", "vatl_sweep.bench:command"),
    ]

"""What this distribution brings; nothing heavy is imported here."""

from __future__ import annotations

from vatl_core.hookspecs import hookimpl
from vatl_core.plugins import Command

vatl_contract = ">=2.0,<3"


@hookimpl
def vatl_commands() -> list[Command]:
    """Describe the commands."""
    return [
        Command("plugins show", "Show what a component, preset or command is, and has.", "vatl_kit.showing:show"),
        Command("plugins new", "Write a package with a component of KIND called NAME.", "vatl_kit.commands:new"),
        Command("plugins check", "Import and try out everything that is installed.", "vatl_kit.commands:check"),
    ]

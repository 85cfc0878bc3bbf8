"""What this distribution brings; nothing heavy is imported here."""

from __future__ import annotations

from vatl_core.hookspecs import hookimpl
from vatl_core.plugins import Command

vatl_contract = ">=2.0,<3"


@hookimpl
def vatl_commands() -> list[Command]:
    """Describe the command."""
    return [Command("doctor", "Say what this machine lacks, and what to do about it.", "vatl_doctor.command:command")]

"""What this distribution brings; nothing heavy is imported here."""

from __future__ import annotations

from vatl_core.hookspecs import hookimpl
from vatl_core.plugins import Command

vatl_contract = ">=2.0,<3"


@hookimpl
def vatl_commands() -> list[Command]:
    """Describe the commands."""
    return [
        Command(
            "train", "Train a source estimator on a data set's training videos.", "vatl_train.commands.train:command"
        ),
        Command(
            "fit", "Let a criterion learn from a data set's poses, before any run.", "vatl_train.commands.fit:command"
        ),
    ]

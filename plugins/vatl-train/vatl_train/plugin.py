"""What this distribution brings; nothing heavy is imported here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vatl_core.hookspecs import hookimpl
from vatl_core.plugins import Command, Preset
from vatl_train.presets import RECIPES

if TYPE_CHECKING:
    from vatl_core.contracts import Criterion
    from vatl_core.video import Skeleton
    from vatl_core.weights import PreTrained

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


@hookimpl
def vatl_presets() -> list[Preset]:
    """Describe the recipes of `vatl train`."""
    return list(RECIPES)


@hookimpl(trylast=True)
def vatl_pretrained(name: str, criterion: Criterion, skeleton: Skeleton) -> PreTrained | None:
    """Find what ``vatl fit`` kept for this criterion."""
    from vatl_train.pretrained import find_learnt

    found = find_learnt(name, criterion, skeleton)
    return found.kept if found else None

"""What this distribution brings; nothing heavy is imported here."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from vatl_core.hookspecs import hookimpl
from vatl_core.plugins import Component

if TYPE_CHECKING:
    from vatl_core.cycle import Run

vatl_contract = ">=2.0,<3"

COMPONENTS = [
    Component(
        "oracle",
        "ground-truth",
        "The data set's own annotations",
        "vatl_oracles.ground_truth:GroundTruth",
        default=True,
    ),
    Component(
        "oracle",
        "files",
        "People in Label Studio, CVAT or another tool, through files",
        "vatl_oracles.files.oracle:Files",
    ),
    Component("oracle", "noisy", "Another oracle's labels with people's errors", "vatl_oracles.noisy:Noisy"),
    Component("oracle", "costly", "Another oracle's labels with the time they cost", "vatl_oracles.costly:Costly"),
]


@hookimpl
def vatl_components() -> list[Component]:
    """Describe the components."""
    return COMPONENTS


@hookimpl
def vatl_run_started(run: Run) -> None:
    """Refuse options that do not reach the oracle that they are for."""
    around = sys.modules.get("vatl_oracles.around")  # not imported for runs that do without it
    if around is not None and isinstance(run.oracle, around.Around):
        around.refuse_astray(run.config, run.oracle.around)

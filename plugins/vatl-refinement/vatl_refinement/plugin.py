"""What this distribution brings; nothing heavy is imported here."""

from __future__ import annotations

from vatl_core.hookspecs import hookimpl
from vatl_core.plugins import Component

vatl_contract = ">=2.0,<3"


@hookimpl
def vatl_components() -> list[Component]:
    """Describe the components."""
    return [
        Component(
            "refinement",
            "none",
            "The estimator's own poses, as the paper has it",
            "vatl_refinement.none:Unrefined",
        ),
        Component(
            "refinement",
            "tracks",
            "Decoded jointly over each track, and smoothed as far as the video jitters",
            "vatl_refinement.tracks:AlongTracks",
            default=True,
        ),
    ]

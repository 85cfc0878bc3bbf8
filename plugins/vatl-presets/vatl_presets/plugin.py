"""What this distribution brings; nothing heavy is imported here."""

from __future__ import annotations

from vatl_core.hookspecs import hookimpl
from vatl_core.plugins import Preset
from vatl_presets.fewest_labels import FEWEST_LABELS
from vatl_presets.published import PUBLISHED

vatl_contract = ">=2.0,<3"


@hookimpl
def vatl_presets() -> list[Preset]:
    """Describe the presets."""
    return [FEWEST_LABELS, *PUBLISHED]

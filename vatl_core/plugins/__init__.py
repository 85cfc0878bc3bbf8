"""What plugins bring: descriptions of components, their look-up by name, and their options."""

from __future__ import annotations

from vatl_core.plugins.descriptions import (
    KINDS,
    Command,
    Component,
    Options,
    Preset,
    Section,
    Tables,
    describe,
    laid_over,
)
from vatl_core.plugins.options import build, option_fields, structure, type_name
from vatl_core.plugins.registry import DESCRIBING, GROUP, Registry, culprit, distribution_of, whose

__all__ = [
    "DESCRIBING", "GROUP", "KINDS", "Command", "Component", "Options", "Preset", "Registry", "Section", "Tables",
    "build", "culprit", "describe", "distribution_of", "laid_over", "option_fields", "structure", "type_name", "whose",
]  # fmt: skip

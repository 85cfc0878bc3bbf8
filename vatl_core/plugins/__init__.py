"""What plugins bring: descriptions of components, their look-up by name, and their options."""

from __future__ import annotations

from vatl_core.plugins.descriptions import (  # isort: skip
    KINDS, Command, Component, Options, Preset, Section, Tables, describe, laid_over,
)  # fmt: skip
from vatl_core.plugins.options import build, exposed, is_path, option_fields, structure, type_name
from vatl_core.plugins.registry import DESCRIBING, GROUP, Registry, culprit, distribution_of, whose

__all__ = [
    "DESCRIBING", "GROUP", "KINDS", "Command", "Component", "Options", "Preset", "Registry", "Section", "Tables",
    "build", "culprit", "describe", "distribution_of", "exposed", "is_path", "laid_over", "option_fields", "structure",
    "type_name", "whose",
]  # fmt: skip

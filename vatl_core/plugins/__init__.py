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
from vatl_core.plugins.option_docs import OptionDoc, attributes_told, option_docs
from vatl_core.plugins.options import build, option_fields, structure
from vatl_core.plugins.registry import DESCRIBING, GROUP, Registry, culprit, distribution_of, whose
from vatl_core.plugins.versions import refusal, refusal_in_source, written_for

__all__ = [
    "DESCRIBING", "GROUP", "KINDS", "Command", "Component", "OptionDoc", "Options", "Preset", "Registry", "Section",
    "Tables", "attributes_told", "build", "culprit", "describe", "distribution_of", "laid_over",
    "option_docs", "option_fields", "refusal", "refusal_in_source", "structure", "whose", "written_for",
]  # fmt: skip

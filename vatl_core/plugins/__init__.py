"""What plugins bring: descriptions of components, their look-up by name, and their options."""

from __future__ import annotations

from vatl_core.plugins.catalogue import Shown, clashes, entries, shown
from vatl_core.plugins.descriptions import (
    KINDS,
    Command,
    Component,
    Options,
    Preset,
    Tables,
    describe,
    is_text,
    laid_over,
)
from vatl_core.plugins.given import Absent, Composed, Given
from vatl_core.plugins.option_docs import OptionDoc, attributes_told
from vatl_core.plugins.options import build, option_fields, structure
from vatl_core.plugins.registry import DESCRIBING, GROUP, Registry, culprit, distribution_of, presets, whose
from vatl_core.plugins.section import Section
from vatl_core.plugins.versions import VERSION, declared_by, refusal, refusal_in_source, written_for

__all__ = [
    "DESCRIBING",
    "GROUP",
    "KINDS",
    "VERSION",
    "Absent",
    "Command",
    "Component",
    "Composed",
    "Given",
    "OptionDoc",
    "Options",
    "Preset",
    "Registry",
    "Section",
    "Shown",
    "Tables",
    "attributes_told",
    "build",
    "clashes",
    "culprit",
    "declared_by",
    "describe",
    "distribution_of",
    "entries",
    "is_text",
    "laid_over",
    "option_fields",
    "presets",
    "refusal",
    "refusal_in_source",
    "shown",
    "structure",
    "whose",
    "written_for",
]

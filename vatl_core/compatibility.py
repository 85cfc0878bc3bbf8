"""The version of the plugin contract, and whether a plugin was written for it.

A plugin's module says for which versions it was written: ``vatl_contract = ">=1.1,<2"``. One that says nothing is
taken for fitting.
"""

from __future__ import annotations

import ast
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Final

VERSION: Final = "1.1"
"""Of hooks and contracts, major.minor: a minor version adds, a major one takes away what was deprecated before."""
DECLARATION: Final = "vatl_contract"
"""What a plugin's module calls the range of versions that it was written for."""


def written_for() -> str:
    """The range that a plugin written now declares: from this version up to the next that may take things away."""
    return f">={VERSION},<{int(VERSION.partition('.')[0]) + 1}"


def refusal(plugin: object) -> str | None:
    """Why a plugin cannot be loaded, in words, or None where it can."""
    return None if (declared := getattr(plugin, DECLARATION, None)) is None else _refused(declared)


def refusal_in_source(module: str) -> str | None:
    """The same of a module that does not import: one written for another contract need not, and that is then why."""
    try:
        spec = find_spec(module)
        tree = ast.parse(Path(spec.origin).read_bytes()) if spec and spec.origin else None
    except (ImportError, OSError, SyntaxError, ValueError):
        return None
    values = [
        statement.value.value
        for statement in (tree.body if tree else ())
        if isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Constant)
        if any(isinstance(target, ast.Name) and target.id == DECLARATION for target in statement.targets)
    ]
    return _refused(values[-1]) if values else None


def declared_by(plugin: ModuleType | object) -> str:
    """The range that a plugin declares; nothing where it does not."""
    return str(getattr(plugin, DECLARATION, ""))


@cache
def _refused(declared: object) -> str | None:
    from packaging.specifiers import InvalidSpecifier, SpecifierSet

    try:
        fits = SpecifierSet(declared if isinstance(declared, str) else "?").contains(VERSION)
    except InvalidSpecifier:
        return f"it declares {DECLARATION} = {declared!r}, which is no range of versions: write '{written_for()}'"
    if fits:
        return None
    return (
        f"it was written for plugin contract {declared}, and this vatl-core has {VERSION}: install a version of it "
        "that fits, or another vatl-core"
    )

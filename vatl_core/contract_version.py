"""The version of the plugin contract, and whether a plugin was written for it.

A plugin's module says for which versions it was written: ``vatl_contract = ">=2.0,<3"``. One that says nothing is
taken for fitting.
"""

from __future__ import annotations

import ast
import re
from functools import cache
from importlib.machinery import PathFinder
from importlib.util import find_spec
from pathlib import Path
from typing import Final

VERSION: Final = "2.0"
"""Of hooks and contracts, major.minor: a minor version adds, a major one may change or take away."""
DECLARATION: Final = "vatl_contract"
"""What a plugin's module calls the range of versions that it was written for."""
_DECLARED: Final = re.compile(rf"^{DECLARATION}\b[^=\n]*=(.+)$", re.MULTILINE)


def written_for() -> str:
    """The range that a plugin written now declares: from this version up to the next that may take things away."""
    return f">={VERSION},<{int(VERSION.partition('.')[0]) + 1}"


def refusal(plugin: object) -> str | None:
    """Why a plugin cannot be loaded, in words, or None where it can."""
    return None if (declared := getattr(plugin, DECLARATION, None)) is None else _refused(declared)


def refusal_in_source(module: str) -> str | None:
    """The same of a module that does not import: one written for another contract need not, and that is then why."""
    try:
        source = _source(module)
        declared = _DECLARED.findall(source.read_text(encoding="utf-8")) if source else []
        return _refused(ast.literal_eval(declared[-1])) if declared else None
    except Exception:  # of a stranger's folders and files: this only looks for a better reason than there is already
        return None


def _source(module: str) -> Path | None:
    """The file of a module, found without importing the packages that it is in: theirs may be the fault."""
    name, *inner = module.split(".")
    spec = find_spec(name)
    for part in inner:
        name = f"{name}.{part}"
        places = spec.submodule_search_locations if spec else None
        spec = PathFinder.find_spec(name, places) if places else None
    return Path(spec.origin) if spec and spec.origin else None


@cache
def _refused(declared: object) -> str | None:
    from packaging.specifiers import InvalidSpecifier, SpecifierSet

    try:
        fits = SpecifierSet(declared if isinstance(declared, str) else "?").contains(VERSION)
    except InvalidSpecifier:
        return f"it declares {DECLARATION} = {declared!r}, which is no range of versions: write '{written_for()}'"
    if fits:
        return None
    told = f"it was written for plugin contract {declared}, and this vatl-core has {VERSION}"
    return f"{told}: install a version of it that fits, or another vatl-core"

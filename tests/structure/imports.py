"""What each module imports, and from where: within functions and for type checkers, too."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

import attrs

ROOT = Path(__file__).parents[2]
CORE = "vatl_core"


@attrs.frozen
class Import:
    """One name that a module takes from another.

    Attributes:
        file: the importing module's, relative to the repository.
        line: where in it.
        importer: the importing module's dotted name.
        module: what stands after ``from``, or after ``import``.
        name: what is taken from it; of ``import a.b`` nothing.
    """

    file: Path
    line: int
    importer: str
    module: str
    name: str | None

    @property
    def target(self) -> str:
        """The module that is imported: ``a.b`` of ``from a import b`` where ``b`` is a module and no public name."""
        inner = f"{self.module}.{self.name}"
        return inner if inner in modules() and self.name not in public(self.module) else self.module

    def __str__(self) -> str:
        taken = f"from {self.module} import {self.name}" if self.name else f"import {self.module}"
        return f"{self.file}:{self.line}: {taken}"


@cache
def modules() -> Mapping[str, Path]:
    """The file of every module of the core, the plugins, the adapters and the examples, by dotted name."""
    found = {}
    for pattern in ("", "plugins/*", "adapters/*", "docs/examples/*"):
        for folder in sorted(ROOT.glob(pattern) if pattern else [ROOT]):
            for file in sorted(folder.glob("vatl_*/**/*.py")):
                name = ".".join(file.relative_to(folder).with_suffix("").parts)
                found[name.removesuffix(".__init__")] = file
    return found


@cache
def tree(file: Path) -> ast.Module:
    return ast.parse(file.read_bytes())


def imports(importer: str, file: Path) -> Iterator[Import]:
    """What a module takes from ours."""
    for node in ast.walk(tree(file)):
        taken: list[tuple[str, str | None]]
        if isinstance(node, ast.ImportFrom):
            taken = [(str(node.module), alias.name) for alias in node.names]
        elif isinstance(node, ast.Import):
            taken = [(alias.name, None) for alias in node.names]
        else:
            continue
        where = file.relative_to(ROOT), node.lineno, importer
        yield from (Import(*where, *what) for what in taken if what[0].startswith("vatl_"))


@cache
def every_import() -> tuple[Import, ...]:
    return tuple(found for module, file in modules().items() for found in imports(module, file))


# ---------------------------------------------------------------------------------------------------------------- doors
def room(module: str) -> str:
    """What a module is in: a distribution's package or, of the core, the package or module on a floor of its own."""
    parts = module.split(".")
    return ".".join(parts[:2] if parts[0] == CORE else parts[:1])


@cache
def public(door: str) -> frozenset[str]:
    """The names that others may take from a door: its ``__all__``; of a module without one, what it defines."""
    body = tree(modules()[door]).body
    listed = [node.value for node in body if isinstance(node, ast.Assign) and _assigned(node) == {"__all__"}]
    if listed:
        return frozenset(ast.literal_eval(listed[0]))
    if modules()[door].name == "__init__.py":
        return frozenset()
    return frozenset(name for node in body for name in _defined(node) if not name.startswith("_"))


def past_the_door(found: Import) -> bool:
    """Whether a module takes from another room what is not at its door."""
    home = room(found.target)
    if home == room(found.importer) or found.importer == home:
        return False
    if found.name is None or found.target != found.module:  # the module itself
        return found.target != home
    return found.module != home or found.name not in public(home)


def _defined(node: ast.stmt) -> set[str]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return {node.name}
    return _assigned(node)


def _assigned(node: ast.stmt) -> set[str]:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return {name.id for target in targets for name in ast.walk(target) if isinstance(name, ast.Name)}

"""The distributions of this repository: where they lie, how they are built, what they declare and what they import."""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from functools import cache, cached_property
from importlib.metadata import distribution, packages_distributions
from pathlib import Path
from typing import Any

import attrs
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
NOT_INSTALLED = {"umap": "umap-learn"}
"""Distributions of modules that extras ask for and `make` does not install."""
NEVER_IN_SOURCES = ("build", "dist", "*.egg-info", "__pycache__", ".*", "runs")


@attrs.frozen(slots=False)
class Source:
    """One distribution's folder.

    Attributes:
        folder: where its ``pyproject.toml`` lies.
    """

    folder: Path

    @cached_property
    def project(self) -> dict[str, Any]:
        """The table ``[project]``."""
        table: dict[str, Any] = tomllib.loads((self.folder / "pyproject.toml").read_text())["project"]
        return table

    @property
    def name(self) -> str:
        return str(self.project["name"])

    @property
    def package(self) -> Path:
        return self.folder / self.name.replace("-", "_")

    @property
    def dependencies(self) -> dict[str, Requirement]:
        """What it declares, by canonical name."""
        return _requirements(self.project["dependencies"])

    @property
    def all_needs(self) -> list[Requirement]:
        """What it and its extras declare."""
        extras = self.project.get("optional-dependencies", {}).values()
        return [Requirement(text) for texts in (self.project["dependencies"], *extras) for text in texts]

    @property
    def optional(self) -> dict[str, Requirement]:
        """What its extras declare, by canonical name."""
        extras = self.project.get("optional-dependencies", {})
        return _requirements([text for group in extras.values() for text in group])

    def imports(self) -> dict[str, set[str]]:
        """``{module: files that import it}`` of what is neither Python's nor its own."""
        found: dict[str, set[str]] = {}
        for file in sorted(self.package.rglob("*.py")):
            for module in imported(ast.parse(file.read_bytes())):
                if module not in sys.stdlib_module_names and module != self.package.name:
                    found.setdefault(module, set()).add(str(file.relative_to(self.package)))
        return found

    def modules(self) -> list[str]:
        """The names of its modules, and of what they import, if only within a function; without what extras are for."""
        names = [module for module in self.imports() if whose(module) not in self.optional]
        for file in sorted(self.package.rglob("*.py")):
            needed = {whose(module) for module in imported(ast.parse(file.read_bytes()), only_at_once=True)}
            path = file.relative_to(self.folder).with_suffix("")
            if path.name != "__main__" and "templates" not in path.parts and not needed & set(self.optional):
                names.append(".".join(path.parts).removesuffix(".__init__"))
        return names


def sources() -> list[Source]:
    """Every distribution of the repository, vatl-core first."""
    folders = [ROOT, *sorted(ROOT.glob("plugins/*")), *sorted(ROOT.glob("adapters/*"))]
    return [Source(folder) for folder in folders if (folder / "pyproject.toml").exists()]


def imported(tree: ast.AST, only_at_once: bool = False) -> Iterator[str]:
    """The top-level names that a file imports; within functions and for type checkers too, unless ``only_at_once``."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield str(node.module).partition(".")[0]
        elif not (only_at_once and isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.If)):
            yield from imported(node, only_at_once)


def whose(module: str) -> str:
    """The canonical name of the distribution that a top-level module is from."""
    names = _installed().get(module) or [NOT_INSTALLED.get(module, module)]
    return str(canonicalize_name(sorted(names, key=len)[0]))


@cache
def _installed() -> Mapping[str, list[str]]:
    return packages_distributions()


def _requirements(texts: Sequence[str]) -> dict[str, Requirement]:
    return {str(canonicalize_name(r.name)): r for r in map(Requirement, texts)}


# ---------------------------------------------------------------------------------------------------------------- build
_BUILD = """
import os, sys, tarfile
from pathlib import Path
from setuptools import build_meta

out = Path(sys.argv[1])
(out / "unpacked").mkdir()
children = {}
for folder in sys.argv[2:]:
    while len(children) >= 2:
        done, status = os.wait()
        name = children.pop(done)
        if status:
            sys.exit(f"{name} cannot be built")
    child = os.fork()
    if child:
        children[child] = folder
        continue
    os.chdir(folder)
    sys.argv = ["build"]
    sdist = out / build_meta.build_sdist(str(out))
    unpacked = out / "unpacked" / os.path.basename(folder)
    unpacked.mkdir()
    with tarfile.open(sdist) as file:
        file.extractall(unpacked, filter="data")
    os.chdir(unpacked / sdist.name.removesuffix(".tar.gz"))
    build_meta.build_wheel(str(out))
    sys.stdout.flush()
    os._exit(0)
while children:
    done, status = os.wait()
    name = children.pop(done)
    if status:
        sys.exit(f"{name} cannot be built")
"""
"""What `python -m build --no-isolation` does, for many folders: setuptools is imported once, each built in a fork."""


def build(folders: Sequence[Path], out: Path) -> Path:
    """Build an sdist of each folder, and from it a wheel, into ``out``; the folders are left as they are."""
    copies = []
    for number, folder in enumerate(folders):
        copy = out / "sources" / f"{number:02d}"
        shutil.copytree(folder, copy, ignore=_ignored)
        copies.append(copy)
    command = [sys.executable, "-c", _BUILD, str(out), *map(str, copies)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]
    return out


def _ignored(folder: str, names: list[str]) -> set[str]:
    """What is no source; of the repository's own folder, what belongs to other distributions or to none."""
    others = ("plugins", "adapters", "tests", "docs") if Path(folder) == ROOT else ()
    return shutil.ignore_patterns(*NEVER_IN_SOURCES, *others)(folder, names)


# --------------------------------------------------------------------------------------------------------- environments
def closure(names: Sequence[str]) -> set[str]:
    """The canonical names of these installed distributions and of all that they need, without extras nobody asks for.

    Every version that is installed here must be one that is asked for.
    """
    found: set[str] = set()
    todo = [(str(canonicalize_name(name)), frozenset[str]()) for name in names]
    seen = set(todo)
    while todo:
        name, extras = todo.pop()
        found.add(name)
        for text in distribution(name).requires or ():
            need = Requirement(text)
            if need.marker and not any(need.marker.evaluate({"extra": extra}) for extra in ("", *extras)):
                continue
            assert need.specifier.contains(distribution(need.name).version, prereleases=True), f"{name} needs {need}"
            entry = str(canonicalize_name(need.name)), frozenset(need.extras)
            if entry not in seen:
                seen.add(entry)
                todo.append(entry)
    return found


def link(names: set[str], site: Path) -> Path:
    """A folder for ``sys.path`` with these installed distributions alone, as links to their files."""
    site.mkdir(parents=True, exist_ok=True)
    for name in sorted(names):
        files = distribution(name).files
        assert files, f"{name} does not say which files are its own"
        for top in {file.parts[0] for file in files if file.parts[0] not in ("..", "__pycache__")}:
            if not (site / top).exists():
                (site / top).symlink_to(Path(str(distribution(name).locate_file(top))).resolve())
    return site


def unpack(wheel: Path, site: Path) -> None:
    """Put a pure wheel's files where an installer would."""
    shutil.unpack_archive(wheel, site, "zip")

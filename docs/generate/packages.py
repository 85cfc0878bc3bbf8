"""A page for each distribution: what its own README says."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path


ROOT = Path(__file__).resolve().parents[2]


def pages(root: Path) -> dict[str, str]:
    """``{path below docs: Markdown}`` of every package in the repository, and of the list of them."""
    found = [(read_project(folder), folder) for folder in folders(root)]
    rows = [f"| [{p['name']}](../packages/{p['name']}.md) | {p['description']} |" for p, _ in found]
    table = "\n".join(["# Packages", "", "Each is found by `vatl` as soon as it is installed.", ""])
    made = {"reference/packages.md": "\n".join([table, "| package | what is in it |", "|---|---|", *rows, ""])}
    return made | {f"packages/{p['name']}.md": _readme(p, folder) for p, folder in found}


def folders(root: Path) -> list[Path]:
    """Where the packages are, the core's first."""
    return [root, *sorted(p.parent for part in ("plugins", "adapters") for p in (root / part).glob("*/pyproject.toml"))]


def names(root: Path) -> set[str]:
    """What the packages are called."""
    return {read_project(folder)["name"] for folder in folders(root)}


def read_project(folder: Path) -> dict[str, str]:
    """The table ``[project]`` of a package."""
    project: dict[str, str] = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return project


def _readme(project: dict[str, str], folder: Path) -> str:
    """Its README, whose links are led from its folder to this page's."""
    readme = folder / project.get("readme", "README.md")
    text = readme.read_text(encoding="utf-8") if readme.is_file() else f"# {project['name']}\n\n{project['description']}\n"
    return re.sub(r"\]\((?:\.\./){2}docs/", "](../", text)

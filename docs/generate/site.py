"""MkDocs' hooks: pages that are made from the code, and links that leave ``docs/``."""

from __future__ import annotations

import posixpath
import re
from typing import Any

import packages
import reference
from mkdocs.structure.files import File

_LINK = re.compile(r"\]\(([^)#\s]+)(#[^)\s]*)?\)")
_PAGES = {
    "vatl_core/hookspecs.py": "reference/hooks.md",
    "vatl_core/contracts/": "reference/contracts.md",
    "plugins/vatl-kit/vatl_kit/": "reference/testing.md",
    "README.md": "index.md",
}
"""Pages that stand for files outside of ``docs/``."""


def on_files(files: Any, config: Any) -> Any:
    """Add the pages that nobody writes."""
    for place, text in {**reference.pages(), **packages.pages(packages.ROOT)}.items():
        files.append(File.generated(config, place, content=text))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Lead links to files outside of ``docs/`` to the pages that stand for them."""
    here = posixpath.dirname(page.file.src_uri)

    def led(link: re.Match[str]) -> str:
        target = posixpath.normpath(posixpath.join("docs", here, link[1])) if "://" not in link[1] else "docs"
        stands = _stands_for(target)
        return link[0] if stands is None else f"]({posixpath.relpath(stands, here or '.')}{link[2] or ''})"

    return _LINK.sub(led, markdown)


def _stands_for(target: str) -> str | None:
    """The page for a file of the repository, as a path below ``docs/``; None for what lies there already."""
    if target == "docs" or target.startswith("docs/"):
        return None
    package = re.fullmatch(r"(?:adapters|plugins)/([\w-]+)(?:/README\.md)?", target)
    return f"packages/{package[1]}.md" if package else _PAGES.get(target, _PAGES.get(f"{target}/"))

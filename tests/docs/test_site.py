"""The site is built without a warning, every link in it leads somewhere, and it needs no other host."""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

from tests.docs.conftest import Site
from tests.docs.html_pages import read_page

OUTSIDE = re.compile(r"^(?:[a-z]+:)?//", re.IGNORECASE)


def dead(site: Site, folder: Path) -> list[str]:
    """Links, anchors and pictures that lead nowhere."""
    found = []
    for name, page in site.items():
        for link in [*page.links, *page.loaded]:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc or name == "404.html":
                continue
            target = (
                posixpath.normpath(posixpath.join(posixpath.dirname(name), unquote(parts.path))) if parts.path else name
            )
            target = f"{target}/index.html" if (folder / target).is_dir() else target
            anchor = unquote(parts.fragment)
            if not (folder / target).is_file():
                found.append(f"{name}: {link} is not there")
            elif anchor and target in site and anchor not in site[target].ids | {"__top"}:
                found.append(f"{name}: {link} has no such anchor")
    return found


def test_every_link_anchor_and_picture_is_there(site: Site, site_folder: Path) -> None:
    assert "index.html" in site
    assert sum(len(page.links) for page in site.values()) > 1000
    assert dead(site, site_folder) == []


def test_nothing_is_loaded_from_another_host(site: Site, site_folder: Path) -> None:
    assert [f"{name}: {url}" for name, page in site.items() for url in page.loaded if OUTSIDE.match(url)] == []
    imported = re.compile(r"(?:@import|url\()\s*[\"']?(?:https?:)?//", re.IGNORECASE)
    assert [p for p in site_folder.rglob("*.css") if imported.search(p.read_text(encoding="utf-8"))] == []


def test_its_search_index_is_its_own(site_folder: Path) -> None:
    index = (site_folder / "search" / "search_index.json").read_text(encoding="utf-8")
    assert "Temporal heatmap continuity" in index


def test_a_dead_link_is_found(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text("")
    page = read_page(
        '<h1 id="here">x</h1><a href="b.html">1</a><a href="#there">2</a><a href="#here">3</a><img src="c.png">'
    )
    assert len(dead({"a.html": page}, tmp_path)) == 3

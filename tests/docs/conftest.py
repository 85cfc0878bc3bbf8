"""The site, built once."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import once
from tests.docs.blocks import ROOT
from tests.docs.html_pages import HtmlPage, read_page

Site = dict[str, HtmlPage]


@pytest.fixture(scope="session")
def site_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where ``mkdocs build --strict`` put the site; a warning fails it."""
    return once(tmp_path_factory, "site", _build)


def _build(folder: Path) -> None:
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    told = {"NO_MKDOCS_2_WARNING": "1", "http_proxy": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9"}
    done = subprocess.run(command, cwd=ROOT, env=os.environ | told, capture_output=True, text=True, timeout=500)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"


@pytest.fixture(scope="session")
def site(site_folder: Path) -> Site:
    """Every page of the site, by its path."""
    return {
        str(path.relative_to(site_folder)): read_page(path.read_text(encoding="utf-8"))
        for path in sorted(site_folder.rglob("*.html"))
    }

"""The tutorial on criteria, followed to the letter in an environment of its own, leads to the curves it promises."""

from __future__ import annotations

import csv
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

from tests.docs.blocks import ROOT, blocks
from tests.docs.test_blocks import SMALL

TUTORIAL = ROOT / "docs" / "write-a-criterion.md"
OFFLINE = ["--no-deps", "--no-build-isolation", "--quiet", "--disable-pip-version-check"]


@pytest.fixture
def python(tmp_path: Path) -> Path:
    """A fresh environment's, which sees what is installed in this one, pip included."""
    venv.create(tmp_path / "venv", system_site_packages=True, symlinks=True)
    own = tmp_path / "venv" / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}" / "site-packages"
    present = sysconfig.get_path("purelib")
    (own / "present.pth").write_text(f"import site; site.addsitedir({present!r})\n")
    return tmp_path / "venv" / "bin" / "python"


def _command(words: list[str], python: Path) -> list[str]:
    """The command in that environment, offline and at small scale."""
    program, *rest = words
    if program == "pip":
        return [str(python), "-m", "pip", rest[0], *OFFLINE, *rest[1:]]
    if program == "pytest":
        return [str(python), "-m", "pytest", "-q", "-p", "no:cacheprovider", *rest]
    assert program == "vatl"
    return [str(python), "-m", "vatl_core.cli", *rest, *SMALL.get(rest[0], [])]


def test_following_the_tutorial_leads_to_both_learning_curves(
    tmp_path: Path, python: Path, environment: dict[str, str]
) -> None:
    place = tmp_path / "work"
    place.mkdir()
    for block in blocks(TUTORIAL):
        if block.marker == "file":
            assert (place / block.value).is_file(), f"{block.place}: the package has no {block.value}"
            (place / block.value).write_text(block.text, encoding="utf-8")
        for words in block.commands if block.marker == "run" else ():
            done = subprocess.run(
                _command(words, python), cwd=place, env=environment, capture_output=True, text=True, timeout=300
            )
            assert done.returncode == 0, f"{block.place}: {' '.join(words)}\n{done.stdout}\n{done.stderr}"
    with (place / "comparison" / "learning_curves.csv").open(encoding="utf-8", newline="") as table:
        rows = list(csv.DictReader(table))
    methods = {row["method"] for row in rows}
    assert len(methods) == 2
    assert {"weakest, top", "random"} == methods or any("weakest" in m for m in methods), methods
    assert (place / "comparison" / "index.html").is_file()

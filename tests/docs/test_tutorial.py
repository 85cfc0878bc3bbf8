"""The tutorial on criteria, followed to the letter in an environment of its own, leads to the curves it promises."""

from __future__ import annotations

import csv
import itertools
import json
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.blocks import ROOT, blocks
from tests.docs.smaller import smaller

TUTORIAL = ROOT / "docs" / "write-a-criterion.md"
VATL = "import json, sys; from vatl_core.cli import main; [main(words) for words in json.loads(sys.argv[1])]"
OFFLINE = ["--no-deps", "--no-build-isolation", "--quiet", "--disable-pip-version-check"]


@pytest.fixture
def python(tmp_path: Path) -> Path:
    """A fresh environment's, which sees what is installed in this one, pip included."""
    venv.create(tmp_path / "venv", system_site_packages=True, symlinks=True)
    own = tmp_path / "venv" / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}" / "site-packages"
    present = sysconfig.get_path("purelib")
    (own / "present.pth").write_text(f"import site; site.addsitedir({present!r})\n")
    return tmp_path / "venv" / "bin" / "python"


def _processes(commands: list[list[str]], python: Path) -> Iterator[list[str]]:
    """A block's commands in that environment, offline and small; those of vatl in one process."""
    for program, lines in itertools.groupby(commands, key=lambda words: words[0]):
        rest = [words[1:] for words in lines]
        if program == "vatl":
            yield [str(python), "-c", VATL, json.dumps([smaller(words[0], words) for words in rest])]
        for words in rest if program == "pip" else ():
            yield [str(python), "-m", "pip", words[0], *OFFLINE, *words[1:]]
        for words in rest if program == "pytest" else ():
            yield [str(python), "-m", "pytest", "-q", "-p", "no:cacheprovider", *words]


def test_following_the_tutorial_leads_to_both_learning_curves(
    tmp_path: Path, python: Path, environment: dict[str, str]
) -> None:
    one_thread = environment | {"OMP_NUM_THREADS": "1"}
    place = tmp_path / "work"
    place.mkdir()
    for block in blocks(TUTORIAL):
        if block.marker == "file":
            assert (place / block.value).is_file(), f"{block.place}: the package has no {block.value}"
            (place / block.value).write_text(block.text, encoding="utf-8")
        commands = block.commands if block.marker == "run" else []
        assert {words[0] for words in commands} <= {"vatl", "pip", "pytest"}, block.place
        for process in _processes(commands, python):
            done = subprocess.run(process, cwd=place, env=one_thread, capture_output=True, text=True, timeout=300)
            assert done.returncode == 0, f"{block.place}\n{done.stdout}\n{done.stderr}"
    with (place / "comparison" / "learning_curves.csv").open(encoding="utf-8", newline="") as table:
        rows = list(csv.DictReader(table))
    curves = {row["method"] for row in rows if row["measure"] == "ap" and row["mean"]}
    assert curves == {"weakest, top", "random"}
    assert (place / "comparison" / "index.html").is_file()

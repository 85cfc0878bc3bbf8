"""Somebody who follows a page of the documentation, from its first block to its last."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import attrs
import pytest

from tests.docs.blocks import Block
from tests.docs.commands import parsed
from tests.docs.smaller import smaller
from vatl_core.cli import main

LICENSED = ("posetrack21", "jrdb-pose")
"""Data sets of which the tests have a few made-up videos, so that their check ends with 1 for what is missing."""


@attrs.define
class Reader:
    """Who writes a page's files, runs its Python and gives its commands, all in one folder and mostly one process.

    Attributes:
        folder: where they are.
        names: what their Python has defined so far.
        patch: undoes what they install.
        installed: what is on Python's path for the packages of the page.
    """

    folder: Path
    names: dict[str, Any]
    patch: pytest.MonkeyPatch
    installed: list[Path] = attrs.field(factory=list)

    def follow(self, block: Block) -> None:
        """Do what a block is for."""
        if block.marker == "file":
            self._write(block)
        elif block.marker == "run":
            for words in block.commands:
                self._give(block, words)
        elif block.language == "python" and block.marker != "not run":
            exec(compile(block.text, block.place, "exec"), self.names)

    def _write(self, block: Block) -> None:
        file = self.folder / block.value
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(block.text, encoding="utf-8")

    def _give(self, block: Block, words: Sequence[str]) -> None:
        programs = {"vatl": self._vatl, "pip": self._pip, "pytest": self._pytest}
        assert words[0] in programs, f"{block.place}: it is not known how to carry out '{words[0]}'"
        code = programs[words[0]](words[1:])
        incomplete = words[1:3] == ["datasets", "check"] and words[3] in LICENSED
        assert code == int(incomplete), f"{block.place}: {' '.join(words)} ended with {code}"

    def _vatl(self, words: Sequence[str]) -> int:
        try:
            return main(smaller(parsed(words)[0], words))
        except SystemExit as ended:
            return int(ended.code or 0)

    def _pip(self, words: Sequence[str]) -> int:
        """What counts of ``pip install`` for discovery: metadata on the path, and the modules."""
        source, site = self.folder / words[-1], self.folder.parent / "site-packages"
        about = tomllib.loads((source / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        kept = site / f"{about['name'].replace('-', '_')}-{about['version']}.dist-info"
        kept.mkdir(parents=True)
        (kept / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {about['name']}\nVersion: {about['version']}\n")
        points = "".join(f"{name} = {value}\n" for name, value in about["entry-points"]["vatl"].items())
        (kept / "entry_points.txt").write_text(f"[vatl]\n{points}")
        for place in (site, source):
            self.patch.syspath_prepend(place)
            self.installed.append(place)
        return 0

    def _pytest(self, words: Sequence[str]) -> int:
        path = os.pathsep.join(map(str, self.installed))
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *words]
        environment = os.environ | {"PYTHONPATH": path, "OMP_NUM_THREADS": "1"}
        return subprocess.run(command, cwd=self.folder, env=environment, timeout=300).returncode

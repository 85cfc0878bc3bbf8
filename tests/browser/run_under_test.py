"""A run that waits for a person, as a process of its own that can be killed, and the page as that person uses it."""

from __future__ import annotations

import json
import re
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs
from playwright.sync_api import Page

SHORT = (
    "-o", "synthetic.frames=8", "-o", "synthetic.people=2", "-o", "synthetic.source_videos=2",
    "-o", "few-labels.steps=8", "-o", "few-labels.epochs=1", "--device", "cpu", "--oracle", "browser",
    "-o", "browser.open=false", "-o", "browser.pause=0.5", "-o", "browser.annotator=ada",
)  # fmt: skip
SHOWN = "body[data-view='task']:not([data-instance='']):not([data-busy='true'])"


@attrs.define
class RunUnderTest:
    """A run in ``folder``/runs/one."""

    folder: Path
    environment: Mapping[str, str]
    process: subprocess.Popen[str] | None = None

    @property
    def run(self) -> Path:
        return self.folder / "runs" / "one"

    def begin(self, *words: str) -> RunUnderTest:
        return self._start("run", *SHORT, "--name", "one", *words)

    def take_up(self) -> RunUnderTest:
        return self._start("annotate", str(self.run), "--no-open")

    def review(self, *words: str) -> RunUnderTest:
        """Look through the run once it has ended."""
        return self._start("annotate", str(self.run), "--no-open", "--review", *words)

    def _start(self, *words: str) -> RunUnderTest:
        command = [str(Path(sys.executable).with_name("vatl")), *words]
        said = (self.folder / "said.txt").open("w")
        self.process = subprocess.Popen(
            command, cwd=self.folder, env=self.environment, stdout=said, stderr=said, text=True
        )
        return self

    @property
    def said(self) -> str:
        return (self.folder / "said.txt").read_text()

    def link(self, seconds: float = 120) -> str:
        """The link, once the run has printed it."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if found := re.search(r"label at (http://\S+)\s", self.said):
                return found[1]
            if self.process and self.process.poll() is not None:
                break
            time.sleep(0.1)
        raise AssertionError(f"no link was printed: {self.said}")

    def kill(self) -> None:
        if self.process:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()

    def end(self) -> dict[str, Any]:
        """The closing record, once the run has ended well."""
        if self.process is None or self.process.wait(timeout=180) != 0:
            raise AssertionError(self.said)
        record: dict[str, Any] = json.loads((self.run / "run.json").read_text())
        return record

    def labels(self) -> list[dict[str, Any]]:
        """Every label on disk, in order."""
        return self.rows("labels")

    def rows(self, table: str) -> list[dict[str, Any]]:
        """Every row on disk, in order."""
        connection = sqlite3.connect(self.run / "labels.sqlite")
        connection.row_factory = sqlite3.Row
        try:
            return [dict(row) for row in connection.execute(f"select * from {table} order by rowid")]
        finally:
            connection.close()


@attrs.define
class Person:
    """Somebody at the page."""

    page: Page

    @property
    def instance(self) -> str:
        return self.page.get_attribute("body", "data-instance") or ""

    def wait_for_task(self) -> str:
        self.page.wait_for_selector(SHOWN, timeout=60_000)
        return self.instance

    def wait_for_other(self, instance: str) -> None:
        """Wait until another instance, the machine's progress or the end is shown."""
        self.page.wait_for_selector(f"body:not([data-instance='{instance}'])", timeout=60_000)

    def place(self, keypoint: str) -> tuple[float, float, int]:
        """Where a keypoint is, in pixels of the frame, and its v."""
        point = self.page.locator(f"[data-keypoint='{keypoint}'][data-x]").first
        x, y, v = (point.get_attribute(f"data-{name}") for name in "xyv")
        return float(x or "nan"), float(y or "nan"), int(v or -1)

    def centre(self, keypoint: str) -> tuple[float, float]:
        """Where a keypoint is, in pixels of the window."""
        box = self.page.locator(f"[data-keypoint='{keypoint}'][data-x]").first.bounding_box()
        assert box is not None, f"{keypoint} is not drawn"
        return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

"""How far a sweep is, on standard error: a line for each run that ends, and a status line between them."""

from __future__ import annotations

import json
import shutil
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Final, TextIO

import attrs

from vatl_core.cycle import amounts
from vatl_core.errors import InputError
from vatl_sweep.folder import SweepFolder, cycles_done
from vatl_sweep.plan import SweepRun

INTERVAL: Final = {True: 1.0, False: 60.0}
"""Seconds between two status lines on a terminal, where they replace each other, and elsewhere."""


@attrs.define(eq=False)
class Watch:
    """Watches a sweep's folder, into which its runs write wherever they are carried out.

    Attributes:
        folder: of the sweep.
        runs: all of them.
        out: where to write.
    """

    folder: SweepFolder
    runs: Sequence[SweepRun]
    out: TextIO = attrs.field(factory=lambda: sys.stderr)
    _left: dict[str, SweepRun] = attrs.field(init=False, factory=dict)
    _logs: dict[str, int] = attrs.field(init=False, factory=dict)
    _over: threading.Event = attrs.field(init=False, factory=threading.Event)
    _thread: threading.Thread | None = attrs.field(init=False, default=None)

    def __enter__(self) -> Watch:
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        if self._thread:
            self._thread.join()

    def begun(self, left: list[SweepRun], announced: bool = False) -> None:
        """Say what is going to be done, unless that is ``announced``, and show from now on how far it is."""
        self._left = {run.name: run for run in left}
        self._logs = {run.name: self._log_size(run) for run in left}
        earlier = len(self.runs) - len(left)
        if not announced:
            self._print(f"{self.folder.path}: {len(left)} runs to do{f', {earlier} done earlier' if earlier else ''}")
        self._thread = threading.Thread(target=self._keep_showing, daemon=True)
        self._thread.start()

    def ended(self, run: SweepRun) -> None:
        """Say what came of a run."""
        self._left.pop(run.name, None)
        place = f"[{len(self.runs) - len(self._left)}/{len(self.runs)}] {run.name}"
        record, failure = self.folder.record(run), self.folder.failure(run)
        if record:
            oks = f", mean OKS {record.mean_oks:.3f}" if record.mean_oks is not None else ""
            where = f" on {device}" if (device := self.folder.device(run)) not in (None, "cpu") else ""
            self._print(f"{place}: finished{oks} ({record.seconds:.0f} s{where})")
        elif failure:
            self._print(f"{place}: failed in cycle {failure.cycles + 1}: {failure.cause}")

    def status(self) -> str:
        """How many runs are done and failed, and the cycle of each that is under way."""
        left = list(self._left.values())
        running = [run for run in left if self._log_size(run) > self._logs[run.name]]
        failed = sum(self.folder.failure(run) is not None for run in self.runs)
        done = len(self.runs) - len(left)
        parts = [f"{done} of {len(self.runs)} done", f"{len(running)} running"] + [f"{failed} failed"] * bool(failed)
        return ", ".join(parts) + ": " * bool(running) + "; ".join(map(_cycle, running))

    def _keep_showing(self) -> None:
        terminal = self.out.isatty()
        while not self._over.wait(INTERVAL[terminal]):
            line = self.status()
            if terminal:
                self.out.write(f"\r\033[K{line[: shutil.get_terminal_size().columns - 1]}")
                self.out.flush()
            else:
                self._print(line)

    def _print(self, line: str) -> None:
        self.out.write(f"{chr(13)}\033[K{line}\n" if self.out.isatty() else f"{line}\n")
        self.out.flush()

    def _log_size(self, run: SweepRun) -> int:
        """Bytes; a run that is begun or taken up writes into its log at once, and clocks of machines may differ."""
        with suppress(OSError):
            return self.folder.log(run).stat().st_size
        return 0


def _cycle(run: SweepRun) -> str:
    """A run that is under way, and its cycle."""
    with suppress(OSError, ValueError, KeyError, InputError):
        first: dict[str, Any] = json.loads((run.path / "cycles.jsonl").read_bytes().partition(b"\n")[0])
        total = len(amounts(run.config.schedule, first["instances"], run.config.rounding)) + 1
        return (
            f"{run.name} cycle {cycles_done(run) + 1} of {total}" if cycles_done(run) < total else f"{run.name} ending"
        )
    return f"{run.name} cycle 1"

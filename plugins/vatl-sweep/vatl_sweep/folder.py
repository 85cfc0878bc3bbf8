"""Where a sweep is kept: its folder, and how far each of its runs is."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import attrs
import tomli_w
from filelock import FileLock, Timeout

from vatl_core.config_files import tables_of
from vatl_core.errors import InputError
from vatl_core.files import discard, reading, write_whole
from vatl_core.records import RunRecord
from vatl_core.store import RunFolder
from vatl_sweep.plan import SweepRun


@attrs.frozen
class Failure:
    """Why a run failed.

    Attributes:
        cause: in a line; its traceback, where there is one, is in the log.
        cycles: how many it had finished.
        log: what it said.
    """

    cause: str
    cycles: int
    log: str


@attrs.frozen
class SweepFolder:
    """A sweep's folder: ``runs/NAME`` the run directories, ``logs/NAME.log`` what each said, ``failed/NAME.json``.

    Attributes:
        path: of the folder.
    """

    path: Path

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other sweeps out within the block; the lock of one that was killed is free.

        A folder in which nothing was begun is removed again.

        Raises:
            InputError: one is at work, or a symbolic link leads what is written elsewhere.
        """
        for place in (self.path, *(self.path / name for name in ("logs", "failed")), *self.path.glob("logs/*")):
            if place.is_symlink():
                raise InputError(
                    f"{place} is a symbolic link, which may lead anywhere: put what it leads to in its place"
                )
        self.path.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self.path / ".lock")
        try:
            lock.acquire(timeout=0)
        except Timeout as error:
            raise InputError(f"{self.path} is being worked on by another sweep: wait for it, or stop it") from error
        try:
            yield
        finally:
            if [entry.name for entry in self.path.iterdir()] == [".lock"]:
                discard(self.path, lock.release)
            lock.release()

    def check(self, runs: Iterable[SweepRun]) -> None:
        """Hold runs that were begun to the settings they were begun with.

        Raises:
            InputError: they have others now.
        """
        changed = {run.name: names for run in runs if (names := self._changed(run))}
        if changed:
            name, names = next(iter(changed.items()))
            raise InputError(
                f"{len(changed)} runs in {self.path} were begun with other settings (first: {name}, in "
                f"{', '.join(names)}): change them back, give the variant another name, or choose another --folder"
            )

    def _changed(self, run: SweepRun) -> list[str]:
        """Which settings and options of a run that was begun are others now."""
        if not (run.path / "config.toml").is_file():
            return []
        now, then = settings_of(run.config.to_toml()), settings_of(RunFolder.open(run.path).config)
        return sorted(name for name in now.keys() | then.keys() if now.get(name) != then.get(name))

    # ------------------------------------------------------------------------------------------------------ how far
    def record(self, run: SweepRun) -> RunRecord | None:
        """The closing record of a run, or None if it has not ended."""
        return RunFolder(run.path).closing()

    def device(self, run: SweepRun) -> str | None:
        """Where a run was begun, such as ``cuda:1``; None where it was not."""
        file = run.path / "config.toml"
        return tables_of(file).get("made_with", {}).get("device") if file.is_file() else None

    def failure(self, run: SweepRun) -> Failure | None:
        """Why a run failed, or None if it did not."""
        file = self.path / "failed" / f"{run.name}.json"
        with reading(file, "delete it to have the run tried again"):
            return Failure(**json.loads(file.read_text("utf-8"))) if file.exists() else None

    def fail(self, run: SweepRun, cause: str) -> None:
        """Keep a failed run apart: it is not tried again before :meth:`forgive`."""
        failure = Failure(cause, cycles_done(run), str(self.log(run)))
        write_whole(self.path / "failed" / f"{run.name}.json", json.dumps(attrs.asdict(failure), indent=2) + "\n")

    def forgive(self, run: SweepRun) -> None:
        """Let a failed run be tried again."""
        (self.path / "failed" / f"{run.name}.json").unlink(missing_ok=True)

    def log(self, run: SweepRun) -> Path:
        """What a run said while it worked, attempt after attempt."""
        return self.path / "logs" / f"{run.name}.log"

    def state(self, run: SweepRun) -> str:
        """``finished``, ``failed``, ``interrupted`` (or under way) or ``new``."""
        if RunFolder(run.path).through():  # its report is written, too
            return "finished"
        if self.failure(run):
            return "failed"
        return "interrupted" if (run.path / "config.toml").exists() else "new"


def cycles_done(run: SweepRun) -> int:
    """How many cycles a run has finished; it may be under way elsewhere."""
    try:
        return (run.path / "cycles.jsonl").read_bytes().count(b"\n")
    except FileNotFoundError:
        return 0


def settings_of(tables: dict[str, Any]) -> dict[str, Any]:
    """What the result of a run with these tables depends on: ``{"schedule": …, "query.wpu.z_dim": …}``."""
    tables = tomllib.loads(tomli_w.dumps(tables))
    run = {name: value for name, value in tables.get("run", {}).items() if name not in ("name", "runs", "executor")}
    for role in tables.keys() - {"run", "made_with", "executor"}:
        for component, options in tables[role].items():
            run |= {f"{role}.{component}.{option}": value for option, value in options.items()}
    return run

"""Where a run is kept: its directory, file by file."""

from __future__ import annotations

import json
import shlex
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import attrs
import numpy as np
import tomli_w
import torch
from filelock import FileLock, Timeout

from vatl_core.config_files import tables_of
from vatl_core.errors import InputError
from vatl_core.estimation import Estimates
from vatl_core.files import append_line, reading, whole, whole_lines, write_whole
from vatl_core.records import CycleRecord, RunRecord, converter, to_json
from vatl_core.store.answers import Answers


@attrs.define
class RunFolder:
    """One run's directory.

    Attributes:
        path: ``runs/NAME``.
    """

    path: Path
    _lock: FileLock | None = attrs.field(init=False, default=None, repr=False)

    @classmethod
    def create(cls, path: Path, config: dict[str, Any]) -> RunFolder:
        """Begin a run.

        Raises:
            InputError: there is one of that name already.
        """
        cls.check_free(path)
        folder = cls(path)
        write_whole(path / "config.toml", tomli_w.dumps(config))
        return folder

    @staticmethod
    def check_free(path: Path) -> None:
        """Make sure that a run can begin here; what a beginning killed half-way left does not count.

        Raises:
            InputError: there is one of that name already.
        """
        if path.exists() and any(".part" not in entry.name for entry in path.iterdir()):
            raise InputError(f"{path} exists already: `vatl resume {shlex.quote(str(path))}` goes on, or give a --name")

    @classmethod
    def open(cls, path: Path) -> RunFolder:
        """A run that was begun earlier.

        Raises:
            InputError: there is none, or a symbolic link in it leads what is written elsewhere.
        """
        if not (path / "config.toml").is_file():
            raise InputError(f"{path} is no run: it has no config.toml")
        if link := next((entry for entry in path.rglob("*") if entry.is_symlink()), None):
            raise InputError(f"{link} is a symbolic link, which no run has: put what it leads to in its place")
        return cls(path)

    def lock(self, patience: float = 0.0) -> None:
        """Keep other processes from working on the same run until this one ends.

        Args:
            patience: seconds to wait for one that does; the lock of one that died is free at once on its own
                machine, and on shared storage when the storage has noticed.

        Raises:
            InputError: one still does.
        """
        lock = self._lock or FileLock(self.path / ".lock", thread_local=False)
        try:
            lock.acquire(timeout=patience, poll_interval=0.2)
        except Timeout as error:
            raise InputError(f"{self.path} is being worked on by another process: wait for it, or stop it") from error
        patterns = () if self._lock else (".*.part*", "c*/**/.*.part*", "report/**/.*.part*")  # what it writes itself
        self._lock = lock
        for part in [part for pattern in patterns for part in self.path.glob(pattern)]:  # of one that was killed
            if part.parent.resolve().is_relative_to(self.path.resolve()):  # no link leads there
                shutil.rmtree(part) if part.is_dir() and not part.is_symlink() else part.unlink(missing_ok=True)

    def unlock(self) -> None:
        """Let other processes work on it, once this has been called as often as :meth:`lock`."""
        if self._lock:
            self._lock.release()
            self._lock = self._lock if self._lock.is_locked else None

    @property
    def config(self) -> dict[str, Any]:
        """The contents of ``config.toml``."""
        return tables_of(self.path / "config.toml")

    def append(self, record: CycleRecord) -> None:
        """Add a cycle's record to ``cycles.jsonl``."""
        append_line(self.path / "cycles.jsonl", json.dumps(to_json(record)))

    def cycles(self) -> list[CycleRecord]:
        """The records of the cycles that were finished, in order."""
        with reading(file := self.path / "cycles.jsonl"):
            rows, whole = [json.loads(line) for line in whole_lines(file)], len(attrs.fields(CycleRecord))
            records = [converter.structure(row, CycleRecord) for row in rows]
        if [record.cycle for record in records] != list(range(len(records))) or any(len(row) != whole for row in rows):
            raise InputError(f"{file} lacks a cycle, or has one twice, or a cycle lacks something: restore it")
        return records

    @contextmanager
    def close(self, record: RunRecord) -> Iterator[None]:
        """Write ``run.json``, the closing record; a run is not through before the block, which tells of it, is."""
        write_whole(untold := self.path / ".untold", "")
        write_whole(self.path / "run.json", json.dumps(to_json(record), indent=2) + "\n")
        yield
        untold.unlink()

    def closing(self) -> RunRecord | None:
        """The closing record, or None while the run goes on."""
        with reading(file := self.path / "run.json"):
            return converter.structure(json.loads(file.read_text("utf-8")), RunRecord) if file.exists() else None

    def through(self) -> RunRecord | None:
        """The closing record once every plugin has heard of it, so that the report is there; None before."""
        return None if (self.path / ".untold").exists() else self.closing()

    def reopen(self, query: Sequence[int]) -> None:
        """Let a finished run go on, its closing pass a cycle that asks for ``query``; killed in here, it ends anew."""
        *lines, _ = whole_lines(file := self.path / "cycles.jsonl")
        self.save_query(len(lines), query, by_hand=True)
        (self.path / "run.json").unlink()
        write_whole(file, "".join(f"{line}\n" for line in lines))

    def cycle_folder(self, cycle: int) -> Path:
        """``cycles/003``"""
        return self.path / "cycles" / f"{cycle:03d}"

    def weights(self, cycle: int) -> Path:
        """The weights that cycle ``cycle`` estimates with; the file may not exist."""
        return self.cycle_folder(cycle) / "weights.safetensors"

    def save_estimates(self, cycle: int, estimates: Estimates) -> None:
        """Keep poses, scores and criteria of a cycle's pass; the features are too large to keep."""
        columns = {"keypoints": estimates.keypoints, "scores": estimates.scores}
        columns |= {} if estimates.spread is None else {"spread": estimates.spread}
        columns |= {f"criterion.{name}": column for name, column in estimates.criteria.items()}
        columns |= {f"kept.{name}": rows for name, rows in estimates.kept.items()}
        with whole(self.cycle_folder(cycle) / "estimates.npz") as beside, beside.open("wb") as file:
            np.savez(file, **{n: c.cpu().numpy() for n, c in columns.items()})  # type: ignore[arg-type]  # none is a flag

    def estimates(self, cycle: int, device: torch.device | str = "cpu") -> Estimates | None:
        """What was kept of a cycle's pass, on ``device`` and without features, or None."""
        file = self.cycle_folder(cycle) / "estimates.npz"
        if not file.exists():
            return None
        with reading(file, "delete it to do without"), np.load(file, allow_pickle=False) as columns:
            tensors = {n: torch.from_numpy(columns[n].view(np.float32)).to(device) for n in columns.files}  # or none
            count, joints = (scores := tensors.pop("scores")).shape
            points, spread = tensors.pop("keypoints").view(count, joints, 2), tensors.pop("spread", None)
            kept = {
                n.removeprefix("kept."): tensors.pop(n).view(count, -1) for n in [*tensors] if n.startswith("kept.")
            }
            criteria = {name.removeprefix("criterion."): column.view(count) for name, column in tensors.items()}
            return Estimates(points, scores, scores[:, :0], criteria, kept=kept, spread=spread)

    def save_query(self, cycle: int, indices: Sequence[int], by_hand: bool = False, given: bool = False) -> None:
        """Keep what is going to be asked, before it is; whether it was chosen in place of the selector, or is given."""
        query = {"instances": list(indices)} | {k: True for k, so in (("by_hand", by_hand), ("given", given)) if so}
        write_whole(self.cycle_folder(cycle) / "query.json", json.dumps(query))

    def query(self, cycle: int) -> list[int] | None:
        """What a cycle asks for, or None if it has not been decided."""
        return self._query(cycle).get("instances")

    def by_hand(self, cycle: int) -> bool:
        """Whether somebody chose the cycle's query in place of the selector."""
        return bool(self._query(cycle).get("by_hand"))

    @property
    def given(self) -> list[int]:
        """Whose labels came with the data: the first query, for which nobody was asked, but those refused since."""
        first, refused = self._query(0), self.answers.refused()
        return [i for i in first["instances"] if i not in refused] if first.get("given") else []

    def _query(self, cycle: int) -> dict[str, Any]:
        with reading(file := self.cycle_folder(cycle) / "query.json", "delete it to have the cycle ask anew"):
            query = json.loads(file.read_text("utf-8")) if file.exists() else {}
            return query | {"instances": converter.structure(query["instances"], list[int])} if query else {}

    def forget_query(self, cycle: int) -> None:
        """Let a cycle ask for other instances."""
        (self.cycle_folder(cycle) / "query.json").unlink(missing_ok=True)

    @property
    def answers(self) -> Answers:
        """Everything the oracle answered."""
        return Answers(self.path / "labels.sqlite")

"""``labels.sqlite``: everything an oracle answered, committed before it counts as given, and never overwritten."""

from __future__ import annotations

import errno
import json
import os
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final

import attrs
import torch

from vatl_core.contracts import Answer, Labels, Redrawn, Refusal
from vatl_core.errors import InputError
from vatl_core.files import reading

_VERSION: Final = 1
_TABLES: Final = f"""
    create table labels (
        id integer primary key autoincrement, instance integer not null, cycle integer not null,
        keypoints text not null, visible text not null, occluded text not null, moved integer not null,
        proposal text, annotator text not null, seconds real not null, given_at real not null);
    create index of_instance on labels (instance);
    create table boxes (
        id integer primary key autoincrement, instance integer not null, cycle integer not null,
        x real not null, y real not null, width real not null, height real not null,
        annotator text not null, given_at real not null);
    create table refusals (
        id integer primary key autoincrement, instance integer not null, cycle integer not null, absent integer,
        annotator text not null, given_at real not null);
    create table endings (cycle integer primary key, annotator text not null, given_at real not null);
    pragma user_version = {_VERSION}
"""
_NUMBERS: Final = dict.fromkeys(("id", "instance", "cycle", "moved", "absent"), int) | dict.fromkeys(
    ("seconds", "given_at", "x", "y", "width", "height"), int | float
)
"""What the columns hold that hold no text: SQLite lets any hold anything."""
EVER: Final = 2**62
"""Before this cycle are all."""

Box = tuple[float, float, float, float]
"""x, y, width, height in pixels."""


@attrs.frozen
class GivenLabel:
    """One label as it was given.

    Attributes:
        instance: index.
        cycle: in which it was given; later than the one that asked for it where an earlier label was corrected.
        annotator: who.
        seconds: spent on it.
        moved: how many keypoints differ from the proposal.
        at: when, in seconds of the epoch.
        keypoints: K pairs x, y in pixels.
        values: K times 0 (not annotated), 1 (hidden), 2 (visible).
        proposal: K pairs x, y; None where it is not known, and ``moved`` says nothing.
    """

    instance: int
    cycle: int
    annotator: str
    seconds: float
    moved: int
    at: float
    keypoints: list[list[float]]
    values: list[int]
    proposal: list[list[float]] | None = None

    @classmethod
    def all_of(cls, cycle: int, labels: Labels, at: float) -> list[GivenLabel]:
        """Labels that were given in ``cycle``, one by one."""
        values = (labels.visible > 0).int() + ((labels.visible > 0) & ~(labels.occluded > 0)).int()
        points = labels.keypoints.double().nan_to_num(0, 0, 0)  # NaN is only where nothing is annotated
        known = labels.proposals.isfinite().flatten(1).all(1)
        columns = (labels.index, labels.seconds, labels.moved, points, values, labels.proposals.double(), known)
        return [
            cls(i, cycle, labels.annotator, seconds, moved, at, keypoints, v, proposal if is_known else None)
            for i, seconds, moved, keypoints, v, proposal, is_known in zip(*(c.tolist() for c in columns), strict=True)
        ]

    @classmethod
    def from_row(cls, row: sqlite3.Row) -> GivenLabel:
        """As it stands in the file."""
        texts = (row[column] or "null" for column in ("keypoints", "visible", "occluded", "proposal"))
        keypoints, seen, hidden, proposal = map(json.loads, texts)
        values = [0 if not s else 1 if h else 2 for s, h in zip(seen, hidden, strict=True)]
        plain = {column: row[column] for column in ("instance", "cycle", "annotator", "seconds", "moved")}
        return cls(**plain, at=row["given_at"], keypoints=keypoints, values=values, proposal=proposal)

    def to_row(self) -> dict[str, Any]:
        """As it is to stand in the file."""
        return {
            "instance": self.instance, "cycle": self.cycle, "annotator": self.annotator, "seconds": self.seconds,
            "moved": self.moved, "given_at": self.at, "keypoints": json.dumps(self.keypoints),
            "visible": json.dumps([v > 0 for v in self.values]), "occluded": json.dumps([v == 1 for v in self.values]),
            "proposal": self.proposal and json.dumps(self.proposal),
        }  # fmt: skip


@attrs.frozen
class Answers:
    """The file in which one run's answers are kept.

    Attributes:
        path: of the file; it is made with the first answer.
    """

    path: Path

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        """The file as it is; what is written in here is committed together."""
        try:
            with closing(sqlite3.connect(self.path, timeout=30)) as connection, connection:
                connection.row_factory = sqlite3.Row
                yield connection
        except sqlite3.Error as error:
            if "full" in str(error):  # SQLite's own word for it; every other file says so with this errno
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self.path)) from error
            raise InputError(f"{self.path} cannot be used: {error}") from error

    def save(self, cycle: int, answer: Answer) -> None:
        """Commit an answer given in ``cycle``; it is on disk when this returns.

        Raises:
            InputError: the file is damaged, or another program does not let go of it.
            OSError: the disk is full.
        """
        with self._open() as connection:
            connection.execute("pragma synchronous = full")
            connection.execute("begin immediate")  # another process may want to make the tables, too
            if not _has_tables(connection, self.path):
                for statement in _TABLES.split(";"):
                    connection.execute(statement)
            _write(connection, cycle, answer)

    def _read(self, statement: str, *values: object) -> list[sqlite3.Row]:
        """The rows that a query finds; none where nothing was answered yet. Nothing is written.

        Raises:
            InputError: the file is damaged, or another program does not let go of it.
        """
        if not self.path.exists():
            return []
        with self._open() as connection:
            rows = connection.execute(statement, values).fetchall() if _has_tables(connection, self.path) else []
        for column, value in ((c, row[c]) for row in rows for c in row.keys()):  # noqa: SIM118 - it is no dict
            if value is not None and not isinstance(value, _NUMBERS.get(column, str)):
                raise InputError(f"{self.path} is damaged: {column} is {value!r}: restore it")
        return rows

    def labels(self, index: Sequence[int], keypoints: int, before: int = EVER) -> Labels:
        """The latest labels of those of these instances that have one, in this order, on the CPU.

        Args:
            index: of the instances.
            keypoints: K.
            before: only those given in cycles before this one count.
        """
        rows = {row["instance"]: row for row in self._read("select * from labels where cycle < ? order by id", before)}
        with reading(self.path, "restore it"):
            return _labels([GivenLabel.from_row(rows[i]) for i in index if i in rows], keypoints)

    def seconds(self, cycle: int) -> float:
        """What the annotators spent in a cycle, corrected labels included."""
        return float(sum(row[0] for row in self._read("select seconds from labels where cycle = ?", cycle)))

    def given_in(self, cycle: int) -> list[int]:
        """The instances that were labelled or corrected in a cycle, in order of the first time."""
        rows = self._read("select instance from labels where cycle = ? order by id", cycle)
        return list(dict.fromkeys(row[0] for row in rows))

    def history(self) -> list[GivenLabel]:
        """Every label ever given, in order; of one instance, the last counts."""
        with reading(self.path, "restore it"):
            return [GivenLabel.from_row(row) for row in self._read("select * from labels order by id")]

    def labelled(self) -> set[int]:
        """The instances that have a label; cheap, since it is asked after each answer."""
        return {row[0] for row in self._read("select distinct instance from labels")}

    def boxes(self, before: int = EVER) -> dict[int, Box]:
        """The latest box, x, y, width, height in pixels, of those whose box was redrawn in cycles ``before`` this."""
        return {i: redrawn.box for i, redrawn in self.redrawn(before).items()}

    def redrawn(self, before: int = EVER) -> dict[int, Redrawn]:
        """As :meth:`boxes`, with who did it."""
        columns = "instance, annotator, x, y, width, height"
        rows = self._read(f"select {columns} from boxes where cycle < ? order by id", before)
        return {i: Redrawn(i, (x, y, width, height), who) for i, who, x, y, width, height in rows}

    def refused(self, before: int = EVER) -> dict[int, bool]:
        """The instances that get no label by the answers of cycles ``before`` this, each with whether nobody is there.

        One that was labelled since is none of them.
        """
        return {i: refusal.absent for i, refusal in self.refusals(before).items()}

    def refusals(self, before: int = EVER) -> dict[int, Refusal]:
        """As :meth:`refused`, with who said so."""
        rows = self._read("select instance, annotator, absent from refusals where cycle < ? order by id", before)
        latest = {i: (who, absent) for i, who, absent in rows}
        return {i: Refusal(i, who, bool(absent)) for i, (who, absent) in latest.items() if absent is not None}

    def ended(self, cycle: int) -> str | None:
        """Who said in this cycle that it is enough, or None."""
        rows = self._read("select annotator from endings where cycle = ?", cycle)
        return str(rows[0][0]) if rows else None


def _has_tables(connection: sqlite3.Connection, path: Path) -> bool:
    """Whether the tables are there: the file may have been made just now.

    Raises:
        InputError: they have another layout, or there are views, triggers or whatever else runs when they are used.
    """
    made = connection.execute("select sql from sqlite_master where sql is not null and name != 'sqlite_sequence'")
    found, wanted = ({" ".join(s.lower().split()) for s in t} for t in ((r[0] for r in made), _TABLES.split(";")[:-1]))
    (version,) = connection.execute("pragma user_version").fetchone()
    if found != (wanted if version == _VERSION else set()):
        raise InputError(f"{path} was written by another version of vatl, or another program: take that one")
    return bool(version == _VERSION)


def _write(connection: sqlite3.Connection, cycle: int, answer: Answer) -> None:
    """Add an answer's rows; nothing that is there is changed."""
    who: dict[str, Any] = {"cycle": cycle, "annotator": answer.annotator, "given_at": time.time()}
    if isinstance(answer, Labels):
        refused = {row[0] for row in connection.execute("select instance from refusals")}
        for label in GivenLabel.all_of(cycle, answer, who["given_at"]):
            _insert(connection, "labels", label.to_row())
            if label.instance in refused:  # it is taken back
                _insert(connection, "refusals", {"instance": label.instance, "absent": None} | who)
    elif isinstance(answer, Redrawn):
        box = dict(zip(("x", "y", "width", "height"), map(float, answer.box), strict=True))
        _insert(connection, "boxes", {"instance": int(answer.index)} | box | who)
    elif isinstance(answer, Refusal):
        _insert(connection, "refusals", {"instance": int(answer.index), "absent": bool(answer.absent)} | who)
    else:
        _insert(connection, "endings", who)


def _insert(connection: sqlite3.Connection, table: str, row: dict[str, Any]) -> None:
    """Add a row; who ended a cycle is the last to say so."""
    columns, places = ", ".join(row), ", ".join(f":{column}" for column in row)
    connection.execute(f"insert or replace into {table} ({columns}) values ({places})", row)


def _labels(given: Sequence[GivenLabel], keypoints: int) -> Labels:
    """Labels as columns, K ``keypoints`` each."""
    values = torch.tensor([label.values for label in given], dtype=torch.int64).view(-1, keypoints)
    nowhere = [[float("nan")] * 2] * keypoints
    rows = [(label.keypoints, label.proposal or nowhere) for label in given]
    points = torch.tensor(rows, dtype=torch.float32).view(-1, 2, keypoints, 2)
    index, moved = torch.tensor([(g.instance, g.moved) for g in given], dtype=torch.int64).view(-1, 2).unbind(1)
    seconds = torch.tensor([label.seconds for label in given], dtype=torch.float32)
    who = ", ".join(dict.fromkeys(label.annotator for label in given if label.annotator))
    return Labels(index, points[:, 0], values > 0, who, seconds, values == 1, moved, points[:, 1])

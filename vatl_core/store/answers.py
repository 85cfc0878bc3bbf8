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
from torch import Tensor

from vatl_core.contracts import Answer, Labels, Redrawn, Refusal, joined
from vatl_core.errors import InputError

_VERSION: Final = 1
_TABLES: Final = """
    create table if not exists labels (
        id integer primary key autoincrement, instance integer not null, cycle integer not null,
        keypoints text not null, visible text not null, occluded text, moved integer not null default 0,
        proposal text, annotator text not null, seconds real not null, given_at real not null);
    create index if not exists of_instance on labels (instance);
    create table if not exists boxes (
        id integer primary key autoincrement, instance integer not null, cycle integer not null,
        x real not null, y real not null, width real not null, height real not null,
        annotator text not null, given_at real not null);
    create table if not exists refusals (
        id integer primary key autoincrement, instance integer not null, cycle integer not null, absent integer,
        annotator text not null, given_at real not null);
    create table if not exists endings (cycle integer primary key, annotator text not null, given_at real not null);
"""
EVER: Final = 2**62
"""Before this cycle are all."""
_COLUMNS: Final = "instance, cycle, keypoints, visible, occluded, moved, proposal, annotator, seconds, given_at"


Box = tuple[float, float, float, float]
"""x, y, width, height in pixels."""


@attrs.frozen
class Given:
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
        proposed: whether the proposal is known; if not, ``moved`` says nothing.
    """

    instance: int
    cycle: int
    annotator: str
    seconds: float
    moved: int
    at: float
    keypoints: list[list[float]]
    values: list[int]
    proposed: bool = True


@attrs.frozen
class Answers:
    """The file in which one run's answers are kept.

    Attributes:
        path: of the file; it is made with the first answer.
    """

    path: Path

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        """The file as it is; what is written in here is committed together.

        Raises:
            InputError: it is damaged, or another program does not let go of it.
            OSError: the disk is full.
        """
        connection = sqlite3.connect(self.path, timeout=30)
        try:
            connection.execute("pragma synchronous = full")
            with connection:
                yield connection
        except sqlite3.Error as error:
            if "full" in str(error):  # SQLite's own word for it; every other file says so with this errno
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self.path)) from error
            raise InputError(f"{self.path} cannot be used: {error}") from error
        finally:
            connection.close()

    def save(self, cycle: int, answer: Answer) -> None:
        """Commit an answer given in ``cycle``; it is on disk when this returns.

        Raises:
            InputError: the file is damaged, or another program does not let go of it.
            OSError: the disk is full.
        """
        with self._open() as connection:
            if _version(connection, self.path) != _VERSION:
                _make_tables(connection)
            _write(connection, cycle, answer)

    def _read(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """The rows that a query finds; none where nothing was answered yet. Nothing is written, earlier layouts stay.

        Raises:
            InputError: the file is damaged, or another program does not let go of it.
        """
        if not self.path.exists():
            return []
        with self._open() as connection:
            if _version(connection, self.path) == _VERSION:
                return connection.execute(statement, values).fetchall()
            with closing(sqlite3.connect(":memory:")) as copy:  # the folder may not be ours to write to
                connection.backup(copy)
                _make_tables(copy)
                return copy.execute(statement, values).fetchall()

    def labels(self, index: Sequence[int], keypoints: int, before: int = EVER) -> Labels:
        """The latest labels of those of these instances that have one, in this order, on the CPU.

        Args:
            index: of the instances.
            keypoints: K.
            before: only those given in cycles before this one count.
        """
        statement = f"select {_COLUMNS} from labels where cycle < ? order by id"
        rows = {row[0]: row for row in self._read(statement, before)}
        return _labels([rows[i] for i in index if i in rows], keypoints)

    def seconds(self, cycle: int) -> float:
        """What the annotators spent in a cycle, corrected labels included."""
        return float(sum(row[0] for row in self._read("select seconds from labels where cycle = ?", cycle)))

    def given_in(self, cycle: int) -> list[int]:
        """The instances that were labelled or corrected in a cycle, in order of the first time."""
        rows = self._read("select instance from labels where cycle = ? order by id", cycle)
        return list(dict.fromkeys(row[0] for row in rows))

    def history(self) -> list[Given]:
        """Every label ever given, in order; of one instance, the last counts."""
        return [
            Given(row[0], row[1], row[7], row[8], row[5], row[9], json.loads(row[2]), _values(row), row[6] is not None)
            for row in self._read(f"select {_COLUMNS} from labels order by id")
        ]

    def labelled(self) -> set[int]:
        """The instances that have a label; cheap, since it is asked after each answer."""
        return {row[0] for row in self._read("select distinct instance from labels")}

    def boxes(self, before: int = EVER) -> dict[int, Box]:
        """The latest box, x, y, width, height in pixels, of those whose box was redrawn in cycles ``before`` this."""
        return {i: redrawn.box for i, redrawn in self.redrawn(before).items()}

    def redrawn(self, before: int = EVER) -> dict[int, Redrawn]:
        """As :meth:`boxes`, with who did it."""
        columns = "instance, x, y, width, height, annotator"
        rows = self._read(f"select {columns} from boxes where cycle < ? order by id", before)
        return {row[0]: Redrawn(row[0], (row[1], row[2], row[3], row[4]), row[5]) for row in rows}

    def refused(self, before: int = EVER) -> dict[int, bool]:
        """The instances that get no label by the answers of cycles ``before`` this, each with whether nobody is there.

        One that was labelled since is none of them.
        """
        return {i: refusal.absent for i, refusal in self.refusals(before).items()}

    def refusals(self, before: int = EVER) -> dict[int, Refusal]:
        """As :meth:`refused`, with who said so."""
        rows = self._read("select instance, annotator, absent from refusals where cycle < ? order by id", before)
        latest = {row[0]: row for row in rows}
        return {i: Refusal(i, who, bool(absent)) for i, who, absent in latest.values() if absent is not None}

    def ended(self, cycle: int) -> str | None:
        """Who said in this cycle that it is enough, or None."""
        rows = self._read("select annotator from endings where cycle = ?", cycle)
        return str(rows[0][0]) if rows else None


def _version(connection: sqlite3.Connection, path: Path) -> int:
    """Of the tables' layout; 0 before there are any, and for the first one.

    Raises:
        InputError: it is newer than this program.
    """
    (version,) = connection.execute("pragma user_version").fetchone()
    if version > _VERSION:
        raise InputError(f"{path} was written by a later version of vatl: take that one")
    return int(version)


def _make_tables(connection: sqlite3.Connection) -> None:
    """The tables, in one transaction; the first layout's, which had one row an instance, is carried over."""
    if not connection.in_transaction:
        connection.execute("begin immediate")
    (version,) = connection.execute("pragma user_version").fetchone()
    if version == _VERSION:  # another process was quicker
        return
    earlier = connection.execute("select 1 from sqlite_master where name = 'labels'").fetchone()
    if earlier:
        connection.execute("alter table labels rename to earlier")
    for statement in filter(str.strip, _TABLES.split(";")):
        connection.execute(statement)
    if earlier:
        columns = "instance, cycle, keypoints, visible, annotator, seconds, given_at"
        connection.execute(f"insert into labels ({columns}) select {columns} from earlier order by given_at, instance")
        connection.execute("drop table earlier")
    connection.execute(f"pragma user_version = {_VERSION}")


def _write(connection: sqlite3.Connection, cycle: int, answer: Answer) -> None:
    """Add an answer's rows; nothing that is there is changed."""
    now = time.time()
    if isinstance(answer, Labels):
        connection.executemany(f"insert into labels ({_COLUMNS}) values ({_marks(10)})", _rows(answer, cycle, now))
        taken_back = [(cycle, answer.annotator, now, i) for i in answer.index.tolist()]
        columns = "instance, cycle, absent, annotator, given_at"
        refused = "select distinct instance, ?, null, ?, ? from refusals where instance = ?"
        connection.executemany(f"insert into refusals ({columns}) {refused}", taken_back)
    elif isinstance(answer, Redrawn):
        row = (int(answer.index), cycle, *map(float, answer.box), answer.annotator, now)
        columns = "instance, cycle, x, y, width, height, annotator, given_at"
        connection.execute(f"insert into boxes ({columns}) values ({_marks(8)})", row)
    elif isinstance(answer, Refusal):
        refusal = (int(answer.index), cycle, bool(answer.absent), answer.annotator, now)
        columns = "instance, cycle, absent, annotator, given_at"
        connection.execute(f"insert into refusals ({columns}) values ({_marks(5)})", refusal)
    else:
        connection.execute("insert or replace into endings values (?, ?, ?)", (cycle, answer.annotator, now))


def _marks(count: int) -> str:
    return ", ".join("?" * count)


def _rows(labels: Labels, cycle: int, now: float) -> list[tuple[Any, ...]]:
    columns = zip(
        labels.index.tolist(),
        labels.keypoints.double().nan_to_num(0, 0, 0).tolist(),  # NaN is only where nothing is annotated
        labels.visible.tolist(),
        labels.occluded.tolist(),
        labels.moved.tolist(),
        labels.proposals.double().tolist(),
        labels.seconds.tolist(),
        labels.proposals.isfinite().flatten(1).all(1).tolist(),
        strict=True,
    )
    return [
        (
            i,
            cycle,
            json.dumps(points),
            json.dumps(seen),
            json.dumps(hidden),
            moved,
            json.dumps(proposal) if kept else None,
            labels.annotator,
            seconds,
            now,
        )
        for i, points, seen, hidden, moved, proposal, seconds, kept in columns
    ]


def _values(row: tuple[Any, ...]) -> list[int]:
    """K times 0 (not annotated), 1 (hidden), 2 (visible)."""
    seen = json.loads(row[3])
    hidden = json.loads(row[4]) if row[4] else [False] * len(seen)
    return [0 if not s else 1 if h else 2 for s, h in zip(seen, hidden, strict=True)]


def _labels(rows: list[tuple[Any, ...]], keypoints: int) -> Labels:
    """Rows as columns, K ``keypoints`` each."""
    values = _flags([_values(row) for row in rows], keypoints)
    nowhere = [[float("nan")] * 2] * keypoints
    return Labels(
        index=torch.tensor([row[0] for row in rows], dtype=torch.int64),
        keypoints=_points([json.loads(row[2]) for row in rows], keypoints),
        visible=values > 0,
        annotator=joined([row[7] for row in rows]),
        seconds=torch.tensor([row[8] for row in rows], dtype=torch.float32),
        occluded=values == 1,
        moved=torch.tensor([row[5] for row in rows], dtype=torch.int64),
        proposals=_points([json.loads(row[6]) if row[6] else nowhere for row in rows], keypoints),
    )


def _points(rows: list[list[list[float]]], keypoints: int) -> Tensor:
    return torch.tensor(rows, dtype=torch.float32).view(-1, keypoints, 2)


def _flags(rows: list[list[int]], keypoints: int) -> Tensor:
    return torch.tensor(rows, dtype=torch.int64).view(-1, keypoints)

"""What was asked in each cycle, as crops."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import attrs

from vatl_core.records import CycleRecord
from vatl_report.gallery import Pose, Shot, Tile, take
from vatl_report.wording import accuracy, percent

if TYPE_CHECKING:
    from vatl_core.run import PastRun

ROWS: Final = 12
"""Cycles that are shown; of more, an even choice with the first and the last."""
CROPS: Final = 8
"""Crops of each."""


@attrs.frozen
class Row:
    """The query of one cycle.

    Attributes:
        title: which cycle, and how much was labelled.
        tiles: the first instances picked.
        more: how many were picked beside these.
    """

    title: str
    tiles: list[Tile]
    more: int


def spread(items: Sequence[CycleRecord], count: int) -> list[CycleRecord]:
    """At most ``count`` of them, evenly spread, the first and the last among them."""
    if len(items) <= count:
        return list(items)
    return [items[round(n * (len(items) - 1) / (count - 1))] for n in range(count)]


def query_rows(past: PastRun) -> list[Row]:
    """A row of crops for each cycle that asked for something.

    Raises:
        InputError: a frame cannot be read.
    """
    records = spread([record for record in past.cycles if record.query], ROWS)
    labels = past.labels()
    columns = zip(labels.index.tolist(), labels.keypoints, labels.visible, labels.occluded, strict=True)
    given = {i: Pose.label(points, seen, hidden) for i, points, seen, hidden in columns}
    shots = [_shots(past, record, given) for record in records]
    tiles = iter(take(past.video, [shot for row in shots for shot in row]))
    return [
        Row(_title(record, bool(past.folder.given)), [next(tiles) for _ in row], len(record.query) - len(row))
        for record, row in zip(records, shots, strict=True)
    ]


def _title(record: CycleRecord, given: bool) -> str:
    mean = accuracy(record.query_mean_oks)
    if given and not record.cycle:
        return f"Cycle 0: {len(record.query)} labels given with the data, for which nobody was asked, mean OKS {mean}"
    before = f"{record.labelled} of {record.instances} before ({percent(record.labelled, record.instances)})"
    return f"Cycle {record.cycle}: {len(record.query)} labelled, mean OKS {mean}, {before}"


def _shots(past: PastRun, record: CycleRecord, given: dict[int, Pose]) -> list[Shot]:
    """The first instances of a query, as they were estimated when they were asked for."""
    estimates = past.folder.estimates(record.cycle)
    shots = []
    for number, instance in enumerate(record.query[:CROPS]):
        guess = [] if estimates is None else [Pose.estimate(estimates.keypoints[instance])]
        answer = [given[instance]] if instance in given else []
        oks = record.query_oks[number] if number < len(record.query_oks) else None
        good = None if oks is None else oks >= past.config.threshold
        shots.append(Shot(instance, (*answer, *guess), f"OKS {accuracy(oks)}", good))
    return shots

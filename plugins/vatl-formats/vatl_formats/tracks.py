"""Where an annotation says which individual it is of."""

from __future__ import annotations

from typing import Any, Final

import attrs

from vatl_formats.rows import Rows

TRACK: Final = "track_id"


def with_tracks(rows: Rows) -> Rows:
    """The annotations with ``track_id`` in its own place: CVAT and FiftyOne write it among the ``attributes``."""
    return attrs.evolve(rows, objects=[_tracked(row) for row in rows.objects])


def _tracked(row: dict[str, Any]) -> dict[str, Any]:
    inner = row.get("attributes")
    if row.get(TRACK) is not None or not isinstance(inner, dict) or inner.get(TRACK) is None:
        return row
    return row | {TRACK: inner[TRACK]}

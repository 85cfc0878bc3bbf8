"""The accuracy to be expected, for the console's line on a cycle."""

from __future__ import annotations

from vatl_core.cycle import Run
from vatl_core.records import CycleRecord
from vatl_criteria.accuracy.outlook import LEVEL, NAME, Outlook, outlook, seen


def figures(run: Run, record: CycleRecord) -> dict[str, str]:
    """The mean OKS to expect, with its interval; nothing where it was not computed, or no label tells of it."""
    if NAME not in record.mean_scores:
        return {}
    records = run.records[: record.cycle + 1]
    cycles = seen(run.folder, records)
    found = outlook(cycles, records, run.folder) if cycles and cycles[-1].record.cycle == record.cycle else None
    return {"expected mean OKS": worded(found)} if found else {}


def worded(found: Outlook) -> str:
    """The figure and its interval."""
    return f"{found.mean:.3f} ({LEVEL:.0%}: {found.low:.3f} to {found.high:.3f})"

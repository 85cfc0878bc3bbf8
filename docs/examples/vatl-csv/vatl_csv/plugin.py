"""What vatl-csv brings; nothing heavy is imported here."""

from __future__ import annotations

from vatl_core import Component, hookimpl

vatl_contract = ">=2.0,<3"


@hookimpl
def vatl_components() -> list[Component]:
    """Describe the component."""
    return [Component("dataset", "csv", "A folder of frames with a CSV of points", "vatl_csv.dataset:CsvFolder")]

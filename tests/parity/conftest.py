"""What the parity tests share; the table that ends them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from tests.parity.fixtures import DEVICES, FILES, FOLDER, LEDGER, Book, Comparison, Fixture, arrays


def pytest_configure(config: pytest.Config) -> None:
    if not FOLDER.is_dir():
        raise pytest.UsageError(f"no parity fixtures: {FOLDER} is no folder")
    if missing := [name for name in FILES if not (FOLDER / name).is_file()]:
        raise pytest.UsageError(f"no parity fixtures: {FOLDER} lacks {', '.join(missing)}")


@pytest.fixture(params=DEVICES)
def book(request: pytest.FixtureRequest) -> Book:
    """Notes comparisons, on each device there is."""
    return Book(request.param, request.node.nodeid)


@pytest.fixture
def load(book: Book) -> Callable[[str], Fixture]:
    """Reads a fixture's arrays as tensors on the device; names stay as they are."""

    def fixture(name: str) -> Fixture:
        columns = {
            key: column.tolist() if column.dtype.kind == "U" else torch.from_numpy(column).to(book.device)
            for key, column in arrays(name).items()
        }
        return Fixture(name, columns, book)

    return fixture


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """A line a cell: the largest deviation over the devices, and what it may be."""
    reporter = terminalreporter
    noted = {comparison.test for comparison in LEDGER if not comparison.passed}
    broken = [r for kind in ("failed", "error") for r in reporter.stats.get(kind, []) if "tests/parity/" in r.nodeid]
    if not LEDGER and not broken:
        return
    cells: dict[tuple[str, str], list[Comparison]] = {}
    for comparison in LEDGER:
        cells.setdefault((comparison.fixture, comparison.cell), []).append(comparison)
    width = max((len(f"{fixture}: {cell}") for fixture, cell in cells), default=20)
    devices = ", ".join(dict.fromkeys(comparison.device for comparison in LEDGER))
    reporter.section(f"parity with {FOLDER} on {devices or 'no device'}")
    reporter.line(f"{'fixture':{width}}  largest deviation  tolerance")
    for (fixture, cell), found in sorted(cells.items()):
        worst = max(found, key=lambda comparison: (not comparison.passed, comparison.deviation))
        verdict = "passed" if worst.passed else f"FAILED on {worst.device}"
        allowed = "exact" if worst.tolerance == 0 else f"{worst.tolerance:g}"
        reporter.line(
            f"{f'{fixture}: {cell}':{width}}  {worst.deviation:17.1e}  {allowed:>9}  {verdict}",
            green=worst.passed,
            red=not worst.passed,
        )
    for report in broken:
        if report.nodeid not in noted:
            reporter.line(f"{report.nodeid}: FAILED without a comparison", red=True)
    failed = sum(not all(c.passed for c in found) for found in cells.values())
    reporter.line(
        f"{len(cells) - failed} of {len(cells)} cells within their tolerance", green=not failed, red=failed > 0
    )

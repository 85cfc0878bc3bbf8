"""vatl's part in pytest: broken contracts are told in words, and ``vatl_run`` carries out a small run.

Nothing heavy is imported before a test asks for it.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Generator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import vatl_core
import vatl_kit

if TYPE_CHECKING:
    from vatl_core.run import PastRun


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A broken contract as what it says; behind it where in the component's own code an error came from."""
    report = yield
    from vatl_kit.broken import BrokenContract

    if call.excinfo is not None and isinstance(error := call.excinfo.value, BrokenContract):
        report.longrepr = "\n\n".join(filter(None, [error.told(), _elsewhere(error.__cause__)]))
    return report


def _elsewhere(cause: BaseException | None) -> str:
    """The traceback of an error without vatl's own lines; nothing where it has no others."""
    told = traceback.TracebackException.from_exception(cause) if cause else None
    chain = []
    while told is not None:
        told.stack = traceback.StackSummary.from_list([f for f in told.stack if not _is_ours(f.filename)])
        chain.append(told)
        told = told.__cause__ or told.__context__
    return "".join(chain[0].format()) if any(told.stack for told in chain) else ""


def _is_ours(filename: str) -> bool:
    return any(Path(filename).is_relative_to(folder) for folder in (*vatl_core.__path__, *vatl_kit.__path__))


@pytest.fixture
def vatl_run(tmp_path: Path) -> Callable[..., PastRun]:
    """Carries out a small run with the components that are named, stand-ins for the others: ``vatl_run(query="x")``.

    Settings are those of :class:`vatl_core.config.RunConfig`; ``options`` those of the parts, by role and name.
    ``listening`` names the plugins whose hooks hear of it.
    """

    def run(listening: Sequence[object] = (), **settings: Any) -> PastRun:
        from vatl_kit.small_runs import small_run

        return small_run(tmp_path, listening, **settings)

    return run

"""vatl's part in pytest: broken contracts are told in words, and ``vatl_run`` carries out a small run.

Nothing heavy is imported before a test asks for it.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Generator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from vatl_core.runs import PastRun


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A broken contract as what it says, with the traceback of the component's own error behind it."""
    report = yield
    from vatl_core.testing.broken import BrokenContract

    if call.excinfo is not None and isinstance(error := call.excinfo.value, BrokenContract):
        cause = error.__cause__
        report.longrepr = error.told() + ("\n\n" + "".join(traceback.format_exception(cause)) if cause else "")
    return report


@pytest.fixture
def vatl_run(tmp_path: Path) -> Callable[..., PastRun]:
    """Carries out a small run with the components that are named, stand-ins for the others: ``vatl_run(query="x")``.

    Settings are those of :class:`vatl_core.config.RunConfig`; ``options`` those of the parts, by role and name.
    ``listening`` names the plugins whose hooks hear of it.
    """

    def run(listening: Sequence[object] = (), **settings: Any) -> PastRun:
        from vatl_core.testing.small_runs import small_run

        return small_run(tmp_path, listening, **settings)

    return run

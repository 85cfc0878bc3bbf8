"""It stops when nothing rises any more, and not before; and it keeps its contract."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from vatl_core import CycleRecord, History, PastRun
from vatl_kit import StoppingContract

from vatl_plateau.stopping import Plateau


class TestContract(StoppingContract):
    component = Plateau()


def history(*means: float) -> History:
    cycles = tuple(CycleRecord(i, 100, i, query=(i,), query_oks=(mean,)) for i, mean in enumerate(means))
    return History(cycles, 0.5)


@pytest.mark.parametrize(
    ("means", "stops"),
    [
        ((0.5, 0.5, 0.5), False),
        ((0.5, 0.5, 0.5, 0.5), True),
        ((0.2, 0.4, 0.6, 0.8, 0.9), False),
        ((0.6, 0.5, 0.4, 0.602), True),
        ((0.6, 0.5, 0.4, 0.62), False),
        ((0.6, 0.7, 0.65, 0.66, 0.69), True),
    ],
)
def test_it_stops_when_nothing_rises_any_more(means: tuple[float, ...], stops: bool) -> None:
    assert (Plateau(patience=3, rise=0.01).decide(history(*means)) is not None) == stops


def test_a_run_is_ended_by_it(vatl_run: Callable[..., PastRun]) -> None:
    run = vatl_run(stop=["plateau"], options={"stop": {"plateau": {"patience": 1, "rise": 1.0}}})
    assert run.closing is not None
    assert run.closing.stopped_by == "plateau"
    assert "before" in run.closing.reason

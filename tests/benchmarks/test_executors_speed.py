"""What an executor adds to a run, beside what it takes to begin with."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.end_to_end.test_ray import cluster, pytestmark, settings
from tests.work import double

__all__ = ["cluster", "pytestmark", "settings"]


def seconds(executor: Any, runs: int) -> float:
    started = time.perf_counter()
    assert len(list(executor.map(double, list(range(runs))))) == runs
    return time.perf_counter() - started


def test_a_further_run_adds_less_than_the_first(cluster: Any, capsys: pytest.CaptureFixture[str]) -> None:
    from vatl_executors.local import Local
    from vatl_ray.tasks import Ray

    for name, executor in {"local": Local(1), "ray": Ray(address=cluster.address)}.items():
        first = seconds(executor, 1)
        each = max(seconds(executor, 41) - seconds(executor, 1), 0) / 40
        with capsys.disabled():
            print(f"\n{name}: {first:.2f} s to begin with, {each * 1000:.1f} ms more for each run")
        assert each < first

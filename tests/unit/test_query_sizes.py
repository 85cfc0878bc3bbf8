"""How many labels a schedule's fractions come to."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import attrs
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import Registered, configured
from tests.unit.test_experiment_report import experiment, with_curve
from tests.unit.test_report import made_up_run
from vatl_core.cli.run import command
from vatl_core.cycle import amounts
from vatl_core.run import PastRun, execute
from vatl_presets.published import SCHEDULE
from vatl_report.learning import papers_table
from vatl_report.measure import Measure


@given(st.integers(20, 100_000))
def test_the_presets_ask_for_as_many_as_the_released_code(instances: int) -> None:
    assert amounts(tuple(SCHEDULE), instances, "down") == [int(float(entry) * instances) for entry in SCHEDULE]


@pytest.mark.parametrize(
    ("fraction", "instances", "down", "nearest"),
    [
        ("0.05", 216, 10, 11),
        ("0.15", 20, 3, 3),
        ("0.29", 100, 28, 29),  # 0.29 · 100 is a little less than 29 in binary fractions, there as here
        ("0.05", 19, 1, 1),  # none at all would be no query: the released code ends in an error there
        ("0.05", 10, 1, 1),
        ("1.0", 7, 7, 7),
    ],
)
def test_fractions_are_rounded_to_the_nearest_or_down(fraction: str, instances: int, down: int, nearest: int) -> None:
    assert amounts((fraction,), instances, "down") == [down]
    assert amounts((fraction,), instances) == amounts((fraction,), instances, "nearest") == [nearest]


@given(st.integers(1, 60))
def test_small_videos_are_asked_for_one_label_at_the_least_and_all_in_the_end(instances: int) -> None:
    wanted = amounts(tuple(SCHEDULE), instances, "down")
    assert (wanted[0] >= 1, wanted[-1]) == (True, instances)
    assert all(earlier < later for earlier, later in pairwise(wanted))


@pytest.mark.parametrize(("rounding", "asked"), [("down", [5, 6, 13]), ("nearest", [6, 6, 12])])
def test_a_run_asks_for_so_many(registered: Registered, tmp_path: Path, rounding: str, asked: list[int]) -> None:
    registry = registered()
    settings = {"retrain": "none", "query": "lc", "select": "top", "rounding": rounding}
    execute(configured(registry, tmp_path, schedule=["0.23", "0.48", "1.0"], **settings), registry)
    cycles = PastRun.open(tmp_path / "run", registry).cycles
    assert [len(cycle.query) for cycle in cycles] == [*asked, 0]


def test_another_rounding_is_refused_in_a_line() -> None:
    outcome = CliRunner().invoke(command, ["--rounding", "up"])
    assert outcome.exit_code == 2
    assert "'up' is not one of 'nearest', 'down'" in outcome.output


def test_a_report_has_the_percentages_of_a_schedule_that_was_rounded_down(tmp_path: Path) -> None:
    """Of 200 instances 10 % less almost a label is 9.5 %: what was measured there stands in the column of 10 %."""
    run = with_curve(made_up_run(tmp_path / "a"), [0, 9.5, 40], [0.0, 0.2, 0.8])
    config = attrs.evolve(run.config, schedule=("0.0999", "0.4"), rounding="down")
    table = papers_table(experiment({"a": attrs.evolve(run, config=config)}), Measure("ap"))
    assert [cell.text for cell in table.rows[0]][1:4] == ["0.000", "0.200", "0.800"]

"""What a sweep costs: by rates of runs that have ended, and by nothing else."""

from __future__ import annotations

import json
from pathlib import Path

import attrs
import pytest
import tomli_w
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import Vatl
from tests.unit.test_sweep import closing
from vatl_core.config import RunConfig
from vatl_core.errors import InputError
from vatl_core.records import to_json
from vatl_sweep.cost import Cost, Rates, Size, cost, measured, told
from vatl_sweep.folder import SweepFolder
from vatl_sweep.plan import SweepRun

PLAIN = RunConfig("synthetic", "tiny", "random", "random", "none", "none", (), "ground-truth", "local")
FEW = {
    "sweep": {"videos": ["dance", "beach"], "seeds": [0, 1]},
    "run": {"query": "random", "select": "random", "retrain": "none", "schedule": ["2", "4"], "stop": ["none"]},
    "dataset": {"synthetic": {"frames": 3, "people": 1, "source_videos": 1}},
    "estimator": {"tiny": {"input_size": [64, 64]}},
}


def planned(count: int, variant: str = "run") -> list[SweepRun]:
    return [SweepRun(variant, attrs.evolve(PLAIN, name=f"{variant}-{n}")) for n in range(count)]


def test_time_and_disk_grow_by_instances_and_passes() -> None:
    runs = planned(3)
    sizes = {run.name: Size(100, 10) for run in runs}
    rates = {"": Rates(seconds=0.01, bytes=5.0, weights=1000.0, runs=1)}
    assert cost(runs, sizes, rates, 1) == Cost(1, 30.0, 3 * (5.0 * 1000 + 10 * 1000.0))
    assert cost(runs, sizes, rates, 2).seconds == pytest.approx(20.0), "two of the three go one after the other"
    assert cost(runs, sizes, rates, 64).seconds == pytest.approx(10.0)


def test_a_variant_that_was_measured_has_rates_of_its_own() -> None:
    runs = [*planned(1, "slow"), *planned(1, "unknown")]
    sizes = {run.name: Size(10, 1) for run in runs}
    rates = {"": Rates(1.0, 0, 0, 2), "slow": Rates(3.0, 0, 0, 1)}
    assert cost(runs, sizes, rates, 1).seconds == pytest.approx(40.0)


@given(st.lists(st.integers(1, 50), min_size=1, max_size=20), st.integers(1, 8))
def test_more_workers_never_take_less_than_the_longest_run_nor_than_their_share(
    lengths: list[int], workers: int
) -> None:
    runs = planned(len(lengths))
    sizes = {run.name: Size(length, 1) for run, length in zip(runs, lengths, strict=True)}
    seconds = cost(runs, sizes, {"": Rates(1.0, 0, 0, 1)}, workers).seconds
    assert max(*lengths, sum(lengths) / workers) <= seconds <= sum(lengths) / workers + max(lengths)


def test_it_is_told_in_units_that_people_read() -> None:
    text = told([Cost(1, 30.0, 5e6), Cost(8, 7200.0, 2e9), Cost(64, 4 * 86_400.0, 3e12)], 7, {"": Rates(1, 1, 1, 1)})
    for words in ("7 runs", "1 that has ended", "30 s", "5.0 MB", "2.0 h", "2.0 GB", "4.0 days", "3.0 TB"):
        assert words in text


def test_a_sweep_tells_what_is_left_by_what_was_measured(vatl: Vatl, tmp_path: Path) -> None:
    file = tmp_path / "few.toml"
    file.write_text(tomli_w.dumps(FEW))
    begun = vatl("sweep", file, "--folder", tmp_path / "swept", "--plan")
    assert begun.code == 2
    assert "no run in" in begun.err
    assert "Ctrl-C" in begun.err
    assert not (tmp_path / "swept").exists()
    assert vatl("sweep", file, "--folder", tmp_path / "swept", "-o", "local.jobs=none").code == 0
    asked = vatl("sweep", file, "--folder", tmp_path / "swept", "--plan", "-o", "local.jobs=none")
    assert asked.code == 0
    assert asked.out.startswith("4 runs, by the rates of 4 that have ended")
    assert " 64 at a time:" in asked.out
    taken = sum(float(line.split(",")[-2]) for line in (tmp_path / "swept" / "runs.csv").read_text().splitlines()[1:])
    first = asked.out.splitlines()[1].split(":")[1].split()
    assert first[1] in ("s", "min")
    assert float(first[0]) == pytest.approx(taken / (60 if first[1] == "min" else 1), rel=0.2, abs=1)


def test_a_run_in_whose_video_nobody_is_tells_no_rate(tmp_path: Path) -> None:
    (run,) = planned(1)
    run = attrs.evolve(run, config=attrs.evolve(run.config, runs=tmp_path / "runs"))
    run.path.mkdir(parents=True)
    empty = closing(run.config, instances=0, labelled=0, measured=0)
    (run.path / "run.json").write_text(json.dumps(to_json(empty)))
    with pytest.raises(InputError, match="nothing is measured"):
        measured(SweepFolder(tmp_path), [run])

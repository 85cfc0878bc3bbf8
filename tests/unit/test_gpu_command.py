"""`make gpu` on a CPU: every measurement in small, and what is left of it on disk as it comes."""

from __future__ import annotations

import json
import subprocess
from importlib.metadata import PathDistribution
from pathlib import Path

import pytest
import torch

from tests.gpu.__main__ import carry_out
from tests.gpu.material import SMALL, Bench
from tests.gpu.measures import MEASURES
from tests.gpu.table import markdown
from tests.gpu.unpacked import write_metadata
from vatl_core.compute import Compute


@pytest.mark.parametrize("name", MEASURES)
def test_every_measurement_runs_without_a_gpu(name: str, tmp_path: Path) -> None:
    found = MEASURES[name](Bench(Compute(torch.device("cpu")), SMALL), tmp_path)
    assert found
    for what, (figure, goal) in found.items():
        assert figure >= 0, what
        assert goal is None or goal >= 0


def test_the_command_leaves_a_table_as_far_as_it_came(tmp_path: Path) -> None:
    assert carry_out("cpu", tmp_path, 120.0, ["synchronisations", "odd"]) == 1
    told = json.loads((tmp_path / "gpu.json").read_text())
    assert told["results"]["synchronisations"]["figures"]["waits a further batch (a device that only pretends)"] == {
        "figure": 0.0, "goal": 0,
    }  # fmt: skip
    assert "KeyError" in told["results"]["odd"]["failed"]
    table = (tmp_path / "gpu.md").read_text()
    assert f"torch {torch.__version__}" in table
    assert "| synchronisations: waits a further batch (a device that only pretends) | 0 | ≤ 0 |" in table


def test_what_does_not_fit_into_the_time_is_said(tmp_path: Path) -> None:
    carry_out("cpu", tmp_path, 0.0, ["later_pass"])
    assert "| later_pass | no time was left |" in (tmp_path / "gpu.md").read_text()


def test_a_table_tells_what_failed() -> None:
    assert "| many | exit code 1: no room | | 3 |" in markdown(
        {}, {"many": {"seconds": 3, "failed": "exit code 1: no room"}}
    )


def test_distributions_are_seen_where_none_is_installed(tmp_path: Path) -> None:
    project = {"name": "vatl-odd", "version": "1.0", "entry-points": {"vatl": {"odd": "vatl_odd.plugin"}}}
    write_metadata(project, tmp_path)
    (point,) = PathDistribution(tmp_path / "vatl_odd-1.0.dist-info").entry_points
    assert (point.group, point.name, point.value) == ("vatl", "odd", "vatl_odd.plugin")


def test_the_wheels_are_few() -> None:
    """What is carried to a machine that has nothing: below 60 MiB, of which the video decoders are 45."""
    words = subprocess.run(["make", "-n", "gpu-wheels"], capture_output=True, text=True, check=True).stdout.split()
    named = words[words.index("build/gpu-wheels") + 1 :]
    assert {"av", "cattrs", "pycocotools"} <= set(named)
    assert not {"torch", "scipy", "scikit-learn", "opencv-python"} & set(named)

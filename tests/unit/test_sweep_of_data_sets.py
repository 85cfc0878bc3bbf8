"""Whole sweeps over the layouts of PoseTrack21 and JRDB-Pose: their three videos with both families of networks."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import tomli_w

from tests import trees
from vatl_core.cli import main

SIZE = {"input_size": [64, 64]}
VARIANTS = {
    "high-resolution": {"run": {"estimator": "hrnet"}, "estimator": {"hrnet": SIZE | {"width": 8}}},
    "upsampled": {"run": {"estimator": "fastpose"}, "estimator": {"fastpose": SIZE | {"width": 8, "depth": 26}}},
}
RUN = {
    "weights": "none", "retrain": "full", "query": "thc", "select": "top", "schedule": ["3", "6"], "device": "cpu",
    "precision": "float32",
}  # fmt: skip


@pytest.mark.parametrize(("dataset", "make"), [("posetrack21", trees.posetrack21), ("jrdb-pose", trees.jrdb_pose)])
def test_every_video_with_every_variant(
    dataset: str, make: Callable[[Path], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    root = make(tmp_path / "data")
    tables: dict[str, Any] = {
        "sweep": {"videos": "all", "seeds": [0]},
        "run": RUN | {"dataset": dataset},
        "dataset": {dataset: {"root": str(root)}},
        "retrain": {"full": {"scratch_epochs": 1}},
        "variant": VARIANTS,
    }
    Path("sweep.toml").write_text(tomli_w.dumps(tables))
    before = {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}
    assert main(["sweep", "sweep.toml", "--folder", "swept"]) == 0
    records = [json.loads(path.read_text()) for path in Path("swept").glob("runs/*/run.json")]
    assert len(records) == 6
    assert len({record["video"] for record in records}) == 3
    assert {record["labelled"] for record in records} == {6}
    assert {path: path.read_bytes() for path in root.rglob("*") if path.is_file()} == before, "data is only read"

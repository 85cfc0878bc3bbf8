"""``vatl predict`` of a run that has learnt nothing yet says so: the poses are then of what it began with."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.conftest import Registered, configured
from vatl_core.run import execute
from vatl_oracles.ground_truth import GroundTruth
from vatl_predict.command import command


def test_poses_before_anything_was_learnt_are_told_to_be(
    tmp_path: Path, registered: Registered, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry, run = registered(), tmp_path / "run"
    monkeypatch.setattr("vatl_core.run.past.discover", lambda: registry)

    def leave(*_: object) -> None:
        raise KeyboardInterrupt

    config = configured(registry, tmp_path, schedule=["4"], query="thc", weights="none")
    with monkeypatch.context() as patch:
        patch.setattr(GroundTruth, "annotate", leave)
        with pytest.raises(KeyboardInterrupt):
            execute(config, registry)
    early = CliRunner().invoke(command, [str(run), "--no-video"])
    assert early.exit_code == 0, early.output
    (line,) = early.stderr.splitlines()
    assert line == f"{run} has learnt nothing yet: these are poses of the weights it began with (random)"
    execute(run, registry)
    late = CliRunner().invoke(command, [str(run), "--no-video"])
    assert (late.exit_code, late.stderr) == (0, "")

"""What a cycle saw, drawn again: the same heatmaps and scores, from one more pass of what is shown."""

from __future__ import annotations

import csv
import sys
from pathlib import Path
from typing import ClassVar

import attrs
import cv2
import numpy as np
import pytest
import torch
from torch import Tensor

from tests.conftest import Registered, Vatl, configured
from vatl_core.cli import main
from vatl_core.contracts import Maps
from vatl_core.errors import InputError
from vatl_core.plugins import Component
from vatl_core.run import PastRun, execute
from vatl_criteria.uncertainty.pose_feature import angle_triples, keypoints_of, pose_feature
from vatl_estimators.tiny import Tiny
from vatl_frames import VideoFile
from vatl_report.again import fitted_criteria, window_of
from vatl_report.evidence import panels_of
from vatl_report.feature_space import project
from vatl_report.visualisation import visualise


@attrs.define(eq=False, slots=False, on_setattr=attrs.setters.NO_OP)
class Counting(Tiny):
    """Counts the instances that go through it outside training."""

    seen: ClassVar[int] = 0

    def forward(self, crops: Tensor) -> Maps:
        if not self.training:
            Counting.seen += len(crops)
        return super().forward(crops)


@pytest.fixture
def past(registered: Registered, tmp_path: Path) -> PastRun:
    """A run on the sticks that has asked for 4 and then 4 more."""
    registry = registered(Component("estimator", "counting", "", "tests.unit.test_visualize:Counting"))
    options = {"estimator": {"counting": {"input_size": [64, 64], "width": 8}}}
    config = configured(
        registry, tmp_path, estimator="counting", query="thc+wpu+influence", select="duw", options=options
    )
    execute(config, registry)
    return PastRun.open(tmp_path / "run", registry)


def silent(stage: str, done: int, total: int) -> None:
    """Nobody is told."""


def test_what_is_shown_is_what_was_scored(past: PastRun) -> None:
    run, kept = past.at(1), past.folder.estimates(1)
    assert kept is not None
    index = torch.tensor([5, 0, 23, 12])
    Counting.seen = 0
    window = window_of(run, index)
    around = {i for n in index.tolist() for i in (n, n - 2, n + 2) if 0 <= i < 24}
    assert Counting.seen == len(around), "instances and neighbours, each once"
    assert torch.allclose(window.keypoints, kept.keypoints[index], atol=1e-3)
    assert window.has_previous.tolist() == [True, False, True, True]
    criteria = fitted_criteria(run)
    for name in ("thc", "wpu"):
        with torch.inference_mode():
            assert torch.allclose(criteria[name].score(window), kept.criteria[name][index], rtol=1e-3), name


def test_neighbours_are_shown_in_their_own_frames(past: PastRun) -> None:
    run = past.at(0)
    window = window_of(run, torch.tensor([4, 22]))
    before, present, after = panels_of(run.criteria["thc"], window)
    assert [panel.when for panel in (before, present, after)] == [-1, 0, 1]
    assert before.heatmaps is not None
    assert torch.allclose(before.heatmaps, window_of(run, torch.tensor([2, 20])).heatmaps, atol=1e-5)
    assert after.there is not None
    assert after.there.tolist() == [True, False], "the video ends there"


def test_a_feature_leads_back_to_its_pose() -> None:
    generator = torch.Generator().manual_seed(3)
    keypoints = torch.rand(6, 5, 2, generator=generator) * 90 + 20
    weights = torch.rand(6, 5, generator=generator) + 0.1
    boxes = torch.rand(6, 4, generator=generator) * 50 + 30
    features = pose_feature(keypoints, weights, boxes, [(0, 1, 2)])
    assert torch.allclose(keypoints_of(features, keypoints, weights, boxes), keypoints, atol=1e-3)


def test_a_reconstruction_is_as_bad_as_its_score(past: PastRun) -> None:
    run = past.at(2)
    wpu = fitted_criteria(run)["wpu"]
    window = window_of(run, torch.arange(24))
    with torch.inference_mode():
        given, rebuilt = wpu.explain(window)
        scores = wpu.score(window)
    assert given.keypoints is not None
    assert rebuilt.keypoints is not None
    apart = (given.keypoints - rebuilt.keypoints) / window.boxes[:, 3, None, None]
    offsets = apart.square().flatten(1).nansum(1)
    entries = 5 * 2 + len(angle_triples(run.video.skeleton))
    assert (offsets <= scores * entries + 1e-5).all(), "the angles have the rest of the error"
    assert offsets.max() > 0


def test_pictures_of_a_cycle(past: PastRun, tmp_path: Path) -> None:
    told: dict[str, list[int]] = {}
    files = visualise(past, 1, tmp_path / "seen", 3, "pca", 12, lambda s, d, t: told.setdefault(s, []).append(d))
    sheets = {"scores_thc.png", "scores_wpu.png", "scores_peaks.png"}
    assert {f.name for f in files} == {"features.png", "features.csv", "poses.mp4"} | sheets, "influence has no picture"
    assert {f.name for f in (tmp_path / "seen").iterdir()} == {f.name for f in files}
    for file in files:
        if file.suffix == ".png":
            picture = cv2.imread(str(file))
            assert min(picture.shape[:2]) > 300
            assert len(np.unique(picture.reshape(-1, 3), axis=0)) > 50, "something is drawn"
    assert len(VideoFile(tmp_path / "seen" / "poses.mp4")) == 12
    states = [row["state"] for row in csv.DictReader((tmp_path / "seen" / "features.csv").open())]
    assert {name: states.count(name) for name in set(states)} == {
        "unlabelled": 16, "labelled before": 4, "asked in this cycle": 4,
    }  # fmt: skip
    assert [i for i, s in enumerate(states) if s == "asked in this cycle"] == sorted(past.cycles[1].query)
    assert told["poses"] == list(range(1, 13))
    assert told["estimate"][-1] == 24


def test_truth_labels_and_estimates_are_told_apart(past: PastRun, tmp_path: Path) -> None:
    from vatl_drawing import PALETTE

    visualise(past, 1, tmp_path / "seen", 1, "pca", 12, silent)
    asked = past.cycles[0].query
    frame = int(past.video.instances.frame[asked[0]])
    picture = VideoFile(tmp_path / "seen" / "poses.mp4").read(frame).permute(1, 2, 0).int()[:-30]
    near = {name: ((picture - torch.tensor(PALETTE[n])).abs().amax(2) < 40).sum() for n, name in enumerate("elt")}
    assert near["l"] > 20, "a label, in blue"
    both = set(torch.nonzero(past.video.instances.frame == frame).flatten().tolist())
    if both - set(asked):
        assert near["e"] > 20, "an estimate, in orange"


def test_a_cycle_without_weights_is_named(past: PastRun, tmp_path: Path) -> None:
    past.folder.weights(1).unlink()
    with pytest.raises(InputError, match="without the weights of cycle 1"):
        visualise(past, 1, tmp_path / "seen", 3, "pca", 12, silent)
    assert not (tmp_path / "seen").exists()


def test_umap_is_an_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "umap", None)
    with pytest.raises(InputError, match=r"pip install 'vatl-report\[umap\]'"):
        project(np.random.default_rng(0).normal(size=(20, 6)).astype(np.float32), "umap", 0)


def test_pca_says_what_its_axes_hold() -> None:
    features = np.random.default_rng(0).normal(size=(50, 6)).astype(np.float32) * [9, 3, 0.1, 0.1, 0.1, 0.1]
    found = project(features.astype(np.float32), "pca", 0)
    assert found.places.shape == (50, 2)
    assert found.axes[0].startswith("principal component 1 (9")
    with pytest.raises(InputError, match="1 instance of 6 features"):
        project(features[:1], "pca", 0)


def test_a_whole_command(vatl: Vatl, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    small = (
        "-o", "dataset.frames=8", "-o", "dataset.source_videos=1", "--schedule", "3,6", "--device", "cpu",
        "-o", "retrain.steps=2", "-o", "retrain.epochs=1", "-o", "wpu.pretrain_epochs=2", "--name", "small", "--json",
    )  # fmt: skip
    assert vatl("run", "--query", "thc+wpu", *small).code == 0
    done = vatl("visualize", "runs/small", "--all-cycles", "--count", "2")
    assert done.code == 0, done.err
    written = [tmp_path / line for line in done.out.split()]
    assert all(path.is_file() for path in written)
    assert {path.parent.name for path in written} == {"000", "001", "002"}
    assert "poses" in done.err
    for words, said in (
        (("--cycle", "9"), "has no cycle 9: there are 0 to 2"),
        (("--cycle", "1", "--all-cycles"), "give one of them"),
        (("--device", "cuda:77"), "cannot be used here"),
    ):
        with pytest.raises(SystemExit) as ended:
            main(["visualize", str(tmp_path / "runs" / "small"), *words])
        assert ended.value.code == 2
        assert said in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["visualize", str(tmp_path)])
    assert "is no run" in capsys.readouterr().err


def test_a_report_on_a_folder(registered: Registered, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Real runs below a folder, and the command as a user gives it."""
    small = {"dataset": "synthetic", "options": {"dataset": {"synthetic": {"frames": 8}}}, "schedule": ["3"]}
    for seed in (0, 1):
        execute(configured(registered(), tmp_path / "runs", seed=seed, name=f"s{seed}", query="lc", **small))
    main(["report", str(tmp_path / "runs")])
    page = Path(capsys.readouterr().out.strip())
    assert page == tmp_path / "runs" / "report" / "index.html"
    assert "2 runs: 1 method, 1 video, 2 seeds" in page.read_text()
    assert "lc," in (page.parent / "uncertainty.csv").read_text()
    with pytest.raises(SystemExit):
        main(["report", str(tmp_path / "runs" / "s0" / "cycles")])
    assert "there is no run below it" in capsys.readouterr().err

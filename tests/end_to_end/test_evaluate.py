"""``vatl evaluate``, run as a user would."""

from __future__ import annotations

import contextlib
import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
import torch
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from tests.conftest import Outcome, Vatl
from vatl_core.compute import Compute
from vatl_core.discovery import discover
from vatl_core.estimation import Crops, estimate
from vatl_core.plugins import build
from vatl_synthetic.dataset import Synthetic
from vatl_weights import begin_with

SMALL = ("-o", "synthetic.source_frames=3", "-o", "synthetic.frames=3", "-o", "synthetic.people=2",
         "--device", "cpu", "--precision", "float32")  # fmt: skip


@pytest.fixture
def evaluated(vatl: Vatl) -> Outcome:
    return vatl("evaluate", "--dataset", "synthetic", "--split", "val", "--estimator", "tiny", "--json", *SMALL)


def by_pycocotools(cache: Path, number: int | None) -> dict[str, float]:
    """The same weights' figures on the videos held out, or on one of them, without anything of the command's own."""
    dataset = Synthetic(source_frames=3, frames=3, people=2, cache=cache / "vatl" / "synthetic")
    names = dataset.held_out() if number is None else [dataset.held_out()[number]]
    estimator = build(discover(), "estimator", "tiny", {})
    annotations, results, first = [], [], 0
    for name in names:
        video = dataset.load(name)
        if not annotations:
            estimator.build(video.skeleton)
            begin_with("auto", "tiny", estimator, dataset, video.skeleton)
        crops = Crops(video.without_truth(), estimator.input_size, torch.device("cpu"), 0)
        found = estimate(estimator, crops, {}, Compute(torch.device("cpu"), False, True))
        instances = video.instances
        for i in range(len(instances)):
            box = instances.boxes[i].double().tolist()
            seen = instances.visible[i].double()[:, None] * 2
            common = {"image_id": first + int(instances.frame[i]), "category_id": 1, "bbox": box}
            truth = torch.cat([instances.keypoints[i].double(), seen], 1).flatten().tolist()
            own = {"id": len(annotations) + 1, "area": box[2] * box[3], "iscrowd": 0, "keypoints": truth}
            annotations.append(common | own | {"num_keypoints": int(instances.visible[i].sum())})
            scores = found.scores[i].double()
            score = float(scores.mean() + 1.25 * scores.max())
            points = torch.cat([found.keypoints[i].double(), scores[:, None]], 1).flatten().tolist()
            results.append(common | {"keypoints": points, "score": score})
        first += 1000
    with contextlib.redirect_stdout(io.StringIO()):
        ground = COCO()
        images = [{"id": i} for i in sorted({a["image_id"] for a in annotations})]
        ground.dataset = {"images": images, "annotations": annotations, "categories": [{"id": 1, "name": "person"}]}
        ground.createIndex()
        judged = COCOeval(ground, ground.loadRes(results), "keypoints")
        judged.evaluate()
        judged.accumulate()
        judged.summarize()
    names_of_stats = ("ap", "ap_0.5", "ap_0.75", "ap_medium", "ap_large", "ar")
    return dict(zip(names_of_stats, judged.stats[:6].tolist(), strict=True))


def figures(of: dict[str, Any]) -> dict[str, float]:
    """As pycocotools says it: −1 where there is nothing."""
    flat = of | {f"ap_{t}": value for t, value in of["ap_at"].items()}
    keys = ("ap", "ap_0.5", "ap_0.75", "ap_medium", "ap_large", "ar")
    return {key: -1 if flat[key] is None else flat[key] for key in keys}


def test_the_figures_are_those_of_pycocotools_together_and_apart(evaluated: Outcome, cache: Path) -> None:
    assert evaluated.code == 0, evaluated.err
    assert evaluated.out.count("\n") == 1
    found = evaluated.record
    assert figures(found["together"]) == pytest.approx(by_pycocotools(cache, None), abs=2e-3)
    assert figures(found["videos"][2]) == pytest.approx(by_pycocotools(cache, 2), abs=2e-3)
    assert [v["video"] for v in found["videos"]] == [f"source-val-0{n}" for n in range(4)]
    assert sum(v["instances"] for v in found["videos"]) == found["together"]["instances"] == 4 * 3 * 2
    assert sum(v["frames"] for v in found["videos"]) == found["together"]["frames"] == 12
    assert set(found["together"]["ap_at"]) == {f"{t / 100:g}" for t in range(50, 100, 5)}
    assert found["together"]["mean_oks"] > 0.8, "the shipped weights know the source domain"
    assert 0 < found["together"]["further"]["OSPA"] < 0.2
    assert found["together"]["further"]["PCK"] > 0.9
    assert sum(name.startswith("PCK.") for name in found["together"]["further"]) == 17


def test_without_json_there_is_a_table_and_a_file_if_asked_for(vatl: Vatl, tmp_path: Path) -> None:
    outcome = vatl("evaluate", "--video", "dance", "--video", "source-val-00", "--out", "kept/all.csv", *SMALL)
    assert outcome.code == 0, outcome.err
    rows = [line.split() for line in outcome.out.splitlines() if line.startswith(("dance", "source-val-00", "all "))]
    assert [row[0] for row in rows] == ["dance", "source-val-00", "all"]
    with (tmp_path / "kept" / "all.csv").open() as file:
        lines = list(csv.DictReader(file))
    assert [line["video"] for line in lines] == ["dance", "source-val-00", ""]
    assert f"{float(lines[0]['ap']):.3f}" == rows[0][2]
    assert "pck_left_knee" in lines[0]
    again = vatl("evaluate", "--video", "dance", "--out", "one.json", "--json", *SMALL)
    assert json.loads((tmp_path / "one.json").read_text()) == again.record
    assert again.record["split"] is None


def test_random_weights_are_told(vatl: Vatl) -> None:
    outcome = vatl("evaluate", "--video", "source-val-00", "--weights", "none", "--seed", "3", *SMALL)
    assert outcome.code == 0, outcome.err
    assert "weights: random" in outcome.out


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--split", "vla"], "did you mean 'val'?"),
        (["--video", "dence"], "did you mean 'dance'?"),
        (["--split", "val", "--video", "dance"], "not both"),
        (["--estimator", "tinny"], "did you mean 'tiny'?"),
        (["--weights", "absent.pth"], "absent.pth"),
        (["--out", "figures.xlsx"], ".json or .csv"),
        (["--device", "cuda:7"], "cuda:7"),
        (["-o", "tiny.widht=8"], "did you mean 'width'?"),
    ],
)
def test_bad_input_is_one_line_and_writes_nothing(vatl_here: Vatl, tmp_path: Path, words: list[str], says: str) -> None:
    outcome = vatl_here("evaluate", "--out", "figures.json", *SMALL[:-4], *words)
    assert (outcome.code, outcome.err.count("\n")) == (2, 1), outcome.err
    assert says in outcome.err
    assert not list(tmp_path.iterdir())


def test_a_video_without_truth_is_named(vatl_here: Vatl, tmp_path: Path) -> None:
    content = {
        "images": [{"id": 1, "file_name": "a.png", "width": 64, "height": 64}],
        "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [5, 5, 40, 50], "track_id": 1}],
        "categories": [{"id": 1, "name": "fly", "keypoints": ["head", "tail"], "skeleton": [[1, 2]]}],
    }
    (tmp_path / "poses.json").write_text(json.dumps(content))
    (tmp_path / "a.png").write_bytes(_png())
    outcome = vatl_here("evaluate", "--dataset", "coco", "-o", "coco.annotations=poses.json", "--estimator", "tiny")
    assert (outcome.code, outcome.err.count("\n")) == (2, 1), outcome.err
    assert "no annotated keypoints" in outcome.err


def _png() -> bytes:
    import cv2
    import numpy as np

    return bytes(cv2.imencode(".png", np.zeros((64, 64, 3), np.uint8))[1])

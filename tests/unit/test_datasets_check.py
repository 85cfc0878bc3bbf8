"""``vatl datasets check``: what it counts, what it finds missing, and the sheet it draws."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import attrs
import cv2
import numpy as np
import pytest
import torch

from tests import trees
from tests.conftest import Outcome, Vatl, stick_video
from vatl_core.cli import main
from vatl_core.contracts import Dataset
from vatl_core.errors import InputError
from vatl_core.video import Video
from vatl_datasets.contact_sheet import GROUND, WIDTH, write_sheet
from vatl_datasets.inspection import Sample, inspect
from vatl_posetrack21.dataset import PoseTrack21


@pytest.fixture(scope="module")
def posetrack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return trees.posetrack21(tmp_path_factory.mktemp("posetrack"))


@pytest.fixture(scope="module")
def jrdb(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return trees.jrdb_pose(tmp_path_factory.mktemp("jrdb"))


@pytest.fixture
def check(capsys: pytest.CaptureFixture[str]) -> Any:
    """Calls ``vatl datasets check`` in this process."""

    def call(*words: str | Path) -> Outcome:
        code = 0
        try:
            code = main(["datasets", "check", *map(str, words)])
        except SystemExit as exit_:
            code = int(exit_.code or 0)
        out, err = capsys.readouterr()
        return Outcome(code, out, err)

    return call


@attrs.frozen
class Clips(Dataset):
    """Stick figures as a stranger's data set: nothing but the contract; video ``broken`` cannot be read."""

    names: tuple[str, ...] = ("a", "b", "broken", "c")

    def videos(self) -> list[str]:
        return list(self.names)

    def load(self, name: str) -> Video:
        if name == "broken":
            raise InputError("clip broken is damaged")
        return attrs.evolve(stick_video(), name=name, dropped={"too small": 2})


class TestInspection:
    def test_a_strangers_data_set_is_counted_and_what_fails_is_listed(self) -> None:
        findings = inspect(Clips(), samples=4)
        census = findings.splits["test"]
        assert (census.videos, census.frames, census.instances, census.tracks) == (3, 36, 72, 6)
        assert (census.keypoints, census.never, census.dropped) == (5.0, [], {"too small": 6})
        assert findings.missing == ["clip broken is damaged"]
        assert [sample.video.name for sample in findings.samples] == ["a", "b", "c"]

    def test_a_complete_one_lacks_nothing(self) -> None:
        assert inspect(Clips(names=("a",))).missing == []

    def test_samples_of_one_video_are_spread_over_it(self) -> None:
        findings = inspect(Clips(names=("a",)), samples=3)
        assert [sample.frame for sample in findings.samples] == [2, 6, 10]

    def test_decoding_finds_damaged_pictures(self, tmp_path: Path) -> None:
        root = trees.posetrack21(tmp_path)
        path = root / "images" / "val" / "000342_mpii_test" / "000005.jpg"
        path.write_bytes(path.read_bytes()[:40])
        data = PoseTrack21(root, videos_of="all")
        assert not inspect(data).missing
        assert "000005.jpg is damaged" in inspect(data, decode=True).missing[0]


class TestCommand:
    def test_it_says_what_there_is_and_what_is_missing(self, check: Any, posetrack: Path) -> None:
        outcome = check("posetrack21", "--root", posetrack)
        assert outcome.code == 1
        rows = {line.split()[0]: line.split()[1:] for line in outcome.out.splitlines() if line}
        assert rows["train"] == ["2", "16", "0", "32", "4", "15.0", "of", "17"]
        assert rows["val"] == ["3", "24", "1", "39", "6", "15.0", "of", "17"]
        assert "val: never annotated: left_ear, right_ear" in outcome.out
        assert "166 of 169 videos are not there: 000707" in outcome.out

    def test_a_complete_set_exits_with_0(self, check: Any, posetrack: Path) -> None:
        outcome = check("posetrack21", "-o", f"root={posetrack}", "-o", "videos_of=all")
        assert outcome.code == 0, outcome.err
        assert "complete: nothing is missing" in outcome.out

    def test_the_sheet_and_the_json(self, check: Any, jrdb: Path, tmp_path: Path) -> None:
        sheet = tmp_path / "sheet.png"
        outcome = check("jrdb-pose", "--root", jrdb, "--split", "test", "--out", sheet, "--json")
        assert outcome.code == 1
        assert outcome.out.count("\n") == 1, "standard output is for the record alone"
        test = outcome.record["splits"]["test"]
        assert (test["videos"], test["frames"], test["instances"], test["tracks"]) == (3, 24, 49, 7)
        assert test["dropped"] == {"no box in the label file": 1}
        assert test["frames_without_instances"] == 1
        assert "12 of 15 scenes of split 'test'" in outcome.record["missing"][0]
        assert outcome.record["sheet"] == str(sheet)
        assert cv2.imread(str(sheet)).shape[1] == WIDTH

    def test_a_missing_picture_is_named(self, check: Any, tmp_path: Path) -> None:
        root = trees.posetrack21(tmp_path)
        (root / "images" / "val" / "000522_mpii_test" / "000003.jpg").unlink()
        outcome = check("posetrack21", "--root", root, "-o", "videos_of=all")
        assert outcome.code == 1
        assert "000003.jpg" in outcome.out
        outcome = check("posetrack21", "--root", root, "-o", "videos_of=all", "-o", "skip_broken=true")
        assert outcome.code == 0
        assert "val: 2 annotations dropped: picture missing" in outcome.out

    def test_a_split_that_is_not_there_is_missing(self, check: Any, tmp_path: Path) -> None:
        root = trees.posetrack21(tmp_path)
        for path in (root / "posetrack_data" / "train").iterdir():
            path.unlink()
        outcome = check("posetrack21", "--root", root, "--split", "train")
        assert outcome.code == 1
        assert "no annotations of split 'train'" in outcome.out

    def test_coco_and_the_embedded_data_set(self, check: Any, tmp_path: Path, vatl: Vatl) -> None:
        category = {"id": 1, "name": "fly", "keypoints": ["head", "wingL", "wingR"], "skeleton": [[1, 2], [1, 3]]}
        annotation = {"id": 5, "image_id": 1, "category_id": 1, "bbox": [4, 4, 20, 20]}
        annotation["keypoints"] = [8, 8, 2, 6, 9, 1, 0, 0, 0]
        images = [{"id": 1, "file_name": "000001.png"}]
        trees.save(tmp_path / "a.json", {"images": images, "annotations": [annotation], "categories": [category]})
        trees.picture(tmp_path / "000001.png", [])
        outcome = check("coco", "-o", f"dataset.annotations={tmp_path / 'a.json'}", "--out", tmp_path / "s.png")
        assert outcome.code == 0, outcome.err
        assert "2.0 of 3" in outcome.out
        assert "never annotated: wingR" in outcome.out
        few = ("-o", "frames=4", "-o", "source_frames=4", "-o", "source_videos=1", "-o", "people=1")
        outcome = vatl("datasets", "check", "synthetic", "--split", "train", *few)
        assert outcome.code == 0, outcome.err
        assert "train" in outcome.out

    @pytest.mark.parametrize(
        ("words", "message"),
        [
            (["posetrack"], "did you mean 'posetrack21'"),
            (["posetrack21"], "needs a value for: root"),
            (["posetrack21", "--root", "nowhere"], "nowhere does not exist"),
            (["posetrack21", "--root", "ROOT", "--split", "vall"], "did you mean 'val'"),
            (["posetrack21", "--root", "ROOT", "--out", "sheet.jpg"], "end the name in .png"),
            (["posetrack21", "-o", "root"], "the form is OPTION=VALUE"),
            (["posetrack21", "-o", "estimator.width=3"], "the form is OPTION=VALUE"),
            (["posetrack21", "--root", "ROOT", "-o", "frame=all"], "did you mean 'frames'"),
            (["synthetic", "--root", "ROOT"], "no option of dataset 'synthetic' is called 'root'"),
        ],
    )
    def test_bad_input_is_one_line(self, check: Any, posetrack: Path, words: list[str], message: str) -> None:
        outcome = check(*(posetrack if word == "ROOT" else word for word in words))
        assert (outcome.code, outcome.out) == (2, "")
        assert message in outcome.err.splitlines()[-1]

    def test_help_and_plugins_are_light(self) -> None:
        modules = "vatl_datasets.command, vatl_posetrack21.plugin, vatl_jrdb_pose.plugin"
        program = f"import sys, {modules}; print({{'torch', 'numpy', 'av', 'cv2', 'PIL'}} & set(sys.modules))"
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
        assert done.stdout.strip() == "set()"


class TestSheet:
    def sheet(self, tmp_path: Path, video: Video, samples: int = 2) -> np.ndarray[Any, Any]:
        path = tmp_path / "sheet.png"
        write_sheet(path, "sticks", [Sample("test", video, f, video.frames.read(f)) for f in range(samples)])
        return np.asarray(cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB))

    def test_poses_are_drawn_where_they_are(self, tmp_path: Path) -> None:
        video = stick_video()
        drawn = self.sheet(tmp_path, video)
        assert video.instances.visible is not None
        hidden = attrs.evolve(video.instances, visible=torch.zeros_like(video.instances.visible))
        plain = self.sheet(tmp_path, attrs.evolve(video, instances=hidden))
        assert drawn.shape == plain.shape
        changed = (drawn != plain).any(2)
        assert 0.005 < changed.mean() < 0.3

    def test_an_instance_without_truth_has_its_box_alone(self, tmp_path: Path) -> None:
        assert self.sheet(tmp_path, stick_video().without_truth()).shape[1] == WIDTH

    def test_a_wide_frame_has_the_whole_width(self, tmp_path: Path) -> None:
        drawn = self.sheet(tmp_path, stick_video(tracks=9))
        rows = [row for row in drawn if (row != GROUND).any()]
        assert max(np.flatnonzero((row != GROUND).any(1))[-1] for row in rows) > WIDTH - 30


def test_the_documentation_names_every_option() -> None:
    from vatl_core.plugins import option_fields
    from vatl_jrdb_pose.dataset import JrdbPose

    text = (Path(__file__).parents[2] / "docs" / "datasets.md").read_text()
    for kind in (PoseTrack21, JrdbPose):
        for name in option_fields(kind):
            assert f"`{name}`" in text


def test_json_is_json(posetrack: Path) -> None:
    census = inspect(PoseTrack21(posetrack), "val").splits["val"]
    assert json.loads(json.dumps(census.to_json()))["annotated"]["left_ear"] == 0

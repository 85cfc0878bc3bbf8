"""The data set ``jrdb-pose``: what of it is taken, what is dropped, and what each kind of bad input is told."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from tests import trees
from vatl_core.cli import main
from vatl_core.errors import InputError
from vatl_core.video import Video
from vatl_frames import PictureFiles
from vatl_jrdb_pose.annotations import track_of
from vatl_jrdb_pose.dataset import JrdbPose
from vatl_jrdb_pose.scenes import SPLITS, TEST, TRAIN, VAL
from vatl_jrdb_pose.skeleton import SKELETON

SCENE = "forbes-cafe-2019-01-22_0"
POSES, BOXES = "labels_2d_pose_stitched_coco", "labels_2d_stitched"
SMALL = {
    "hrnet": ("-o", "estimator.width=8", "-o", "estimator.input_size=64,64"),
    "fastpose": ("-o", "estimator.depth=26", "-o", "estimator.width=8", "-o", "estimator.input_size=64,64"),
}
QUICK = (
    "--weights", "none", "--retrain", "full", "-o", "full.scratch_epochs=1", "--schedule", "3,6", "--device", "cpu",
    "--query", "thc", "--select", "top", "--precision", "float32",
)  # fmt: skip


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return trees.jrdb_pose(tmp_path_factory.mktemp("jrdb"))


Edit = Callable[[dict[str, Any]], Any]


def edited(root: Path, folder: str, edit: Edit, cast: trees.Cast = trees.WALK) -> Path:
    """A data set of one test scene, of whose two label files one has been edited."""
    trees.jrdb_scene(root, SCENE, cast)
    path = root / trees.JRDB_LABELS / folder / f"{SCENE}.json"
    document = json.loads(path.read_text())
    content = edit(document)
    trees.save(path, document if content is None else content)
    return root


def load(root: Path, **options: Any) -> Video:
    return JrdbPose(root, **options).load(SCENE)


def told(root: Path, **options: Any) -> str:
    with pytest.raises(InputError) as error:
        load(root, **options)
    message = str(error.value)
    assert "\n" not in message
    return message


class TestWhatIsTaken:
    def test_videos_are_the_published_test_scenes_and_sources_the_training_scenes(self, root: Path) -> None:
        data = JrdbPose(root)
        assert data.videos() == [SCENE, "memorial-court-2019-03-16_0", "stlc-111-2019-04-19_0"]
        assert data.sources() == ["huang-2-2019-01-25_0"]
        assert data.splits() == {
            "train": data.sources(), "val": ["bytes-cafe-2019-02-07_0"], "test": data.videos(),
        }  # fmt: skip
        assert JrdbPose(root, split="val").videos() == ["bytes-cafe-2019-02-07_0"]
        assert len(JrdbPose(root, split="all").videos()) == 5

    def test_the_published_splits_have_27_scenes_each_once(self) -> None:
        assert [len(scenes) for scenes in (TRAIN, VAL, TEST)] == [10, 2, 15]
        assert len({scene for scenes in SPLITS.values() for scene in scenes}) == 27

    def test_the_first_150_frames_are_taken(self, tmp_path: Path) -> None:
        cast = {4: range(160)}
        trees.save(tmp_path / "labels" / POSES / f"{SCENE}.json", trees.jrdb_pose_document(SCENE, cast, 160))
        trees.save(tmp_path / "labels" / BOXES / f"{SCENE}.json", trees.jrdb_box_document(cast, 160))
        trees.jrdb_pictures(tmp_path, SCENE, {}, 160)
        assert [len(load(tmp_path).frames), len(load(tmp_path).instances)] == [150, 150]
        assert len(load(tmp_path, frames=20).frames) == 20
        assert len(load(tmp_path, frames=None).frames) == 160

    @pytest.mark.parametrize("above", ["", "train_dataset_with_activity", "jrdb2022"])
    def test_the_folders_of_labels_are_found_where_the_archives_put_them(self, tmp_path: Path, above: str) -> None:
        edited(tmp_path, POSES, lambda d: None)
        labels = tmp_path / trees.JRDB_LABELS
        for folder, place in ((POSES, tmp_path / above), (BOXES, tmp_path)):
            (place / "labels").mkdir(parents=True, exist_ok=True)
            shutil.move(labels / folder, place / "labels" / folder)
        assert len(load(tmp_path).instances) == 16

    def test_the_skeleton_mirrors_onto_itself(self) -> None:
        mirrored = [SKELETON.keypoints[i] for i in SKELETON.flip_order()]
        assert [m.replace("left", "x").replace("right", "left").replace("x", "right") for m in mirrored] == list(
            SKELETON.keypoints
        )
        assert len(SKELETON.edges) == 15
        assert SKELETON.sigmas[8] == 0.107

    def test_nothing_is_written_into_the_folder(self, root: Path) -> None:
        before = sorted(root.rglob("*"))
        for name in JrdbPose(root).videos():
            JrdbPose(root).load(name)
        assert sorted(root.rglob("*")) == before


class TestInstances:
    def test_a_pose_has_the_box_of_its_track_and_of_no_other_that_ends_alike(self, root: Path) -> None:
        video = load(root)
        assert video.dropped == {"no box in the label file": 1}
        assert "000002:3" not in video.instances.ids
        for track in (3, 13, 113):
            here = video.instances.ids.index(f"000000:{track}")
            expected = trees.box(trees.jrdb_person(track, 0))
            assert video.instances.boxes[here].tolist() == pytest.approx(expected)
            assert video.instances.track[here] == track

    @pytest.mark.parametrize("label", [3, "3", "pedestrian:3", "pedestrian: 3"])
    def test_a_label_ends_in_its_track(self, label: object) -> None:
        assert track_of(label) == "3"

    def test_ids_may_be_strings_or_numbers(self, root: Path) -> None:
        numbers, texts = (JrdbPose(root).load(n) for n in ("memorial-court-2019-03-16_0", "stlc-111-2019-04-19_0"))
        assert torch.equal(numbers.instances.track, texts.instances.track)
        assert torch.equal(numbers.instances.next, texts.instances.next)

    def test_a_frame_without_people_stays_and_who_returns_has_no_neighbour(self, root: Path) -> None:
        video = load(root)
        assert len(video.frames) == 8
        assert 7 not in video.instances.frame
        own = torch.nonzero(video.instances.track == 113).flatten()
        assert (video.instances.next[own] >= 0).tolist() == [True, False, True, False]

    def test_occluded_keypoints_are_known_and_invisible_ones_not(self, tmp_path: Path) -> None:
        def edit(document: dict[str, Any]) -> None:
            document["annotations"][0]["keypoints"][2::3] = [0, 1, 2, *[0] * 14]
            document["annotations"][1]["keypoints"][2::3] = [0] * 17

        video = load(edited(tmp_path, POSES, edit))
        assert video.instances.visible is not None
        assert video.instances.visible[0].tolist() == [False, True, True, *[False] * 14]
        assert video.dropped == {"no visible keypoint": 1}

    def test_boxes_are_clipped_to_the_panorama(self, tmp_path: Path) -> None:
        def edit(document: dict[str, Any]) -> None:
            first, second = document["labels"]["000000.jpg"]
            first["box"], second["box"] = [-10, 90, 30, 60], [380, 10, 20, 20]

        video = load(edited(tmp_path, BOXES, edit))
        assert video.instances.boxes[0].tolist() == [0, 90, 20, 30]
        assert video.dropped == {"box without area in the picture": 1}

    def test_a_splits_poses_need_no_pictures(self, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(PictureFiles, "read", lambda *_: pytest.fail("a picture was decoded"))
        data = JrdbPose(root)
        loaded = [data.load(name).instances for name in data.videos()]
        for a, (_, b) in zip(loaded, data.split_poses("test"), strict=True):
            assert a.ids == b.ids
            assert torch.equal(a.boxes, b.boxes)
        edited(tmp_path, POSES, lambda d: None)
        shutil.rmtree(tmp_path / "images")
        assert [len(poses) for _, poses in JrdbPose(tmp_path).split_poses("test")] == [16]


def person(field: str, value: Any) -> Edit:
    return lambda document: document["annotations"][3].update({field: value})


def label(field: str, value: Any) -> Edit:
    return lambda document: document["labels"]["000001.jpg"][1].update({field: value})


class TestBadInput:
    def test_what_was_looked_for_is_said(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match=r"nowhere does not exist: give JRDB's folder as the option root"):
            JrdbPose(tmp_path / "nowhere").videos()
        with pytest.raises(InputError) as error:
            JrdbPose(tmp_path).videos()
        for place in ("jrdb2022/labels", "train_dataset_with_activity/labels", "for labels"):
            assert f"{place}/labels_2d_pose_stitched_coco" in str(error.value)

    @pytest.mark.parametrize("folder", [f"{trees.JRDB_LABELS}/{BOXES}", "images"])
    def test_a_folder_that_is_missing(self, tmp_path: Path, folder: str) -> None:
        edited(tmp_path, POSES, lambda d: None)
        shutil.rmtree(tmp_path / folder)
        message = told(tmp_path)
        assert "looked for" in message
        assert ("image_stitched" if folder == "images" else BOXES) in message

    def test_a_scene_or_its_boxes_that_are_missing(self, tmp_path: Path) -> None:
        edited(tmp_path, POSES, lambda d: None)
        with pytest.raises(InputError, match=f"did you mean '{SCENE}'"):
            JrdbPose(tmp_path).load("forbes-cafe")
        (tmp_path / trees.JRDB_LABELS / BOXES / f"{SCENE}.json").unlink()
        assert f"{BOXES}/{SCENE}.json, the boxes of the scene, is not there" in told(tmp_path)

    def test_other_scenes_only(self, tmp_path: Path) -> None:
        trees.jrdb_scene(tmp_path, "my-scene_0", trees.WALK)
        with pytest.raises(InputError, match="split=all"):
            JrdbPose(tmp_path).videos()
        data = JrdbPose(tmp_path, split="all")
        assert (data.videos(), data.splits()) == (["my-scene_0"], {"other": ["my-scene_0"]})

    def test_a_picture_missing_in_the_middle(self, tmp_path: Path) -> None:
        root = edited(tmp_path, POSES, lambda d: None)
        (root / "images" / "image_stitched" / SCENE / "000004.jpg").unlink()
        message = told(root)
        assert all(word in message for word in (f"{SCENE}.json", "1 of its 8 pictures", "image 5", "000004.jpg"))
        assert load(root, skip_broken=True).dropped == {"picture missing": 2}

    @pytest.mark.parametrize("folder", [POSES, BOXES])
    def test_half_a_download(self, tmp_path: Path, folder: str) -> None:
        message = told(edited(tmp_path, folder, lambda document: json.dumps(document)[:500]))
        assert f"{folder}/{SCENE}.json ends in the middle" in message

    @pytest.mark.parametrize(
        ("folder", "edit", "words", "reason"),
        [
            (POSES, person("track_id", 0), ["annotation 4", "track '0' on image 2"], "track twice in a picture"),
            (POSES, person("image_id", 77), ["annotation 4", "image 77"], "on a picture that is not listed"),
            (BOXES, label("label_id", "pedestrian:0"), ["annotation 3", "gives track 0 twice"],
             "several boxes in the label file"),
        ],
    )  # fmt: skip
    def test_what_is_broken_is_named_or_dropped(
        self, tmp_path: Path, folder: str, edit: Edit, words: list[str], reason: str
    ) -> None:
        root = edited(tmp_path, folder, edit)
        message = told(root)
        assert all(word in message for word in [f"{SCENE}.json", *words]), message
        assert load(root, skip_broken=True).dropped[reason] == 1

    @pytest.mark.parametrize(
        ("folder", "edit", "words"),
        [
            (POSES, person("keypoints", [1]), ["annotation 4", "1 numbers"]),
            (POSES, person("track_id", None), ["annotation 4", "no track_id"]),
            (POSES, lambda d: d["images"][0].update(file_name="a.jpg"), ["'a.jpg'", "named by number"]),
            (POSES, lambda d: d["images"][0].update(file_name="x/../000000.jpg"), ["image 1 ", "which leads out of"]),
            (POSES, lambda d: d["images"][0].update(file_name="/000000.jpg"), ["image 1 ", "which leads out of"]),
            (POSES, lambda d: {"labels": {}}, ["lists images and annotations"]),
            (BOXES, label("box", [1, 2]), ["000001.jpg", "no. 2", "box with 2 numbers"]),
            (BOXES, label("label_id", None), ["000001.jpg", "no. 2", "label_id None"]),
            (BOXES, lambda d: {"images": []}, ["object labels"]),
            (BOXES, lambda d: d["labels"].update({"000001.jpg": 3}), ["000001.jpg", "list of objects"]),
        ],
    )
    def test_what_cannot_be_read_is_told_with_file_and_value(
        self, tmp_path: Path, folder: str, edit: Edit, words: list[str]
    ) -> None:
        message = told(edited(tmp_path, folder, edit))
        assert all(word in message for word in [f"{folder}/{SCENE}.json", *words]), message

    @pytest.mark.parametrize("options", [{"split": "x"}, {"frames": 0}, {"min_keypoints": 0}])
    def test_options_are_checked(self, tmp_path: Path, options: dict[str, Any]) -> None:
        with pytest.raises(ValueError, match=next(iter(options))):
            JrdbPose(tmp_path, **options)


@pytest.mark.parametrize(
    ("estimator", "video"),
    [("hrnet", SCENE), ("fastpose", "memorial-court-2019-03-16_0"), ("hrnet", "stlc-111-2019-04-19_0")],
)
def test_a_whole_run(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    estimator: str, video: str,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    words = ["run", "--dataset", "jrdb-pose", "-o", f"dataset.root={root}", "--video", video, "--json"]
    assert main([*words, "--estimator", estimator, *SMALL[estimator], *QUICK]) == 0
    record = json.loads(capsys.readouterr().out.strip().splitlines()[-1])
    assert record["labelled"] == 6
    assert record["instances"] == (17 if video == SCENE else 16)
    assert any("no box" in warning for warning in record["warnings"]) == (video == SCENE)

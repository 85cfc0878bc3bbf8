"""The data set ``posetrack21``: what of it is taken, what is dropped, and what each kind of bad input is told."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from tests import trees
from vatl_core.cli import main
from vatl_core.errors import InputError
from vatl_core.video import Instances, Video
from vatl_frames import PictureFiles
from vatl_posetrack21 import protocol
from vatl_posetrack21.dataset import PoseTrack21
from vatl_posetrack21.skeleton import SKELETON

VIDEO = "000342_mpii_test"
SAMPLE = Path(__file__).parents[1] / "data" / "posetrack18-sample"
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
    return trees.posetrack21(tmp_path_factory.mktemp("posetrack"), train_val=True)


Edit = Callable[[dict[str, Any]], Any]


def edited(tmp_path: Path, edit: Edit, cast: trees.Cast = trees.WALK, pictures: bool = True, **layout: Any) -> Path:
    """A data set of one val video, whose annotation file has been edited."""
    document = trees.posetrack_document(VIDEO, cast, **layout)
    if pictures:
        trees.posetrack_pictures(tmp_path, document, cast)
    content = edit(document)
    trees.save(tmp_path / "posetrack_data" / "val" / f"{VIDEO}.json", document if content is None else content)
    return tmp_path


def load(root: Path, **options: Any) -> Video:
    return PoseTrack21(root, **options).load(VIDEO)


def told(root: Path, **options: Any) -> str:
    with pytest.raises(InputError) as error:
        load(root, **options)
    message = str(error.value)
    assert "\n" not in message
    return message


def same(a: Instances, b: Instances) -> bool:
    names = ("frame", "track", "boxes", "previous", "next", "keypoints", "visible")
    return a.ids == b.ids and all(torch.equal(getattr(a, n), getattr(b, n)) for n in names)


class TestWhatIsTaken:
    def test_videos_to_adapt_to_are_val_and_sources_are_what_is_not_held_out_of_train(self, root: Path) -> None:
        data = PoseTrack21(root)
        assert data.videos() == [VIDEO, "000522_mpii_test", "000583_mpii_test"]
        assert data.sources() == ["000004_bonn_train"]
        assert data.splits() == {
            "train": ["000004_bonn_train"], "val": data.videos(), "train_val": ["000001_bonn_train"],
        }  # fmt: skip
        assert PoseTrack21(root, split="train_val").videos() == ["000001_bonn_train"]

    def test_by_default_only_the_169_published_videos_count(self, tmp_path: Path) -> None:
        assert len(protocol.published()) == 169
        trees.save(tmp_path / "posetrack_data" / "val" / "999999_mpii_test.json", {})
        with pytest.raises(InputError, match="videos_of=all"):
            PoseTrack21(tmp_path).videos()
        assert PoseTrack21(tmp_path, videos_of="all").videos() == ["999999_mpii_test"]

    def test_the_middle_is_what_is_labelled_less_than_17_frames_from_half_the_length(self, tmp_path: Path) -> None:
        labelled = [0, 4, *range(30, 60), 90]
        root = edited(tmp_path, lambda d: None, {7: range(101)}, nframes=101, labelled=labelled)
        middle, labelled_all, everything = (load(root, frames=f) for f in ("middle", "labelled", "all"))
        assert middle.frames.paths[0].name == "000034.jpg"  # type: ignore[attr-defined]  # 101 // 2 − 16
        assert [middle.frames.name(i) for i in range(len(middle.frames))] == [f"{f:06d}.jpg" for f in range(34, 60)]
        assert len(labelled_all.frames) == len(labelled_all.instances) == 33
        assert (len(everything.frames), len(everything.instances)) == (101, 33)
        assert len(load(root, reach=3).frames) == 5

    def test_videos_to_train_on_are_taken_with_all_their_labelled_frames(self, tmp_path: Path) -> None:
        name = "000004_bonn_train"
        document = trees.posetrack_document(name, {7: range(60)}, "train", 60)
        trees.posetrack_pictures(tmp_path, document, {})
        trees.save(tmp_path / "posetrack_data" / "train" / f"{name}.json", document)
        assert len(PoseTrack21(tmp_path).load(name).frames) == 60
        assert len(PoseTrack21(tmp_path, split="train").load(name).frames) == 33

    def test_a_real_file(self) -> None:
        (name,) = PoseTrack21(SAMPLE, frames="labelled").videos()
        video = PoseTrack21(SAMPLE, frames="labelled").load(name)
        assert name == "012834_mpii_test"
        assert video.frames.read(0).shape == (3, 1080, 1920)
        assert len(video.instances) == 11
        assert video.instances.visible is not None
        assert int(video.instances.visible.sum()) == 142
        top = video.instances.boxes[-1]  # begins at y = −54.6 in the file
        assert top[1] == 0
        assert top[3] == pytest.approx(257.32008 - 54.62929, abs=1e-3)
        content = json.loads((SAMPLE / "posetrack_data" / "val" / f"{name}.json").read_text())
        assert list(SKELETON.keypoints) == content["categories"][0]["keypoints"]
        assert [(a + 1, b + 1) for a, b in SKELETON.edges] == [tuple(e) for e in content["categories"][0]["skeleton"]]

    def test_nothing_is_written_into_the_folder(self, root: Path) -> None:
        before = sorted(root.rglob("*"))
        data = PoseTrack21(root)
        for name in (*data.videos(), *data.sources()):
            data.load(name)
        assert sorted(root.rglob("*")) == before


class TestInstances:
    def test_tracks_are_track_ids_of_any_length(self, root: Path) -> None:
        video = load(root)
        assert set(video.instances.track.tolist()) == {0, 105}
        assert "10003420000105" in video.instances.ids

    def test_ids_as_strings_are_those_numbers(self, root: Path) -> None:
        assert set(PoseTrack21(root).load("000583_mpii_test").instances.track.tolist()) == {0, 1}

    def test_a_frame_without_people_stays(self, root: Path) -> None:
        video = load(root)
        assert len(video.frames) == 8
        assert 3 not in video.instances.frame

    def test_who_leaves_and_returns_has_no_neighbour_across_the_gap(self, root: Path) -> None:
        instances = load(root).instances
        own = torch.nonzero(instances.track == 105).flatten()
        assert instances.frame[own].tolist() == [0, 1, 4, 5, 6, 7]
        assert instances.next[own[1]] == -1
        assert instances.previous[own[2]] == -1
        assert instances.next[own[0]] == own[1]

    def test_neighbours_follow_from_time_and_not_from_places_in_the_list(self, tmp_path: Path) -> None:
        root = edited(tmp_path, lambda d: None, {7: range(12)}, nframes=12, labelled=[0, 1, 2, 3, 8, 9])
        instances = load(root).instances
        assert instances.frame.tolist() == [0, 1, 2, 3, 4, 5]
        assert instances.next.tolist() == [1, 2, 3, -1, 5, -1]

    def test_ears_are_never_annotated(self, root: Path) -> None:
        visible = load(root).instances.visible
        assert visible is not None
        assert not visible[:, [3, 4]].any()
        assert visible[:, [0, 1, 2, *range(5, 17)]].all()

    def test_boxes_are_clipped_to_the_picture_whose_size_is_in_its_header(self, tmp_path: Path) -> None:
        def edit(document: dict[str, Any]) -> None:
            for annotation, box in zip(
                document["annotations"], ([-10, -20, 50, 60], [150, 100, 50, 50], [200, 10, 9, 9]), strict=False
            ):
                annotation["bbox"] = box

        video = load(edited(tmp_path, edit))
        assert video.instances.boxes[:2].tolist() == [[0, 0, 40, 40], [150, 100, 10, 20]]
        assert video.dropped == {"box without area in the picture": 1}

    @pytest.mark.parametrize("none", [[0] * 51, []])
    def test_who_shows_too_little_is_dropped_and_counted(self, tmp_path: Path, none: list[int]) -> None:
        def edit(document: dict[str, Any]) -> None:
            first, second, third, *_ = document["annotations"]
            first["keypoints"] = none
            second["keypoints"] = [10, 10, 1, *[0] * 48]
            del third["bbox"]

        root = edited(tmp_path, edit)
        assert load(root).dropped == {"no visible keypoint": 1, "no box": 1}
        assert load(root, min_keypoints=2).dropped == {"fewer than 2 visible keypoints": 2, "no box": 1}

    def test_any_of_the_names_of_an_image_id_will_do(self, tmp_path: Path) -> None:
        def edit(document: dict[str, Any]) -> None:
            for place, image in enumerate(document["images"]):
                image[("frame_id", "image_id")[place % 2]] = str(image.pop("id"))

        assert len(load(edited(tmp_path, edit)).instances) == 16

    def test_a_splits_poses_are_those_of_its_videos_and_open_no_picture(
        self, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        data = PoseTrack21(root)
        loaded = [data.load(name).instances for name in data.of_split("val")]
        monkeypatch.setattr(PictureFiles, "read", lambda *_: pytest.fail("a picture was decoded"))
        assert all(map(same, loaded, [poses for _, poses in data.split_poses("val")]))
        bare = edited(tmp_path, lambda d: None, pictures=False)
        assert [len(poses) for _, poses in PoseTrack21(bare).split_poses("val")] == [16]


def annotation(field: str, value: Any) -> Edit:
    return lambda document: document["annotations"][3].update({field: value})


def image(field: str, value: Any) -> Edit:
    return lambda document: document["images"][3].update({field: value})


class TestBadInput:
    def test_a_root_that_is_not_there_or_another(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match=r"nowhere does not exist: give the folder .* option root"):
            PoseTrack21(tmp_path / "nowhere").videos()
        with pytest.raises(InputError, match=r"looked for .*posetrack_data/val/\*\.json"):
            PoseTrack21(tmp_path).videos()
        with pytest.raises(InputError, match="looked for"):
            PoseTrack21(tmp_path).load(VIDEO)
        assert PoseTrack21(tmp_path).sources() == []

    def test_a_video_that_is_not_there(self, root: Path) -> None:
        with pytest.raises(InputError, match=f"did you mean '{VIDEO}'"):
            PoseTrack21(root).load("000342_mpii_tset")

    def test_half_a_download(self, tmp_path: Path) -> None:
        message = told(edited(tmp_path, lambda document: json.dumps(document)[:900]))
        assert f"{VIDEO}.json ends in the middle" in message

    def test_a_picture_missing_in_the_middle(self, root: Path, tmp_path: Path) -> None:
        bad = edited(tmp_path, lambda document: None)
        (tmp_path / "images" / "val" / VIDEO / "000004.jpg").unlink()
        message = told(bad)
        assert f"{VIDEO}.json: 1 of its 8 pictures" in message
        assert "10003420004" in message
        assert "000004.jpg" in message
        video = load(bad, skip_broken=True)
        assert video.dropped == {"picture missing": 2}
        assert [video.frames.name(i) for i in video.instances.frame.unique().tolist()] == [
            f"{f:06d}.jpg" for f in (0, 1, 2, 3, 5, 6, 7)
        ]
        assert set(video.instances.next[video.instances.frame == 3].tolist()) == {-1}

    @pytest.mark.parametrize(
        ("edit", "words", "reason"),
        [
            (annotation("track_id", 0), ["annotation", "of track 0 on image 10003420001"], "track twice in a picture"),
            (annotation("id", 100034200000), ["100034200000", "there twice"], None),
            (lambda d: d["annotations"].append(d["annotations"][0]), ["there twice"], "id there twice"),
            (annotation("image_id", 77), ["image 77", "not among images"], "on a picture that is not listed"),
            (image("id", 10003420002), ["10003420002", "000003.jpg", "there twice"], "picture listed twice"),
        ],
    )  # fmt: skip
    def test_what_is_broken_is_named_or_dropped(
        self, tmp_path: Path, edit: Edit, words: list[str], reason: str | None
    ) -> None:
        def twice(document: dict[str, Any]) -> None:
            if reason is None:
                document["annotations"][0]["id"] = 100034200000
            edit(document)

        root = edited(tmp_path, twice)
        message = told(root)
        assert all(word in message for word in [f"{VIDEO}.json", *words]), message
        assert load(root, skip_broken=True).dropped.get(reason or "id there twice") == 1

    @pytest.mark.parametrize(
        ("edit", "words"),
        [
            (annotation("keypoints", [1, 2, 3]), ["keypoints", "3 numbers", "17 times x, y, v"]),
            (annotation("keypoints", "none"), ["keypoints", "'none'"]),
            (annotation("keypoints", [1, 1, 7] * 17), ["v is none of 0, 1, 2"]),
            (annotation("keypoints", [float("nan"), 1, 1] * 17), ["nan"]),
            (annotation("bbox", {"x": 1}), ["bbox"]),
            (annotation("track_id", None), ["no track_id"]),
            (annotation("track_id", [1]), ["track_id [1]"]),
            (image("file_name", 5), ["file_name 5"]),
            (image("file_name", "images/a.jpg"), ["images/a.jpg", "named by number"]),
            (image("file_name", "../x/000003.jpg"), ["image 1000", "'../x/000003.jpg', which leads out of"]),
            (image("file_name", "/x/000003.jpg"), ["image 1000", "'/x/000003.jpg', which leads out of"]),
            (image("nframes", None), ["no nframes", "frames=labelled"]),
            (image("is_labeled", "yes"), ["is_labeled 'yes'"]),
            (lambda d: [], ["object with the lists images and annotations"]),
            (lambda d: d.update(images=[]), ["lists no images"]),
            (lambda d: d.update(annotations=[1]), ["no. 1 of annotations"]),
            (lambda d: d.update(annotations={}), ["lists images and annotations"]),
            (lambda d: "", ["is empty"]),
            (lambda d: [i.update(is_labeled=False) for i in d["images"]] and None, ["none of its pictures"]),
        ],
    )  # fmt: skip
    def test_what_cannot_be_read_is_told_with_file_and_value(
        self, tmp_path: Path, edit: Edit, words: list[str]
    ) -> None:
        message = told(edited(tmp_path, edit))
        assert all(word in message for word in [f"{VIDEO}.json", *words]), message

    def test_a_video_of_which_nobody_is_left_says_why(self, tmp_path: Path) -> None:
        def edit(document: dict[str, Any]) -> None:
            for person in document["annotations"]:
                person["keypoints"] = [0] * 51

        assert "16 dropped: no visible keypoint" in told(edited(tmp_path, edit))

    def test_a_damaged_picture(self, tmp_path: Path) -> None:
        root = edited(tmp_path, lambda document: None)
        (tmp_path / "images" / "val" / VIDEO / "000000.jpg").write_bytes(b"no picture")
        assert "000000.jpg is damaged or no picture" in told(root)

    @pytest.mark.parametrize(
        "options", [{"split": "test"}, {"frames": "some"}, {"reach": 0}, {"min_keypoints": 18}, {"videos_of": "x"}]
    )
    def test_options_are_checked(self, tmp_path: Path, options: dict[str, Any]) -> None:
        with pytest.raises(ValueError, match=next(iter(options))):
            PoseTrack21(tmp_path, **options)


@pytest.mark.parametrize(
    ("estimator", "video"), [("hrnet", VIDEO), ("fastpose", "000522_mpii_test"), ("hrnet", "000583_mpii_test")]
)
def test_a_whole_run(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    estimator: str, video: str,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    words = ["run", "--dataset", "posetrack21", "-o", f"dataset.root={root}", "--video", video, "--json"]
    assert main([*words, "--estimator", estimator, *SMALL[estimator], *QUICK]) == 0
    record = json.loads(capsys.readouterr().out.strip().splitlines()[-1])
    assert record["labelled"] == 6
    assert record["instances"] == {VIDEO: 11, "000522_mpii_test": 16, "000583_mpii_test": 12}[video]

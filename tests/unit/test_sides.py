"""Which keypoints are each other's mirror image: in the spellings that people use, named, or not at all."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import Registered, Vatl, configured, stick_video
from vatl_augmentation import CropAugmentation
from vatl_core.contracts import Labelled
from vatl_core.errors import InputError
from vatl_core.estimation import Crops
from vatl_core.run import execute
from vatl_core.video import Skeleton, Video
from vatl_estimators.tiny import Tiny
from vatl_formats import flip_pairs_from_names, named_pairs

SPELLINGS = [  # of public data sets and programs, left first
    ("left_eye", "right_eye"), ("L_Eye", "R_Eye"), ("L_F_Paw", "R_F_Paw"), ("LShoulder", "RShoulder"),
    ("LBigToe", "RBigToe"), ("leftEar", "rightEar"), ("LeftHip", "RightHip"), ("left hip", "right hip"),
    ("left-front-paw", "right-front-paw"), ("l_ankle", "r_ankle"), ("lKnee", "rKnee"), ("eyeL", "eyeR"),
    ("wingL1", "wingR1"), ("forelegL", "forelegR"), ("ear_left", "ear_right"), ("Hindlimb.Left", "Hindlimb.Right"),
    ("LEFT_WRIST", "RIGHT_WRIST"), ("lefteye", "righteye"), ("leye", "reye"), ("earl", "earr"), ("Wrist L", "Wrist R"),
    ("FL_paw", "FR_paw"), ("rl_knee", "rr_knee"), ("paw1LH", "paw1RH"), ("L1", "R1"),
    ("front_left_hoof", "front_right_hoof"),
]  # fmt: skip


@pytest.mark.parametrize(("left", "right"), SPELLINGS)
def test_spellings_of_a_side_are_pairs_the_left_one_first(left: str, right: str) -> None:
    assert flip_pairs_from_names(["nose", right, "tail", left]) == ((3, 1),)
    assert flip_pairs_from_names([left, right]) == ((0, 1),)


@given(st.lists(st.sampled_from([name for pair in SPELLINGS for name in pair]), unique=True, max_size=30))
def test_a_keypoint_is_in_one_pair_at_the_most(names: list[str]) -> None:
    pairs = flip_pairs_from_names(names)
    members = [i for pair in pairs for i in pair]
    assert len(members) == len(set(members))


@pytest.mark.parametrize(
    "names", [["nose", "leg", "tail"], ["left_eye", "nose"], ["rear_leg", "front_leg"], ["upper_lip", "lower_lip"], []]
)
def test_what_has_no_counterpart_is_in_none(names: list[str]) -> None:
    assert flip_pairs_from_names(names) == ()


def test_four_legs_find_their_own_side() -> None:
    names = ["fl", "fr", "rl", "rr", "L_B_Elbow", "R_B_Elbow", "L_F_Elbow", "R_F_Elbow"]
    assert flip_pairs_from_names(names) == ((0, 1), (2, 3), (4, 5), (6, 7))


def test_pairs_may_be_named() -> None:
    names = ["port", "starboard", "a:b", "a:c"]
    assert named_pairs(["port:starboard", "a:b:a:c"], names) == ((0, 1), (2, 3))
    with pytest.raises(InputError, match=r"no keypoint of flip_pairs is called 'starbord'.*did you mean 'starboard'"):
        named_pairs(["port:starbord"], names)
    for pair in ("port", "port:port", ""):
        with pytest.raises(InputError, match="is no pair of keypoints: write LEFT:RIGHT"):
            named_pairs([pair], names)


def labelled(skeleton: Skeleton) -> tuple[Tiny, Labelled]:
    plain = stick_video(8, 2)
    video = Video(plain.name, skeleton, plain.frames, plain.instances)
    estimator = Tiny(width=8, input_size=(64, 64))
    estimator.build(skeleton)
    index, truth = torch.arange(16), video.instances
    assert truth.keypoints is not None
    assert truth.visible is not None
    pictures = Crops(video.without_truth(), (64, 64), torch.device("cpu"), 2**24, margin=1.5)
    return estimator, Labelled(
        index, truth.keypoints, visible=truth.visible, oks=torch.ones(16), queried=index >= 0, pictures=pictures
    )


def mirrored(skeleton: Skeleton) -> int:
    how, instances = CropAugmentation(), labelled(skeleton)[1]
    drawn = how.draw(400, torch.Generator().manual_seed(0))
    rows = torch.arange(400) % len(instances)
    maps = how.place(drawn, instances.keypoints[rows], instances.visible[rows], skeleton, (64, 64))
    return int((torch.det(maps[:, :, :2]) < 0).sum())


def test_a_skeleton_without_a_pair_is_never_mirrored() -> None:
    names = ("head", "handL", "handR", "footL", "footR")
    assert mirrored(Skeleton("sided", names, flip_pairs=((1, 2), (3, 4)))) > 100
    assert mirrored(Skeleton("sideless", names)) == 0


def test_a_run_says_that_it_does_not_mirror(registered: Registered, tmp_path: Path) -> None:
    record = execute(configured(registered(), tmp_path, retrain="none"), registered())
    assert not any("mirrored" in warning for warning in record.warnings)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A COCO file of eight pictures, whose keypoints have no side that could be told."""
    import cv2

    video = stick_video(8, 1)
    names, instances = ["head", "alpha", "beta", "gamma", "delta"], video.instances
    assert instances.keypoints is not None
    for frame in range(8):
        cv2.imwrite(str(tmp_path / f"{frame}.png"), video.frames.read(frame).permute(1, 2, 0).numpy()[..., ::-1])
    images = [{"id": i, "file_name": f"{i}.png", "width": 100, "height": 120} for i in range(8)]
    points = [[v for x, y in pose for v in (x, y, 2)] for pose in instances.keypoints.tolist()]
    annotations = [
        {
            "id": i + 1,
            "image_id": i,
            "category_id": 1,
            "track_id": 1,
            "bbox": box,
            "keypoints": pose,
            "num_keypoints": 5,
        }
        for i, (box, pose) in enumerate(zip(instances.boxes.tolist(), points, strict=True))
    ]
    category = {"id": 1, "name": "thing", "keypoints": names, "skeleton": []}
    content = {"images": images, "annotations": annotations, "categories": [category]}
    path = tmp_path / "things.json"
    path.write_text(json.dumps(content))
    return path


def test_run_and_check_say_it_in_one_line_until_pairs_are_named(
    vatl: Vatl, registered: Registered, file: Path, tmp_path: Path
) -> None:
    said = "no keypoint of 'thing' is another's left or right (flip_pairs): pictures are never mirrored"

    def warnings(name: str, **options: object) -> tuple[str, ...]:
        coco = {"dataset": {"coco": {"annotations": str(file), **options}}}
        settings = {"dataset": "coco", "options": coco, "retrain": "none", "schedule": ["1"], "name": name}
        registry = registered()
        return execute(configured(registry, tmp_path, **settings), registry).warnings

    assert said in warnings("unnamed")
    assert vatl("datasets", "check", "coco", "-o", f"annotations={file}").out.count(said) == 1
    assert said not in warnings("named", flip_pairs=["alpha:beta", "gamma:delta"])
    content = json.loads(file.read_text())
    content["categories"][0]["flip_pairs"] = [["alpha", "beta"]]
    file.write_text(json.dumps(content))
    assert said not in warnings("in-the-file")
    content["categories"][0]["flip_pairs"] = [["alpha", "bet"]]
    file.write_text(json.dumps(content))
    with pytest.raises(InputError, match="did you mean 'beta'"):
        warnings("misspelt")

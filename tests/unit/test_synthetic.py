"""The synthetic data set: what it promises about its people, its pictures and its cache."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from vatl_core.errors import InputError
from vatl_core.video import PERSON_17, Instances, Video
from vatl_synthetic.anatomy import CHANNELS, JOINT, PARENTS, posture
from vatl_synthetic.dataset import SOURCE_PEOPLE, Synthetic, render
from vatl_synthetic.depth import look
from vatl_synthetic.domains import SOURCE, TARGETS
from vatl_synthetic.picture import Drawing
from vatl_synthetic.repertoire import MOTIONS
from vatl_synthetic.scene import Scene, compose
from vatl_synthetic.shelf import PICTURES, TRUTH
from vatl_synthetic.truth import boxes, visible_keypoints

FRAMES = 4
WIDTH, HEIGHT = 320, 240


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("synthetic")


@pytest.fixture(scope="module")
def data(folder: Path) -> Synthetic:
    return Synthetic(frames=FRAMES, source_frames=FRAMES, cache=folder)


@pytest.fixture(scope="module")
def videos(data: Synthetic) -> dict[str, Video]:
    return {name: data.load(name) for name in [*data.videos(), "source-00", "source-val-00"]}


@pytest.fixture(scope="module")
def dance() -> Scene:
    return compose(TARGETS["dance"], "dance", seed=0, people=3, frames=72)


def seen(scene: Scene, frame: int) -> np.ndarray[Any, Any]:
    """(people, K) which keypoints of a frame are visible."""
    points, camera = scene.keypoints(), scene.camera
    buffer = look(scene.flesh, scene.shapes, frame, float(camera.focal[frame]))
    return visible_keypoints(buffer, scene.flesh, camera.projected(points)[frame], camera.seen(points)[frame, ..., 2])


def same(a: Instances, b: Instances) -> bool:
    assert a.keypoints is not None
    assert b.keypoints is not None
    return len(a) == len(b) and torch.equal(a.keypoints, b.keypoints) and torch.equal(a.boxes, b.boxes)


def test_the_same_seed_gives_the_same_pictures_and_poses_to_the_bit() -> None:
    first, second = (compose(TARGETS["gym"], "gym", seed=3, people=2, frames=4) for _ in range(2))
    np.testing.assert_array_equal(first.keypoints(), second.keypoints())
    np.testing.assert_array_equal(seen(first, 2), seen(second, 2))
    one, other = Drawing(first), Drawing(second)
    assert torch.equal(one.picture(2, one.depth(2)), other.picture(2, other.depth(2)))


def test_another_seed_gives_other_people_and_motions() -> None:
    first, second = (compose(TARGETS["gym"], "gym", seed=seed, people=2, frames=4) for seed in (0, 1))
    assert np.abs(first.keypoints() - second.keypoints()).max() > 0.05
    assert first.people[0].proportions != second.people[0].proportions
    assert not np.array_equal(first.people[0].textures, second.people[0].textures)


def test_every_video_can_be_loaded_and_is_what_it_says(data: Synthetic, videos: dict[str, Video]) -> None:
    assert data.videos()[0] == "dance"
    assert len(data.videos()) >= 3
    for name, video in videos.items():
        assert video.name == name
        assert video.skeleton == PERSON_17
        assert len(video.frames) == FRAMES
        picture = video.frames.read(FRAMES - 1)
        assert picture.shape == (3, HEIGHT, WIDTH)
        assert picture.dtype == torch.uint8
        assert video.instances.has_truth
        people = data.people if name in data.videos() else SOURCE_PEOPLE
        assert set(video.instances.track.tolist()) <= set(range(people))
        assert len(video.instances) > FRAMES


def test_held_out_videos_are_not_among_those_to_train_on(data: Synthetic) -> None:
    assert len(data.sources()) == 24
    assert not set(data.held_out()) & set(data.sources())
    assert not set(data.videos()) & set(data.sources())


def test_visible_keypoints_lie_in_the_frame_and_in_their_box(videos: dict[str, Video]) -> None:
    for video in videos.values():
        found = video.instances
        assert found.keypoints is not None
        assert found.visible is not None
        x, y = found.keypoints.unbind(-1)
        inside = (x >= -0.5) & (x <= WIDTH - 0.5) & (y >= -0.5) & (y <= HEIGHT - 0.5)
        assert inside[found.visible].all()
        low, size = found.boxes[:, None, :2], found.boxes[:, None, 2:]
        assert (found.boxes[:, 2:] > 0).all()
        in_box = ((found.keypoints >= low - 1) & (found.keypoints <= low + size + 1)).all(-1)
        assert in_box[found.visible].all()
        assert found.visible.any(1).all()


def test_a_box_is_no_larger_than_the_person(dance: Scene) -> None:
    frame = 36
    part = look(dance.flesh, dance.shapes, frame, float(dance.camera.focal[frame])).part
    nearest = int(np.argmin(dance.camera.seen(dance.keypoints())[frame, :, 11, 2]))
    rows, columns = np.nonzero((part >= 0) & (dance.flesh.person[part] == nearest))
    x, y, width, height = boxes(dance)[frame, nearest]
    drawn = np.array([columns.min(), rows.min(), columns.max(), rows.max()]) / 2 - 0.25
    np.testing.assert_allclose([x, y, x + width, y + height], drawn, atol=4)


def test_a_keypoint_is_hidden_by_whoever_stands_in_front() -> None:
    alone = compose(SOURCE, "alone", seed=0, people=1, frames=2)
    pair = compose(SOURCE, "alone", seed=0, people=2, frames=2)
    camera = pair.camera
    behind, front = pair.movements
    shift = camera.position[0] - behind.positions[0, 0]
    shift = 0.8 * shift * np.array([1, 0, 1]) / np.linalg.norm(shift[[0, 2]])
    blocked = type(behind)(behind.positions + shift, behind.orientations, front.proportions)
    from vatl_synthetic.flesh import shapes

    joined = type(pair)(
        pair.domain,
        pair.seed,
        pair.people,
        [behind, blocked],
        camera,
        pair.flesh,
        shapes(pair.flesh, [behind, blocked], camera),
    )
    assert seen(alone, 0)[0].sum() >= 12
    assert seen(joined, 0)[1].sum() >= 12, "the one in front stays visible"
    assert seen(joined, 0)[0].sum() <= 5, "the one behind is hidden"


def test_people_hide_parts_of_themselves() -> None:
    """From behind, nobody's nose or eyes are seen; turned to the camera, they are."""
    scene = compose(SOURCE, "alone", seed=0, people=1, frames=2)
    towards, face = scene.camera.position[0] - scene.keypoints()[0, 0, 0], slice(0, 3)
    for looks_at, visible in ((towards, True), (-towards, False)):
        turned = _facing(scene, looks_at)
        assert (seen(turned, 0)[0, face] == visible).all()


def _facing(scene: Scene, direction: np.ndarray[Any, Any]) -> Scene:
    """The scene with its first person turned about the vertical so that the head faces ``direction``."""
    from vatl_synthetic.flesh import shapes
    from vatl_synthetic.rotations import about_y

    movement = scene.movements[0]
    ahead = movement.orientations[0, JOINT["head"]] @ np.array([0, 0, 1.0])
    turn = about_y(np.arctan2(direction[0], direction[2]) - np.arctan2(ahead[0], ahead[2]))
    middle = movement.positions[:, :1]
    positions = (movement.positions - middle) @ turn.T + middle
    turned = type(movement)(positions, turn @ movement.orientations, movement.proportions)
    placed = shapes(scene.flesh, [turned], scene.camera)
    return type(scene)(scene.domain, scene.seed, scene.people, [turned], scene.camera, scene.flesh, placed)


def test_bones_keep_their_length(dance: Scene) -> None:
    for movement in dance.movements:
        for joint, parent in enumerate(PARENTS):
            if parent >= 0:
                length = np.linalg.norm(movement.positions[:, joint] - movement.positions[:, parent], axis=1)
                np.testing.assert_allclose(length, length[0], rtol=1e-9)


@pytest.mark.parametrize("name", list(TARGETS))
def test_nobody_jumps_from_frame_to_frame(name: str) -> None:
    """A hand may be flung at 13 metres a second; the body moves at most at 5."""
    for seed in range(2):
        scene = compose(TARGETS[name], name, seed=seed, people=3, frames=72)
        steps = np.linalg.norm(np.diff(scene.keypoints(), axis=0), axis=-1)
        assert steps.max() < 13 / 25
        assert steps[:, :, 11:13].max() < 5 / 25
        assert steps.max() > 1 / 25, "and they do move"


def test_knees_and_elbows_bend_one_way_only(dance: Scene) -> None:
    for movement in dance.movements:
        for side in ("left", "right"):
            for upper, lower, sign in (("hip", "knee", -1), ("shoulder", "elbow", 1)):
                above, below = (movement.orientations[:, JOINT[f"{side}_{name}"]] for name in (upper, lower))
                local = np.swapaxes(above, -1, -2) @ below @ np.array([0, -1.0, 0])
                assert (sign * local[:, 2] >= -1e-9).all()


def test_feet_stand_on_the_ground(dance: Scene) -> None:
    """The lower ankle is low nearly all the time, and never under the ground."""
    for movement in dance.movements:
        ankles = movement.positions[:, [JOINT["left_ankle"], JOINT["right_ankle"]], 1]
        assert ankles.min() > 0.02
        assert np.median(ankles.min(axis=1)) < 0.25


def test_a_person_at_rest_stands_as_tall_as_they_are(dance: Scene) -> None:
    bones = dance.people[0].proportions
    still = {channel: np.zeros(1) for channel in CHANNELS}
    positions, _ = posture(bones, still)
    span = positions[0, JOINT["head"], 1] - positions[0, JOINT["left_ankle"], 1]
    assert 0.75 * bones.height < span < 0.9 * bones.height


def test_domains_differ_in_colour_and_in_pose(videos: dict[str, Video]) -> None:
    colours = {name: video.frames.read(0).float().mean((1, 2)) for name, video in videos.items()}
    names = list(TARGETS)
    for i, first in enumerate(names):
        for second in names[i + 1 :]:
            assert (colours[first] - colours[second]).abs().max() > 15
    assert set(TARGETS["gym"].motions).isdisjoint(SOURCE.motions)
    assert {motion for domain in (SOURCE, *TARGETS.values()) for motion in domain.motions} <= set(MOTIONS)


def test_neighbouring_frames_look_alike(videos: dict[str, Video]) -> None:
    frames = [videos["dance"].frames.read(index).float() for index in range(FRAMES)]
    near = (frames[1] - frames[0]).abs().mean()
    assert 0.1 < near < 25


def test_an_unknown_name_lists_what_there_is(data: Synthetic) -> None:
    with pytest.raises(InputError, match=r"did you mean 'dance'.*beach.*source-00.*source-val-00"):
        data.load("dnace")
    with pytest.raises(InputError, match="source-99"):
        data.load("source-99")


@pytest.mark.parametrize(
    "options", [{"seed": -1}, {"frames": 0}, {"frames": 2.5}, {"people": 0}, {"source_videos": -1}, {"seed": True}]
)
def test_an_impossible_option_is_named(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(options))):
        Synthetic(**options)


def test_poses_need_no_picture(data: Synthetic, videos: dict[str, Video]) -> None:
    assert same(data.poses("dance"), videos["dance"].instances)


def test_a_video_is_rendered_once(folder: Path, data: Synthetic, videos: dict[str, Video]) -> None:
    written = {path: path.stat().st_mtime_ns for path in folder.rglob("*.mp4")}
    data.load("dance")
    Synthetic(frames=FRAMES, source_frames=FRAMES, cache=folder).load("dance")
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*.mp4")} == written
    assert not [path for path in kept(folder) if path.name.startswith(".")], "nothing is left beside"


def kept(folder: Path) -> list[Path]:
    """What a cache holds, without the locks of those who fill it."""
    return [path for path in folder.iterdir() if path.suffix != ".lock"]


@pytest.mark.parametrize("name", [PICTURES, TRUTH])
@pytest.mark.parametrize("damage", ["truncated", "changed", "missing"])
def test_a_damaged_cache_is_made_again(tmp_path: Path, name: str, damage: str) -> None:
    data = Synthetic(frames=2, people=1, cache=tmp_path)
    before = data.load("gym").instances
    (path,) = tmp_path.rglob(name)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    if damage == "missing":
        path.unlink()
    else:
        path.write_bytes(content if damage == "changed" else content[: len(content) // 2])
    again = data.load("gym")
    assert same(again.instances, before)
    assert again.frames.read(1).shape == (3, HEIGHT, WIDTH)
    assert len(kept(tmp_path)) == 1


def test_a_cache_that_cannot_be_written_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    video = Synthetic(frames=2, people=1, cache=tmp_path / "file" / "cache").load("night")
    assert video.frames.read(0).shape == (3, HEIGHT, WIDTH)


def test_what_was_killed_while_it_filled_the_cache_is_swept_by_the_next(tmp_path: Path) -> None:
    data = Synthetic(frames=2, people=1, cache=tmp_path)
    data.load("gym")
    (made,) = kept(tmp_path)
    half, other = tmp_path / f".{made.name}.{'0' * 32}", tmp_path / f".{made.name}-more.{'0' * 32}"
    for folder in (half, other):
        folder.mkdir()
        (folder / PICTURES).touch()
    (made / TRUTH).unlink()
    data.load("gym")
    assert {path.name for path in kept(tmp_path)} == {made.name, other.name}


def test_two_may_fill_the_cache_at_once(tmp_path: Path) -> None:
    """Threads meet in the file system just as processes do."""
    with ThreadPoolExecutor(3) as pool:
        loading = [pool.submit(Synthetic(frames=3, people=1, cache=tmp_path).load, "gym") for _ in range(3)]
    first, *others = [future.result() for future in loading]
    assert all(same(first.instances, other.instances) for other in others)
    assert len(first.frames) == 3
    assert len(kept(tmp_path)) == 1


def test_no_truth_can_be_reached_from_the_frames(videos: dict[str, Video]) -> None:
    video = videos["dance"]
    video.frames.read(0)
    assert not [thing for thing in _reachable(video.frames) if isinstance(thing, (Instances, Video, Scene, np.ndarray))]


def _reachable(thing: object) -> Iterator[object]:
    """Everything in the attributes and containers under ``thing``."""
    waiting, met = [thing], set[int]()
    while waiting:
        one = waiting.pop()
        if id(one) in met or isinstance(one, type):
            continue
        met.add(id(one))
        yield one
        slots = [getattr(one, name, None) for kind in type(one).__mro__ for name in getattr(kind, "__slots__", ())]
        waiting += [*slots, *getattr(one, "__dict__", {}).values()]
        waiting += list(one.values()) if isinstance(one, dict) else []
        waiting += list(one) if isinstance(one, (list, tuple, set)) else []


def test_weights_are_none_where_none_ship(data: Synthetic) -> None:
    assert data.weights("no-such-estimator") is None


def test_rendering_writes_the_pictures_it_describes(tmp_path: Path) -> None:
    """The coded video is the drawing, up to what coding loses."""
    from vatl_frames import VideoFile

    scene = compose(TARGETS["beach"], "beach", seed=1, people=2, frames=3)
    render(scene, tmp_path / "video.mp4")
    drawing = Drawing(scene)
    drawn, read = drawing.picture(2, drawing.depth(2)), VideoFile(tmp_path / "video.mp4").read(2)
    assert (drawn.float() - read.float()).abs().mean() < 8


def test_the_plugin_describes_itself_without_heavy_imports() -> None:
    code = (
        "import sys; from vatl_synthetic.plugin import vatl_components; (one,) = vatl_components();"
        "print(one.kind, one.name, one.default, sorted({'torch', 'numpy', 'cv2', 'av'} & set(sys.modules)))"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert told.split() == ["dataset", "synthetic", "True", "[]"]

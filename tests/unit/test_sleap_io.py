"""The data set ``sleap-io``: other programs' projects, what of them is kept, and what bad input is told."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs
import cv2
import numpy as np
import pytest
import sleap_io
import torch
from numpy.typing import NDArray

from tests.conftest import Vatl
from vatl_coco.dataset import Coco
from vatl_core.errors import InputError
from vatl_core.video import Instances, Video
from vatl_drawing import write_video
from vatl_frames import PictureFiles, VideoFile
from vatl_sleap_io.dataset import SleapIO
from vatl_sleap_io.plugin import vatl_components

FRAMES, HEIGHT, WIDTH = 8, 96, 128
NODES = (
    "head", "thorax", "abdomen", "wingL", "wingR", "forelegL4", "forelegR4", "midlegL4", "midlegR4", "hindlegL4",
    "hindlegR4", "eyeL", "eyeR",
)  # fmt: skip
EDGES = [(1, 0), (1, 2), *((1, k) for k in range(3, 11)), (0, 11), (0, 12)]
Points = NDArray[np.float64]


def poses() -> Points:
    """(FRAMES, 2 tracks, 13, 2) pixels of two flies that walk; NaN where a keypoint cannot be seen."""
    generator = np.random.default_rng(0)
    shape = generator.uniform(-14, 14, (13, 2))
    centre = np.array([[30.0, 40.0], [90.0, 50.0]]) + np.arange(FRAMES)[:, None, None] * (1.5, 0.5)
    points = np.round((centre[:, :, None] + shape + generator.normal(0, 1, (FRAMES, 2, 13, 2))) * 4) / 4
    points[2, 1, 7] = np.nan
    points[5, :, 12] = np.nan
    return points


def grey(frame: int) -> int:
    """How bright a frame is, so that one can tell which it is."""
    return 20 + 25 * frame


def picture(frame: int) -> torch.Tensor:
    return torch.full((3, HEIGHT, WIDTH), grey(frame), dtype=torch.uint8)


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("flies") / "clip.mp4"
    write_video(path, (picture(f) for f in range(FRAMES)))
    return path


def skeleton() -> sleap_io.Skeleton:
    return sleap_io.Skeleton(nodes=list(NODES), edges=list(EDGES), name="fly")


def project(clip: Path, kind: type[sleap_io.Instance] = sleap_io.Instance) -> sleap_io.Labels:
    """Two tracks in every frame of the clip."""
    video = sleap_io.Video(filename=str(clip), open_backend=False)
    flies, tracks = skeleton(), [sleap_io.Track("ann"), sleap_io.Track("bob")]
    frames = [
        sleap_io.LabeledFrame(
            video=video,
            frame_idx=f,
            instances=[kind.from_numpy(p, skeleton=flies, track=t) for p, t in zip(both, tracks, strict=True)],
        )
        for f, both in enumerate(poses())
    ]
    return sleap_io.Labels(frames, videos=[video], skeletons=[flies], tracks=tracks)


def save(labels: sleap_io.Labels, folder: Path, name: str = "flies.slp", **options: Any) -> Path:
    path = folder / name
    labels.save(str(path), **({"embed": False} | options))
    return path


def load(labels: Path, **options: Any) -> Video:
    data = SleapIO(labels, **options)
    (name,) = data.videos()
    return data.load(name)


def same(one: Instances, two: Instances) -> bool:
    """Whether two columns of instances agree but for what they are called."""
    fields = [field.name for field in attrs.fields(Instances) if field.name != "ids"]
    return all(torch.equal(getattr(one, name), getattr(two, name)) for name in fields)


def as_coco(clip: Path, folder: Path) -> Path:
    """The same flies in COCO's format."""
    images = [{"id": f, "file_name": str(clip), "frame_index": f} for f in range(FRAMES)]
    annotations = []
    for f, both in enumerate(poses()):
        for t, points in enumerate(both):
            seen = np.isfinite(points).all(1)
            triples = np.concatenate([np.nan_to_num(points), 2.0 * seen[:, None]], 1)
            row = {
                "id": 2 * f + t,
                "image_id": f,
                "category_id": 1,
                "track_id": t,
                "keypoints": triples.ravel().tolist(),
            }
            annotations.append(row)
    edges = [[a + 1, b + 1] for a, b in EDGES]
    category = {"id": 1, "name": "fly", "keypoints": list(NODES), "skeleton": edges}
    path = folder / "flies.json"
    path.write_text(json.dumps({"images": images, "annotations": annotations, "categories": [category]}))
    return path


# ----------------------------------------------------------------------------------------------------------- SLEAP
def test_a_project_has_the_same_instances_as_the_same_flies_in_cocos_format(clip: Path, tmp_path: Path) -> None:
    ours = load(save(project(clip), tmp_path))
    data = Coco(as_coco(clip, tmp_path), outside=True)
    theirs = data.load(data.videos()[0])
    assert same(ours.instances, theirs.instances)
    assert ours.skeleton == theirs.skeleton
    assert len(ours.skeleton.flip_pairs) == 5
    assert len(ours.instances) == 2 * FRAMES
    assert (ours.name, ours.dropped) == ("clip", {})


def test_frames_are_those_of_the_video_file(clip: Path, tmp_path: Path) -> None:
    frames = load(save(project(clip), tmp_path)).frames
    assert isinstance(frames, VideoFile)
    assert [abs(frames.read(f).float().mean().item() - grey(f)) < 4 for f in range(FRAMES)] == [True] * FRAMES


def test_symmetries_are_the_flip_pairs(clip: Path, tmp_path: Path) -> None:
    labels = project(clip)
    labels.skeletons[0].add_symmetry("wingR", "wingL")
    assert load(save(labels, tmp_path)).skeleton.flip_pairs == ((3, 4),)


def test_sigmas_can_be_given(clip: Path, tmp_path: Path) -> None:
    path = save(project(clip), tmp_path)
    assert load(path).skeleton.sigmas == (0.05,) * 13
    assert load(path, sigmas=(0.1,) * 13).skeleton.sigmas == (0.1,) * 13
    with pytest.raises(InputError, match="there are 1 for the 13 keypoints"):
        load(path, sigmas=(0.1,))


def test_pictures_kept_in_the_project_are_read_from_it(clip: Path, tmp_path: Path) -> None:
    labels = project(clip)
    labels.labeled_frames = [frame for frame in labels.labeled_frames if frame.frame_idx not in (0, 4)]
    path = save(labels, tmp_path, "flies.pkg.slp", embed="all")
    video = load(path)
    assert video.name == "clip"
    assert len(video.frames) == FRAMES - 2
    assert video.instances.frame.tolist() == [f for f in range(FRAMES - 2) for _ in (0, 1)]
    assert video.instances.ids[:2] == ("1-0", "1-1")
    assert video.instances.previous.tolist() == [-1, -1, 0, 1, 2, 3, -1, -1, 6, 7, 8, 9]
    brightness = [video.frames.read(i).float().mean().item() for i in range(FRAMES - 2)]
    assert brightness == pytest.approx([grey(f) for f in (1, 2, 3, 5, 6, 7)], abs=4)
    assert video.frames.read(0).shape == (3, HEIGHT, WIDTH)
    assert video.frames.read(0).dtype == torch.uint8
    alone = tmp_path / "elsewhere"
    alone.mkdir()
    moved = path.rename(alone / path.name)
    assert same(load(moved).instances, video.instances)
    assert isinstance(load(moved, frames=clip.parent).frames, VideoFile)


def test_a_moved_video_is_found_beside_the_project_or_where_told(clip: Path, tmp_path: Path) -> None:
    labels = project(Path("C:\\Users\\ann\\flies\\clip.mp4"))
    path = save(labels, tmp_path)
    with pytest.raises(InputError, match=r"flies\.slp is about C:.*clip\.mp4, which is not there.* option frames"):
        load(path)
    with pytest.raises(InputError, match="which is not in "):
        load(path, frames=tmp_path)
    assert len(load(path, frames=clip).frames) == len(load(path, frames=clip.parent).frames) == FRAMES
    (tmp_path / "clip.mp4").write_bytes(clip.read_bytes())
    assert len(load(path).frames) == FRAMES
    with pytest.raises(InputError, match="neither a folder nor a video file"):
        load(path, frames=tmp_path / "nothing")


def test_where_a_folder_is_told_nothing_out_of_it_is_opened(clip: Path, tmp_path: Path) -> None:
    told = tmp_path / "told"
    told.mkdir()
    labels = project(clip)
    labels.videos[0].backend_metadata["filename"] = f"{tmp_path}/gone/../{clip.name}"
    labels.videos[0].filename = f"{tmp_path}/gone/../{clip.name}"
    path = save(labels, tmp_path)
    (tmp_path / clip.name).write_bytes(clip.read_bytes())
    with pytest.raises(InputError, match=rf"{clip.name}, which is not in {told}"):
        load(path, frames=told)


def test_several_videos_of_a_project_are_several_videos(clip: Path, tmp_path: Path) -> None:
    labels = project(clip)
    other = sleap_io.Video(filename=str(tmp_path / "far" / "clip.mp4"), open_backend=False)
    unused = sleap_io.Video(filename=str(tmp_path / "unused.mp4"), open_backend=False)
    labels.videos += [unused, other]
    for frame in labels.labeled_frames[3:]:
        frame.video = other
    (tmp_path / "far").mkdir()
    (tmp_path / "far" / "clip.mp4").write_bytes(clip.read_bytes())
    data = SleapIO(save(labels, tmp_path))
    assert data.videos() == ["clip-1", "clip-3"]
    assert [len(data.load(name).instances) for name in data.videos()] == [6, 10]
    assert data.load("clip-3").instances.frame.tolist()[:3] == [3, 3, 4]
    with pytest.raises(InputError, match="no video is called 'clip': "):
        data.load("clip")
    with pytest.raises(InputError, match="2 videos"):
        SleapIO(data.labels, frames=clip).load("clip-1")


def test_an_instance_without_track_is_its_own(clip: Path, tmp_path: Path) -> None:
    labels = project(clip)
    for frame in labels.labeled_frames[:2]:
        for instance in frame.instances:
            instance.track = None
    instances = load(save(labels, tmp_path)).instances
    assert len(set(instances.track[:5].tolist())) == 5
    assert instances.previous[:6].tolist() == [-1] * 6


# ------------------------------------------------------------------------------------------------------- predicted
def corrected(clip: Path) -> sleap_io.Labels:
    """Everything is predicted; in frame 1 a user corrected Ann, in frame 2 both."""
    labels, user = project(clip, sleap_io.PredictedInstance), project(clip)
    for f, corrections in ((1, 1), (2, 2)):
        frame = labels.labeled_frames[f]
        for number in range(corrections):
            mine = user.labeled_frames[f].instances[number].numpy()
            old = frame.instances[number]
            again = sleap_io.Instance.from_numpy(mine + 0.5, skeleton=old.skeleton, track=old.track)
            again.from_predicted = old
            frame.instances.append(again)
    return labels


def test_predicted_instances_are_boxes_without_truth(clip: Path, tmp_path: Path) -> None:
    video = load(save(corrected(clip), tmp_path))
    assert video.dropped == {"predicted, and labelled by a user too": 3}
    assert len(video.instances) == 2 * FRAMES
    assert video.instances.visible is not None
    known = video.instances.visible.any(1)
    assert torch.nonzero(known).flatten().tolist() == [3, 4, 5]
    assert torch.equal(video.instances.known, known)
    assert video.instances.ids[2:4] == ("1-0", "1-1")
    assert (video.instances.boxes[:, 2:] > 0).all()


def test_predicted_instances_count_or_go_if_asked(clip: Path, tmp_path: Path) -> None:
    path = save(corrected(clip), tmp_path)
    trusted = load(path, predicted="truth").instances
    assert trusted.visible is not None
    assert trusted.visible.any(1).all()
    assert trusted.known.all()
    without = load(path, predicted="none")
    assert len(without.instances) == 3
    assert without.dropped["predicted, not labelled by a user"] == 2 * FRAMES - 3


def test_a_project_of_predictions_has_no_truth_unless_they_are_trusted(clip: Path, tmp_path: Path) -> None:
    path = save(project(clip, sleap_io.PredictedInstance), tmp_path)
    assert not load(path).instances.has_truth
    assert same(load(path, predicted="truth").instances, load(save(project(clip), tmp_path, "user.slp")).instances)
    with pytest.raises(InputError, match="no instances to estimate; 16 dropped: predicted, not labelled by a user"):
        load(path, predicted="none")


def test_what_has_no_box_is_dropped_and_counted(clip: Path, tmp_path: Path) -> None:
    labels = project(clip)
    labels.labeled_frames[0].instances[0].points["visible"] = False
    labels.labeled_frames[3].instances[1].points["visible"][1:] = False
    video = load(save(labels, tmp_path))
    assert video.dropped == {"no point placed": 1, "box without area": 1}
    assert len(video.instances) == 2 * FRAMES - 2


def test_a_project_of_one_keypoint_has_boxes_of_the_extent_that_is_given(clip: Path, tmp_path: Path) -> None:
    video, dot = sleap_io.Video(filename=str(clip), open_backend=False), sleap_io.Skeleton(nodes=["dot"], name="dot")
    points = [sleap_io.Instance.from_numpy(np.array([[40.0 + f, 30.5]]), skeleton=dot) for f in range(3)]
    frames = [sleap_io.LabeledFrame(video=video, frame_idx=f, instances=[p]) for f, p in enumerate(points)]
    path = save(sleap_io.Labels(frames, videos=[video], skeletons=[dot]), tmp_path)
    assert load(path, extent=20).instances.boxes.tolist() == [[30.0 + f, 20.5, 20, 20] for f in range(3)]
    with pytest.raises(InputError, match="3 dropped: box without area"):
        load(path)
    with pytest.raises(InputError, match="extent is -1"):
        load(path, extent=-1)


# ------------------------------------------------------------------------------------------------------ DeepLabCut
def deeplabcut(folder: Path, several: bool) -> Path:
    """A table as DeepLabCut's labelling writes it, beside its pictures; rows in the order of their frames' numbers."""
    here = folder / "labeled-data" / "arena"
    here.mkdir(parents=True)
    people = ["ann", "bob"] if several else ["ann"]
    columns = [(who, node, axis) for who in people for node in NODES for axis in "xy"]
    heads = [["scorer", *["me"] * len(columns)]]
    heads += [["individuals", *(who for who, _, _ in columns)]] if several else []
    heads += [["bodyparts", *(node for _, node, _ in columns)], ["coords", *(axis for _, _, axis in columns)]]
    rows = []
    for f, both in enumerate(poses()):
        cv2.imwrite(str(here / f"img{f:04d}.png"), picture(f).permute(1, 2, 0).numpy())
        numbers = both[: len(people)].ravel()
        rows.append([f"labeled-data/arena/img{f:04d}.png", *("" if np.isnan(n) else f"{n}" for n in numbers)])
    path = here / "CollectedData_me.csv"
    path.write_text("".join(",".join(row) + "\n" for row in [*heads, *rows]))
    return path


@pytest.mark.parametrize("several", [False, True])
def test_a_deeplabcut_table_opens_with_its_pictures(clip: Path, tmp_path: Path, several: bool) -> None:
    video = load(deeplabcut(tmp_path, several))
    theirs = load(save(project(clip), tmp_path)).instances
    order = [video.skeleton.keypoints.index(node) for node in NODES]
    assert sorted(order) == list(range(13))
    assert isinstance(video.frames, PictureFiles)
    assert video.name == "arena"
    assert [video.frames.read(f)[0, 0, 0].item() for f in range(FRAMES)] == [grey(f) for f in range(FRAMES)]
    own = video.instances
    assert own.keypoints is not None
    assert theirs.keypoints is not None
    mine = torch.arange(2 * FRAMES) if several else torch.arange(FRAMES) * 2
    assert own.frame.tolist() == theirs.frame[mine].tolist()
    assert torch.equal(own.keypoints[:, order], theirs.keypoints[mine])
    assert torch.equal(own.boxes, theirs.boxes[mine])
    if several:
        assert torch.equal(own.previous, theirs.previous)


def test_a_missing_picture_of_a_deeplabcut_table_is_no_shift_of_frames(tmp_path: Path) -> None:
    path = deeplabcut(tmp_path, several=False)
    (path.parent / "img0003.png").unlink()
    with pytest.raises(InputError, match=r"is about labeled-data/arena/img0003\.png, which is not there or beside"):
        load(path)


def table(folder: Path, names: list[str], cells: int = 1, pictures: bool = True, tracked: bool = False) -> Path:
    """A table about pictures of these paths, backslashes kept; the only keypoint's x is the row's number."""
    heads = {"scorer": ["me"] * 4, "individuals": ["ann"] * 4, "bodyparts": list("aabb"), "coords": list("xyxy")}
    lines = [
        [name, *[""] * (cells - 1), *columns] for name, columns in heads.items() if tracked or name != "individuals"
    ]
    for row, name in enumerate(names):
        path = folder / name.replace("\\", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        if pictures:
            cv2.imwrite(str(path), np.full((60, 80, 3), row, np.uint8))
        place = name.split("/") if cells > 1 else [name]
        lines.append([*place, str(10 + row), "20", "40", "50"])
    (folder / "CollectedData.csv").write_text("".join(",".join(line) + "\n" for line in lines))
    return folder / "CollectedData.csv"


def frames_and_rows(video: Video) -> list[tuple[int, int]]:
    assert video.instances.keypoints is not None
    return list(
        zip(video.instances.frame.tolist(), (video.instances.keypoints[:, 0, 0] - 10).int().tolist(), strict=True)
    )


SPARSE = ["labeled-data/vid/img005.png", "labeled-data/vid/img020.png", "labeled-data/vid/img040.png"]


@pytest.fixture
def film(tmp_path: Path) -> Path:
    path = tmp_path / "film.mp4"
    write_video(path, (torch.full((3, 60, 80), 5 * i, dtype=torch.uint8) for i in range(50)))
    return path


@pytest.mark.parametrize("pictures", [True, False])
def test_the_number_in_a_picture_s_name_is_its_frame_in_the_video(tmp_path: Path, film: Path, pictures: bool) -> None:
    video = load(table(tmp_path, [SPARSE[2], SPARSE[0], SPARSE[1]], pictures=pictures), frames=film)
    assert frames_and_rows(video) == [(5, 1), (20, 2), (40, 0)]
    assert len(video.frames) == 50
    assert abs(video.frames.read(20).float().mean() - 100) < 4


def test_pictures_picked_here_and_there_are_no_neighbours_in_time(tmp_path: Path) -> None:
    video = load(table(tmp_path, SPARSE, tracked=True))
    assert [video.frames.time(i) for i in range(3)] == [5, 20, 40]
    assert video.instances.previous.tolist() == [-1, -1, -1]
    together = load(table(tmp_path / "b", ["v/a7.png", "v/a8.png", "v/a30.png"], tracked=True)).instances
    assert together.previous.tolist() == [-1, 0, -1]


def test_every_tenth_frame_has_neighbours(tmp_path: Path) -> None:
    tenth = table(tmp_path, [f"v/img{number:03d}.png" for number in range(0, 80, 10)], tracked=True)
    assert load(tenth).instances.next.tolist() == [1, 2, 3, 4, 5, 6, 7, -1]


@pytest.mark.parametrize(
    "names",
    [
        [name.replace("/", "\\") for name in SPARSE],
        [SPARSE[0].replace("/", "\\"), *SPARSE[1:]],
        [f"labeled-data/img{number}.png" for number in (5, 20, 40)],
        [f"img{number}.png" for number in (5, 20, 40)],
        [f"a/b/c/img{number}.jpg" for number in (5, 20, 40)],
    ],
    ids=["backslashes", "mixed", "one folder", "beside", "deep"],
)
def test_every_row_is_an_instance_of_one_video(tmp_path: Path, names: list[str]) -> None:
    path = table(tmp_path, names)
    assert len(SleapIO(path).videos()) == 1
    video = load(path)
    assert frames_and_rows(video) == [(0, 0), (1, 1), (2, 2)]
    assert [int(video.frames.read(i)[0, 0, 0]) for i in range(3)] == [0, 1, 2]


def test_a_path_may_stand_in_several_cells(tmp_path: Path) -> None:
    assert frames_and_rows(load(table(tmp_path, SPARSE, cells=3))) == [(0, 0), (1, 1), (2, 2)]


def test_a_table_s_project_gives_its_edges(tmp_path: Path) -> None:
    path = table(tmp_path / "project" / "labeled-data" / "vid", ["labeled-data/vid/img1.png"])
    config = "Task: t\nscorer: me\nmultianimalproject: false\nbodyparts: [a, b]\nskeleton: [[a, b]]\nvideo_sets: {}\n"
    (tmp_path / "project" / "config.yaml").write_text(config)
    assert load(path).skeleton.edges == ((0, 1),)


def test_a_table_whose_rows_are_torn_is_named(tmp_path: Path) -> None:
    path = table(tmp_path, SPARSE)
    path.write_text(path.read_text() + "labeled-data/vid/img050.png,1,2,x,4,5,6\n")
    with pytest.raises(InputError, match=r"CollectedData\.csv is no project that sleap-io"):
        load(path)


def test_folders_of_one_name_are_two_videos(tmp_path: Path) -> None:
    path = table(tmp_path, ["a/cam/img1.png", "b/cam/img1.png", "b/cam/img2.png"])
    assert sorted(len(SleapIO(path).load(name).instances) for name in SleapIO(path).videos()) == [1, 2]


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["v/first.png", "v/second.png"], "names do not say which frames"),
        (["v/img5.png", "v/img50.png"], "frame 50 has instances, but no picture among the 50 of its video"),
        (["v/a1.png", "v/b1.png"], "names do not say which frames"),
        (["v/img5.png", "v/img5.png"], "picture v/img5.png has two rows"),
    ],
)
def test_what_cannot_be_placed_in_the_video_is_named(tmp_path: Path, film: Path, names: list[str], words: str) -> None:
    with pytest.raises(InputError, match=re.escape(words)):
        load(table(tmp_path, names), frames=film)


# ------------------------------------------------------------------------------------------------------- bad input
def broken(change: Callable[[sleap_io.Labels], object]) -> Callable[[Path, Path], Path]:
    """A project that was changed before it was saved."""

    def write(clip: Path, folder: Path) -> Path:
        labels = project(clip)
        change(labels)
        return save(labels, folder)

    return write


def text(name: str, content: bytes) -> Callable[[Path, Path], Path]:
    def write(clip: Path, folder: Path) -> Path:
        (folder / name).write_bytes(content)
        return folder / name

    return write


def cut(clip: Path, folder: Path) -> Path:
    path = save(project(clip), folder)
    path.write_bytes(path.read_bytes()[:3000])
    return path


def twice(labels: sleap_io.Labels) -> None:
    one, other = labels.labeled_frames[3].instances
    other.track = one.track


def nothing_of(labels: sleap_io.Labels) -> None:
    labels.labeled_frames.clear()


def late(labels: sleap_io.Labels) -> None:
    labels.labeled_frames[-1].frame_idx = FRAMES


BAD: dict[str, tuple[Callable[[Path, Path], Path], list[str]]] = {
    "missing": (lambda clip, folder: folder / "gone.slp", ["gone.slp does not exist"]),
    "impossible name": (lambda clip, folder: folder / ("x" * 5000), ["does not exist"]),
    "no project": (text("a.slp", b"track,frame\n1,2\n"), ["a.slp is no project that sleap-io"]),
    "empty": (text("a.slp", b""), ["a.slp is no project that sleap-io"]),
    "another table": (text("a.csv", b"track,frame\n1,2\n"), ["a.csv is no project that sleap-io"]),
    "unknown kind": (text("a.xyz", b"1"), ["a.xyz is no project that sleap-io", "Could not infer format"]),
    "half": (cut, ["flies.slp is no project that sleap-io"]),
    "a video": (lambda clip, folder: clip, ["clip.mp4 holds pictures and no labels"]),
    "a folder": (lambda clip, folder: folder, ["is no project that sleap-io"]),
    "no instances": (broken(nothing_of), ["flies.slp has no instances"]),
    "track twice": (broken(twice), ["flies.slp", "track 'ann' is twice in frame 3"]),
    "beyond the video": (broken(late), ["flies.slp", "frame 8 has instances, but no picture among the 8"]),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_named_in_one_line(clip: Path, tmp_path: Path, case: str) -> None:
    write, words = BAD[case]
    path = write(clip, tmp_path)
    with pytest.raises(InputError) as caught:
        load(path)
    message = str(caught.value)
    assert "\n" not in message
    assert [word for word in words if word not in message] == [], message


def test_a_project_without_skeleton_is_named(clip: Path, tmp_path: Path) -> None:
    video = sleap_io.Video(filename=str(clip), open_backend=False)
    bare = sleap_io.Skeleton(nodes=[], name="none")
    frame = sleap_io.LabeledFrame(
        video=video, frame_idx=0, instances=[sleap_io.Instance.from_numpy(np.zeros((0, 2)), skeleton=bare)]
    )
    path = save(sleap_io.Labels([frame], videos=[video], skeletons=[bare]), tmp_path)
    with pytest.raises(InputError, match=r"flies\.slp has no skeleton with keypoints"):
        load(path)


def test_a_damaged_video_is_named(clip: Path, tmp_path: Path) -> None:
    path = save(project(clip), tmp_path)
    (tmp_path / "clip.mp4").write_bytes(b"no video")
    with pytest.raises(InputError, match=r"clip\.mp4 cannot be read as a video"):
        load(path, frames=tmp_path)


# -------------------------------------------------------------------------------------------------- whole commands
def test_a_run_on_a_project(clip: Path, tmp_path: Path, vatl: Vatl) -> None:
    path = save(project(clip), tmp_path)
    done = vatl(
        *("run", "--dataset", "sleap-io", "-o", f"dataset.labels={path}", "--estimator", "tiny", "--weights", "none"),
        *("-o", "estimator.input_size=64,64", "-o", "estimator.width=8", "--schedule", "4,8", "--json"),
        *("-o", "retrain.steps=4", "-o", "retrain.epochs=1"),
    )
    assert done.code == 0, done.err
    assert "clip" in done.out
    missing = vatl("run", "--dataset", "sleap-io", "-o", "dataset.labels=gone.slp")
    assert missing.code == 2
    assert "gone.slp does not exist" in missing.err
    assert "Traceback" not in missing.err


def test_the_plugin_describes_the_data_set_without_importing_it() -> None:
    (component,) = vatl_components()
    assert (component.kind, component.name, component.load()) == ("dataset", "sleap-io", SleapIO)
    program = "import sys, vatl_sleap_io.plugin; print({'torch', 'numpy', 'sleap_io', 'cv2'} & set(sys.modules))"
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "set()"


@pytest.mark.parametrize("name", ["flies.slp", "flies.analysis.h5"])
@pytest.mark.parametrize("scheme", ["http", "s3"])
def test_no_address_that_a_project_names_is_asked(name: str, scheme: str, clip: Path, tmp_path: Path) -> None:
    labels, foreign = project(clip), "127.0.0.1.invalid"
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        address = f"127.0.0.1:{server.getsockname()[1]}"
        labels.videos[0].filename = f"{scheme}://{foreign}/clip.mp4"
        path = tmp_path / name
        {
            "flies.slp": lambda: labels.save(str(path), embed=False),
            "flies.analysis.h5": lambda: sleap_io.save_analysis_h5(labels, str(path)),
        }[name]()
        data = path.read_bytes()
        assert foreign.encode() in data
        path.write_bytes(data.replace(foreign.encode(), address.ljust(len(foreign), "/").encode()))
        with pytest.raises(InputError, match=r"flies\..*clip"):
            load(path)
        with pytest.raises(TimeoutError):
            server.accept()


def test_a_project_leads_out_of_its_folder_by_absolute_paths_alone(clip: Path, tmp_path: Path) -> None:
    folder = tmp_path / "project"
    folder.mkdir()
    labels, elsewhere = project(clip), tmp_path / "private.mp4"
    elsewhere.write_bytes(clip.read_bytes())
    for named, refused in (
        ("../private.mp4", (None, False)),
        (str(elsewhere), (False,)),
        (f"{folder}/../private.mp4", (None, False)),
    ):
        labels.videos[0].filename = named
        path = save(labels, folder)
        for outside in (None, False, True):
            if outside in refused:
                with pytest.raises(InputError, match=r"private\.mp4, which is not there .* outside=true"):
                    load(path, outside=outside)
            else:
                assert len(load(path, outside=outside).frames) == FRAMES
    (folder / "private.mp4").write_bytes(clip.read_bytes())
    assert len(load(path, outside=False).frames) == FRAMES


@pytest.mark.parametrize("name", ["list.ffconcat", "clip.avi"])
def test_a_playlist_in_place_of_a_projects_video_is_refused(name: str, clip: Path, tmp_path: Path) -> None:
    (tmp_path / "real.mp4").write_bytes(clip.read_bytes())
    (tmp_path / name).write_text("ffconcat version 1.0\nfile real.mp4\n")
    for kind in ("slp", "analysis.h5"):
        path = tmp_path / f"flies.{kind}"
        labels = project(tmp_path / name)
        labels.save(str(path), embed=False) if kind == "slp" else sleap_io.save_analysis_h5(labels, str(path))
        with pytest.raises(InputError, match=rf"{name} cannot be read as a video"):
            load(path)

"""Each file that ``vatl predict`` writes is opened again: by us, by sleap-io, and as DeepLabCut's reader would."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import attrs
import cv2
import h5py
import numpy as np
import pandas
import pytest
import sleap_io
import torch

from tests.conftest import STICK, Squares, stick_video
from vatl_core.errors import InputError
from vatl_core.video import Instances, Skeleton, Video
from vatl_drawing import write_video
from vatl_frames import PictureFiles, VideoFile
from vatl_predict.deeplabcut import KEY
from vatl_predict.formats import FORMATS, check_installed
from vatl_predict.places import Place, named_apart
from vatl_predict.predictions import Predictions
from vatl_sleap_io.dataset import SleapIO

SCORER = "DLC_vatl_tiny"
FRAMES, EMPTY, LABEL, LACKING = 8, 3, 5, 2
"""Of the clip; the one with nobody on it; the instance that is labelled, and the keypoint that its label has not."""


def clip(folder: Path, tracks: int = 2, pictures: bool = False) -> Video:
    """Sticks as a video file or as pictures on disk; nobody is on frame 3."""
    video = stick_video(FRAMES, tracks)
    assert isinstance(video.frames, Squares)
    if pictures:
        files = [folder / "shots" / f"img{7 + 2 * i:03d}.png" for i in range(FRAMES)]
        files[0].parent.mkdir()
        for file, picture in zip(files, video.frames.pictures, strict=True):
            cv2.imwrite(str(file), picture.permute(1, 2, 0).numpy()[..., ::-1])
        frames: Any = PictureFiles(files)
    else:
        write_video(folder / "clip.mp4", iter(video.frames.pictures), 29.97)
        frames = VideoFile(folder / "clip.mp4")
    there = video.instances.frame != EMPTY
    columns = (getattr(video.instances, name)[there] for name in ("frame", "track", "boxes"))
    return Video("clip", STICK, frames, Instances.of(*columns))


def poses(video: Video) -> Predictions:
    """Poses of all instances, and one label, which lacks a keypoint and has a hidden one."""
    count = len(video.instances)
    points = torch.arange(count * 10).view(count, 5, 2) / 7
    found = Predictions.estimated(video, points, torch.linspace(0.1, 0.9, count * 5).view(count, 5))
    found.labelled[LABEL] = True
    found.visible[LABEL, LACKING] = False
    found.occluded[LABEL, 0] = True
    found.keypoints[LABEL, LACKING] = 0
    found.scores[LABEL] = found.visible[LABEL].float()
    return found


def written(found: Predictions, name: str, folder: Path) -> Path:
    place = Place(folder, found.video.name, SCORER, "clip.")
    FORMATS[name].check(found.video)
    FORMATS[name].write(found, place.of(name), SCORER)
    assert not [path for path in folder.iterdir() if ".part" in path.name]
    return place.of(name)


def by_place(labels: sleap_io.Labels) -> dict[tuple[int, str | None], sleap_io.Instance]:
    return {(f.frame_idx, i.track.name if i.track else None): i for f in labels for i in f.instances}


def expected(found: Predictions, row: int) -> np.ndarray[Any, Any]:
    return np.where(found.visible[row][:, None], found.keypoints[row], np.nan)


# ------------------------------------------------------------------------------------------------------------------ slp
@pytest.mark.parametrize("pictures", [False, True])
def test_a_project_keeps_frames_files_skeleton_tracks_scores_and_who_labelled(tmp_path: Path, pictures: bool) -> None:
    found = poses(clip(tmp_path, pictures=pictures))
    labels = sleap_io.load_file(str(written(found, "slp", tmp_path)))
    video = labels.video
    frames = found.video.frames
    files = [str(path) for path in frames.paths] if isinstance(frames, PictureFiles) else str(tmp_path / "clip.mp4")
    assert video.filename == files
    assert tuple(video.shape) == (FRAMES, 120, 160, 3)
    assert labels.skeleton.node_names == list(STICK.keypoints)
    assert (labels.skeleton.edge_inds, labels.skeleton.name) == ([*STICK.edges], "stick")
    assert {frozenset(s) for s in labels.skeleton.symmetry_inds} == {frozenset(p) for p in STICK.flip_pairs}
    assert [track.name for track in labels.tracks] == ["track_0", "track_1"]
    again = by_place(labels)
    assert len(again) == len(found.index) == 14
    instances = found.video.instances
    for row in range(14):
        one = again[int(instances.frame[row]), f"track_{int(instances.track[row])}"]
        np.testing.assert_allclose(one.numpy(), expected(found, row), atol=1e-4)
        assert isinstance(one, sleap_io.PredictedInstance) is (row != LABEL)
        if isinstance(one, sleap_io.PredictedInstance):
            np.testing.assert_allclose(one.points["score"], found.scores[row], atol=1e-6)
            assert one.score == pytest.approx(float(found.scores[row].mean()))


def test_a_project_is_a_data_set_again(tmp_path: Path) -> None:
    found = poses(clip(tmp_path))
    data = SleapIO(written(found, "slp", tmp_path), predicted="truth")
    video = data.load(*data.videos())
    one, two = video.instances, found.video.instances
    assert video.skeleton == attrs.evolve(STICK, name="stick")
    for column in ("frame", "track", "previous", "next"):
        assert getattr(one, column).tolist() == getattr(two, column).tolist(), column
    assert one.keypoints is not None
    assert torch.allclose(one.keypoints, found.keypoints, atol=1e-4)


def test_a_video_without_tracks_has_none_in_a_project(tmp_path: Path) -> None:
    video = clip(tmp_path)
    instances = attrs.evolve(video.instances, track=torch.arange(len(video.instances)))
    found = poses(attrs.evolve(video, instances=instances))
    labels = sleap_io.load_file(str(written(found, "slp", tmp_path)))
    assert labels.tracks == []
    assert {instance.track for frame in labels for instance in frame.instances} == {None}


def test_a_video_in_no_file_is_called_by_its_name(tmp_path: Path) -> None:
    video = attrs.evolve(stick_video(FRAMES), name="dance")
    labels = sleap_io.load_file(str(written(poses(video), "slp", tmp_path)), open_videos=False)
    assert labels.video.filename == "dance"


# ------------------------------------------------------------------------------------------------------------------ nwb
@pytest.fixture
def sound(monkeypatch: pytest.MonkeyPatch) -> None:
    """sleap-io counts whatever lay in memory among the times: it begins with numpy.empty(())."""
    monkeypatch.setattr("sleap_io.io.nwb_predictions.np.empty", np.zeros)


@pytest.mark.usefixtures("sound")
def test_nwb_keeps_frames_times_file_skeleton_tracks_and_scores(tmp_path: Path) -> None:
    found = poses(clip(tmp_path))
    path = written(found, "nwb", tmp_path)
    labels = sleap_io.load_file(str(path))
    assert labels.video.filename == str(tmp_path / "clip.mp4")
    assert labels.skeleton.node_names == list(STICK.keypoints)
    assert labels.skeleton.edge_inds == [*STICK.edges]
    again, instances = by_place(labels), found.video.instances
    assert {frame for frame, _ in again} == set(range(FRAMES)) - {EMPTY}
    for row in range(14):
        one = again[int(instances.frame[row]), f"track{int(instances.track[row])}"]
        np.testing.assert_allclose(one.numpy(), expected(found, row), atol=1e-4)
        seen = found.visible[row]
        np.testing.assert_allclose(one.points["score"][seen], found.scores[row][seen], atol=1e-6)
    with h5py.File(path) as file:
        series = file["processing/SLEAP_VIDEO_000_clip/track1/head"]
        frames = found.video.frames
        np.testing.assert_allclose(series["timestamps"], [frames.time(i) for i in range(FRAMES)], atol=1e-9)
        assert np.isnan(series["data"][EMPTY]).all()
        about = file["processing/SLEAP_VIDEO_000_clip/track1"]
        assert about["dimensions"][()].tolist() == [[160, 120]]
        assert (about["scorer"][()], about["source_software"][()]) == (SCORER.encode(), b"vatl")


def test_frames_of_nwb_are_read_as_they_were_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = poses(clip(tmp_path))
    path = written(found, "nwb", tmp_path)
    empty = np.empty
    memory = lambda shape, *more, **named: np.full((), -7.0) if shape == () else empty(shape, *more, **named)  # noqa: E731
    monkeypatch.setattr(np, "empty", memory)
    data = SleapIO(path, predicted="truth", frames=tmp_path / "clip.mp4")
    read = data.load(data.videos()[0]).instances
    assert sorted(read.frame.tolist()) == sorted(found.video.instances.frame.tolist())


def test_names_that_nwb_has_not_are_refused(tmp_path: Path) -> None:
    video = attrs.evolve(stick_video(FRAMES), skeleton=Skeleton("a/b", ["eye:L", "b", "c", "d", "e"]))
    with pytest.raises(InputError, match=r"^NWB's pose estimation has no name with / or : in it, as keypoint 'eye:L'"):
        written(poses(video), "nwb", tmp_path)
    assert not list(tmp_path.iterdir())


def test_names_of_skeleton_and_video_may_have_what_nwb_has_not(tmp_path: Path) -> None:
    video = attrs.evolve(stick_video(FRAMES), skeleton=attrs.evolve(STICK, name="a/b"), name="cam/1:2")
    place = Place(tmp_path, "x", SCORER)
    FORMATS["nwb"].write(poses(video), place.of("nwb"), SCORER)
    with h5py.File(place.of("nwb")) as file:
        assert set(file["processing"]) == {"behavior", "SLEAP_VIDEO_000_cam_1_2"}


# ----------------------------------------------------------------------------------------------------------- deeplabcut
def as_deeplabcut_reads(path: Path) -> pandas.DataFrame:
    if path.suffix == ".h5":
        return pandas.read_hdf(path)
    heads = [line.partition(",")[0] for line in path.read_text().splitlines()[:4]]
    return pandas.read_csv(path, header=[0, 1, 2, 3] if "individuals" in heads else [0, 1, 2], index_col=0)


@pytest.mark.parametrize("kind", ["csv", "h5"])
def test_deeplabcut_s_tables_of_several_animals(tmp_path: Path, kind: str) -> None:
    found = poses(clip(tmp_path))
    path = written(found, f"dlc-{kind}", tmp_path)
    assert path.name == f"clip{SCORER}.{kind}"
    table = as_deeplabcut_reads(path)
    assert list(table.columns.names) == ["scorer", "individuals", "bodyparts", "coords"]
    assert table.index.tolist() == list(range(FRAMES)), "a row a frame"
    assert table.columns.levels[0].tolist() == [SCORER]
    instances = found.video.instances
    for row in range(14):
        frame, track = int(instances.frame[row]), int(instances.track[row])
        values = table.loc[frame, (SCORER, f"track_{track}")].to_numpy().reshape(5, 3)
        np.testing.assert_allclose(values[:, :2], expected(found, row), atol=1e-4)
        likelihood = np.where(found.visible[row], found.scores[row], np.nan)
        np.testing.assert_allclose(values[:, 2], likelihood, atol=1e-4)
    assert table.loc[EMPTY].isna().all()
    bodyparts = table.columns.get_level_values("bodyparts")
    assert list(dict.fromkeys(bodyparts)) == list(STICK.keypoints)


def test_the_hdf5_table_is_called_as_deeplabcut_does(tmp_path: Path) -> None:
    with h5py.File(written(poses(clip(tmp_path)), "dlc-h5", tmp_path)) as file:
        assert list(file) == [KEY] == ["df_with_missing"]


@pytest.mark.parametrize("kind", ["csv", "h5"])
@pytest.mark.parametrize("linked", [True, False])
def test_one_animal_has_a_table_of_three_headings(tmp_path: Path, kind: str, linked: bool) -> None:
    video = clip(tmp_path, tracks=1)
    if not linked:  # one in a frame, whoever it is
        instances = attrs.evolve(video.instances, track=torch.arange(len(video.instances)))
        video = attrs.evolve(video, instances=instances)
    table = as_deeplabcut_reads(written(poses(video), f"dlc-{kind}", tmp_path))
    assert list(table.columns.names) == ["scorer", "bodyparts", "coords"]
    assert table.shape == (FRAMES, 15)
    assert table[SCORER, "footR", "x"].notna().tolist() == [frame != EMPTY for frame in range(FRAMES)]


@pytest.mark.parametrize("kind", ["csv", "h5"])
def test_a_table_is_a_data_set_again_over_its_video(tmp_path: Path, kind: str) -> None:
    found = poses(clip(tmp_path))
    data = SleapIO(written(found, f"dlc-{kind}", tmp_path), predicted="truth", least_likelihood=0)
    video = data.load(*data.videos())
    assert isinstance(video.frames, VideoFile)
    assert video.frames.path == tmp_path / "clip.mp4"
    one, two = video.instances, found.video.instances
    assert (one.frame.tolist(), one.track.tolist()) == (two.frame.tolist(), two.track.tolist())
    assert one.keypoints is not None
    assert one.visible is not None
    place = [STICK.keypoints.index(name) for name in video.skeleton.keypoints]  # sleap-io sorts them
    assert torch.equal(one.visible, found.visible[:, place])
    assert torch.allclose(one.keypoints, found.keypoints[:, place], atol=1e-4)


@pytest.mark.parametrize("kind", ["csv", "h5"])
def test_rows_of_pictures_are_called_by_their_files(tmp_path: Path, kind: str) -> None:
    names = ["Kopf", "épaule", "手,左", "a b", "=x"]
    video = attrs.evolve(clip(tmp_path, pictures=True), skeleton=Skeleton("fly", names))
    table = as_deeplabcut_reads(written(poses(video), f"dlc-{kind}", tmp_path))
    assert table.index.tolist() == [f"img{7 + 2 * i:03d}.png" for i in range(FRAMES)]
    read = list(dict.fromkeys(table.columns.get_level_values("bodyparts")))
    assert read == [*names[:4], "'=x" if kind == "csv" else "=x"], "a spreadsheet would run a formula"


def test_a_table_of_pictures_is_read_by_sleap_io(tmp_path: Path) -> None:
    found = poses(clip(tmp_path, pictures=True))
    path = written(found, "dlc-csv", tmp_path / "shots")
    labels = sleap_io.load_file(str(path))
    assert [Path(name).name for name in labels.video.filename] == [f"img{7 + 2 * i:03d}.png" for i in range(FRAMES)]
    assert set(labels.skeleton.node_names) == set(STICK.keypoints)
    again, instances = by_place(labels), found.video.instances
    place = [STICK.keypoints.index(name) for name in labels.skeleton.node_names]
    for row in range(14):
        one = again[int(instances.frame[row]), f"track_{int(instances.track[row])}"]
        np.testing.assert_allclose(one.numpy(), expected(found, row)[place], atol=1e-4)


# ------------------------------------------------------------------------------------------------------------- refusals
@pytest.mark.parametrize("name", ["dlc-csv", "dlc-h5", "nwb"])
def test_who_is_nowhere_told_apart_has_no_column(tmp_path: Path, name: str) -> None:
    video = clip(tmp_path)
    loose = attrs.evolve(video, instances=attrs.evolve(video.instances, track=torch.arange(14)))
    twice = attrs.evolve(video, instances=attrs.evolve(video.instances, track=torch.zeros(14, dtype=torch.int64)))
    before = sorted(tmp_path.iterdir())
    way_on = "choose a format with a row for each instance: --format coco, csv or slp"
    with pytest.raises(InputError, match=f"in video 'clip' nothing says who is who from frame to frame: {way_on}$"):
        written(poses(loose), name, tmp_path)
    with pytest.raises(InputError, match=f"in video 'clip' track_0 is twice on frame 0: {way_on}$"):
        written(poses(twice), name, tmp_path)
    assert sorted(tmp_path.iterdir()) == before


def test_a_table_too_large_for_memory_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vatl_predict.individuals.LARGEST", 100)
    with pytest.raises(InputError, match="'sticks' is too large: 2 individuals on 8 frames make 240 cells"):
        written(poses(stick_video(FRAMES)), "dlc-csv", tmp_path)


@pytest.mark.parametrize(
    ("name", "module"), [("slp", "sleap_io"), ("nwb", "pynwb"), ("nwb", "ndx_pose"), ("dlc-h5", "tables")]
)
def test_a_missing_package_is_named_with_what_installs_it(
    name: str, module: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = importlib.util.find_spec
    monkeypatch.setattr("importlib.util.find_spec", lambda asked: None if asked == module else found(asked))
    check_installed(["coco", "csv", "dlc-csv"])
    needs = rf"^--format {name} needs {module}, which is not installed: pip install 'vatl-predict\[{name}\]'$"
    with pytest.raises(InputError, match=needs):
        check_installed(["coco", name])


def test_videos_called_alike_have_files_of_their_own() -> None:
    places = named_apart(Path("out"), ["clip", "clip", "Clip", "clip-2", "a/b", ".."], SCORER)
    names = [place.video for place in places]
    assert names == ["clip", "clip-3", "Clip-4", "clip-2", "a_b", "__"]
    assert len({place.of(name) for place in places for name in FORMATS}) == len(names) * len(FORMATS)


def test_a_video_s_name_may_be_longer_than_a_file_s(tmp_path: Path) -> None:
    places = named_apart(tmp_path, ["手" * 200, "手" * 199], SCORER)
    assert len({place.video for place in places}) == 2
    for place in places:
        assert place.video.startswith("手" * 50)
        for name in ("coco", "dlc-csv"):
            FORMATS[name].write(poses(stick_video(FRAMES)), place.of(name), SCORER)

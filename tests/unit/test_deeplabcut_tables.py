"""Tables as DeepLabCut and Lightning Pose write them: HDF5 reads as CSV does, and predictions are no truth."""

from __future__ import annotations

import gzip
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import h5py
import numpy as np
import pytest
import torch

from vatl_core.errors import InputError
from vatl_core.video import Instances, Video
from vatl_drawing import write_video
from vatl_sleap_io.dataset import SleapIO

FILES = Path(__file__).parents[1] / "data" / "deeplabcut"
SCORER = "DLC_resnet50_flyshuffle1_1000"
FRAMES = 8
PARTS = ("nose", "tail", "ear")


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("clip") / "clip.avi"
    write_video(path, (torch.full((3, 96, 128), 20 + 25 * f, dtype=torch.uint8) for f in range(FRAMES)))
    return path


def stored(name: str, folder: Path) -> Path:
    """One of the stored tables; an HDF5 file is unpacked."""
    path = folder / name
    if path.suffix == ".csv":
        shutil.copy(FILES / name, path)
    else:
        path.write_bytes(gzip.decompress((FILES / f"{name}.gz").read_bytes()))
    return path


def load(path: Path, **options: Any) -> Video:
    data = SleapIO(path, **options)
    (name,) = data.videos()
    return data.load(name)


def nose_x(instances: Instances, video: Video) -> list[float]:
    assert instances.keypoints is not None
    return instances.keypoints[:, video.skeleton.keypoints.index("nose"), 0].tolist()


def pictures(folder: Path) -> None:
    (folder / "labeled-data" / "arena").mkdir(parents=True)
    for number in (5, 20, 40):
        cv2.imwrite(str(folder / f"labeled-data/arena/img{number:03d}.png"), np.full((96, 128, 3), number, np.uint8))


# ----------------------------------------------------------------------------------------------------- predictions
@pytest.mark.parametrize("suffix", [".csv", ".h5"])
def test_an_analysis_is_of_the_frames_of_the_video_beside_it(clip: Path, tmp_path: Path, suffix: str) -> None:
    path = stored(f"clip{SCORER}{suffix}", tmp_path)
    shutil.copy(clip, tmp_path)
    (tmp_path / f"clip{SCORER}_labeled.avi").write_bytes(b"another")
    video = load(path, predicted="truth")
    assert video.name == "clip"
    assert abs(video.frames.read(3).float().mean() - 95) < 4
    assert video.instances.frame.tolist() == [0, 1, 3, 4, 5, 7]  # of frame 2 nothing is known, of 6 nothing likely
    assert video.dropped == {"no point placed": 1}
    assert nose_x(video.instances, video) == [20 + 3 * f for f in (0, 1, 3, 4, 5, 7)]
    assert set(video.instances.track.tolist()) == {0}
    assert video.instances.next.tolist() == [1, -1, 3, 4, -1, -1]


@pytest.mark.parametrize(
    ("name", "scorer", "video"),
    [
        ("clip_DLC_resnet.csv", "DLC_resnet", "clip_"),
        ("my.clip_superanimal_bird.csv", "superanimal_bird", "my.clip"),
        ("clip.csv", "heatmap_tracker", "clip"),
        ("DLC_resnet.csv", "DLC_resnet", "DLC_resnet"),
    ],
)
def test_an_analysis_is_called_after_its_video_and_who_made_it(
    tmp_path: Path, name: str, scorer: str, video: str
) -> None:
    path = headings(scorer=",".join([scorer] * 6))(tmp_path)
    assert SleapIO(path.rename(tmp_path / name)).videos() == [video]


def test_a_point_that_is_not_likely_is_not_placed_and_stretches_no_box(clip: Path, tmp_path: Path) -> None:
    path = stored(f"clip{SCORER}.h5", tmp_path)
    video = load(path, frames=clip, predicted="truth")
    assert video.instances.visible is not None
    ear = video.skeleton.keypoints.index("ear")
    assert [row.tolist() for row in torch.nonzero(~video.instances.visible)] == [[3, ear]]
    assert video.instances.boxes[3, 2] < 100
    everything = load(path, frames=clip, predicted="truth", least_likelihood=0).instances
    assert everything.boxes[4 - 1, 2] > 400
    assert len(everything) == 7


@pytest.mark.parametrize("suffix", [".csv", ".h5"])
def test_an_analysis_has_no_truth_unless_it_is_trusted(clip: Path, tmp_path: Path, suffix: str) -> None:
    path = stored(f"clip{SCORER}{suffix}", tmp_path)
    instances = load(path, frames=clip).instances
    assert len(instances) == 6
    assert not instances.has_truth
    with pytest.raises(InputError, match="predicted, not labelled by a user"):
        load(path, frames=clip, predicted="none")


@pytest.mark.parametrize("suffix", [".csv", ".h5"])
def test_individuals_of_an_analysis_are_tracks(clip: Path, tmp_path: Path, suffix: str) -> None:
    video = load(stored(f"clip{SCORER}_el{suffix}", tmp_path), frames=clip.parent, predicted="truth")
    found = list(zip(video.instances.frame.tolist(), video.instances.track.tolist(), strict=True))
    assert found == [(f, t) for f in range(FRAMES) for t in (0, 1) if (f, t) != (3, 1)]
    assert nose_x(video.instances, video) == [20 + 3 * f + 40 * t for f, t in found]
    assert video.instances.next[4:8].tolist() == [6, -1, 7, 9]


def test_likelihoods_of_labelled_pictures_tell_predictions_too(tmp_path: Path) -> None:
    pictures(tmp_path)
    text = stored(f"clip{SCORER}.csv", tmp_path).read_text().splitlines()
    rows = [f"labeled-data/arena/img{n:03d}.png,{text[3].partition(',')[2]}" for n in (5, 20, 40)]
    (tmp_path / "machinelabels.csv").write_text("\n".join([*text[:3], *rows]) + "\n")
    assert not load(tmp_path / "machinelabels.csv").instances.has_truth


def test_empty_likelihoods_are_none(clip: Path, tmp_path: Path) -> None:
    instances = load(headings(row0="1,2,,3,4,", row1="1,2,nan,3,4,")(tmp_path), frames=clip).instances
    assert instances.known.tolist() == [True, True]
    part = load(headings(row0="1,2,.9,30,4,", row1="1,2,.9,30,40,.9")(tmp_path), frames=clip, predicted="truth")
    assert part.dropped == {"box without area": 1}, "one point alone is placed"


def test_points_of_frames_without_likelihood_are_a_user_s(clip: Path, tmp_path: Path) -> None:
    path = tmp_path / "clip.csv"
    path.write_text("scorer,me,me,me,me\nbodyparts,a,a,b,b\ncoords,x,y,x,y\n3,10,10,30,40\n5,11,11,31,41\n")
    instances = load(path, frames=clip).instances
    assert instances.frame.tolist() == [3, 5]
    assert instances.known.all()


# --------------------------------------------------------------------------------------------------- labelled data
@pytest.mark.parametrize(("name", "people"), [("CollectedData_paths", 1), ("CollectedData_parts", 2)])
def test_labelled_pictures_read_alike_from_both_files(tmp_path: Path, name: str, people: int) -> None:
    pictures(tmp_path)
    one, two = (load(stored(f"{name}{suffix}", tmp_path)) for suffix in (".csv", ".h5"))
    for video in (one, two):
        rows = [(f, p) for f in range(3) for p in range(people) if (f, p) != (1, 1)]
        assert video.instances.frame.tolist() == [f for f, _ in rows]
        assert nose_x(video.instances, video) == [20 + 3 * f + 40 * p for f, p in rows]
        assert video.instances.known.all()
        assert [int(video.frames.read(i)[0, 0, 0]) for i in range(3)] == [5, 20, 40]
    assert one.instances.visible is not None
    assert two.instances.visible is not None
    assert torch.equal(one.instances.visible, two.instances.visible)
    assert one.skeleton == two.skeleton
    assert people == 2 or int((~one.instances.visible).sum()) == 1


def test_the_number_in_a_name_of_an_hdf5_table_is_its_frame(tmp_path: Path) -> None:
    film = tmp_path / "film.mp4"
    write_video(film, (torch.full((3, 96, 128), 5 * i, dtype=torch.uint8) for i in range(45)))
    assert load(stored("CollectedData_paths.h5", tmp_path), frames=film).instances.frame.tolist() == [5, 20, 40]


# ------------------------------------------------------------------------------------------------------- bad input
def headings(**changes: str) -> Callable[[Path], Path]:
    """An analysis of two frames some of whose lines are others."""
    lines = {
        "scorer": "me,me,me,me,me,me", "bodyparts": "a,a,a,b,b,b", "coords": "x,y,likelihood,x,y,likelihood",
        "0": "1,2,.9,3,4,.9", "1": "1,2,.9,3,4,.9",
    } | {name.removeprefix("row"): line for name, line in changes.items()}  # fmt: skip

    def write(folder: Path) -> Path:
        path = folder / "clip.csv"
        path.write_text("".join(f"{name},{line}\n" for name, line in lines.items()))
        return path

    return write


def text(content: str) -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        path = folder / "clip.h5"
        path.write_bytes(content.encode())
        return path

    return write


def exchanged(path: Path) -> Path:
    scorer, individuals, bodyparts, *rest = path.read_text().splitlines()
    path.write_text("\n".join([scorer, bodyparts, individuals, *rest]) + "\n")
    return path


def cut(folder: Path) -> Path:
    path = stored(f"clip{SCORER}.h5", folder)
    path.write_bytes(path.read_bytes()[:20000])
    return path


def two_tables(folder: Path) -> Path:
    path = stored(f"clip{SCORER}.h5", folder)
    with h5py.File(path, "a") as file:
        file.copy("df_with_missing", "another")
    return path


def no_table(folder: Path) -> Path:
    with h5py.File(folder / "clip.h5", "w") as file:
        file["anything"] = np.zeros(3)
    return folder / "clip.h5"


def two_videos(folder: Path) -> Path:
    for suffix in ("avi", "mp4"):
        (folder / f"clip.{suffix}").touch()
    return stored(f"clip{SCORER}.h5", folder)


BAD: dict[str, tuple[Callable[[Path], Path], str]] = {
    "no video": (lambda folder: stored(f"clip{SCORER}.h5", folder), r"clip\.\*, which is not there or beside"),
    "two videos": (two_videos, r"clip\.avi and clip\.mp4 may both be meant: give the right one as the option frames"),
    "not HDF5": (text("version https://git-lfs.github.com/spec/v1\n"), r"clip\.h5 is no project that sleap-io"),
    "cut off": (cut, r"\.h5 is no project that sleap-io"),
    "two tables": (two_tables, r"holds 2 tables: /another, /df_with_missing"),
    "no table": (no_table, r"clip\.h5 is no project that sleap-io"),
    "a column twice": (headings(coords="x,y,likelihood,x,x,likelihood"), "column me b x is there twice"),
    "two scorers": (headings(scorer="me,me,me,you,you,you", bodyparts="a,a,a,a,a,a"), "column you a x is there twice"),
    "headings exchanged": (
        lambda folder: exchanged(stored(f"clip{SCORER}_el.csv", folder)),
        "its headings are scorer, bodyparts, individuals, coords, not scorer, bodyparts, coords",
    ),
    "three dimensions": (headings(coords="x,y,z,x,y,z"), "me a has x, y, z, not x, y"),
    "one likelihood": (headings(coords="x,y,likelihood,x,y,"), r"me b has , x, y, not likelihood, x, y"),
    "a torn row": (headings(row1="1,2,.9"), "line 5 has 4 cells, not 7: is the file complete"),
    "torn headings": (headings(bodyparts="a,a,a,b"), "line 2 has 5 cells, not 7"),
    "no number": (headings(row1="1,2,.9,3,4,high"), "line 5: 'high' is no number"),
    "a frame twice": (headings(**{"row0.0": "1,2,.9,3,4,.9"}), "frame 0 has two rows"),
    "neither frame nor picture": (headings(first="1,2,.9,3,4,.9"), "'0' is neither a picture's path nor a frame"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_tables_are_named_in_one_line(tmp_path: Path, case: str) -> None:
    write, words = BAD[case]
    with pytest.raises(InputError, match=words) as caught:
        load(write(tmp_path))
    assert "\n" not in str(caught.value)


def test_a_table_longer_than_the_video_is_named(clip: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="frame 9 has instances, but no picture among the 8 of its video"):
        load(headings(row9="1,2,.9,3,4,.9")(tmp_path), frames=clip)


def test_a_program_in_a_table_is_never_run(tmp_path: Path) -> None:
    path, mark = stored(f"clip{SCORER}.h5", tmp_path), tmp_path / "run"
    with h5py.File(path, "a") as file:
        program = f"cposix\nsystem\n(Vtouch {mark}\ntR."
        file["df_with_missing"].attrs["non_index_axes"] = np.bytes_(program.encode())
    with pytest.raises(InputError, match=r"holds posix\.system where texts are expected"):
        load(path)
    assert not mark.exists()


@pytest.mark.parametrize("least", [-0.1, 1.5])
def test_a_likelihood_is_from_0_to_1(least: float) -> None:
    with pytest.raises(ValueError, match="least_likelihood"):
        SleapIO(Path("clip.h5"), least_likelihood=least)


def test_a_configuration_that_is_torn_is_named(tmp_path: Path) -> None:
    pictures(tmp_path)
    table = stored("CollectedData_paths.csv", tmp_path)
    (tmp_path / "config.yaml").write_text("Task: [flies\n")
    with pytest.raises(InputError, match=r"CollectedData_paths\.csv is no project .* config .*config\.yaml"):
        load(table)

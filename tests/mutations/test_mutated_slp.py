"""SLEAP projects, mutated."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import h5py
import numpy as np
import pytest
import sleap_io
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.mutations.calling import assert_refused_well, checked
from tests.mutations.examples import mutated
from tests.mutations.files import mutate_file
from tests.mutations.json_trees import mutated_trees
from tests.mutations.slp_reading import assert_says
from vatl_core.errors import InputError
from vatl_drawing import write_video
from vatl_sleap_io.dataset import SleapIO
from vatl_sleap_io.slp_tables import refuse_contradictions

FRAMES, HEIGHT, WIDTH = 4, 48, 64
TABLES: Final = ("frames", "instances", "points")
NAMES: Final = ("flies.slp", "clip.mp4")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a clip, and a project of two flies of three nodes in each of its frames."""
    folder = tmp_path_factory.mktemp("flies")
    grey = (torch.full((3, HEIGHT, WIDTH), 20 + 25 * f, dtype=torch.uint8) for f in range(FRAMES))
    write_video(folder / "clip.mp4", grey)
    nodes = sleap_io.Skeleton(nodes=["head", "wingL", "wingR"], edges=[(0, 1), (0, 2)], name="fly")
    video, tracks = sleap_io.Video(filename="clip.mp4", open_backend=False), [sleap_io.Track("a"), sleap_io.Track("b")]
    frames = [
        sleap_io.LabeledFrame(video=video, frame_idx=f, instances=[_fly(nodes, f, t, tracks[t]) for t in (0, 1)])
        for f in range(FRAMES)
    ]
    labels = sleap_io.Labels(frames, videos=[video], skeletons=[nodes], tracks=tracks)
    labels.save(str(folder / "flies.slp"), embed=False)
    return folder


def _fly(nodes: sleap_io.Skeleton, f: int, t: int, track: sleap_io.Track) -> sleap_io.Instance:
    points = np.array([[8.0, 9], [12, 14], [20, 11]]) + np.array([20 * t + f, 5 * t])
    if (f, t) == (2, 1):
        points[1] = np.nan
    return sleap_io.Instance.from_numpy(points, skeleton=nodes, track=track)


def assert_refused_or_said(path: Path) -> None:
    outcome = checked("sleap-io", f"labels={path}", f"frames={path.parent}")
    if outcome.code:
        assert_refused_well(outcome, NAMES)
        return
    data = SleapIO(path, frames=path.parent)
    assert_says(path, {name: data.load(name) for name in data.videos()}, outcome)


def mutate_table(draw: st.DrawFn, file: h5py.File) -> None:
    """A row dropped, twice, exchanged for another; a cell with another number; the table gone, or of another type."""
    name = draw(st.sampled_from(TABLES))
    rows, draw_row = file[name][:], st.integers(0, len(file[name]) - 1)
    del file[name]
    way, i, j = (
        draw(st.sampled_from(["drop", "twice", "exchange", "cell", "cell", "cell", "column", "gone", "retype"])),
        draw(draw_row),
        draw(draw_row),
    )
    column = draw(st.sampled_from(rows.dtype.names))
    if way == "drop":
        rows = np.delete(rows, i)
    elif way == "twice":
        rows = np.insert(rows, j, rows[i])
    elif way == "exchange":
        rows[[i, j]] = rows[[j, i]]
    elif way == "cell":
        rows[column][i] = np.array(draw(st.sampled_from([0, 1, 2, 5, -1, -2, 10**9, rows[column][j]]))).astype(
            rows.dtype[column]
        )
    elif way == "column":
        rows[column] = rows[column][::-1].copy()
    elif way == "retype":
        rows = rows.astype([(n, "f8" if n == column else rows.dtype[n]) for n in rows.dtype.names])
    if way != "gone":
        file[name] = rows


def mutate_json(draw: st.DrawFn, file: h5py.File) -> None:
    """What the project says of its skeleton, its tracks or its video."""
    name = draw(st.sampled_from(["metadata", "tracks_json", "videos_json"]))
    if name == "metadata":
        told = json.loads(file[name].attrs["json"])
        file[name].attrs["json"] = np.bytes_(draw(mutated_trees(told)).encode())
        return
    told = [json.loads(text) for text in file[name][:]]
    changed = json.loads(draw(mutated_trees(told)))
    del file[name]
    lines = changed if isinstance(changed, list) else [changed]
    file[name] = np.array([json.dumps(line).encode() for line in lines], dtype=object) if lines else np.array([], "S1")


@mutated(12)
@given(data=st.data())
def test_mutated_tables_are_refused_or_read_as_they_say(project: Path, data: st.DataObject) -> None:
    _hold(
        project,
        lambda path: _in_file(path, data.draw(st.sampled_from([mutate_table, mutate_table, mutate_json])), data),
    )


@mutated(6)
@given(data=st.data())
def test_a_mutated_file_is_refused_or_read_as_it_says(project: Path, data: st.DataObject) -> None:
    _hold(project, lambda path: mutate_file(data.draw, path.parent / data.draw(st.sampled_from([*NAMES, "flies.slp"]))))


def _in_file(path: Path, mutate: Callable[[Any, h5py.File], None], data: st.DataObject) -> None:
    with h5py.File(path, "r+") as file:
        mutate(data.draw, file)


def _hold(project: Path, mutate: Callable[[Path], None]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(shutil.copytree(project, Path(folder) / "flies")) / "flies.slp"
        mutate(path)
        assert_refused_or_said(path)


def _row(name: str, i: int, column: str, value: float) -> Callable[[h5py.File], None]:
    def change(file: h5py.File) -> None:
        rows = file[name][:]
        rows[column][i] = value
        file[name][:] = rows

    return change


def _without_row(name: str, i: int) -> Callable[[h5py.File], None]:
    def change(file: h5py.File) -> None:
        rows = np.delete(file[name][:], i)
        del file[name]
        file[name] = rows

    return change


def _nameless(file: h5py.File) -> None:
    told = json.loads(file["metadata"].attrs["json"])
    told["nodes"][0]["name"] = 7.5
    file["metadata"].attrs["json"] = np.bytes_(json.dumps(told).encode())


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (_without_row("instances", 2), "instances are not numbered as they stand"),
        (_row("instances", 2, "instance_id", 1), "instances are not numbered as they stand"),
        (_row("instances", 2, "instance_type", 7), "an instance is neither a user's nor a prediction"),
        (_row("instances", 2, "track", -2), "has no possible track"),
        (_without_row("frames", 1), "instances belong to no frame"),
        (_row("frames", 1, "instance_id_end", 3), "instances belong to no frame"),
        (_row("frames", 1, "frame_id", 2), "or to another than they say"),
        (_row("instances", 2, "point_id_end", 8), r"is no project that sleap-io .* reads"),
        (_without_row("points", 0), r"is no project that sleap-io .* reads"),
        (_nameless, "has a keypoint called 7.5: give it a name"),
    ],
)
def test_tables_that_contradict_each_other_are_refused(
    project: Path, tmp_path: Path, change: Callable[[h5py.File], None], words: str
) -> None:
    path = Path(shutil.copy(project / "flies.slp", tmp_path))
    with h5py.File(path, "r+") as file:
        change(file)
    with pytest.raises(InputError, match=words):
        SleapIO(path, frames=project).videos()


def test_tables_without_names_of_columns_are_read_likewise(project: Path, tmp_path: Path) -> None:
    """Programs in browsers write them so."""
    path = Path(shutil.copy(project / "flies.slp", tmp_path))
    with h5py.File(path, "r+") as file:
        for name in ("frames", "instances"):
            rows = np.array(file[name][:].tolist(), dtype=np.float64).reshape(len(file[name]), -1)
            del file[name]
            file[name] = rows
    refuse_contradictions(path)


def test_a_frame_without_instances_belongs_to_a_project(project: Path, tmp_path: Path) -> None:
    labels = sleap_io.load_slp(str(project / "flies.slp"), open_videos=False)
    labels.labeled_frames[1].instances.clear()
    path = tmp_path / "flies.slp"
    labels.save(str(path), embed=False)
    assert [len(SleapIO(path, frames=project).load("clip").instances)] == [6]

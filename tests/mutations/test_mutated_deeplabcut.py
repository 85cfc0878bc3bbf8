"""DeepLabCut projects, mutated: the table of labelled pictures, the configuration, the pictures."""

from __future__ import annotations

import csv
import json
import math
import shutil
import tempfile
from pathlib import Path, PurePosixPath
from typing import Any, Final

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.mutations.calling import assert_refused_well, checked
from tests.mutations.examples import mutated
from tests.mutations.files import mutate_file
from tests.mutations.json_trees import mutated_trees
from tests.mutations.reading import close, seen
from tests.mutations.text_tables import mutated_tables
from vatl_core.errors import InputError
from vatl_core.video import Video
from vatl_sleap_io.dataset import SleapIO

NUMBERS: Final = (5, 20, 21, 40)
NODES: Final = ("head", "wingL", "wingR")
HEIGHT, WIDTH = 48, 64
CONFIG: Final[dict[str, Any]] = {
    "Task": "flies", "scorer": "me", "multianimalproject": False, "bodyparts": list(NODES),
    "skeleton": [["head", "wingL"], ["head", "wingR"]], "video_sets": {"videos/vid.mp4": {"crop": "0, 64, 0, 48"}},
}  # fmt: skip


def table() -> list[list[str]]:
    """As DeepLabCut writes it for one animal; a point is missing."""
    heads = [["scorer", *["me"] * 6], ["bodyparts", *(n for n in NODES for _ in "xy")], ["coords", *"xyxyxy"]]
    rows = [
        [f"labeled-data/vid/img{n:03d}.png", *(f"{v + place + 0.5}" for v in (8, 9, 12, 14, 20, 11))]
        for place, n in enumerate(NUMBERS)
    ]
    rows[2][3:5] = ["", ""]
    return [*heads, *rows]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("project")
    here = folder / "labeled-data" / "vid"
    here.mkdir(parents=True)
    for place, n in enumerate(NUMBERS):
        cv2.imwrite(str(here / f"img{n:03d}.png"), np.full((HEIGHT, WIDTH, 3), 20 + 25 * place, np.uint8))
    (folder / "config.yaml").write_text(json.dumps(CONFIG))  # JSON is YAML
    _save(here / "CollectedData_me.csv", table())
    return folder


def _save(path: Path, rows: list[list[str]]) -> None:
    path.write_text("".join(",".join(row) + "\n" for row in rows))


def assert_refused_or_said(path: Path) -> None:
    outcome = checked("sleap-io", f"labels={path}")
    if outcome.code:
        assert_refused_well(outcome, [path.name, "config.yaml", "img0"])
        return
    data = SleapIO(path)
    assert_says(path, {name: data.load(name) for name in data.videos()})


def assert_says(path: Path, videos: dict[str, Video]) -> None:
    """Make sure that videos have the rows of the table, and that all that is left out is counted."""
    with path.open(newline="", encoding="utf-8-sig") as file:
        lines = [line for line in csv.reader(file) if any(line)]
    heads = {line[0]: line[1:] for line in lines[1:3]}
    assert list(heads) == ["bodyparts", "coords"], f"read, though its heads are {list(heads)}"
    rows = {PurePosixPath(line[0].replace("\\", "/")).name: line[1:] for line in lines[3:]}
    assert len(rows) == len(lines) - 3, "read, though a picture is there twice"
    found = {str(i.picture): (i, v.skeleton.keypoints) for v in videos.values() for i in seen(v).values()}
    dropped = sum(sum(video.dropped.values()) for video in videos.values())
    empty = sum(not any(_number(cell) is not None for cell in row) for row in rows.values())
    assert len(found) + max(dropped, empty) == len(rows), "rows vanished"
    for name, (instance, keypoints) in found.items():
        places = dict(zip(zip(heads["bodyparts"], heads["coords"], strict=True), rows[name], strict=True))
        assert len(places) == len(heads["coords"]), "read, though two columns are of one coordinate"
        assert set(keypoints) >= {part for part, _ in places}
        for k, part in enumerate(keypoints):
            point = [_number(places.get((part, axis), "")) for axis in "xy"]
            there = None not in point
            assert instance.visible[k] == there, f"{part} of {name}"
            assert not there or close(point, instance.points[k])


def _number(cell: str) -> float | None:
    """What a cell says; None where nothing is annotated."""
    number = float(cell) if cell.strip() else math.nan
    return number if math.isfinite(number) else None


def _copied(project: Path, folder: str) -> Path:
    return Path(shutil.copytree(project, Path(folder) / "project")) / "labeled-data" / "vid" / "CollectedData_me.csv"


@mutated(10)
@given(text=mutated_tables(table()))
def test_a_mutated_table_is_refused_or_read_as_it_says(project: Path, text: str) -> None:
    path = project / "labeled-data" / "vid" / "CollectedData_me.csv"
    path.write_text(text)
    assert_refused_or_said(path)


@mutated(5)
@given(text=mutated_trees(CONFIG))
def test_a_mutated_configuration_is_refused_or_changes_no_row(project: Path, text: str) -> None:
    path = project / "labeled-data" / "vid" / "CollectedData_me.csv"
    _save(path, table())
    (project / "config.yaml").write_text(text)
    assert_refused_or_said(path)
    (project / "config.yaml").write_text(json.dumps(CONFIG))


@mutated(5)
@given(data=st.data())
def test_a_mutated_file_is_refused_or_read_as_it_says(project: Path, data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = _copied(project, folder)
        _save(path, table())
        files = [path, path, path.parents[2] / "config.yaml", *sorted(path.parent.glob("*.png"))]
        mutate_file(data.draw, data.draw(st.sampled_from(files)))
        assert_refused_or_said(path)


def test_a_table_whose_poses_are_all_of_no_use_is_named(project: Path) -> None:
    path = project / "labeled-data" / "vid" / "CollectedData_me.csv"
    one = [[*row[:3], *([""] * 4)] if place > 2 else row for place, row in enumerate(table())]
    _save(path, one)
    with pytest.raises(InputError, match=r"CollectedData_me\.csv has no instances to estimate; 4 dropped"):
        SleapIO(path).load("vid")


def test_a_table_that_does_not_begin_with_its_scorer_is_refused(project: Path) -> None:
    """sleap-io alone would read it, and of a column that is there twice the last."""
    path = project / "labeled-data" / "vid" / "CollectedData_me.csv"
    _save(path, [["me", *table()[0][1:]], *table()[1:]])
    with pytest.raises(InputError, match=r"CollectedData_me\.csv .*its first line begins with 'me', not scorer"):
        SleapIO(path).load("vid")

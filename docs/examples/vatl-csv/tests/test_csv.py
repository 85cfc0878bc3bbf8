"""What a folder and its CSV become; what cannot be used is named by its line."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from PIL import Image
from vatl_core import InputError

from vatl_csv.dataset import CsvFolder

TABLE = """frame,track,head_x,head_y,tail_x,tail_y
000.png,a,12.5,30,40,31.5
000.png,b,20,22,44,44
001.png,a,14,30,,
001.png,b,21,22,45,43
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for number in range(2):
        Image.new("RGB", (64, 48), (number, 0, 0)).save(tmp_path / f"00{number}.png")
    (tmp_path / "points.csv").write_text(TABLE.replace("14,30,,", "14,30,40,33"), "utf-8")
    return tmp_path


def test_rows_are_instances_in_tracks(folder: Path) -> None:
    data = CsvFolder(folder)
    video = data.load(data.videos()[0])
    assert video.skeleton.keypoints == ("head", "tail")
    assert video.instances.frame.tolist() == [0, 0, 1, 1]
    assert video.instances.next.tolist() == [2, 3, -1, -1]
    assert video.instances.keypoints is not None
    assert video.instances.keypoints[0].tolist() == [[12.5, 30.0], [40.0, 31.5]]
    assert video.frames.read(1)[0, 0, 0] == 1


def test_an_empty_field_is_not_annotated(folder: Path) -> None:
    (folder / "points.csv").write_text("frame,a_x,a_y,b_x,b_y,c_x,c_y\n000.png,1,2,30,40,,\n", "utf-8")
    video = CsvFolder(folder).load(folder.name)
    assert video.instances.visible is not None
    assert torch.equal(video.instances.visible, torch.tensor([[True, True, False]]))


@pytest.mark.parametrize(
    ("table", "says"),
    [
        (TABLE.replace("12.5", "left"), "line 2: could not convert string to float: 'left'"),
        (TABLE.replace("001.png,b", "002.png,b"), "line 5: there is no picture or column '002.png'"),
        (TABLE.replace(",44,44", ",44"), "line 3: not as many fields as in the first line"),
        (TABLE.replace(",44,44", ",44,44,44"), "line 3: not as many fields as in the first line"),
        (TABLE.replace("tail_y", "tail"), "line 2: there is no picture or column 'tail_y'"),
        ("frame,track\n000.png,a\n", "has no points"),
        ("", "has no points"),
    ],
)
def test_what_cannot_be_used_is_named(folder: Path, table: str, says: str) -> None:
    (folder / "points.csv").write_text(table, "utf-8")
    with pytest.raises(InputError, match=says):
        CsvFolder(folder).load(folder.name)


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        CsvFolder(tmp_path / "nowhere").load("nowhere")

"""Files that users give in place of others are told by how they begin, with what to do about them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from vatl_coco.dataset import Coco
from vatl_core.errors import InputError
from vatl_core.files import remedy
from vatl_core.weights import read_checkpoint
from vatl_formats import recognised
from vatl_frames import PictureFiles, VideoFile, picture_size
from vatl_sleap_io.dataset import SleapIO
from vatl_video.given import read_boxes
from vatl_weights.reading import read_weights

POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"4d7a" * 16 + b"\nsize 12345\n"
POSES = b"0 0.5 0.5 0.4 0.4 0.4 0.4 2 0.6 .4 1 0 0 0\n1 0.2 0.3 0.2 1 0.15 0.3 2.0 0.25 0.3 2 0.2 3.5e-1 2\n"
READERS: dict[str, Callable[[Path], object]] = {
    "clip.mp4": VideoFile,
    "a.png": picture_size,
    "b.png": lambda path: PictureFiles([path]).read(0),
    "poses.json": lambda path: Coco(annotations=path).videos(),
    "poses.txt": lambda path: Coco(annotations=path).videos(),
    "labels.slp": lambda path: SleapIO(path).videos(),
    "labels.h5": lambda path: SleapIO(path).videos(),
    "labels.csv": lambda path: SleapIO(path).videos(),
    "boxes.txt": lambda path: read_boxes(path, None),  # type: ignore[arg-type]  # it is not got as far as that
    "net.safetensors": read_checkpoint,
    "net.pth": read_weights,
}


@pytest.mark.parametrize("name", READERS)
def test_a_pointer_of_git_lfs_is_told_wherever_a_file_is_read(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(POINTER)
    with pytest.raises(InputError, match=r"a Git LFS pointer: fetch the file itself by `git lfs pull`") as caught:
        READERS[name](tmp_path / name)
    assert name in str(caught.value)


def test_of_any_other_file_it_is_asked_whether_it_is_complete(tmp_path: Path) -> None:
    (tmp_path / "clip.mp4").write_bytes(b"version 2")
    assert remedy(tmp_path / "clip.mp4") == remedy(tmp_path / "absent.mp4") == "is it complete?"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (POSES, "YOLO"),
        (b"0 0.5 0.5 0.25 0.75", "YOLO"),
        (b"path: .\ntrain: images/train\nkpt_shape: [17, 3]\n", "YOLO"),
        (b"nc: 1\nnames: [mouse]\n", "YOLO"),
        (b"PK\x03\x04\x14\x00", "unpack it"),
        (b"\x1f\x8b\x08", "unpack it"),
        (b"<!DOCTYPE html>\n<html>", "web page"),
        (b"\n<html lang=en>", "web page"),
        (b'<?xml version="1.0"?>\n<annotations>', "export the task as COCO"),
        (b"\x89HDF\r\n\x1a\n", "sleap-io"),
        (b"MATLAB 5.0 MAT-file", "sleap-io"),
        (b"1,7,4,56,24,32,1\n", None),
        (b"1 7 4 56 24 32 1\n", None),
        (b'{"images": []}', None),
        (b"", None),
        (b"0 0.5 0.5 0.25\n", None),
    ],
)
def test_what_a_file_is_is_told_by_its_beginning(content: bytes, said: str | None, tmp_path: Path) -> None:
    file = tmp_path / "given"
    file.write_bytes(content)
    found = recognised(file)
    assert found is None if said is None else said in (found or "")


@pytest.mark.parametrize("name", ["poses.txt", "boxes.txt"])
def test_yolos_labels_say_what_is_needed(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(POSES)
    with pytest.raises(InputError, match=r"is YOLO's labels, .* convert them to a COCO keypoints file"):
        READERS[name](tmp_path / name)


def test_a_yolo_data_set_is_not_opened_as_one_video_a_picture(tmp_path: Path) -> None:
    (tmp_path / "data.yaml").write_text("train: train/images\nkpt_shape: [3, 3]\nnames: [fly]\n")
    with pytest.raises(InputError, match=r"data\.yaml is YOLO's labels"):
        SleapIO(tmp_path / "data.yaml").videos()

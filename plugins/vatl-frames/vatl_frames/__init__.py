"""Frames of video and picture files, and what such files are called. Names are imported when first used."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vatl_frames.decoding import as_shown, decode_from
    from vatl_frames.file_names import PICTURE_SUFFIXES, VIDEO_SUFFIXES, natural, pictures_in
    from vatl_frames.opening import opened
    from vatl_frames.picture_files import PictureFiles, picture_size
    from vatl_frames.video_file import VideoFile

_HOME = {
    "PICTURE_SUFFIXES": "file_names",
    "VIDEO_SUFFIXES": "file_names",
    "PictureFiles": "picture_files",
    "VideoFile": "video_file",
    "as_shown": "decoding",
    "decode_from": "decoding",
    "natural": "file_names",
    "opened": "opening",
    "picture_size": "picture_files",
    "pictures_in": "file_names",
}

__all__ = [
    "PICTURE_SUFFIXES", "VIDEO_SUFFIXES", "PictureFiles", "VideoFile", "as_shown", "decode_from", "natural", "opened",
    "picture_size", "pictures_in",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'vatl_frames' has no attribute '{name}'")
    return getattr(importlib.import_module(f"vatl_frames.{_HOME[name]}"), name)

"""Frames of video and picture files, and what such files are called."""

from __future__ import annotations

from vatl_frames.decoding import as_shown, decode_from
from vatl_frames.file_names import PICTURE_SUFFIXES, VIDEO_SUFFIXES, natural, pictures_in
from vatl_frames.opening import opened
from vatl_frames.picture_files import PictureFiles, picture_size
from vatl_frames.video_file import VideoFile

__all__ = [
    "PICTURE_SUFFIXES", "VIDEO_SUFFIXES", "PictureFiles", "VideoFile", "as_shown", "decode_from", "natural", "opened",
    "picture_size", "pictures_in",
]  # fmt: skip

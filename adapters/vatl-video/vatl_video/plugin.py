"""Tells vatl what is here, without importing it."""

from __future__ import annotations

from collections.abc import Sequence

from vatl_core.hookspecs import hookimpl
from vatl_core.plugins import Component

vatl_contract = ">=2.0,<3"

OPENED = (
    "/", ".3gp", ".avi", ".flv", ".h264", ".m2ts", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".mts", ".ogv",
    ".ts", ".webm", ".wmv",
)  # fmt: skip
"""What names of videos end in, and any folder, for its pictures."""


@hookimpl
def vatl_components() -> Sequence[Component]:
    """The data set of one's own video."""
    return [
        Component(
            kind="dataset",
            name="video",
            help="Any video or folder of pictures, with boxes that are detected, given or drawn",
            target="vatl_video.dataset:AnyVideo",
            suggests={"estimator": "hrnet", "oracle": "browser"},  # whose videos come without truth
            opens=dict.fromkeys(OPENED, "path"),
        )
    ]

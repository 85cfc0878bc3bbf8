"""Tells vatl what is here, without importing it."""

from __future__ import annotations

from collections.abc import Sequence

from vatl_core.hookspecs import hookimpl
from vatl_core.plugins import Component

vatl_contract = ">=2.0,<3"


@hookimpl
def vatl_components() -> Sequence[Component]:
    """The data set of one's own video."""
    return [
        Component(
            kind="dataset",
            name="video",
            help="Any video or folder of pictures, with boxes that are detected, given or drawn",
            target="vatl_video.dataset:AnyVideo",
            suggests={"estimator": "hrnet"},
        )
    ]

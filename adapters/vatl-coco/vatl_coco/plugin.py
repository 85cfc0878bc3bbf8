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
            name="coco",
            help="COCO keypoints over picture files or a video file",
            target="vatl_coco.dataset:Coco",
            suggests={"estimator": "simplebaseline"},
            opens={".json": "annotations", ".txt": "annotations"},  # of other texts it says how they become COCO's
        )
    ]

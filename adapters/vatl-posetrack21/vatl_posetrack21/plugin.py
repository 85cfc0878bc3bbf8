"""Tells vatl what is here, without importing it."""

from __future__ import annotations

from collections.abc import Sequence

from vatl_core.hookspecs import hookimpl
from vatl_core.plugins import Component

vatl_contract = ">=2.0,<3"


@hookimpl
def vatl_components() -> Sequence[Component]:
    """The data set."""
    return [
        Component(
            kind="dataset",
            name="posetrack21",
            help="PoseTrack21 (and PoseTrack18): several people in each video",
            target="vatl_posetrack21.dataset:PoseTrack21",
            suggests={"estimator": "simplebaseline"},
        )
    ]

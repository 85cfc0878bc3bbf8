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
            name="jrdb-pose",
            help="JRDB-Pose: crowds around a robot, in panoramas",
            target="vatl_jrdb_pose.dataset:JrdbPose",
            suggests={"estimator": "simplebaseline"},
        )
    ]

"""Tells vatl what is here, without importing it."""

from __future__ import annotations

from collections.abc import Sequence

from vatl_core.hookspecs import hookimpl
from vatl_core.plugins import Component

vatl_contract = ">=2.0,<3"


@hookimpl
def vatl_components() -> Sequence[Component]:
    """The data set of other pose-tracking programs' projects."""
    return [
        Component(
            kind="dataset",
            name="sleap-io",
            help="Projects of SLEAP, DeepLabCut and other programs that sleap-io reads",
            target="vatl_sleap_io.dataset:SleapIO",
            suggests={"estimator": "simplebaseline"},
            opens=dict.fromkeys((".csv", ".h5", ".mat", ".nwb", ".slp", ".yaml"), "labels"),
        )
    ]

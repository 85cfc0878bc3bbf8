"""Tells vatl what is here, without importing it."""

from __future__ import annotations

from collections.abc import Sequence

from vatl_core.hookspecs import hookimpl
from vatl_core.plugins import Component

vatl_contract = ">=2.0,<3"


@hookimpl
def vatl_components() -> Sequence[Component]:
    """The embedded data set."""
    return [
        Component(
            kind="dataset",
            name="synthetic",
            help="videos of articulated people made from a seed; nothing to download",
            target="vatl_synthetic.dataset:Synthetic",
            default=True,
            suggests={"estimator": "tiny"},
        )
    ]

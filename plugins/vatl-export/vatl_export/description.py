"""What stands in the file beside the network: all that somebody needs who has nothing but it."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any, Final

import attrs

from vatl_core.video import CROP_PADDING
from vatl_export.network import INPUT, OUTPUT
from vatl_export.subject import Subject

ENTRY: Final = "vatl"
"""What it is called among an ONNX file's metadata, and with ``.json`` behind it among a .pt2's extra files."""


def description(subject: Subject) -> dict[str, Any]:
    """As JSON's types."""
    estimator, skeleton = subject.estimator, subject.skeleton
    return {
        "vatl": version("vatl-core"),
        "estimator": subject.name,
        "weights": subject.weights,
        "input": {
            "name": INPUT, "size": list(estimator.input_size), "layout": "NCHW", "type": "uint8", "channels": "RGB",
            "range": [0, 255],
        },
        "normalisation": {"within": "the network", "formula": "(value / 255 - mean) / std"}
        | {name: list(values) for name, values in attrs.asdict(estimator.normalisation).items()},
        "heatmaps": {"name": OUTPUT, "size": list(estimator.heatmap_size), "stride": estimator.stride},
        "crop": {"box": "x, y, w, h", "widened": "about its centre to the input's shape", "padding": CROP_PADDING},
        "skeleton": {name: _plain(value) for name, value in attrs.asdict(skeleton, recurse=False).items()},
    }  # fmt: skip


def _plain(value: Any) -> Any:
    return [_plain(each) for each in value] if isinstance(value, tuple) else value

"""What is written for each kind of plugin, beyond what all have in common."""

from __future__ import annotations

from typing import Final

import attrs

LIFECYCLE: Final = "lifecycle"
"""A plugin that brings no component and listens to runs."""


@attrs.frozen
class Kind:
    """What a template is filled with.

    Attributes:
        help: the component's line of help.
        use: how it is named behind ``vatl run``; ``{name}`` stands for the name.
        small: arguments with which tests make it.
        setting: what a small run is told.
        what: the file of the class, in words.
        dependencies: distributions that it imports, besides vatl-core.
    """

    help: str
    use: str
    small: str
    setting: str
    what: str = "the class; its fields are its options"
    dependencies: tuple[str, ...] = ("attrs>=24.2", "torch")


SCAFFOLDS: Final = {
    "criterion": Kind("Poses of which only some keypoints are sure", "--query {name}", "power=2.0", 'query="{name}"'),
    "selector": Kind("The highest scores among a random part", "--select {name}", "share=0.5", 'select="{name}"'),
    "stopping": Kind(
        "The query's OKS rises no more",
        "--stop {name}",
        "patience=2",
        'stop=["{name}"]',
        dependencies=("attrs>=24.2",),
    ),
    "retraining": Kind(
        "Everything labelled, for a number of epochs",
        "--retrain {name}",
        "epochs=2",
        'retrain="{name}", options={{"retrain": {{"{name}": {{"epochs": 1}}}}}}',
    ),
    "refinement": Kind("Poses that follow their neighbours in time", "--refine {name}", "share=0.5", 'refine="{name}"'),
    "estimator": Kind(
        "A small network of convolutions",
        "--estimator {name}",
        "width=4, input_size=(64, 48)",
        'estimator="{name}", options={{"estimator": {{"{name}": {{"width": 4}}}}}}',
        dependencies=("attrs>=24.2", "torch", "vatl-weights"),
    ),
    "dataset": Kind("Bars that turn", "--dataset {name}", "frames=12", 'dataset="{name}"'),
    "oracle": Kind("The truth, some pixels beside it", "--oracle {name}", "noise=1.5", 'oracle="{name}"'),
    "executor": Kind(
        "One run after the other, tried again if it fails",
        "--executor {name}",
        "attempts=2",
        'executor="{name}"',
        dependencies=("attrs>=24.2",),
    ),
    LIFECYCLE: Kind("A table of a run's cycles", "", "", "", "what is done when a cycle has ended", ()),
}
ALL: Final = tuple(SCAFFOLDS)

"""The published method and those it was compared with, with the hyper-parameters of the code released with the papers.

Taketsugu & Ukita, *Active Transfer Learning for Efficient Video-Specific Human Pose Estimation* (WACV 2024) and
*Uncertainty Criteria in Active Transfer Learning for Efficient Video-Specific Human Pose Estimation* (MVA 2023);
https://github.com/ImIntheMiddle/VATL4Pose-WACV2024. All are retrained alike, on the same schedule, and run until
everything is labelled, since the published figures are whole learning curves.

Values that are also a component's default are given all the same: a preset means what was published, for good.
"""

from __future__ import annotations

from typing import Any, Final

from vatl_core.plugins import Preset

SCHEDULE: Final = ["0.05", "0.1", "0.15", "0.2", "0.3", "0.4", "0.6", "0.8", "1.0"]
"""``VAL.QUERY_RATIO``"""

REFINING: Final = {
    "alpha": 250.0,
    "lr": 2.5e-4,
    "weight_decay": 0.7,
    "decay": 0.99,
    "slack": 0.05,
    "batch": 120,
    "rotation": 40.0,
    "rotated": 0.6,
    "scale": 0.3,
    "flip": 0.5,
    "half_body": 0.0,
}
"""``RETRAIN`` and ``DATASET.TRAIN.AUG``, with what the released code adds to them, as options of ``continual``."""

BATCH: Final = {"posetrack21": 120, "jrdb-pose": 32}
"""``RETRAIN.BATCH_SIZE`` of the configuration released for each data set."""

SIGMAS: Final = {"sigmas": "coco:by-position", "ospa_sigmas": "jrdb-pose:by-position"}
"""What OKS and AP, and OSPA, are measured by there on either data set: the numbers of another, in their own order."""

_NETWORK: Final = {"output": "sigmoid", "error": "all", "pretrain_batch": 10_000, "pretrain_epochs": 80}
AUTOENCODER: Final[dict[str, dict[str, Any]]] = {
    "posetrack21": _NETWORK | {"ignore": ["left_ear", "right_ear"]},
    "jrdb-pose": _NETWORK,
}
"""Options of ``wpu`` where it is to be the published network, taught as that was; PoseTrack21 annotates no ears."""


def _method(name: str, text: str, query: str, select: str, /, **options: dict[str, dict[str, Any]]) -> Preset:
    """What scores and what picks, with the retraining that all share; ``options`` as in a configuration file."""
    run = {
        "query": query,
        "query_weights": "dynamic",
        "select": select,
        "retrain": "continual",
        "refine": "none",
        "stop": ["none"],
        "schedule": SCHEDULE,
    }
    datasets = {dataset: _published_on(dataset, "wpu" in options.get("query", {})) for dataset in BATCH}
    return Preset(name, text, {"run": run, **options, "retrain": {"continual": REFINING}}, datasets)


def _published_on(dataset: str, autoencoder: bool) -> dict[str, dict[str, Any]]:
    """τ, the batch, the sigmas and the auto-encoder that the released scripts have for a data set."""
    tables: dict[str, dict[str, Any]] = {
        "run": {"threshold": 1.0},
        "dataset": {dataset: dict(SIGMAS)},
        "retrain": {"continual": {"batch": BATCH[dataset]}},
    }
    return tables | ({"query": {"wpu": AUTOENCODER[dataset]}} if autoencoder else {})


UNCERTAINTY: Final[dict[str, dict[str, Any]]] = {"thc": {"norm": "l1"}, "wpu": {"z_dim": 4}}

PUBLISHED: Final = [
    _method(
        "vatl4pose",
        "THC and WPU with dynamic uncertainty weighting (Taketsugu & Ukita, WACV 2024)",
        "thc+wpu",
        "duw",
        query=UNCERTAINTY,
        select={"duw": {"uncertainty_weight": 0.01, "normalise_distance": False}},
    ),
    _method(
        "vatl4pose-mva2023",
        "THC and WPU with dynamic weighted clustering (Taketsugu & Ukita, MVA 2023)",
        "thc+wpu",
        "dwc",
        query=UNCERTAINTY,
        select={"dwc": {"uncertainty_weight": 0.01}},
    ),
    _method("random", "Compared method: instances picked at random", "random", "random"),
    _method("lc", "Compared method: least confidence, the highest scores", "lc", "top"),
    _method("k-means", "Compared method: one instance of each cluster of the features", "random", "kmeans"),
    _method("core-set", "Compared method: greedy k-centre (Sener & Savarese, ICLR 2018)", "random", "coreset"),
    _method(
        "mpe+influence",
        "Compared method: multiple-peak entropy and influence, weighed by γ (Liu & Ferrari, ICCV 2017)",
        "mpe+influence",
        "top",
    ),
    _method(
        "tpc",
        "Compared method: temporal pose continuity, the highest scores",
        "tpc",
        "top",
        query={"tpc": {"factor": 0.01}},
    ),
]
"""Selectors that need no score are given ``random``, of which nothing is then computed."""

"""The published method and those it was compared with, with the hyper-parameters of the code released with the papers.

Taketsugu & Ukita, *Active Transfer Learning for Efficient Video-Specific Human Pose Estimation* (WACV 2024) and
*Uncertainty Criteria in Active Transfer Learning for Efficient Video-Specific Human Pose Estimation* (MVA 2023);
https://github.com/ImIntheMiddle/VATL4Pose-WACV2024. All are on the same schedule and run until everything is labelled,
since the published figures are whole learning curves.

Values that are also a component's default are given all the same: a preset means what was published, for good.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from vatl_core.plugins import Preset

Tables = dict[str, dict[str, Any]]

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
    "scratch_recipe": "published",
}
"""``RETRAIN`` and ``DATASET.TRAIN.AUG``, with what the released code adds to them, whatever the weights."""

RETRAINING: Final = {
    "continual": REFINING | {"schedule": "run"},
    "from-source": REFINING | {"base": 25.0},
    "from-scratch": REFINING | {"base": 25.0},
}
"""The three ways that the released code has; a preset names one, and the others count where the user names them."""

BATCH: Final = {"posetrack21": 120, "jrdb-pose": 32}
"""``RETRAIN.BATCH_SIZE`` of the configuration released for each data set."""

SIGMAS: Final = {"sigmas": "coco:by-position", "ospa_sigmas": "jrdb-pose:by-position"}
"""What OKS and AP, and OSPA, are measured by there on either data set: the numbers of another, in their own order."""

_NETWORK: Final = {"output": "sigmoid", "error": "all", "pretrain_batch": 10_000, "pretrain_epochs": 80}
AUTOENCODER: Final[Tables] = {
    "posetrack21": _NETWORK | {"ignore": ["left_ear", "right_ear"]},
    "jrdb-pose": _NETWORK,
}
"""Options of ``wpu`` where it is to be the published network, taught as that was; PoseTrack21 annotates no ears."""

THC: Final[Tables] = {"thc": {"norm": "l1"}}
WPU: Final[Tables] = {"wpu": {"z_dim": 4}}
DWC: Final[Tables] = {"dwc": {"uncertainty_weight": 0.01}}
DUW: Final = {"uncertainty_weight": 0.01, "normalise_distance": False}
"""``VAL.UNC_LAMBDA`` of both configurations."""
JRDB_TABLE: Final = {"uncertainty_weight": 1000.0}
"""λ in the name of the runs that the script of the tables reads for ``THC+WPU_Coreset`` on JRDB-Pose."""


def _method(
    name: str,
    text: str,
    query: str,
    select: str,
    /,
    *,
    run: Mapping[str, Any] | None = None,
    jrdb: Tables | None = None,
    **options: Tables,
) -> Preset:
    """What scores and what picks, retrained as all are; ``options`` as in a configuration file.

    Args:
        name, text, query, select: of the preset.
        run: settings in which it differs from the others.
        jrdb: options of its selector that hold on JRDB-Pose alone.
        options: of its criteria and its selector.
    """
    shared = {
        "query": query,
        "query_weights": "dynamic",
        "select": select,
        "retrain": "continual",
        "refine": "none",
        "stop": ["none"],
        "schedule": SCHEDULE,
        "rounding": "down",
        "precision": "float32",
    }
    datasets = {dataset: _published_on(dataset, "wpu" in options.get("query", {})) for dataset in BATCH}
    datasets["jrdb-pose"] |= {"select": jrdb} if jrdb else {}
    return Preset(name, text, {"run": shared | dict(run or {}), **options, "retrain": RETRAINING}, datasets)


def _published_on(dataset: str, autoencoder: bool) -> Tables:
    """τ, the batch, the sigmas and the auto-encoder that the released scripts have for a data set."""
    tables: Tables = {
        "run": {"threshold": 1.0},
        "dataset": {dataset: dict(SIGMAS)},
        "retrain": {policy: {"batch": BATCH[dataset]} for policy in RETRAINING},
    }
    return tables | ({"query": {"wpu": AUTOENCODER[dataset]}} if autoencoder else {})


def _vatl4pose(suffix: str, text: str, select: str = "duw", **run: str) -> Preset:
    """The method of WACV 2024, or what differs from it in one thing."""
    return _method(
        f"vatl4pose{suffix}",
        text,
        "thc+wpu",
        select,
        run=run,
        jrdb={select: JRDB_TABLE},
        query=THC | WPU,
        select={select: DUW},
    )


PUBLISHED: Final = [
    _vatl4pose("", "THC and WPU with dynamic uncertainty weighting (Taketsugu & Ukita, WACV 2024)"),
    _vatl4pose(
        "-increase", "vatl4pose in which THC counts more, WPU less, the more is labelled", query_weights="increase"
    ),
    _vatl4pose(
        "-decrease", "vatl4pose in which THC counts less, WPU more, the more is labelled", query_weights="decrease"
    ),
    _vatl4pose("-fixed-lambda", "vatl4pose in which λ does not grow with the query's OKS", "fixed-lambda"),
    _vatl4pose("-from-source", "vatl4pose retrained from the source weights in every cycle", retrain="from-source"),
    _method(
        "vatl4pose-mva2023",
        "THC and WPU with dynamic weighted clustering (Taketsugu & Ukita, MVA 2023)",
        "thc+wpu",
        "dwc",
        query=THC | WPU,
        select=DWC,
    ),
    _method("thc+dwc", "THC alone with dynamic weighted clustering (MVA 2023)", "thc", "dwc", query=THC, select=DWC),
    _method("wpu+dwc", "WPU alone with dynamic weighted clustering (MVA 2023)", "wpu", "dwc", query=WPU, select=DWC),
    _method("thc+wpu", "THC and WPU, the highest sums", "thc+wpu", "top", query=THC | WPU),
    _method("thc", "Temporal heatmap continuity, the highest scores", "thc", "top", query=THC),
    _method("wpu", "Whole-body pose unnaturalness, the highest scores", "wpu", "top", query=WPU),
    _method("random", "Compared method: instances picked at random", "random", "random"),
    _method("lc", "Compared method: least confidence, the highest scores", "lc", "top"),
    _method("mpe", "Compared method: multiple-peak entropy, the highest scores", "mpe", "top"),
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

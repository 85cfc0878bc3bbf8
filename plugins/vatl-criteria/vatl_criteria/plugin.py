"""What this distribution brings; nothing heavy is imported here."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from vatl_core.hookspecs import hookimpl
from vatl_core.plugins import Component

if TYPE_CHECKING:
    from vatl_core.contracts import Criterion
    from vatl_core.cycle import Run
    from vatl_core.plugins import Section
    from vatl_core.records import CycleRecord
    from vatl_core.video import Skeleton
    from vatl_core.weights import PreTrained

vatl_contract = ">=2.0,<3"

COMPONENTS = [
    Component(
        "criterion",
        "lc",
        "Least confidence: low heatmap maxima",
        "vatl_criteria.uncertainty.confidence:LeastConfidence",
    ),
    Component(
        "criterion",
        "thc",
        "Temporal heatmap continuity: heatmaps that change between frames",
        "vatl_criteria.uncertainty.continuity:HeatmapContinuity",
    ),
    Component(
        "criterion",
        "wpu",
        "Whole-body pose unnaturalness: poses an auto-encoder cannot rebuild",
        "vatl_criteria.uncertainty.unnaturalness:PoseUnnaturalness",
    ),
    Component(
        "criterion",
        "tpc",
        "Temporal pose continuity: keypoints that move between frames",
        "vatl_criteria.uncertainty.continuity:PoseContinuity",
    ),
    Component(
        "criterion",
        "mpe",
        "Multiple-peak entropy: heatmaps with several peaks of like height",
        "vatl_criteria.uncertainty.ambiguity:MultiplePeakEntropy",
    ),
    Component(
        "criterion",
        "margin",
        "Margin: heatmaps whose second peak is almost as high as the first",
        "vatl_criteria.uncertainty.ambiguity:Margin",
    ),
    Component(
        "criterion",
        "entropy",
        "Heatmap entropy: heatmaps that are spread out",
        "vatl_criteria.uncertainty.ambiguity:HeatmapEntropy",
    ),
    Component(
        "criterion",
        "peaks",
        "Low peaks: one minus the mean height of all local maxima, the weight of influence in a sum",
        "vatl_criteria.uncertainty.confidence:LowPeaks",
    ),
    Component(
        "criterion",
        "residual",
        "Residual: heatmaps unlike the training target about their own maximum",
        "vatl_criteria.uncertainty.residual:Residual",
    ),
    Component(
        "criterion",
        "vl4pose",
        "Unlikely lengths of links, given the features (Shukla et al., BMVC 2022)",
        "vatl_criteria.uncertainty.vl4pose:VL4Pose",
    ),
    Component(
        "criterion",
        "learning-loss",
        "The loss that a network learns to predict from the features (Yoo & Kweon, CVPR 2019)",
        "vatl_criteria.uncertainty.learning_loss:LearningLoss",
    ),
    Component(
        "criterion",
        "lpl",
        "learning-loss, by its name in a comparison of many strategies (Zhan et al., 2022)",
        "vatl_criteria.uncertainty.learning_loss:LearningLoss",
    ),
    Component(
        "criterion",
        "aleatoric",
        "How far off keypoints are, as a heteroscedastic head learns it (Kendall & Gal, NeurIPS 2017)",
        "vatl_criteria.uncertainty.aleatoric:Aleatoric",
    ),
    Component(
        "criterion",
        "egl++",
        "Expected gradient length, were the labels of similar instances right (Shukla, WACV 2022)",
        "vatl_criteria.uncertainty.gradient_length:ExpectedGradientLength",
    ),
    Component(
        "criterion",
        "committee",
        "Disagreement of the last cycles' weights, without further passes (Seung et al., COLT 1992)",
        "vatl_criteria.uncertainty.committee:Committee",
    ),
    Component(
        "criterion",
        "bald",
        "What a label would tell of networks thinned by dropout, over the heatmaps (Houlsby et al., 2011)",
        "vatl_criteria.uncertainty.dropout:BALD",
    ),
    Component(
        "criterion",
        "mc-dropout",
        "Disagreement of networks thinned by dropout, by BALD or variance (Gal & Ghahramani, ICML 2016)",
        "vatl_criteria.uncertainty.dropout:MonteCarloDropout",
    ),
    Component(
        "criterion",
        "eoks",
        "Expected OKS: how wrong the heatmaps, and the labels so far, lead to expect an instance to be",
        "vatl_criteria.accuracy.expected:ExpectedOKS",
        default=True,
    ),
    Component(
        "criterion",
        "influence",
        "Influence: features far from those of everything unlabelled (Liu & Ferrari, ICCV 2017)",
        "vatl_criteria.representativeness.influence:Influence",
    ),
    Component(
        "criterion",
        "random",
        "Uniform scores, to compare other criteria with",
        "vatl_criteria.representativeness.chance:Chance",
    ),
    Component("selector", "random", "Uniformly at random", "vatl_criteria.selection.simple:Random"),
    Component("selector", "uniform", "Evenly spread in time, over tracks", "vatl_criteria.selection.in_time:Uniform"),
    Component("selector", "top", "The highest scores", "vatl_criteria.selection.simple:Top"),
    Component(
        "selector",
        "coreset",
        "Greedy k-centre in feature space (Sener & Savarese, ICLR 2018)",
        "vatl_criteria.selection.kcentre:CoreSet",
    ),
    Component(
        "selector",
        "duw",
        "Dynamic uncertainty weighting: k-centre that turns to uncertainty as poses get better",
        "vatl_criteria.selection.kcentre:DynamicUncertaintyWeighting",
    ),
    Component(
        "selector",
        "fixed-lambda",
        "Greedy k-centre on distance plus a fixed share of uncertainty",
        "vatl_criteria.selection.kcentre:FixedLambda",
    ),
    Component(
        "selector",
        "random-filter",
        "At random among the highest scores",
        "vatl_criteria.selection.filters:RandomFilter",
    ),
    Component(
        "selector",
        "diversity",
        "Those of the highest scores that lie closest to the others of them",
        "vatl_criteria.selection.filters:Diversity",
    ),
    Component(
        "selector",
        "kmeans",
        "The instance nearest to each centre of k-means clusters of the features",
        "vatl_criteria.selection.clusters:KMeans",
    ),
    Component(
        "selector",
        "dwc",
        "Dynamic weighted clustering: k-means in which uncertain instances weigh more (MVA 2023)",
        "vatl_criteria.selection.clusters:DynamicWeightedClustering",
    ),
    Component(
        "selector",
        "herding",
        "MaxHerding, weighted by uncertainty: what covers the video best (Bae et al., ECCV 2024, ICLR 2025)",
        "vatl_criteria.selection.herding:Herding",
        default=True,
    ),
    Component(
        "selector",
        "probcover",
        "The most instances in balls around the picks (Yehuda et al., NeurIPS 2022)",
        "vatl_criteria.selection.herding:ProbCover",
    ),
    Component(
        "selector",
        "typiclust",
        "The most typical instance of each cluster without a label (Hacohen et al., ICML 2022)",
        "vatl_criteria.selection.typical:TypiClust",
    ),
    Component(
        "selector",
        "badge",
        "k-means++ over gradients of the last layer: long ones that differ (Ash et al., ICLR 2020)",
        "vatl_criteria.selection.gradients:Badge",
    ),
]


@hookimpl
def vatl_components() -> list[Component]:
    """Describe the components."""
    return COMPONENTS


@hookimpl
def vatl_cycle_started(run: Run, cycle: int) -> None:
    """Hand a committee the votes of earlier cycles."""
    from vatl_criteria.uncertainty.committee import recall_votes

    recall_votes(run)


@hookimpl
def vatl_pretrained(name: str, criterion: Criterion, skeleton: Skeleton) -> PreTrained | None:
    """Read the auto-encoder that was released with the papers, where `wpu.pretrained` names one."""
    from vatl_criteria.uncertainty.released import SUFFIXES, read_released
    from vatl_criteria.uncertainty.unnaturalness import PoseUnnaturalness

    path = Path(os.path.expanduser(criterion.pretrained))  # noqa: PTH111  # leaves unknown users as they are
    if not isinstance(criterion, PoseUnnaturalness) or path.suffix not in SUFFIXES:
        return None
    return read_released(path, criterion, skeleton)


@hookimpl
def vatl_cycle_figures(run: Run, record: CycleRecord) -> dict[str, str]:
    """How accurate the cycle's estimates may be expected to be, where the expected OKS was computed."""
    from vatl_criteria.accuracy.figures import figures

    return figures(run, record)


@hookimpl
def vatl_report_section(run: Path, folder: Path) -> Section | None:
    """The same of all cycles, and whether it was so."""
    from vatl_criteria.accuracy.section import section

    return section(run, folder)

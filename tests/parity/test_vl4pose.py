"""``vl4pose.npz``: the likelihood of a pose under link lengths, over all local maxima."""

from __future__ import annotations

from typing import Any

import torch

from vatl_core.video import Skeleton
from vatl_criteria.uncertainty.link_lengths import tree
from vatl_criteria.uncertainty.peaks import local_maxima
from vatl_criteria.uncertainty.pose_likelihood import log_likelihood

NAME = "vl4pose.npz"


def test_likelihood_of_the_tree_that_the_skeleton_spans_from_its_head(load: Any) -> None:
    data = load(NAME)
    given = [(parent, child) for parent, child in data["links"].tolist()]
    names = data["joint_names"]
    links = tree(Skeleton("any", names, given), names.index("head"))
    order = torch.tensor([given.index(link) for link in links], device=data.book.device)
    means, log_variances = data["link_mean_logvar"][:, order].unbind(-1)
    ours = log_likelihood(local_maxima(data["heatmaps"], 2, 5), means, log_variances, links, "sum")
    data.holds("log_likelihood", ours)

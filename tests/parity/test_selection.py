"""``selection.npz``: influence, and which instances greedy selection picks in which order."""

from __future__ import annotations

import re
from typing import Any

import pytest
import torch

from tests.parity.fixtures import Fixture, arrays
from vatl_core.contracts import Pool, Selector, Window
from vatl_core.video import Skeleton
from vatl_criteria.representativeness.influence import Influence
from vatl_criteria.selection.kcentre import CoreSet, DynamicUncertaintyWeighting, FixedLambda

NAME = "selection.npz"
FORM = re.compile(r"(warm|cold)_(coreset|duw|fixed_lambda)(?:_moks([\d.e+-]+?))?(?:_lambda([\d.e+-]+?))?")
"""What the name of a selection says: start, method, m and λ."""


def selections() -> list[str]:
    """Names of the selections that the fixture has."""
    return [name for name in arrays(NAME) if name.startswith(("warm_", "cold_"))]


def labelled(data: Fixture) -> torch.Tensor:
    mask = torch.zeros(len(data["embeddings"]), dtype=torch.bool, device=data.book.device)
    mask[data["labeled"]] = True
    return mask


def test_influence(load: Any) -> None:
    data = load(NAME)
    features = data["embeddings"]
    nothing = features.new_zeros(len(features), 0)
    everything = torch.arange(len(features), device=features.device)
    window = Window(everything, Skeleton("any", ["k"]), *[nothing] * 4, features, labelled=labelled(data))
    data.holds("cosine_distance_sum_normalised", Influence().score(window)[data["unlabeled"]])


@pytest.mark.parametrize("name", selections())
def test_greedy_selection(load: Any, name: str) -> None:
    data = load(NAME)
    match = FORM.fullmatch(name)
    assert match, f"{NAME} has a selection called {name}"
    start, method, mean, weight = match.groups()
    λ = float(weight or 0)
    selector: Selector = {
        "coreset": CoreSet(),
        "duw": DynamicUncertaintyWeighting(uncertainty_weight=λ),
        "fixed_lambda": FixedLambda(uncertainty_weight=λ),
    }[method]
    known = labelled(data) if start == "warm" else torch.zeros_like(labelled(data))
    pool = Pool(data["uncertainty"], data["embeddings"], known, query_oks=float(mean or 0))
    data.holds(name, selector.select(pool, len(data[name]), torch.Generator()))

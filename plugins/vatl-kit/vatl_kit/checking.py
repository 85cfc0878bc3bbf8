"""Every promise of a component, in one call."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from vatl_core.contracts import CONTRACTS
from vatl_core.errors import InputError
from vatl_core.plugins import KINDS
from vatl_kit.broken import BrokenContract
from vatl_kit.contract import Contract, checks
from vatl_kit.criteria import CriterionContract
from vatl_kit.data_sets import DatasetContract
from vatl_kit.estimators import EstimatorContract
from vatl_kit.executors import ExecutorContract
from vatl_kit.oracles import OracleContract
from vatl_kit.refinements import RefinementContract
from vatl_kit.retraining import RetrainingContract
from vatl_kit.selectors import SelectorContract
from vatl_kit.stopping import StoppingContract

CONTRACT_TESTS: Final[dict[str, type[Contract]]] = {
    "estimator": EstimatorContract,
    "dataset": DatasetContract,
    "criterion": CriterionContract,
    "selector": SelectorContract,
    "retraining": RetrainingContract,
    "refinement": RefinementContract,
    "stopping": StoppingContract,
    "oracle": OracleContract,
    "executor": ExecutorContract,
}
"""What each kind of component is tested by."""


def check(component: Any) -> None:
    """Check every promise of a component, or of a class as it is with its defaults: the one-line form of the classes.

    Raises:
        BrokenContract: the first that it does not keep.
        InputError: it is no component at all.
    """
    for _, broken in flaws(_kind_of(component), component):
        if broken:
            raise broken


def flaws(kind: str, component: Any, only_quick: bool = False) -> Iterator[tuple[str, BrokenContract | None]]:
    """Each promise in words, with how it is broken or None, as they are tried."""
    contract = type("Checked", (CONTRACT_TESTS[kind],), {"component": component})
    for name, check_one in checks(contract, only_quick):
        try:
            check_one(contract())
        except BrokenContract as error:
            yield name, error
        else:
            yield name, None


def _kind_of(component: Any) -> str:
    kind = component if isinstance(component, type) else type(component)
    for name in KINDS:
        if issubclass(kind, CONTRACTS[name]):
            return name
    raise InputError(
        f"{kind.__name__} is no component: it is to derive from one of "
        f"{', '.join(contract.__name__ for contract in CONTRACTS.values())}"
    )

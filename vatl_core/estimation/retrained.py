"""What a retraining policy gives, held to its contract: the same network with other weights."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from vatl_core.contracts import Estimator, Retraining
from vatl_core.errors import InputError, PluginError
from vatl_core.plugins import whose
from vatl_core.weights import checkpoints


def retrained(name: str, policy: Retraining, given: object, source: Mapping[str, Tensor]) -> Estimator:
    """What the policy of this name returned, if the next cycle can begin with it.

    Args:
        name: of the policy.
        policy: that was asked.
        given: what it returned.
        source: the weights that the run began with.

    Raises:
        PluginError: it is no estimator, has another form or place, or weights that are no numbers.
    """
    if not isinstance(given, Estimator):
        raise _breach(name, policy, f"returned a {type(given).__name__}: it is to end with `return estimator`")
    weights = given.state_dict()
    try:
        checkpoints.check(source, source, weights, "changed layers, where only weights may change")
    except InputError as error:
        raise _breach(name, policy, str(error)) from error
    moved = [key for key in weights if _place(weights[key]) != _place(source[key])]
    if moved:
        before, after = _place(source[moved[0]]), _place(weights[moved[0]])
        raise _breach(name, policy, f"moved weights, which are to stay {before} (first: {moved[0]}, {after})")
    if lost := _no_numbers(source, weights):
        raise _breach(
            name,
            policy,
            f"left weights that are NaN or infinite ({len(lost)}, first: {lost[0]}): let keypoints count only where "
            "they are visible, or lower the learning rate",
        )
    return given


def _no_numbers(source: Mapping[str, Tensor], weights: Mapping[str, Tensor]) -> list[str]:
    """Names of weights that are no finite numbers any more; the device is waited for once."""
    wrong = [(source[name].isfinite() & ~tensor.isfinite()).any() for name, tensor in weights.items()]
    return [name for name, bad in zip(weights, torch.stack(wrong).tolist(), strict=True) if bad] if wrong else []


def _place(tensor: Tensor) -> str:
    return f"{tensor.dtype} on {tensor.device}"


def _breach(name: str, policy: Retraining, flaw: str) -> PluginError:
    return PluginError(f"retraining policy '{name}' {flaw}{whose(policy)}")

"""What a refinement gives, held to its contract."""

from __future__ import annotations

from torch import Tensor

from vatl_core.contracts import Refined, Refinement
from vatl_core.errors import PluginError
from vatl_core.estimation.estimates import Estimates
from vatl_core.plugins import whose


def checked_refinement(name: str, refinement: Refinement, given: object, found: Estimates) -> Refined:
    """The poses that the refinement of this name gave.

    Raises:
        PluginError: they are no pair of finite columns of the estimates' shapes on their device.
    """
    if not isinstance(given, tuple) or [isinstance(part, Tensor) for part in given] != [True, True]:
        raise _breach(name, refinement, f"gave a {type(given).__name__}: Refined(keypoints, spread) is expected")
    for what, part, like in zip(("keypoints", "spread"), given, (found.keypoints, found.scores), strict=True):
        if part.shape != like.shape or part.device != like.device or not part.is_floating_point():
            form = f"{part.dtype} {tuple(part.shape)} on {part.device}"
            raise _breach(name, refinement, f"gave {what} of {form}: {tuple(like.shape)} on {like.device} is expected")
        if not part.isfinite().all():
            raise _breach(name, refinement, f"gave {what} that are NaN or infinite")
    return Refined(*given)


def _breach(name: str, refinement: Refinement, flaw: str) -> PluginError:
    return PluginError(f"refinement '{name}' {flaw}{whose(refinement)}")

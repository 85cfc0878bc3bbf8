"""What a criterion gives of a window, held to its contract."""

from __future__ import annotations

from torch import Tensor

from vatl_core.contracts import Criterion, Window
from vatl_core.errors import PluginError
from vatl_core.plugins import whose


def scored(name: str, criterion: Criterion, window: Window) -> Tensor:
    """(B,) float32, the scores of a window's instances by the criterion of this name.

    Raises:
        PluginError: they are of another kind or shape, or on another device.
    """
    scores = _tensor(name, criterion, "scores", criterion.score(window))
    if scores.shape != (len(window),):
        raise _breach(
            name,
            criterion,
            f"gave scores of shape {tuple(scores.shape)} for {len(window)} instances: one number for each is expected",
        )
    if not scores.is_floating_point():
        raise _breach(name, criterion, f"gave scores of {scores.dtype}: float32 is expected, so end with .float()")
    _check_place(name, criterion, "scores", scores, window)
    return scores.float()


def condensed(name: str, criterion: Criterion, window: Window, earlier: Tensor | None) -> Tensor:
    """(B, …) what the criterion keeps of a window's heatmaps.

    Args:
        name: of the criterion.
        criterion: of the pool.
        window: with its heatmaps.
        earlier: (N, …) what it kept of other windows; None of the first.

    Raises:
        PluginError: it is no tensor of a row an instance, like the earlier, on the window's device.
    """
    kept = _tensor(name, criterion, "condense", criterion.condense(window))
    rows = ("…",) if earlier is None else tuple(earlier.shape[1:])
    if len(kept.shape[:1]) != 1 or len(kept) != len(window) or (earlier is not None and kept.shape[1:] != rows):
        raise _breach(
            name,
            criterion,
            f"condensed {len(window)} instances to the shape {tuple(kept.shape)}: a row for each is expected, "
            f"({', '.join(map(str, (len(window), *rows)))})",
        )
    if earlier is not None and kept.dtype != earlier.dtype:
        raise _breach(name, criterion, f"condensed to {kept.dtype}, and before to {earlier.dtype}: keep to one")
    _check_place(name, criterion, "condense", kept, window)
    return kept


def _tensor(name: str, criterion: Criterion, what: str, given: object) -> Tensor:
    if not isinstance(given, Tensor):
        raise _breach(name, criterion, f"gave a {type(given).__name__} for {what}: a tensor is expected")
    return given


def _check_place(name: str, criterion: Criterion, what: str, given: Tensor, window: Window) -> None:
    if given.device != window.index.device:
        raise _breach(
            name,
            criterion,
            f"gave {what} on {given.device}: they are to stay on {window.index.device}, where the window is",
        )


def _breach(name: str, criterion: Criterion, flaw: str) -> PluginError:
    return PluginError(f"criterion '{name}' {flaw}{whose(criterion)}")

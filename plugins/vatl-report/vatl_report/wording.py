"""Numbers and sentences as a reader meets them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vatl_core.records import CycleRecord, RunRecord

UNKNOWN: Final = "—"
"""What stands where a figure is not known: never a zero."""


def known(value: float | None) -> float | None:
    """An accuracy, or None where it is undefined: AP is −1 where there is nothing to average."""
    return None if value is None or value < 0 else value


def accuracy(value: float | None) -> str:
    """An OKS, AP or area, 0 to 1, in three decimals."""
    value = known(value)
    return UNKNOWN if value is None else f"{value:.3f}"


def score(value: float | None) -> str:
    """A criterion's mean, whose scale is its own."""
    return UNKNOWN if value is None else f"{value:.4g}".replace("-", "−")


def correlation(value: float | None) -> str:
    """A rank correlation, −1 to 1, always with its sign."""
    return UNKNOWN if value is None else f"{value:+.2f}".replace("-", "−")


def percent(part: int, whole: int) -> str:
    """A share: ``20 %``, and ``2.5 %`` where a whole number would mislead."""
    share = 100 * part / whole if whole else 0.0
    return f"{share:.1f}".removesuffix(".0") + " %"


def duration(seconds: float | None) -> str:
    """Seconds as a person would say them."""
    if seconds is None:
        return UNKNOWN
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"


def minutes(seconds: float) -> str:
    """Seconds of a person's time in minutes; unknown where nobody spent any."""
    return f"{seconds / 60:.1f}" if seconds else UNKNOWN


def plural(count: int, word: str) -> str:
    """``1 video``, ``3 videos``."""
    return f"{count} {word}" if count == 1 else f"{count} {word}s"


def listed(value: object) -> str:
    """An option's value: lists with commas, nothing as a dash."""
    if isinstance(value, list | tuple):
        return ", ".join(str(v) for v in value) or UNKNOWN
    return UNKNOWN if value in (None, "") else str(value)


def change(before: float, after: float) -> str:
    """``rose from … to …``, or whatever it did."""
    if accuracy(before) == accuracy(after):
        return f"stayed at {accuracy(after)}"
    return f"{'rose' if after > before else 'fell'} from {accuracy(before)} to {accuracy(after)}"


def verdict(cycles: Sequence[CycleRecord], closing: RunRecord | None, given: int = 0) -> str:
    """What came of the run, in a sentence or two for somebody who wants to use the poses.

    ``given`` of its labels came with the data.
    """
    if not cycles:
        return "No cycle has been finished yet, so there is nothing to report."
    labelled, instances = (
        (closing.labelled, closing.instances) if closing else (cycles[-1].labelled_after, cycles[-1].instances)
    )
    came = f", {given} of them given with the data" if given and labelled else ""
    start = f"With {labelled} of {instances} instances labelled ({percent(labelled, instances)}){came}, "
    ending = "" if closing else " The run has not ended; these are the cycles so far."
    return start + (_with_truth(cycles, closing) or _without_truth(cycles)) + ending


def _with_truth(cycles: Sequence[CycleRecord], closing: RunRecord | None) -> str | None:
    """The accuracy of the source estimator against that of the last estimates; None without truth."""
    first, last = cycles[0].evaluation, cycles[-1].evaluation
    if first is None or last is None:
        return None
    oks = closing.mean_oks if closing and closing.mean_oks is not None else last.mean_oks
    ap = known(closing.ap if closing and closing.ap is not None else last.ap)
    total = known(closing.ap_with_labels if closing and closing.ap_with_labels is not None else last.ap_with_labels)
    text = f"mean OKS {change(first.mean_oks, oks)}"
    before = known(first.ap)
    if before is not None and ap is not None:
        text += f" and AP {change(before, ap)}"
    return text + (
        f"; with the labels in place of the estimates, AP is {accuracy(total)}." if total is not None else "."
    )


def _without_truth(cycles: Sequence[CycleRecord]) -> str:
    """What the answers tell: how well each query's poses agreed with its labels."""
    asked = [cycle.query_mean_oks for cycle in cycles if cycle.query_mean_oks is not None]
    rest = " The video has no ground truth, so the accuracy of the unlabelled rest is not known."
    if not asked:
        return "no query has been answered yet." + rest
    if len(asked) == 1:
        return f"the poses asked about agreed with their labels to a mean OKS of {accuracy(asked[0])}." + rest
    return f"the agreement of each query's poses with their labels (mean OKS) {change(asked[0], asked[-1])}." + rest

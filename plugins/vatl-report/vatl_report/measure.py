"""What a curve can be of: any figure that the records of a run keep of its cycles."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final

import attrs

from vatl_core.errors import InputError
from vatl_report.pck import SHARE
from vatl_report.wording import known, plural

if TYPE_CHECKING:
    from vatl_core.records import Evaluation, RunRecord
    from vatl_core.run import PastRun

QUERY: Final = "query"
"""The measure that needs no truth: each query's mean OKS against its labels."""
_WITH_LABELS: Final = "_with_labels"
_OF_THE_CORE: Final = {
    "ap": "AP", "ap_medium": "AP of medium-sized", "ap_large": "AP of large", "ar": "AR", "mean_oks": "mean OKS",
    "mean_oks_unlabelled": "mean OKS, unlabelled", QUERY: "mean OKS of the query against its labels",
}  # fmt: skip
_LOWER: Final = frozenset(("ospa",))
"""All else is taken to be better the higher it is."""
_SAME: Final = {"ap@.5:.95": "ap", "ap@0.5:0.95": "ap", "oks": "mean_oks"}


@attrs.frozen
class Measure:
    """A figure by which runs are compared.

    Attributes:
        name: ``ap``, ``ap_0.6``, ``mean_oks``, ``ospa``, …: in lower case, what the records call it.
        with_labels: whether labelled instances count with their labels; else it is the estimator's poses alone.
    """

    name: str
    with_labels: bool = False

    @property
    def key(self) -> str:
        """What tables of figures and files call it."""
        return self.name + _WITH_LABELS * self.with_labels

    @property
    def short(self) -> str:
        """Its name for readers, without what it is of."""
        if self.name.startswith("ap_0."):
            return f"AP at OKS {self.name.removeprefix('ap_0')}"
        return _OF_THE_CORE.get(self.name) or re.sub(r"^(pck|ospa)\b", lambda found: found[0].upper(), self.name)

    @property
    def title(self) -> str:
        """Its name for readers."""
        if self.name in ("mean_oks_unlabelled", QUERY):
            return self.short
        return f"{self.short}, {'labels counted in' if self.with_labels else 'estimates alone'}"

    @property
    def lower(self) -> bool:
        """Whether lower is better."""
        return self.name.partition("@")[0] in _LOWER


def figures(judged: Evaluation | RunRecord) -> dict[str, float]:
    """Every figure that a record keeps of a pass, ``{key: value}``, without what is not defined."""
    found: dict[str, float | None] = {}
    for ending in ("", _WITH_LABELS):
        found |= {name + ending: known(getattr(judged, name + ending, None)) for name in _OF_THE_CORE}
        at, further = (getattr(judged, name + ending, {}) for name in ("ap_at", "further"))
        found |= {f"ap_{threshold}{ending}": known(value) for threshold, value in at.items()}
        found |= {name.lower() + ending: value for name, value in further.items()}
    return {key: value for key, value in found.items() if value is not None and math.isfinite(value)}


def measures_named(texts: Sequence[str], with_labels: bool, runs: Iterable[PastRun]) -> tuple[Measure, ...]:
    """The measures that a user asked for; AP where only ``with_labels`` is.

    Raises:
        InputError: no run keeps one of them.
    """
    judged = [record.evaluation for run in runs for record in run.cycles if record.evaluation]
    kept = {key for evaluation in judged for key in figures(evaluation)}
    wanted = texts or ("ap",) if with_labels else texts
    return tuple(dict.fromkeys(_named(text, with_labels, kept) for text in wanted))


def _named(text: str, with_labels: bool, kept: set[str]) -> Measure:
    typed = _in_records(text)
    name = next((key for key in sorted(kept) if key.replace("-", "_") == typed), typed)
    measure = Measure(name, with_labels)
    if measure.key in kept:
        return measure
    option = f"--measure {text}" + " --with-labels" * with_labels
    if not kept:
        raise InputError(f"{option}: no run here has ground truth to be measured against")
    if with_labels and measure.name in kept:
        raise InputError(
            f"{option}: no run here keeps it with labels, only of the estimates alone: leave out --with-labels, or run "
            "again if the records are of an earlier version"
        )
    names = [key for key in kept if not key.endswith(_WITH_LABELS)]
    near = difflib.get_close_matches(measure.name, names, n=1, cutoff=0.8)
    hint = f"did you mean {_as_typed(near[0])}? " if near else ""
    there = ", ".join(sorted(_as_typed(name) for name in names if "." not in name.replace("_0.", "")))
    raise InputError(f"{option}: no run here keeps that. {hint}There are {there}")


def _in_records(text: str) -> str:
    """What the records call what was typed: ``ap@.6``, ``ap@60`` and ``AP@0.6`` are one, so is ``pck@.2`` with PCK."""
    name = text.strip().lower().replace("-", "_")
    base, _, behind = _SAME.get(name, name).partition("@")
    try:
        share = float(behind.removesuffix("%"))
    except ValueError:
        return _SAME.get(name, name)
    share = share / 100 if share > 1 else share
    if base == "ap":
        return f"ap_{share:g}"
    return base if (base, share) == ("pck", SHARE) else f"{base}@{100 * share:g}"


def _as_typed(name: str) -> str:
    return name.replace("ap_0.", "ap@.").replace("_", "-")


def lacking(measure: Measure, runs: Sequence[str]) -> str:
    """A line on runs that were measured, but not by this."""
    names = ", ".join(runs)
    return f"{plural(len(runs), 'run')} kept no {measure.title}, as those of earlier versions do not: {names}."

"""What happened in a run: one record a cycle, one at the end."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, cast

import attrs
import cattrs

ANNOTATOR: Final = "annotator"
"""What stopped a run whose annotator said that it is enough."""


@attrs.frozen
class Evaluation:
    """What only the truth can tell about one pass; never shown to a method. AP and OKS are 0 to 1.

    Instances whose truth is not known count nowhere, those without a visible keypoint only in AP and AR, as in COCO.

    Attributes:
        measured: how many instances all else is about: those whose truth is known, with a visible keypoint.
        mean_oks: over these, the estimator's poses alone.
        mean_oks_unlabelled: over those not labelled when the pass was made; None when all are.
        mean_oks_with_labels: over these, labelled instances replaced by their labels, which may err.
        ap, ap_with_labels: the estimator's poses alone; labelled instances replaced by their labels.
        ap_at, ap_at_with_labels: ``{threshold: AP}``, likewise; older records have none with labels.
        ap_medium, ap_large, ar: likewise.
        all_correct: whether every measured instance, labelled or not, has OKS ≥ the threshold (`actual-finish`).
        counts: ``{"labelled correct", "labelled wrong", "unlabelled correct", "unlabelled wrong": number}``.
        further, further_with_labels: what plugins measure, ``{name: figure}``, ``{name.keypoint: figure}``.
        rank_correlation: ``{criterion: Spearman's ρ with 1 − OKS}`` over those not labelled, where it is not constant.
    """

    measured: int
    mean_oks: float
    mean_oks_unlabelled: float | None
    mean_oks_with_labels: float
    ap: float
    ap_with_labels: float
    ap_at: dict[str, float]
    ap_medium: float
    ap_large: float
    ar: float
    all_correct: bool
    counts: dict[str, int]
    further: dict[str, float]
    further_with_labels: dict[str, float]
    rank_correlation: dict[str, float]
    ap_at_with_labels: dict[str, float] = attrs.field(factory=dict)


@attrs.frozen
class CycleRecord:
    """One cycle: estimate, score, query, label, decide, retrain.

    Attributes:
        cycle: from 0.
        instances: N, those of the video, without those at which an annotator found nobody.
        labelled: how many were labelled before this cycle's query.
        query: instances asked for and labelled, in the order of picking, or given in cycle 0; others are left out.
        corrected: instances of earlier queries whose label was given anew in this cycle.
        query_oks: their OKS against the answers, before retraining; None where no keypoint of the answer is visible.
        labelled_oks: OKS of everything labelled, the query last, under this cycle's estimates.
        mean_scores: each criterion's mean over the video.
        further_passes: ``{criterion: instances}`` that went through the network once more for it.
        annotation_seconds: time the oracle's people spent.
        seconds: wall-clock of ``estimate`` (scoring included), ``select``, ``label``, ``retrain``.
        fired: why each stopping criterion that would stop here would, ``{name: reason}``.
        stopped_by: which of the run's own ended it here, or :data:`ANNOTATOR`.
        evaluation: what the truth says of this cycle's estimates, where there is truth.
    """

    cycle: int
    instances: int
    labelled: int
    query: tuple[int, ...] = ()
    corrected: tuple[int, ...] = ()
    query_oks: tuple[float | None, ...] = ()
    labelled_oks: tuple[float | None, ...] = ()
    mean_scores: dict[str, float] = attrs.field(factory=dict)
    further_passes: dict[str, int] = attrs.field(factory=dict)
    annotation_seconds: float = 0.0
    seconds: dict[str, float] = attrs.field(factory=dict)
    fired: dict[str, str] = attrs.field(factory=dict)
    stopped_by: str | None = None
    evaluation: Evaluation | None = None

    @property
    def fraction(self) -> float:
        """Labelled before the query, as a fraction of the video; 0 where nobody is in it."""
        return self.labelled / self.instances if self.instances else 0.0

    @property
    def labelled_after(self) -> int:
        """Labelled after the query."""
        return self.labelled + len(self.query)

    @property
    def closes(self) -> bool:
        """Whether nothing came of it that could be learnt: the run's last."""
        return not self.query and not self.corrected

    @property
    def query_mean_oks(self) -> float | None:
        """m of the paper, over what is measured; None where nothing is."""
        measured = [oks for oks in self.query_oks if oks is not None]
        return sum(measured) / len(measured) if measured else None


def _without_truth(cycles: Iterable[CycleRecord]) -> tuple[CycleRecord, ...]:
    return tuple(attrs.evolve(cycle, evaluation=None, fired={}, stopped_by=None) for cycle in cycles)


@attrs.frozen
class History:
    """What stopping criteria and retraining policies may know: the cycles so far, without what the truth says.

    Attributes:
        cycles: the present one last.
        threshold: τ, the OKS at which a pose counts as correct.
        elapsed: seconds since the run began, interruptions left out.
        random_source: whether the run began with random weights.
        beforehand: how many of the labels came with the data: nobody was asked for them.
        ends: whether the run ends with this cycle, as far as a retraining policy may know; stopping criteria see False.
    """

    cycles: tuple[CycleRecord, ...] = attrs.field(converter=_without_truth)
    threshold: float
    elapsed: float = 0.0
    random_source: bool = False
    beforehand: int = 0
    ends: bool = False

    @property
    def present(self) -> CycleRecord:
        """The cycle under way."""
        return self.cycles[-1]

    @property
    def labelled(self) -> int:
        """How many instances are labelled, the present query included."""
        return self.present.labelled_after if self.cycles else 0

    @property
    def given(self) -> int:
        """How many labels were asked for and given, with corrections and those of instances that were refused later."""
        before = (self.cycles[0].labelled if self.cycles else 0) - self.beforehand
        return before + sum(len(record.query) + len(record.corrected) for record in self.cycles)


@attrs.frozen
class RunRecord:
    """How a run ended: what ``vatl run --json`` prints. None where it needs truth that there is not.

    Attributes:
        run: the run directory.
        instances, labelled: N, and how many of them were labelled.
        measured: how many of them the figures are about: those whose truth is known, with a visible keypoint.
        cycles: how many queries were put to the oracle.
        stopped_by: the stopping criterion, or ``schedule`` when it ran out.
        reason: why, in a line.
        mean_oks … alc_with_labels: of the closing estimates; the learning curve's area covers the fractions reached.
        seconds: wall-clock of the whole run, interruptions left out.
        warnings: what the user should know before believing the figures.
        notes: what the criteria knew before the first label.
        given, asked: how many of the labelled came so with the data, and how many were asked for.
    """

    run: str
    dataset: str
    video: str
    instances: int
    labelled: int
    measured: int
    cycles: int
    stopped_by: str
    reason: str
    mean_oks: float | None
    mean_oks_unlabelled: float | None
    mean_oks_with_labels: float | None
    ap: float | None
    ap_with_labels: float | None
    alc: float | None
    alc_with_labels: float | None
    seconds: float
    weights: str
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    given: int = 0
    asked: int = attrs.field(default=attrs.Factory(lambda self: self.labelled - self.given, takes_self=True))


def _as_it_is(value: Any, kind: type[Any]) -> Any:
    if type(value) is not kind and not (kind is float and type(value) is int):
        raise TypeError(f"{value!r} is no {kind.__name__}")
    float(value if kind in (int, float) else 0)  # which no number of 400 digits becomes
    return kind(value)


converter = cattrs.Converter(forbid_extra_keys=True)
"""Between records and what JSON can hold; nothing is rounded, and no text is a number."""
for _kind in (bool, int, float, str):
    converter.register_structure_hook(_kind, _as_it_is)


def to_json(record: Any) -> dict[str, Any]:
    """A record as JSON's types."""
    return cast(dict[str, Any], converter.unstructure(record))

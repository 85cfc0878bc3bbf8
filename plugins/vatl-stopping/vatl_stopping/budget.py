"""Stopping when what one is willing to spend is spent."""

from __future__ import annotations

from typing import ClassVar

import attrs
from attrs.validators import ge, gt, le, optional

from vatl_core.contracts import Stopping
from vatl_core.records import History


@attrs.frozen
class Budget(Stopping):
    """Stops at the first limit that is reached; what was labelled until then is still learnt from.

    Only what was asked for counts: labels that came with the data cost nobody anything.

    Attributes:
        labels: number of labels, corrections of earlier cycles' labels included; never more are asked for.
        fraction: of the video's instances; never more are asked for.
        minutes: of the annotators' time; as soon as their mean time for a label is known, no more are asked for than
            fit, save that a last label may begin before they are over.
        hours: of wall-clock, since the run began.
    """

    retrains: ClassVar[bool] = True

    labels: int | None = attrs.field(default=None, validator=optional(ge(1)))
    fraction: float | None = attrs.field(default=None, validator=optional([gt(0), le(1)]))
    minutes: float | None = attrs.field(default=None, validator=optional(gt(0)))
    hours: float | None = attrs.field(default=None, validator=optional(gt(0)))

    def decide(self, history: History) -> str | None:
        """The first limit that is reached."""
        minutes, share = _seconds(history) / 60, self._share(history)
        if self.labels is not None and history.given >= self.labels:
            return f"{history.given} of {self.labels} labels are given"
        if share is not None and (asked := history.labelled - history.beforehand) >= share:
            done = "asked for and labelled" if history.beforehand else "labelled"
            return f"{asked} of {history.present.instances} instances are {done} ({self.fraction:.0%})"
        if self.minutes is not None and minutes >= self.minutes:
            return f"{minutes:.1f} of {self.minutes:g} minutes of annotation are used"
        if self.hours is not None and history.elapsed >= self.hours * 3600:
            return f"{history.elapsed / 3600:.2f} of {self.hours:g} hours are used"
        return None

    def allowance(self, history: History) -> int | None:
        """The labels left, or as many as fit into the minutes left: at least one, while any of these are left."""
        share, seconds = self._share(history), _seconds(history)
        left = [] if self.labels is None else [max(0, self.labels - history.given)]
        if share is not None:
            left.append(max(0, share - (history.labelled - history.beforehand)))
        if self.minutes is not None and seconds > 0 and history.given:
            left.append(max(1, int((self.minutes * 60 - seconds) * history.given / seconds)))
        return min(left, default=None)

    def _share(self, history: History) -> int | None:
        """``fraction`` as a number of instances."""
        return None if self.fraction is None else max(1, round(self.fraction * history.present.instances))


def _seconds(history: History) -> float:
    """What the annotators spent so far."""
    return sum(record.annotation_seconds for record in history.cycles)


@attrs.frozen
class Never(Stopping):
    """Never stops: the run ends with its schedule, by default when everything is labelled."""

    def decide(self, history: History) -> str | None:
        """Never."""
        return None

"""What has been answered in a run, kept in memory: whoever looks does not wait for the disk, nor hold up the run."""

from __future__ import annotations

import time
from collections.abc import Collection

import attrs

from vatl_annotate.submission import Submission
from vatl_core.contracts import Answer, Labels, Refusal
from vatl_core.store import Answers, GivenLabel

_SAME = 1e-3
"""Pixels: a label on disk is rounded to single precision."""


@attrs.define
class Ledger:
    """The answers that are on disk.

    Attributes:
        given: every label that somebody was asked for, in order.
        newest: the one that counts, by instance.
        refused: the instances that get no label, each with whether nobody is there.
        before: how many labels came with the data: nobody was asked for them.
    """

    given: list[GivenLabel]
    newest: dict[int, GivenLabel]
    refused: dict[int, bool]
    before: int = 0

    @classmethod
    def of(cls, answers: Answers, before: Collection[int] = ()) -> Ledger:
        """What is on disk now; the instances ``before`` were labelled in the data, as the first cycle's answers.

        Raises:
            InputError: the file is damaged.
        """
        every = answers.history()
        given = [g for g in every if g.cycle or g.instance not in before]
        return cls(given, {g.instance: g for g in every}, answers.refused(), len(before))

    def add(self, cycle: int, answer: Answer) -> None:
        """Heed an answer that has come to be on disk."""
        if isinstance(answer, Labels):
            for given in GivenLabel.all_of(cycle, answer, time.time()):
                self.given.append(given)
                self.newest[given.instance] = given
                self.refused.pop(given.instance, None)
        elif isinstance(answer, Refusal):
            self.refused[answer.index] = answer.absent

    @property
    def labelled(self) -> int:
        """How many instances have a label that counts."""
        return len(self.newest.keys() - self.refused.keys())

    @property
    def absent(self) -> set[int]:
        """The instances at which nobody is."""
        return {instance for instance, absent in self.refused.items() if absent}

    def has(self, made: Submission) -> bool:
        """Whether this very label counts already: its sender was not told, and sends it again."""
        given = self.newest.get(made.instance)
        if given is None or given.annotator != made.annotator or made.instance in self.refused:
            return False
        return all(
            value == v and (not v or max(abs(px - x), abs(py - y)) < _SAME)
            for (px, py), value, (x, y, v) in zip(given.keypoints, given.values, made.keypoints, strict=True)
        )

"""Where each instance of a video stands: labelled, refused, or still to be asked for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import attrs
import torch
from torch import Tensor

from vatl_core.errors import InputError
from vatl_core.records import CycleRecord
from vatl_core.store import EVER, Answers


@attrs.frozen
class Standing:
    """What the answers make of N instances.

    Attributes:
        count: N.
        asked: those that earlier cycles asked for and that are labelled, in the order of asking.
        refused: those that get no label, each with whether nobody is there.
        answerable: (N,) bool, which of them the oracle can answer for; None for any.
    """

    count: int
    asked: tuple[int, ...]
    refused: Mapping[int, bool]
    answerable: Tensor | None = None

    @classmethod
    def of(cls, count: int, records: Iterable[CycleRecord], answers: Answers, before: int = EVER) -> Standing:
        """As it is after ``records``, by the answers that were given in cycles ``before`` this one.

        Raises:
            InputError: the answers are not those of these records, or the video not theirs.
        """
        refused, labelled = answers.refused(before), answers.labelled()
        asked = tuple(i for record in records for i in record.query if i not in refused)
        settled = labelled | refused.keys()
        if lost := [i for i in (*asked, *settled) if i not in settled or not 0 <= i < count]:
            raise InputError(f"{answers.path} lacks instance {lost[0]}, or is another run's: restore it")
        return cls(count, asked, refused)

    @property
    def instances(self) -> int:
        """How many there are, without those at which nobody is."""
        return self.count - sum(self.refused.values())

    def labelled(self, device: torch.device) -> Tensor:
        """(N,) bool, whether an earlier cycle had it labelled."""
        return self._mask(self.asked, device)

    def settled(self, device: torch.device) -> Tensor:
        """(N,) bool, whether it has its answer: labelled, or refused."""
        return self._mask([*self.asked, *self.refused], device)

    def askable(self, device: torch.device) -> Tensor:
        """(N,) bool, whether it may still be asked for: it has no answer, and the oracle can give one."""
        left = ~self.settled(device)
        return left if self.answerable is None else left & self.answerable.to(device)

    def there(self, device: torch.device) -> Tensor:
        """(N,) bool, whether it is an instance at all."""
        return ~self._mask([i for i, absent in self.refused.items() if absent], device)

    def _mask(self, index: Iterable[int], device: torch.device) -> Tensor:
        mask = torch.zeros(self.count, dtype=torch.bool, device=device)
        mask[list(index)] = True
        return mask

"""What a script answers to a query: answers, or no more than keypoints; by hand, or by a function."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import attrs
import torch
from torch import Tensor

from vatl_core.contracts import Answer, Enough, Labels, Oracle, Redrawn, Refusal, Request
from vatl_core.errors import InputError


@attrs.frozen
class Asked(Oracle):
    """A function as an oracle.

    Attributes:
        function: is given the request; returns answers, one answer, or keypoints (m, K, 2) of the instances asked for,
            NaN where one is not annotated.
    """

    function: Callable[[Request], Any]

    def annotate(self, request: Request) -> Iterable[Answer]:
        """What the function returns."""
        name = getattr(self.function, "__name__", type(self.function).__name__)
        return answers_from(self.function(request), request.indices, name)


def answers_from(given: Any, index: Tensor, annotator: str) -> Iterable[Answer]:
    """Answers, one answer, or the annotator's keypoints (M, K, 2) of the instances ``index`` (M,), as answers.

    Raises:
        InputError: it is nothing of the kind.
    """
    if isinstance(given, Labels | Redrawn | Refusal | Enough):
        return [given]
    if hasattr(given, "__array__"):
        keypoints = torch.as_tensor(given).detach().cpu().float()
        if keypoints.ndim != 3 or len(keypoints) != len(index):
            raise InputError(f"{len(index)} instances were asked for: keypoints {tuple(keypoints.shape)} do not fit")
        return [Labels(index, keypoints, keypoints.isfinite().all(2), annotator, torch.zeros(len(index)))]
    if not isinstance(given, Iterable):
        raise InputError(f"'{annotator}' gave a {type(given).__name__}: answers or keypoints are expected")
    return given

"""Stopping once poses are correct, judged by the labels alone (Taketsugu & Ukita, WACV 2024)."""

from __future__ import annotations

import attrs

from vatl_core.contracts import Stopping
from vatl_core.records import History


@attrs.frozen
class AllCorrect(Stopping):
    """Stops when every labelled and every just-queried instance had OKS ≥ τ before retraining.

    τ is the run's ``threshold``. A label in which nothing is visible says nothing of the estimate, and does not count.
    """

    def decide(self, history: History) -> str | None:
        """The labels' OKS under the present estimates."""
        similarity = [oks for oks in history.present.labelled_oks if oks is not None]
        if not similarity or min(similarity) < history.threshold:
            return None
        return (
            f"all {len(similarity)} labelled instances have OKS ≥ {history.threshold:g} (lowest {min(similarity):.3f})"
        )


@attrs.frozen
class MinimumError(Stopping):
    """Stops when the query's mean OKS, before retraining, reaches τ.

    τ is the run's ``threshold``.
    """

    def decide(self, history: History) -> str | None:
        """The query's mean OKS under the present estimates."""
        mean = history.present.query_mean_oks
        if mean is None or mean < history.threshold:
            return None
        return f"the query's mean OKS is {mean:.3f} ≥ {history.threshold:g}"

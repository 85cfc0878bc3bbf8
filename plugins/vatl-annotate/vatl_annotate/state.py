"""How far a run is, and what is known so far, as JSON for the page."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vatl_annotate.desk import Desk
from vatl_core.cycle import amounts

if TYPE_CHECKING:
    from vatl_core.cycle import Run


def state_of(desk: Desk) -> dict[str, Any]:
    """How far the run at a desk is, and what is known so far."""
    with desk.lock:
        records = list(desk.review.records if desk.review else desk.run.records)
        last = records[-1] if records else None
        return {
            "phase": desk.phase,
            "cycle": desk.run.cycle,
            "stage": desk.stage.to_json(),
            "queue": _queue(desk),
            "instances": last.instances if last else len(desk.run.video.instances),
            **_labels(desk),
            "curve": [_point(record) for record in records],
            "figures": desk.figures,
            "stopping": _stopping(desk.run, last.fired if last else {}),
            "spent": _spent(desk.ledger.given),
            "annotators": dict(Counter(label.annotator for label in desk.ledger.given)),
            "closing": _closing(desk),
            "error": desk.error,
            "review": {"unlearnt": desk.unlearnt} if desk.review else None,
        }


def _queue(desk: Desk) -> dict[str, Any]:
    total, left = len(desk.queue.places), desk.queue.left
    oks = _mean(list(desk.oks.values()))
    return {"total": total, "answered": total - left, "left": left, "pause": desk.left, "oks": oks}


def _labels(desk: Desk) -> dict[str, Any]:
    """How many labels there are, how many there were before the run, and where the next queries end."""
    config, count = desk.run.config, len(desk.run.video.instances)
    labelled, before = desk.ledger.labelled, desk.ledger.before
    schedule = [before + amount for amount in amounts(config.schedule, count, config.rounding)]
    return {"labelled": labelled, "before": before, "schedule": [amount for amount in schedule if amount > labelled]}


def _point(record: Any) -> dict[str, Any]:
    """One point of the learning curve."""
    evaluation = record.evaluation
    return {
        "cycle": record.cycle,
        "labelled": record.labelled,
        "query_oks": record.query_mean_oks,
        "mean_oks": evaluation.mean_oks if evaluation else None,
        "ap": evaluation.ap if evaluation else None,
        "scores": record.mean_scores,
    }


def _stopping(run: Run, fired: Mapping[str, object]) -> list[dict[str, Any]]:
    names = [name for name in [*run.stopping, *run.advising] if name != "none"]
    return [{"name": name, "own": name in run.stopping, "fires": fired.get(name)} for name in names]


def _spent(labels: Sequence[Any]) -> dict[str, Any]:
    """What the labels cost so far, in labels and in seconds."""
    seconds = [label.seconds for label in labels]
    last = seconds[-1] if seconds else None
    return {"labels": len(labels), "seconds": sum(seconds), "last": last, "mean": _mean(seconds)}


def _closing(desk: Desk) -> dict[str, Any] | None:
    """How the run ended, and what to type next."""
    record = desk.closing
    if record is None:
        return None
    names = ("run", "labelled", "instances", "stopped_by", "reason", "mean_oks", "ap", "seconds", "warnings")
    further = {"predict": ["--with-labels"] if desk.review else [], "report": []}
    commands = {name: shlex.join(["vatl", name, str(record.run), *words]) for name, words in further.items()}
    return {name: getattr(record, name) for name in names} | {"run": Path(record.run).name, "next": commands}


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None

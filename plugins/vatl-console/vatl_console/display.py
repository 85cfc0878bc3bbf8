"""A progress display on standard error: the stage under way, the whole run, and the time each has left."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping

import attrs
import torch
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from vatl_core.cycle import Run, amounts
from vatl_core.records import CycleRecord, RunRecord

SLOW = 1.0
"""Seconds a label from which on somebody must be labelling: then nobody knows when the run ends."""
STAGES = {"estimate": "estimating", "label": "labelling", "retrain": "retraining"}


@attrs.define
class Clock:
    """How long things take, to say how long they will.

    Attributes:
        cycles: how many cycles the schedule has, the closing pass included.
        began: when the run began or was taken up.
        spent: seconds of the cycles finished since then.
    """

    cycles: int
    began: float = attrs.field(factory=time.monotonic)
    spent: list[float] = attrs.field(factory=list)

    def left(self) -> float | None:
        """Seconds left of the run if every coming cycle takes as long as those so far; None before the first ends."""
        if not self.spent:
            return None
        under_way = time.monotonic() - self.began - sum(self.spent)
        mean = sum(self.spent) / len(self.spent)
        return max(0.0, (self.cycles - len(self.spent)) * mean - under_way)


@attrs.define
class Display:
    """What a run shows while it works.

    Attributes:
        console: on standard error, so that standard output is left to results.
        progress: the bars.
        clock: for the whole run.
    """

    console: Console
    progress: Progress
    clock: Clock
    _whole: TaskID = attrs.field(init=False)
    _stage: TaskID | None = attrs.field(init=False, default=None)
    _name: str = attrs.field(init=False, default="")
    _since: float = attrs.field(init=False, factory=time.monotonic)
    _cycle: int = attrs.field(init=False, default=0)
    _before: int = attrs.field(init=False, default=0)
    _people: bool = attrs.field(init=False, default=False)

    @classmethod
    def of(cls, run: Run) -> Display:
        """A display for this run, from where it stands."""
        console = Console(stderr=True)
        columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
        progress = Progress(*columns, TextColumn("{task.fields[left]}"), console=console, transient=True)
        return cls(console, progress, Clock(_cycles(run)))

    def begin(self) -> None:
        """Open the bars."""
        self._whole = self.progress.add_task("whole run", total=self.clock.cycles, left="")
        self.progress.start()

    def cycle(self, number: int) -> None:
        """A cycle begins."""
        self._cycle = number
        self.progress.update(self._whole, description=f"whole run, cycle {number + 1}")

    def asking(self, count: int, before: int) -> None:
        """``count`` instances are put to the oracle, ``before`` of them answered already."""
        self.say(f"cycle {self._cycle + 1}: asking for {count} instances")
        self._open_stage("label", count)
        self._before = before

    def stage(self, name: str, done: int, total: int) -> None:
        """A stage has come so far; its time left is what the rest takes at the present pace.

        What a person takes is no pace: while one labels, the mean time for a label is shown.
        """
        if name != self._name or self._stage is None:
            self._open_stage(name, total)
        spent, steps = time.monotonic() - self._since, max(done - self._before, 1)
        self._people |= name == "label" and spent / steps > SLOW
        left = f"{spent / steps:.0f} s a label" if name == "label" else f"{_time(spent / steps * (total - done))} left"
        if self._stage is not None:
            self.progress.update(self._stage, completed=done, total=total, left=left)
        whole = None if self._people else self.clock.left()
        self.progress.update(self._whole, left=f"at most {_time(whole)} left" if whole is not None else "")
        if done >= total:
            self._close_stage()

    def finished(self, record: CycleRecord, further: Mapping[str, str], given: int = 0) -> None:
        """One line on a cycle, with plugins' ``further`` figures by name, and the bar of the whole run.

        ``given`` labels came with the data; in the first cycle they are learnt from.
        """
        self._close_stage()
        self.clock.spent.append(time.monotonic() - self.clock.began - sum(self.clock.spent))
        self.progress.advance(self._whole)
        self.say(_line(record, further, given))

    def say(self, text: str) -> None:
        """A line above the bars."""
        self.progress.console.print(text, highlight=False, markup=False, soft_wrap=True)

    def close(self) -> None:
        """Take the bars away."""
        self.progress.stop()

    def end(self, run: Run, record: RunRecord, further: Mapping[str, str]) -> None:
        """Close the bars and print the closing table, with plugins' ``further`` figures of the last cycle by name."""
        self.close()
        for note in record.notes:
            self.console.print(note, highlight=False, markup=False, soft_wrap=True)
        for warning in record.warnings:
            self.console.print(f"warning: {warning}", style="yellow", markup=False, soft_wrap=True)
        self.console.print(_table(record, labelled_by(run), further))
        page = run.folder.path / "report" / "index.html"
        self.console.print(f"report: {page}" if page.exists() else f"run: {run.folder.path}", soft_wrap=True)

    def _open_stage(self, name: str, total: int) -> None:
        self._close_stage()
        self._name, self._since, self._before = name, time.monotonic(), 0
        self._stage = self.progress.add_task(STAGES.get(name, name), total=total, left="")

    def _close_stage(self) -> None:
        if self._stage is not None:
            self.progress.remove_task(self._stage)
        self._stage, self._name = None, ""


def _cycles(run: Run) -> int:
    """How many cycles the schedule still has, the closing pass included."""
    given = run.folder.given
    done = run.records[-1].labelled_after - len(given) if run.records else 0
    askable = run.standing().askable(torch.device("cpu"))
    askable[given] = False
    most = done + int(askable.sum())
    wanted = amounts(run.config.schedule, len(run.video.instances), run.config.rounding)
    ahead = {min(amount, most) for amount in wanted if amount > done} - {done}
    return 1 + len(ahead) + bool(given and not run.records)


def _line(record: CycleRecord, further: Mapping[str, str], given: int = 0) -> str:
    before = given and not record.labelled
    whose = "their" if before else "query's"
    parts = [f"{record.labelled}/{record.instances} labelled{f' ({given} given)' if given and not before else ''}"]
    parts += [f"learnt from {given} labels given with the data"] if before else []
    if record.evaluation:
        of = _measured(record.evaluation.measured, record.instances)
        parts += [f"mean OKS {record.evaluation.mean_oks:.3f}{of and f' of {of}'}", f"AP {record.evaluation.ap:.3f}"]
    if record.corrected:
        parts.append(f"{len(record.corrected)} corrected")
    if record.query_mean_oks is not None:
        parts.append(f"{whose} mean OKS {record.query_mean_oks:.3f}")
    parts += [f"{name} {figure}" for name, figure in further.items()]
    parts += [f"{count} further passes for {name}" for name, count in record.further_passes.items()]
    parts += [f"{name} would stop" for name in record.fired if name != record.stopped_by]
    took = sum(record.seconds.values())
    return f"cycle {record.cycle + 1}: {', '.join(parts)} ({_time(took)})"


def _measured(measured: int, instances: int) -> str:
    """How many of the instances the figures are about; empty where they are about all."""
    return f"{measured} of {instances} instances measured" if measured < instances else ""


def labelled_by(run: Run) -> str:
    """How many labels each annotator who was asked gave, and how long they took; empty where no person did."""
    came, history = set(run.folder.given), run.folder.answers.history()
    asked = [label for label in history if label.annotator != run.config.oracle and (label.cycle or not came)]
    spent = sum(label.seconds for label in asked)
    counts = Counter(label.annotator or "nameless" for label in asked).most_common()
    took = f" in {_time(spent)}, {spent / len(asked):.0f} s a label" if spent else ""
    return ", ".join(f"{name} {count}" for name, count in counts) + took


def _table(record: RunRecord, people: str, further: Mapping[str, str]) -> Table:
    """The closing table; a figure that is not known has no line."""
    table = Table(title=record.run, show_header=False)
    share = f" ({record.labelled / record.instances:.0%})" if record.instances else ""
    rows = {
        "labelled": f"{record.labelled} of {record.instances}{share}",
        "of these": f"{record.given} given with the data, {record.asked} asked for" if record.given else "",
        "labelled by": people,
        "stopped by": f"{record.stopped_by}: {record.reason}",
        "measured": _measured(record.measured, record.instances) if record.measured else "",
        "mean OKS": _number(record.mean_oks),
        "mean OKS of the unlabelled": _number(record.mean_oks_unlabelled),
        **further,
        "AP": _number(record.ap),
        "AP with labels": _number(record.ap_with_labels),
        "area under the learning curve": _number(record.alc),
        "took": _time(record.seconds),
        "source weights": record.weights,
    }
    for name, value in rows.items():
        if value:
            table.add_row(name, Text(value))
    return table


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def _time(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min {rest:02} s" if minutes else f"{rest} s"

"""Looking back at a run."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

import attrs
import tomli_w

from vatl_core.config import RunConfig
from vatl_core.contracts import Labels
from vatl_core.cycle import Run, Standing
from vatl_core.discovery import discover
from vatl_core.errors import InputError
from vatl_core.files import write_whole
from vatl_core.plugins import Registry, build
from vatl_core.records import CycleRecord, RunRecord
from vatl_core.run.data import from_where_begun
from vatl_core.run.objects import with_objects
from vatl_core.run.preparation import load_video, prepare
from vatl_core.run.running import config_of
from vatl_core.store import RunFolder
from vatl_core.video import Video
from vatl_core.weights import load_checkpoint


@attrs.frozen(slots=False)
class PastRun:
    """A run to look back at, finished or not.

    Attributes:
        folder: where it is kept.
        config: what it was made of.
        cycles: records of the finished cycles; the last is the closing pass (``query == ()``) once it has ended.
        closing: None while it has not ended.
    """

    folder: RunFolder
    config: RunConfig
    cycles: list[CycleRecord]
    closing: RunRecord | None
    registry: Registry = attrs.field(repr=False)

    @classmethod
    def open(cls, path: Path, registry: Registry | None = None) -> PastRun:
        """The run in the directory ``path``, made of everything that is installed or of ``registry``.

        Raises:
            InputError: there is none, or records of its cycles are missing.
        """
        folder = RunFolder.open(path)
        registry, cycles, end = with_objects(registry or discover(), folder), folder.cycles(), folder.closing()
        if end and len(cycles) < (passes := end.cycles + bool(folder.given) + 1):  # the last is the closing pass
            raise InputError(f"{path / 'cycles.jsonl'} has {len(cycles)} passes, not {passes}: is it whole?")
        return cls(folder, config_of(folder, registry), cycles, end, registry)

    @cached_property
    def video(self) -> Video:
        """The video it adapted to, with its truth where there is any; boxes as they were redrawn last."""
        config = from_where_begun(self.config, self.folder)
        dataset = build(self.registry, "dataset", config.dataset, config.of("dataset", config.dataset))
        return load_video(dataset, config.video, self.folder)

    @property
    def standing(self) -> Standing:
        """Where each instance of the video stands."""
        return Standing.of(len(self.video.instances), self.cycles, self.folder.answers)

    def at(self, cycle: int) -> Run:
        """The run as it stood when it estimated in ``cycle``, to look at; nothing is written.

        Raises:
            InputError: the weights of that cycle are not there, or something it is made of cannot be used here.
        """
        file = self.folder.weights(cycle)
        if not file.is_file():
            raise InputError(f"{file} is not there: without the weights of cycle {cycle} nothing can be estimated")
        run = prepare(from_where_begun(self.config, self.folder), self.registry, self.folder, cycle)
        run.folder, run.records = self.folder, self.cycles[:cycle]
        load_checkpoint(run.estimator, run.video.skeleton, file)
        return run

    def labels(self) -> Labels:
        """Everything labelled, in the order of asking; what no finished cycle asked for is last."""
        standing, answers = self.standing, self.folder.answers
        since = answers.labelled() - {*standing.asked, *standing.refused}
        return answers.labels([*standing.asked, *sorted(since)], len(self.video.skeleton))


def move_data(path: Path, root: Path) -> None:
    """Have the run in directory ``path`` know that its data lies below ``root`` now.

    Raises:
        InputError: it is no run, another process works on it, or below ``root`` there is other data or none.
    """
    past = PastRun.open(path)
    past.folder.lock()
    try:
        moved = from_where_begun(past.config, past.folder, root)
        _ = attrs.evolve(past, config=moved).video  # which is held to what the run began with
        tables = past.folder.config | {"dataset": moved.options.get("dataset", {})}
        write_whole(path / "config.toml", tomli_w.dumps(tables))
    finally:
        past.folder.unlock()

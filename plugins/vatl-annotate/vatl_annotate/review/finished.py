"""A finished run to be looked through: what it estimated last, what was labelled since, and learning from that."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Mapping
from functools import cached_property
from pathlib import Path

import attrs
import torch

from vatl_annotate.review.evidence import Evidence, Reasons
from vatl_annotate.review.ordering import by_track, spread
from vatl_core.contracts import Enough, Request
from vatl_core.cycle import Run
from vatl_core.errors import InputError
from vatl_core.estimation import Estimates
from vatl_core.run import PastRun, refuse_exposed
from vatl_core.video import Video
from vatl_formats import with_identities


@attrs.frozen(slots=False)
class Finished:
    """A run that has come to its end, as it stands now.

    Attributes:
        past: the run, whose oracle is a person in the browser.
        cycle: of its last pass; what a review labels is given in it, until the estimator learns from that.
        estimates: of that pass, on the CPU.
    """

    past: PastRun
    cycle: int
    estimates: Estimates

    @classmethod
    def open(cls, path: Path, place: Mapping[str, str], trust: bool) -> Finished:
        """The run in the directory ``path``, with options of the browser over its own.

        Raises:
            InputError: it has not ended, its estimates are lost, or it needs ``trust``.
        """
        past = PastRun.open(path)
        if past.folder.through() is None:
            again = f"`vatl resume {shlex.quote(str(path))}`"
            raise InputError(f"{path} has not finished: {again} goes on, and once it has ended it can be reviewed")
        tables = {"browser": {**past.config.of("oracle", "browser"), **place}}
        options = {**past.config.options, "oracle": tables}
        config = attrs.evolve(past.config, oracle="browser", options=options, device="cpu", precision="auto")
        if not trust:
            refuse_exposed(past.folder, config, past.registry, True, place)
        return cls(attrs.evolve(past, config=config), cycle := len(past.cycles) - 1, _estimates(past, cycle))

    @cached_property
    def video(self) -> Video:
        """With the identities as they were put right."""
        return with_identities(self.past.video, self.past.folder.path)

    def at_its_end(self) -> Run:
        """The run as its last pass left it, to be shown."""
        run = self.past.at(self.cycle)
        run.estimates = self.estimates
        return run

    def pending(self) -> list[int]:
        """What was labelled for the first time since the estimator learnt last, in order."""
        standing = self.past.standing
        given = self.past.folder.answers.given_in(self.cycle)
        return [i for i in given if i not in standing.asked and i not in standing.refused]

    @property
    def unlearnt(self) -> int:
        """How many were labelled, or had a label corrected, since the estimator learnt last."""
        given = self.past.folder.answers.given_in(self.cycle)
        return len(set(given) - self.past.standing.refused.keys())

    @cached_property
    def reasons(self) -> Reasons:
        """Why each instance is worth a look."""
        evidence = Evidence.of(self.video, self.estimates, self.past.labels())
        return Reasons(self.video, evidence, evidence.columns)

    def queue(self, count: int, order: str, seen: Collection[int]) -> list[int]:
        """The most suspicious instances that have no answer, first those that were not ``seen``.

        Args:
            count: at most so many.
            order: ``suspicion`` or ``track``.
            seen: those that earlier queues of this review held.
        """
        instances, past = self.video.instances, self.past
        among = torch.ones(len(instances), dtype=torch.bool)
        among[[*past.standing.asked, *past.standing.refused, *past.labels().index.tolist()]] = False
        fresh = among.clone()
        fresh[list(seen)] = False
        among = fresh if fresh.any() else among
        looked_at = {*seen, *past.folder.answers.given_in(self.cycle)}
        suspicion = self.reasons.evidence.suspicion
        picks = spread(suspicion, instances.frame, instances.track, among, count, looked_at)
        return by_track(picks, instances.frame, instances.track) if order == "track" else picks

    def request(self, run: Run, query: list[int]) -> Request:
        """What a person is asked."""
        index = torch.tensor(query, dtype=torch.int64)
        boxes = run.video.instances.with_boxes(run.folder.answers.boxes())
        return Request(
            video=attrs.evolve(run.video, instances=boxes),
            cycle=self.cycle,
            query=index,
            indices=index,
            proposals=self.estimates.keypoints[index],
            scores=self.estimates.scores[index],
            labels=self.past.labels(),
            folder=run.folder.cycle_folder(self.cycle),
        )

    def reopen(self) -> None:
        """Make the last pass a cycle that asked for what the review labelled, the last that asks for anything."""
        folder = self.past.folder
        last = folder.answers.history()[-1]
        folder.answers.save(self.cycle, Enough(last.annotator))
        folder.reopen(self.pending())


def _estimates(past: PastRun, cycle: int) -> Estimates:
    kept, file = past.folder.estimates(cycle), past.folder.cycle_folder(cycle) / "estimates.npz"
    if kept is None:
        raise InputError(f"{file} is not there: the run's last poses are lost, restore the file")
    if kept.keypoints.shape[:2] != (len(past.video.instances), len(past.video.skeleton)):
        raise InputError(f"{file} is another video's: restore the run's own")
    return kept

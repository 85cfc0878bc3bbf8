"""What the page is shown of a run, as JSON: the run, one instance, all labels."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import attrs
import torch

from vatl_annotate.desk import Desk
from vatl_annotate.pictures import AHEAD, SHOWN, Darkroom, Region, region_around, size_of
from vatl_annotate.review.identities import Identities
from vatl_annotate.submission import RefusedError

if TYPE_CHECKING:
    from vatl_core.cycle import Run
    from vatl_core.video import Frames, Skeleton

Size = tuple[int, int]
"""Width and height in pixels."""
COMING: Final = 4
"""Instances whose pictures a page fetches before it gets them."""


@attrs.define(eq=False)
class Scene:
    """Everything that can be seen at a desk.

    Attributes:
        desk: where people label.
        room: where pictures are cut.
        context: how much is shown about a box, as a share of its longer side.
        annotator: what the page calls a person who has not said their name.
        identities: which track each instance is of, as a review has put them right.
    """

    desk: Desk
    room: Darkroom
    context: float
    annotator: str
    identities: Identities = attrs.field(init=False)
    _stamp: str = attrs.field(init=False, factory=lambda: secrets.token_hex(4))
    _sizes: dict[int, Size] = attrs.field(init=False, factory=dict)
    _measuring: threading.Lock = attrs.field(init=False, factory=threading.Lock)
    _frames: Frames = attrs.field(init=False)

    @identities.default
    def _as_kept(self) -> Identities:
        return Identities(self.desk.run.folder.path, self.desk.run.video.instances)

    @_frames.default
    def _own_reader(self) -> Frames:
        return self.desk.run.video.frames.reader()

    @classmethod
    def of(cls, desk: Desk, context: float, annotator: str) -> Scene:
        """The scene of a run."""
        return cls(desk, Darkroom(desk.run.video.frames), context, annotator)

    @property
    def run(self) -> Run:
        """Whose scene it is."""
        return self.desk.run

    def prepare(self) -> None:
        """Cut what a new queue will show: at once what comes first, the rest in the background."""
        with self.desk.lock:
            waiting = [place.instance for place in self.desk.queue.places.values() if not place.settled]
        self.room.forget()
        for instance in waiting[: COMING + 1]:
            self._want(instance, SHOWN if instance == waiting[0] else AHEAD)
        self.room.expect(view for instance in waiting for view in self._views(instance))

    def about(self) -> dict[str, Any]:
        """What does not change in a run."""
        skeleton = self.run.video.skeleton
        return {
            "run": self.run.folder.path.name,
            "video": self.run.video.name,
            "skeleton": {
                "name": skeleton.name,
                "keypoints": list(skeleton.keypoints),
                "edges": [list(edge) for edge in skeleton.edges],
                "sides": sides(skeleton),
            },
            "frames": len(self.run.video.frames),
            "annotator": self.annotator,
            "threshold": self.run.config.threshold,
        }

    # ----------------------------------------------------------------------------------------------------- one instance
    def task(self, instance: int) -> dict[str, Any]:
        """An instance to label or to correct."""
        instances = self.run.video.instances
        self._want(instance, SHOWN)
        with self.desk.lock:
            queue, given = self.desk.queue, self.desk.ledger.newest.get(instance)
            place = queue.places.get(instance)
            estimates = self.desk.estimates
        keypoints, scores = estimates.keypoints[instance].cpu(), estimates.scores[instance].cpu()
        proposal = torch.cat([keypoints, scores[:, None].clamp(0, 1)], 1)
        return {
            "instance": instance,
            "id": instances.ids[instance],
            "cycle": queue.cycle,
            "place": queue.position(instance),
            "frames": len(self.run.video.frames),
            "track": int(self.identities.track[instance]),
            "box": self.desk.boxes[instance].tolist(),
            **self._seen(instance),
            "proposal": [[round(v, 3) for v in row] for row in proposal.double().tolist()],
            "label": None if given is None else {"keypoints": _triples(given), "annotator": given.annotator},
            "open": place is not None,
            "skipped": place.skipped if place else 0,
            "reasons": list(self.desk.review.reasons(instance)) if self.desk.review else [],
            "swaps": [{"frame": swap.frame, "tracks": list(swap.tracks)} for swap in self.identities.swaps],
        }

    def _seen(self, instance: int) -> dict[str, Any]:
        """What is seen of an instance: its frame, those beside it, and who else is there."""
        frame, region = int(self.run.video.instances.frame[instance]), self.region(instance)
        return {
            "frame": frame,
            "picture": {"url": self.picture_url(frame, region), "region": list(region), "size": list(size_of(region))},
            "before": self._neighbour(frame - 1, region),
            "after": self._neighbour(frame + 1, region),
            "frame_url": f"/api/frames/{frame}?of={self._stamp}",
            "frame_size": list(self.frame_size(instance)),
            "others": list(self._others(instance, frame)),
        }

    def swap(self, instance: int, tracks: tuple[int, int], annotator: str, known: int) -> None:
        """From an instance's frame on, two tracks are each other's; as :meth:`Identities.swap`."""
        self._check_review(instance)
        self.identities.swap(int(self.run.video.instances.frame[instance]), tracks, annotator, known)

    def take_back(self, instance: int, known: int) -> None:
        """Undo the last swap of identities."""
        self._check_review(instance)
        self.identities.take_back(known)

    def _check_review(self, instance: int) -> None:
        self.frame_size(instance)  # which knows whether there is such an instance
        if self.desk.review is None:
            raise RefusedError(410, "identities are put right once the run has ended: vatl annotate RUN --review")

    def region(self, instance: int) -> Region:
        """The part of the frame that is shown of an instance."""
        x, y, width, height = self.desk.boxes[instance].tolist()
        return region_around((x, y, width, height), self.context, self.frame_size(instance))

    def frame_size(self, instance: int) -> Size:
        """Width and height of an instance's frame in pixels.

        Raises:
            RefusedError: there is no such instance.
            InputError: the frame cannot be read.
        """
        if not 0 <= instance < len(self.run.video.instances):
            raise RefusedError(404, "this instance was not asked for")
        frame = int(self.run.video.instances.frame[instance])
        with self._measuring:
            if frame not in self._sizes:
                self._sizes[frame] = self._frames.size(frame)
            return self._sizes[frame]

    def ahead(self, tab: str) -> list[str]:
        """Pictures that a window should fetch before it needs them, the most urgent first."""
        coming = self.desk.ahead(tab, COMING)
        for instance in coming:
            self._want(instance, AHEAD)
        own = {i: int(self.run.video.instances.frame[i]) for i in coming}
        views = [(frame, region, own[i]) for i in coming for frame, region in self._views(i)]
        views.sort(key=lambda view: view[0] != view[2])  # what an instance is labelled in before those beside it
        return [self.picture_url(frame, region) for frame, region, _ in views]

    def picture_url(self, frame: int, region: Region) -> str:
        """Where a region's picture is; it is kept by browsers for good, so that no other has the same address.

        Neither another region nor another run that is served at the same port.
        """
        return f"/api/pictures/{frame}/{','.join(f'{v:g}' for v in region)}?of={self._stamp}"

    def picture(self, frame: int, region: Region) -> Future[Path]:
        """A picture of a region that belongs to an instance of the frame or of one beside it.

        Raises:
            RefusedError: there is no such frame, or no instance has this region.
        """
        self._check_frame(frame)
        frames = self.run.video.instances.frame
        near = torch.nonzero((frames - frame).abs() <= 1).flatten().tolist()
        if not any(self.region(instance) == region for instance in near):
            raise RefusedError(404, "there is no such picture")
        return self.room.want(frame, region, AHEAD)  # pages fetch ahead; what they show was wanted with its task

    def whole_frame(self, frame: int) -> Future[Path]:
        """A picture of a whole frame.

        Raises:
            RefusedError: there is no such frame.
        """
        self._check_frame(frame)
        return self.room.want(frame, None)

    def _check_frame(self, frame: int) -> None:
        if not 0 <= frame < len(self.run.video.frames):
            raise RefusedError(404, "there is no such frame")

    def _views(self, instance: int) -> list[tuple[int, Region]]:
        """An instance's frame and those beside it, with its region; in order, for reading backwards is dear."""
        frame, region = int(self.run.video.instances.frame[instance]), self.region(instance)
        return [(f, region) for f in (frame - 1, frame, frame + 1) if 0 <= f < len(self.run.video.frames)]

    def _want(self, instance: int, urgency: int) -> None:
        for frame, region in self._views(instance):
            self.room.want(frame, region, urgency)

    def _neighbour(self, frame: int, region: Region) -> dict[str, Any] | None:
        if not 0 <= frame < len(self.run.video.frames):
            return None
        return {"url": self.picture_url(frame, region), "frame": frame}

    def _others(self, instance: int, frame: int) -> Iterator[dict[str, Any]]:
        instances = self.run.video.instances
        with self.desk.lock:
            gone = self.desk.ledger.absent
        for other in torch.nonzero(instances.frame == frame).flatten().tolist():
            if other != instance and other not in gone:
                track, box = int(self.identities.track[other]), self.desk.boxes[other].tolist()
                yield {"instance": other, "track": track, "box": box}

    # ------------------------------------------------------------------------------------------------------- all labels
    def labels(self) -> list[dict[str, Any]]:
        """Every label that counts, the newest first."""
        instances = self.run.video.instances
        with self.desk.lock:
            newest = [given for given in self.desk.ledger.newest.values() if self.desk.is_known(given.instance)]
            queue = self.desk.queue
            labelling = self.desk.phase == "labelling"
        return [
            {
                "instance": g.instance,
                "id": instances.ids[g.instance],
                "cycle": g.cycle,
                "frame": int(instances.frame[g.instance]),
                "track": int(self.identities.track[g.instance]),
                "annotator": g.annotator,
                "seconds": g.seconds,
                "moved": g.moved,
                "open": labelling and queue.holds(g.instance),
            }
            for g in sorted(newest, key=lambda g: -g.at)
        ]


def sides(skeleton: Skeleton) -> list[str]:
    """``left``, ``right`` or ``middle`` for each keypoint, by its pair and its name."""
    found = ["middle"] * len(skeleton)
    for a, b in skeleton.flip_pairs:
        swapped = "right" in skeleton.keypoints[a].lower() and "right" not in skeleton.keypoints[b].lower()
        found[b if swapped else a], found[a if swapped else b] = "left", "right"
    return found


def _triples(given: Any) -> list[list[float]]:
    return [[x, y, v] for (x, y), v in zip(given.keypoints, given.values, strict=True)]

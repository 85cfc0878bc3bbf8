"""The data set ``video``: any video on disk."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Final

import attrs

from vatl_core.contracts import Dataset
from vatl_core.errors import InputError, unknown
from vatl_core.video import PERSON_17, Video
from vatl_formats import Covered, Sieve, Sigmas, broken_frames, sigmas_of, with_sigmas, without_broken
from vatl_video.boxes import filled, in_time, with_own_tracks, within, without_short
from vatl_video.coco_boxes import CocoBoxes, read_skeleton
from vatl_video.detectors import DETECTORS, Detector
from vatl_video.finding import Finding, Settings
from vatl_video.footage import Footage, open_footage
from vatl_video.given import beside, read_boxes, refuse_none
from vatl_video.shelf import Shelf
from vatl_video.tracking import Linking

AUTO: Final = "auto"
NONE: Final = "none"
FIRST: Final = "fasterrcnn"
"""What ``auto`` detects with."""
_SCORE: Final = 0.6
_FILL: Final = 10
_SHORTEST: Final = 5


@attrs.define
class AnyVideo(Dataset):
    """A video file or a folder of picture files, with nothing known about it but where somebody is, at most.

    Boxes are taken from ``boxes``; else from those drawn for it (``clip.boxes.json`` beside ``clip.mp4``, which
    ``vatl annotate clip.mp4`` writes); else torchvision's detectors find them, and ByteTrack (Zhang et al., ECCV 2022)
    links them into tracks. What was found is kept: it is found once, and the same wherever a run goes on.

    Attributes:
        path: the video file, or the folder.
        boxes: boxes from elsewhere: COCO's JSON or MOT's text; those without any track are linked like detected ones.
        skeleton: a COCO keypoints file, or its category alone, whose keypoints and skeleton are estimated; None for
            what the file of boxes describes, else the 17 keypoints of a person.
        sigmas: OKS constants, as a fraction of the instance's size: K numbers or a set's name, coco, jrdb-pose or
            posetrack21; None for coco where they are a person's 17 keypoints, else 0.05 each.
        ospa_sigmas: those that OSPA is measured by, in the same words; the same if None.
        name: what the video is called; the file's or folder's name if None.
        detector: fasterrcnn, fasterrcnn-mobile, fasterrcnn-mobile-320, fcos, retinanet, ssd or ssdlite; none; auto
            for boxes that were drawn, else fasterrcnn.
        detector_weights: a file of its parameters; the public ones if None.
        classes: which of COCO's things to detect, by name: person, dog, horse, …
        score: from which a detected box may begin a track, 0.6 if None; given boxes below it are dropped, none of
            them if None.
        weak: score from which a detected box may continue a track.
        smallest: pixels that the longer side of a detected box has at least.
        every: detect in each n-th frame only; boxes between them follow from their tracks.
        overlap: of a box with where its track is expected, as intersection over union.
        patience: for how many frames a track may be lost and found again.
        fill: the longest gap in a track, in frames, that is filled by boxes that lie straight between; 10 for
            detected boxes and 0 for given ones if None.
        shortest: on how many frames a track is at least; 5 for detected boxes and 1 for given ones if None.
        device: where to detect; auto, cpu, cuda, …
        batch: frames to a detector's forward pass.
        skip_broken: whether to leave out, and count, who is on frames that cannot be read; every frame is looked at.
        cache: folder to keep what was found in; the user's cache folder if None.
    """

    path: Path = attrs.field(converter=Path)
    boxes: Path | None = attrs.field(converter=attrs.converters.optional(Path), default=None)
    skeleton: Path | None = attrs.field(converter=attrs.converters.optional(Path), default=None)
    sigmas: Sigmas = attrs.field(converter=sigmas_of, default=None)
    ospa_sigmas: Sigmas = attrs.field(converter=sigmas_of, default=None)
    name: str | None = None
    detector: str = AUTO
    detector_weights: Path | None = attrs.field(converter=attrs.converters.optional(Path), default=None)
    classes: tuple[str, ...] = attrs.field(default=("person",), validator=attrs.validators.min_len(1))
    score: float | None = attrs.field(
        default=None, validator=attrs.validators.optional([attrs.validators.ge(0), attrs.validators.le(1)])
    )
    weak: float = attrs.field(default=0.1, validator=[attrs.validators.ge(0.05), attrs.validators.le(1)])
    smallest: float = attrs.field(default=24.0, validator=attrs.validators.ge(0))
    every: int = attrs.field(default=1, validator=attrs.validators.ge(1))
    overlap: float = attrs.field(default=0.1, validator=[attrs.validators.ge(0), attrs.validators.le(1)])
    patience: int = attrs.field(default=30, validator=attrs.validators.ge(0))
    fill: int | None = attrs.field(default=None, validator=attrs.validators.optional(attrs.validators.ge(0)))
    shortest: int | None = attrs.field(default=None, validator=attrs.validators.optional(attrs.validators.ge(1)))
    device: str = AUTO
    batch: int = attrs.field(default=4, validator=attrs.validators.ge(1))
    skip_broken: bool = False
    cache: Path | None = attrs.field(converter=attrs.converters.optional(Path), default=None)

    def __attrs_post_init__(self) -> None:
        if self.detector not in (AUTO, NONE, *DETECTORS):
            raise unknown("detector", self.detector, [AUTO, NONE, *DETECTORS])
        if self.boxes is not None and self.detector not in (AUTO, NONE):
            raise InputError(f"boxes come from {self.boxes} or from detector '{self.detector}': give one of them")

    def videos(self) -> list[str]:
        return [self.name or (self.path.name if self.path.is_dir() else self.path.stem)]

    def load(self, name: str) -> Video:
        if name not in self.videos():
            raise unknown("video", name, self.videos())
        footage = open_footage(self.path)
        frames = footage.frames
        broken = broken_frames(frames, range(len(frames))) if self.skip_broken else set[int]()
        if broken:  # boxes are found across them
            footage = attrs.evolve(footage, frames=Covered(frames, broken))
        found = self._found(footage)
        boxes = within(found.boxes, footage.sizes(found.boxes.frame), found.dropped)
        refuse_none(attrs.evolve(found, boxes=boxes), self.path)
        read = read_skeleton(self.skeleton, found.dropped) if self.skeleton else found.skeleton
        skeleton = with_sigmas(read or PERSON_17, self.sigmas, self.ospa_sigmas)
        instances = in_time(boxes.instances(), frames)
        return without_broken(Video(name, skeleton, frames, instances, found.dropped), broken)

    def _found(self, footage: Footage) -> CocoBoxes:
        file = self._file()
        if file is not None:
            return self._given(read_boxes(file, footage), footage)
        if self.detector == NONE:
            raise InputError(
                f"{self.path} has no boxes: draw them (`{self._by_hand}`), give a file of them "
                "(-o dataset.boxes=…), or name a detector (-o dataset.detector=fasterrcnn)"
            )
        settings = Settings(
            self._linking(),
            self.weak,
            self.smallest,
            _FILL if self.fill is None else self.fill,
            _SHORTEST if self.shortest is None else self.shortest,
        )
        return self._finding(footage).detected(self._detector(), settings)

    def _file(self) -> Path | None:
        """The file of boxes, where they need not be detected."""
        drawn = beside(self.path)
        return self.boxes or (drawn if self.detector in (AUTO, NONE) and drawn.is_file() else None)

    def _given(self, read: CocoBoxes, footage: Footage) -> CocoBoxes:
        """What is made of boxes from elsewhere: nothing unless it is asked for, but for tracks where there are none."""
        if self.score is not None:
            sieve = Sieve.of(len(read.boxes), read.dropped)
            sieve.drop(read.boxes.score < self.score, f"with a score below {self.score:g}")
            read = attrs.evolve(read, boxes=read.boxes.take(sieve.left))
        if len(read.boxes) and (read.boxes.track < 0).all():
            read = self._finding(footage).linked(read, self._linking())
        boxes = filled(with_own_tracks(read.boxes), self.fill or 0)
        return attrs.evolve(read, boxes=without_short(boxes, self.shortest or 1, read.dropped))

    def _finding(self, footage: Footage) -> Finding:
        return Finding(footage, Shelf.of(self.cache), self.device, self.batch)

    def _detector(self) -> Detector:
        name = FIRST if self.detector == AUTO else self.detector
        return Detector(name, self.classes, self.detector_weights, self._by_hand)

    @property
    def _by_hand(self) -> str:
        """What draws boxes, as users type it."""
        return f"vatl annotate {shlex.quote(str(self.path))}"

    def _linking(self) -> Linking:
        return Linking(_SCORE if self.score is None else self.score, self.overlap, self.patience, self.every)

"""Who is where in a video, found once and kept: detected, linked into tracks, gaps filled, short tracks left out."""

from __future__ import annotations

import hashlib
import json
import shlex
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import attrs
import numpy as np

from vatl_core.compute import Compute
from vatl_core.errors import InputError
from vatl_core.progress import bars
from vatl_formats import Indices, Sieve
from vatl_video import detection
from vatl_video.boxes import Boxes, called, filled, without_short
from vatl_video.coco_boxes import CocoBoxes, read_coco_boxes, write_coco_boxes
from vatl_video.detectors import Detector
from vatl_video.footage import Footage
from vatl_video.shelf import Shelf
from vatl_video.tracking import Linking, link

VERSION: Final = 1
"""Counts changes of what is found; what was kept under another version is not used.

The libraries' versions and the device do not count: a run that is taken up must find what it began with.
"""


@attrs.frozen
class Settings:
    """What is made of a detector's boxes.

    Attributes:
        linking: how they become tracks, and in which frames one looks.
        weak: the score from which a box may continue a track.
        smallest: pixels that a box's longer side has at least.
        fill: the longest gap, in frames, that is filled.
        shortest: on how many frames a track is at least.
    """

    linking: Linking
    weak: float
    smallest: float
    fill: int
    shortest: int


@attrs.frozen
class Finding:
    """Finds boxes in one video.

    Attributes:
        footage: its pictures.
        shelf: where what is found is kept.
        device: where to detect.
        batch: frames to a forward pass.
    """

    footage: Footage
    shelf: Shelf
    device: str = "auto"
    batch: int = 4

    def detected(self, detector: Detector, settings: Settings) -> CocoBoxes:
        """Tracks of what a detector finds.

        Raises:
            InputError: it finds nobody, or its weights cannot be had.
        """
        labels = detector.labels()
        key = [VERSION, self.footage.fingerprint(), detector.name, detector.identity(), labels, settings.linking.every]

        def make(path: Path) -> None:
            raw = detection.read(self._kept(".safetensors", key, lambda file: self._detect(detector, settings, file)))
            dropped: dict[str, int] = {}
            boxes = self._tracks(raw, settings, dropped)
            if not len(boxes):
                raise self._nobody(detector, settings, dropped)
            about = f"{', '.join(detector.classes)} as detector {detector.name} found them in {self.footage.path.name}"
            write_coco_boxes(path, boxes, detector.classes[0], about, dropped)

        return read_coco_boxes(self._kept(".boxes.json", [*key, attrs.astuple(settings)], make), self.footage)

    def linked(self, given: CocoBoxes, linking: Linking) -> CocoBoxes:
        """Given boxes with tracks, which they do not have yet: all of them count as sure."""
        sure = attrs.evolve(given.boxes, score=np.ones(len(given.boxes)))
        frames, step = looked_at(sure.frame)
        key = [VERSION, "given", _columns(sure), attrs.astuple(linking)]

        def make(path: Path) -> None:
            boxes = link(sure, frames, attrs.evolve(linking, every=step))
            write_coco_boxes(path, boxes, "given", f"boxes of {given.path.name}, linked", {})

        kept = read_coco_boxes(self._kept(".boxes.json", key, make), self.footage)
        track = dict(zip(kept.boxes.ids, kept.boxes.track.tolist(), strict=True))
        numbers = np.array([track[name] for name in given.boxes.ids], dtype=np.int64)
        return attrs.evolve(given, boxes=attrs.evolve(given.boxes, track=numbers))

    def _detect(self, detector: Detector, settings: Settings, file: Path) -> None:
        numbers = range(0, len(self.footage.frames), settings.linking.every)
        compute = Compute.choose(self.device)
        with bars() as progress:
            network = detector.build(compute, progress)
            found = detection.detect(
                network, self.footage.frames, numbers, detector.labels(), compute.device, self.batch, progress
            )
        detection.save(file, found)

    def _tracks(self, found: Boxes, settings: Settings, dropped: dict[str, int]) -> Boxes:
        linking = settings.linking
        sieve = Sieve.of(len(found), dropped)
        small = found.xywh[:, 2:].max(axis=1) < settings.smallest
        sieve.drop(small & (found.score >= linking.score), f"smaller than {settings.smallest:g} pixels")
        candidates = found.where(~small & (found.score >= min(settings.weak, linking.score)))
        linked = link(candidates, range(0, len(self.footage.frames), linking.every), linking)
        boxes = filled(linked, max(settings.fill, linking.every - 1))
        boxes = without_short(boxes, min(settings.shortest, len(self.footage.frames)), dropped)
        named = zip(boxes.frame.tolist(), boxes.track.tolist(), strict=True)
        return attrs.evolve(boxes, ids=[called(*place) for place in named])

    def _nobody(self, detector: Detector, settings: Settings, dropped: dict[str, int]) -> InputError:
        reasons = "".join(f"; {count} dropped: {reason}" for reason, count in dropped.items())
        wanted, path, score = " or ".join(detector.classes), self.footage.path, settings.linking.score
        return InputError(
            f"{path}: detector '{detector.name}' found no {wanted} with a score of {score:g} or more{reasons}: lower "
            f"it (-o dataset.score={score / 2:g}), or draw boxes (`vatl annotate {shlex.quote(str(path))}`)"
        )

    def _kept(self, suffix: str, key: Sequence[object], make: Callable[[Path], None]) -> Path:
        return self.shelf.kept(self.footage.path.stem, suffix, key, make)


def looked_at(frame: Indices) -> tuple[list[int], int]:
    """The frames that boxes on (n,) ``frame`` were looked for in, and the usual step from one to the next."""
    there = np.unique(frame)
    steps, counts = np.unique(np.diff(there), return_counts=True)
    step = int(steps[np.argmax(counts)]) if len(steps) else 1
    between = np.arange(int(there[0]), int(there[-1]) + 1, step)
    return np.union1d(there, between).tolist(), step


def _columns(boxes: Boxes) -> str:
    """The same for the same boxes."""
    digest = hashlib.sha256(json.dumps([*boxes.ids]).encode())
    for column in (boxes.frame, boxes.xywh):
        digest.update(np.ascontiguousarray(column).tobytes())
    return digest.hexdigest()

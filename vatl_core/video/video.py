"""A video: frames that are read when needed, and its instances as columns of tensors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from vatl_core.errors import InputError
from vatl_core.video.columns import frames_of, instances_of
from vatl_core.video.instances import Instances
from vatl_core.video.skeleton import PERSON_17, Skeleton
from vatl_core.video.source import Frames


@attrs.frozen
class Video:
    """One video to adapt to.

    Attributes:
        name: unique within its data set.
        skeleton: what the poses are made of.
        frames: the pictures.
        instances: who is where, with the truth where the data set has it.
        dropped: why and how many annotations were left out, ``{reason: count}``.
        labelled_by: who labelled which instances by hand before, ``{instance: name}``, each of known truth; None where
            the data does not tell: it has no labels, or truth for experiments.
    """

    name: str
    skeleton: Skeleton
    frames: Frames
    instances: Instances
    dropped: Mapping[str, int] = attrs.field(factory=dict)
    labelled_by: Mapping[int, str] | None = None

    @classmethod
    def of(
        cls,
        frames: Any,
        boxes: Any = None,
        skeleton: Skeleton = PERSON_17,
        *,
        frame: Any = None,
        track: Any = None,
        keypoints: Any = None,
        visible: Any = None,
        known: Any = None,
        name: str = "video",
    ) -> Video:
        """A video from what is at hand; columns may be tensors, arrays or lists.

        Args:
            frames: pictures (F, 3, H, W) uint8 RGB, or :class:`Frames`, such as ``vatl_frames.opened(…)`` of files.
            boxes: (N, 4) x, y, width, height in pixels; laid around the keypoints if not given.
            skeleton: of K keypoints.
            frame: (N,) the frame of each instance; not needed where there is one instance in every frame.
            track: (N,) which individual it is; if not given, the only one, or where ``frame`` is given one of its own.
            keypoints: (N, K, 2) the truth in pixels, for experiments; NaN where it is not known.
            visible: (N, K) which keypoints are annotated; those that are finite if not given.
            known: (N,) of which instances the truth is known; of all that have a finite keypoint if not given.
            name: of the video.

        Raises:
            InputError: columns do not fit each other.
        """
        pictures = frames_of(frames)
        instances = instances_of(pictures, skeleton, boxes, frame, track, keypoints, visible, known)
        return cls(name, skeleton, pictures, instances)

    def __attrs_post_init__(self) -> None:
        if not len(self.instances):
            why = "".join(f"; {count} dropped: {reason}" for reason, count in self.dropped.items())
            raise InputError(f"video '{self.name}' has no instances to estimate{why}: check its annotations")
        last = int(self.instances.frame.max())
        if last >= len(self.frames) or int(self.instances.frame.min()) < 0:
            said = f"an annotation is on frame {last}, but there are only {len(self.frames)} frames"
            raise InputError(f"video '{self.name}': {said}")
        known = dict(enumerate(self.instances.known.tolist()))
        if strange := [i for i in self.labelled_by or () if not known.get(i)]:
            raise InputError(f"video '{self.name}': labelled_by names instance {strange[0]}, which has no label")

    def without_truth(self) -> Video:
        """The same video as a method may see it."""
        return attrs.evolve(self, instances=self.instances.without_truth(), labelled_by=None)

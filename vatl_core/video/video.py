"""A video: frames that are read when needed, and its instances as columns of tensors."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import attrs
import torch
from torch import Tensor

from vatl_core.errors import InputError
from vatl_core.video.skeleton import PERSON_17, Skeleton


class Frames(ABC):
    """A lazy, seekable source of pictures. Reading forward must be cheap; jumping may cost more."""

    @abstractmethod
    def __len__(self) -> int:
        """Number of frames."""

    @abstractmethod
    def read(self, index: int) -> Tensor:
        """Frame ``index`` as (3, H, W) uint8 RGB on the CPU.

        Raises:
            InputError: the frame does not exist or cannot be decoded; the message names the file and the frame.
        """

    def read_many(self, indices: Sequence[int]) -> Iterator[Tensor]:
        """These frames one after the other; worth overriding where several can be decoded side by side."""
        return map(self.read, indices)

    def size(self, index: int) -> tuple[int, int]:
        """Width and height of frame ``index`` in pixels, as it is read; worth overriding where a header tells.

        Raises:
            InputError: as :meth:`read`.
        """
        _, height, width = self.read(index).shape
        return width, height

    def reader(self) -> Frames:
        """The same frames for a second thread to read; worth overriding where reading changes anything."""
        return self

    def name(self, index: int) -> str:
        """What other programs would call frame ``index``: its file, or its number."""
        return f"{index:06d}"

    def time(self, index: int) -> float:
        """When frame ``index`` is shown: seconds from the first, or its number where the source knows no seconds."""
        return float(index)


@attrs.frozen
class Instances:
    """N instances (one person or animal in one frame each) as columns.

    Attributes:
        frame: (N,) int64, index into the video's frames.
        track: (N,) int64, which individual; unique within the video.
        boxes: (N, 4) float32, x, y, width, height in pixels, with an area.
        previous, next: (N,) int64, the same track's neighbour in time, or −1.
        ids: N strings, what the data set calls each instance.
        keypoints: (N, K, 2) float32 pixels, the truth; None where nobody knows any of it or it is hidden.
        visible: (N, K) bool, which keypoints are annotated, none of an instance that is not known; None as above.
        known: (N,) bool, whether the truth of it is known at all: that nothing of it is visible may be known too. If
            not given, of all where there are keypoints, else of none.
    """

    frame: Tensor
    track: Tensor
    boxes: Tensor
    previous: Tensor
    next: Tensor
    ids: tuple[str, ...]
    keypoints: Tensor | None = None
    visible: Tensor | None = None
    known: Tensor = attrs.field()

    @known.default
    def _all_or_none(self) -> Tensor:
        return torch.full_like(self.frame, self.keypoints is not None, dtype=torch.bool)

    @classmethod
    def of(
        cls,
        frame: Tensor,
        track: Tensor,
        boxes: Tensor,
        ids: tuple[str, ...] | None = None,
        keypoints: Tensor | None = None,
        visible: Tensor | None = None,
        known: Tensor | None = None,
    ) -> Instances:
        """Columns with their neighbours in time worked out by :func:`neighbours`."""
        names = ids if ids is not None else tuple(str(i) for i in range(len(frame)))
        found = cls(frame, track, boxes.float(), *neighbours(frame, track), names, keypoints, visible)
        if known is None:
            return found
        return attrs.evolve(found, known=known, visible=None if visible is None else visible & known[:, None])

    def __len__(self) -> int:
        return len(self.frame)

    @property
    def has_truth(self) -> bool:
        """Whether the truth of any is known, and not hidden."""
        return bool(self.known.any())

    @property
    def annotated(self) -> Tensor:
        """(N,) bool, whose truth is known and has a visible keypoint: what can be measured and learnt from."""
        return self.known if self.visible is None else self.known & self.visible.any(1)

    def without_truth(self) -> Instances:
        """The same instances with the truth taken out, and whose is known: all that a method may see."""
        return attrs.evolve(self, keypoints=None, visible=None, known=torch.zeros_like(self.known))

    def with_boxes(self, boxes: Mapping[int, Sequence[float]]) -> Instances:
        """The same instances with boxes of their own, some of them redrawn: ``{instance: (x, y, w, h) px}``."""
        own = self.boxes.clone()
        for index, box in boxes.items():
            own[index] = torch.tensor(box)
        return attrs.evolve(self, boxes=own)

    def to(self, device: torch.device) -> Instances:
        """The columns on ``device``."""
        moved: dict[str, Any] = {
            field.name: value.to(device)
            for field in attrs.fields(type(self))
            if isinstance(value := getattr(self, field.name), Tensor)
        }
        return attrs.evolve(self, **moved)


@attrs.frozen
class Video:
    """One video to adapt to.

    Attributes:
        name: unique within its data set.
        skeleton: what the poses are made of.
        frames: the pictures.
        instances: who is where, with the truth where the data set has it.
        dropped: why and how many annotations were left out, ``{reason: count}``.
    """

    name: str
    skeleton: Skeleton
    frames: Frames
    instances: Instances
    dropped: Mapping[str, int] = attrs.field(factory=dict)

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
            frames: pictures (F, 3, H, W) uint8 RGB, a video file, a folder of pictures in the order of their names, the
                pictures' paths, or :class:`Frames`.
            boxes: (N, 4) x, y, width, height in pixels; laid around the keypoints if not given.
            skeleton: of K keypoints.
            frame: (N,) the frame of each instance; not needed where there is one instance in every frame.
            track: (N,) which individual it is; if not given, the only one, or where ``frame`` is given one of its own.
            keypoints: (N, K, 2) the truth in pixels, for experiments; NaN where it is not known.
            visible: (N, K) which keypoints are annotated; those that are finite if not given.
            known: (N,) of which instances the truth is known; of all that have a finite keypoint if not given.
            name: of the video.

        Raises:
            InputError: columns do not fit each other, or files are missing.
        """
        from vatl_core.video.columns import video_of

        return video_of(frames, boxes, skeleton, frame, track, keypoints, visible, known, name)

    def __attrs_post_init__(self) -> None:
        if not len(self.instances):
            raise InputError(
                f"video '{self.name}' has no instances to estimate{self._dropped()}: check its annotations"
            )
        last = int(self.instances.frame.max())
        if last >= len(self.frames) or int(self.instances.frame.min()) < 0:
            raise InputError(
                f"video '{self.name}': an annotation is on frame {last}, but there are only {len(self.frames)} frames"
            )

    def _dropped(self) -> str:
        return "".join(f"; {count} dropped: {reason}" for reason, count in self.dropped.items())

    def without_truth(self) -> Video:
        """The same video as a method may see it."""
        return attrs.evolve(self, instances=self.instances.without_truth())


def neighbours(frame: Tensor, track: Tensor) -> tuple[Tensor, Tensor]:
    """Indices of each instance's neighbours in time, (N,) each, −1 where there is none.

    Neighbours follow each other at the video's usual step, the commonest distance within its tracks: somebody
    who leaves and returns has no neighbour across the gap.
    """
    order = torch.argsort(frame, stable=True)
    order = order[torch.argsort(track[order], stable=True)]
    step = frame[order][1:] - frame[order][:-1]
    same = (track[order][1:] == track[order][:-1]) & (step > 0)
    usual = step[same].mode().values if same.any() else step.new_tensor(1)
    first, second = order[:-1][same & (step <= usual)], order[1:][same & (step <= usual)]
    previous, following = torch.full_like(frame, -1), torch.full_like(frame, -1)
    previous[second], following[first] = first, second
    return previous, following

"""What a data set has, and what of it is missing: counts by split, and frames to look at."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Protocol, runtime_checkable

import attrs
import torch
from torch import Tensor

from vatl_core.contracts import Dataset
from vatl_core.errors import InputError, PluginError
from vatl_core.promises import checked_names, checked_pictures, checked_video
from vatl_core.video import Video


@runtime_checkable
class Listed(Protocol):
    """A data set that knows what belongs to it."""

    def missing(self, split: str | None) -> Iterable[str]:
        """What belongs to a split, or to the whole data set, and is not there, a line each."""


@attrs.frozen
class Sample:
    """A frame to look at.

    Attributes:
        split: that it was found in.
        video: it belongs to.
        frame: its index there.
        picture: (3, H, W) uint8 RGB.
    """

    split: str
    video: Video
    frame: int
    picture: Tensor


@attrs.define
class Census:
    """What the videos of a split hold.

    Attributes:
        videos, frames, instances, tracks: how many.
        empty: how many frames are without an instance.
        visible: how many instances have each keypoint annotated, by the keypoint's name.
        dropped: how many annotations were left out, by reason.
        warnings: what there is to know of its skeletons, each once.
    """

    videos: int = 0
    frames: int = 0
    empty: int = 0
    instances: int = 0
    tracks: int = 0
    visible: Counter[str] = attrs.field(factory=Counter)
    dropped: Counter[str] = attrs.field(factory=Counter)
    warnings: dict[str, None] = attrs.field(factory=dict)

    def add(self, video: Video) -> None:
        """Count one video."""
        instances = video.instances
        self.videos += 1
        self.frames += len(video.frames)
        self.empty += len(video.frames) - len(instances.frame.unique())
        self.instances += len(instances)
        self.tracks += len(instances.track.unique())
        known = [0] * len(video.skeleton) if instances.visible is None else instances.visible.sum(0).tolist()
        self.visible.update(dict(zip(video.skeleton.keypoints, known, strict=True)))
        self.dropped.update(video.dropped)
        self.warnings.update(dict.fromkeys(video.skeleton.warnings))

    @property
    def keypoints(self) -> float:
        """Annotated keypoints to an instance, on average."""
        return sum(self.visible.values()) / max(1, self.instances)

    @property
    def never(self) -> list[str]:
        """Keypoints that no instance has annotated."""
        return [name for name, count in self.visible.items() if not count]

    def to_json(self) -> dict[str, object]:
        """As JSON's types."""
        plain = {name: getattr(self, name) for name in ("videos", "frames", "instances", "tracks")}
        return plain | {
            "frames_without_instances": self.empty,
            "keypoints_per_instance": round(self.keypoints, 3),
            "keypoint_kinds": len(self.visible),
            "annotated": dict(self.visible),
            "never_annotated": self.never,
            "dropped": dict(self.dropped),
        }


@attrs.frozen
class Findings:
    """What a data set was found to hold.

    Attributes:
        splits: counts by split.
        missing: what is not there or cannot be used, a line each.
        samples: frames to look at.
    """

    splits: Mapping[str, Census]
    missing: Sequence[str]
    samples: Sequence[Sample]


def chosen(dataset: Dataset, split: str | None) -> dict[str, list[str]]:
    """The names of the videos of one split, or of all.

    Raises:
        InputError: there is no such split, or nothing at all.
    """
    if split is not None and not (isinstance(dataset, Listed) and list(dataset.missing(split))):
        return {split: dataset.of_split(split)}
    splits = dataset.splits()
    if not splits:
        checked_names(dataset)  # says what was looked for
    return splits if split is None else {split: splits.get(split, [])}


def inspect(
    dataset: Dataset,
    split: str | None = None,
    samples: int = 0,
    decode: bool = False,
    step: Callable[[], None] = lambda: None,
) -> Findings:
    """Load every video of one split, or of all.

    Args:
        dataset: to look at.
        split: which; all if None.
        samples: how many frames to look at, spread over the splits and their videos.
        decode: whether to decode every frame with an instance, which finds pictures that are damaged.
        step: called after each video.

    Raises:
        InputError: there is no such split, or nothing at all.
    """
    splits = chosen(dataset, split)
    missing = list(dataset.missing(split)) if isinstance(dataset, Listed) else []
    wanted = _spread(splits, samples)
    counts: dict[str, Census] = {name: Census() for name in splits}
    shown: list[Sample] = []
    for name, videos in splits.items():
        for video_name in videos:
            try:
                video = checked_video(dataset, video_name)
                counts[name].add(video)
                frames = dict.fromkeys(_frame(video, part) for part in wanted.get((name, video_name), []))
                shown += [Sample(name, video, *pair) for pair in _read(video, [*frames])]
                if decode:
                    _decode(video)
            except (InputError, PluginError) as error:
                missing.append(str(error))
            step()
    return Findings(counts, list(dict.fromkeys(missing)), shown)


def _read(video: Video, frames: Sequence[int]) -> Iterator[tuple[int, Tensor]]:
    """Frames with their numbers."""
    return zip(frames, checked_pictures(video.frames, frames), strict=True)


def _spread(splits: Mapping[str, Sequence[str]], samples: int) -> dict[tuple[str, str], list[float]]:
    """For each (split, video) to be shown: where in it, as fractions of the frames that have instances."""
    videos = {split: list(names) for split, names in splits.items() if names}
    shares: dict[tuple[str, str], int] = {}
    for number in range(samples if videos else 0):
        split = list(videos)[number % len(videos)]
        turn, total = number // len(videos), -(-samples // len(videos))
        names = videos[split]
        name = names[turn * len(names) // total] if total < len(names) else names[turn % len(names)]
        shares[split, name] = shares.get((split, name), 0) + 1
    return {place: [(part + 0.5) / count for part in range(count)] for place, count in shares.items()}


def _frame(video: Video, part: float) -> int:
    frames = video.instances.frame.unique()
    return int(frames[min(int(part * len(frames)), len(frames) - 1)])


def _decode(video: Video) -> None:
    for _ in checked_pictures(video.frames, torch.unique(video.instances.frame).tolist()):
        pass

"""Where videos come from."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from pathlib import Path

from vatl_core.errors import unknown
from vatl_core.video import Instances, Skeleton, Video


class Dataset(ABC):
    """Where videos come from."""

    @abstractmethod
    def videos(self) -> list[str]:
        """Names of the videos to adapt to."""

    @abstractmethod
    def load(self, name: str) -> Video:
        """One video, by one of the names of :meth:`videos` or :meth:`sources`.

        Raises:
            InputError: there is no such video, or its files cannot be used.
        """

    def sources(self) -> list[str]:
        """Names of videos with truth to train a source estimator on; none unless a data set says otherwise."""
        return []

    def splits(self) -> dict[str, list[str]]:
        """Names of videos by what they are for: ``train`` the sources, ``test`` what there is to adapt to."""
        return {name: videos for name, videos in (("train", self.sources()), ("test", self.videos())) if videos}

    def split_poses(self, split: str) -> Iterable[tuple[Skeleton, Instances]]:
        """A split's instances with their truth; worth overriding where that needs no pictures.

        Raises:
            InputError: there is no such split.
        """
        for name in self.of_split(split):
            video = self.load(name)
            yield video.skeleton, video.instances

    def of_split(self, split: str) -> list[str]:
        """Names of the videos of a split.

        Raises:
            InputError: there is no such split.
        """
        splits = self.splits()
        if split not in splits:
            raise unknown("split", split, splits)
        return splits[split]

    def weights(self, estimator: str) -> Path | None:
        """Weights that ship with the data set for the estimator of this name."""
        return None

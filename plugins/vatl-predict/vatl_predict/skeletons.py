"""Whether a video's poses are made of what the weights are for."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import attrs

from vatl_core.errors import InputError
from vatl_core.video import PERSON_17, Skeleton, Video
from vatl_formats import flip_pairs_from_names


@attrs.frozen
class Keypoints:
    """What weights are for.

    Attributes:
        names: of the channels of their head.
        whose: what to call them in messages.
        skeleton: finds out the rest.
    """

    names: tuple[str, ...]
    whose: str
    skeleton: Callable[[], Skeleton]

    def agreed(self, video: Video) -> Video:
        """The video with poses of these keypoints.

        A data set that knows nothing of a video but its boxes says that they are a person's; then it is the weights
        that know better.

        Raises:
            InputError: it is of other keypoints.
        """
        if video.skeleton.keypoints == self.names:
            return video
        if video.skeleton == PERSON_17 and not video.instances.has_truth:
            return attrs.evolve(video, skeleton=self.skeleton(), instances=video.instances.without_truth())
        raise InputError(
            f"video '{video.name}' is of another skeleton, '{video.skeleton.name}', than {self.whose}: "
            f"{difference(video.skeleton.keypoints, self.names)}; give weights that are for it, or, where it is the "
            "video's that is wrong, another skeleton (such as -o dataset.skeleton=FILE)"
        )


def difference(video: Sequence[str], weights: Sequence[str]) -> str:
    """In which way the keypoints of a video are not those of weights, in words."""
    lacking, unknown = ([name for name in a if name not in b] for a, b in ((weights, video), (video, weights)))
    said = [f"{what} {', '.join(names[:5])}{', …' * (len(names) > 5)}" for what, names in
            (("it lacks", lacking), ("the weights do not know", unknown)) if names]  # fmt: skip
    return " and ".join(said) or "the same keypoints are in another order"


def bare(name: str, keypoints: Sequence[str]) -> Skeleton:
    """A skeleton of which only the keypoints are known: no edges, and those sides that the names tell."""
    return Skeleton(name, keypoints, flip_pairs=flip_pairs_from_names(keypoints))

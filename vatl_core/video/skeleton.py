"""What a pose is made of: named keypoints, the edges between them, left/right pairs and OKS sigmas."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import attrs

from vatl_core.errors import InputError

DEFAULT_SIGMA = 0.05
"""OKS sigma of a keypoint for which nobody has measured one."""

Pair = tuple[int, int]


def _pairs(values: Iterable[Iterable[int]]) -> tuple[Pair, ...]:
    return tuple((int(a), int(b)) for a, b in values)


def _numbers(values: Iterable[float]) -> tuple[float, ...]:
    return tuple(map(float, values))


@attrs.frozen
class Skeleton:
    """K named keypoints and how they hang together.

    Attributes:
        name: what the skeleton is called in messages.
        keypoints: K distinct names, in the order of every keypoint tensor.
        edges: pairs of keypoint indices joined by a limb.
        flip_pairs: pairs of keypoint indices that swap when a picture is mirrored.
        sigmas: K OKS constants, one for each keypoint, as a fraction of the instance's size.

    Raises:
        InputError: no keypoints, a name twice, an index that is no keypoint, or a sigma that is not positive.
    """

    name: str
    keypoints: tuple[str, ...] = attrs.field(converter=tuple[str, ...])
    edges: tuple[Pair, ...] = attrs.field(converter=_pairs, default=())
    flip_pairs: tuple[Pair, ...] = attrs.field(converter=_pairs, default=())
    sigmas: tuple[float, ...] = attrs.field(
        converter=_numbers, default=attrs.Factory(lambda self: (DEFAULT_SIGMA,) * len(self.keypoints), takes_self=True)
    )

    def __attrs_post_init__(self) -> None:
        for flaw in self._flaws():
            raise InputError(f"skeleton '{self.name}'{flaw}")

    def _flaws(self) -> Iterator[str]:
        if not self.keypoints:
            yield " has no keypoints: name at least one"
        if twice := sorted({name for name in self.keypoints if self.keypoints.count(name) > 1}):
            yield f" names these keypoints twice: {', '.join(twice)}"
        for kind, pairs in (("edge", self.edges), ("left/right pair", self.flip_pairs)):
            for a, b in pairs:
                if not (0 <= a < len(self) and 0 <= b < len(self)):
                    yield f": {kind} {a}-{b} names no keypoint of 0..{len(self) - 1}"
        if len(self.sigmas) != len(self) or not all(sigma > 0 for sigma in self.sigmas):
            yield f": give one positive sigma for each of its {len(self)} keypoints"

    def __len__(self) -> int:
        return len(self.keypoints)

    @property
    def warnings(self) -> list[str]:
        """What people should know about it."""
        if self.flip_pairs:
            return []
        return [f"no keypoint of '{self.name}' is another's left or right (flip_pairs): pictures are never mirrored"]

    def flip_order(self) -> list[int]:
        """The permutation of keypoints that mirroring a picture calls for."""
        order = list(range(len(self)))
        for a, b in self.flip_pairs:
            order[a], order[b] = b, a
        return order


PERSON_17 = Skeleton(
    name="person-17",
    keypoints=(
        "nose", "left_eye", "right_eye", "left_ear", "right_ear", "left_shoulder", "right_shoulder", "left_elbow",
        "right_elbow", "left_wrist", "right_wrist", "left_hip", "right_hip", "left_knee", "right_knee", "left_ankle",
        "right_ankle",
    ),
    edges=(
        (15, 13), (13, 11), (16, 14), (14, 12), (11, 12), (5, 11), (6, 12), (5, 6), (5, 7), (6, 8), (7, 9), (8, 10),
        (1, 2), (0, 1), (0, 2), (1, 3), (2, 4), (3, 5), (4, 6),
    ),
    flip_pairs=((1, 2), (3, 4), (5, 6), (7, 8), (9, 10), (11, 12), (13, 14), (15, 16)),
    sigmas=(
        0.026, 0.025, 0.025, 0.035, 0.035, 0.079, 0.079, 0.072, 0.072, 0.062, 0.062, 0.107, 0.107, 0.087, 0.087,
        0.089, 0.089,
    ),
)  # fmt: skip
"""The 17 keypoints of a person that most image data sets annotate, with their measured sigmas."""

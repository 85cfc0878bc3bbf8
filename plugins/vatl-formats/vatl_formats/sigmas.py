"""OKS constants of a data set's keypoints by the name of a known set, or as numbers, and others for OSPA."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import attrs

from vatl_core.errors import InputError, unknown
from vatl_core.video import PERSON_17, Skeleton

Sigmas = tuple[float, ...] | str | None
"""The options ``sigmas`` and ``ospa_sigmas`` of a data set: K numbers, the name of a set, or None for its own."""
LEAST: Final = 1e-6
BY_POSITION: Final = ":by-position"
"""Behind a set's name: its numbers in its own order, whatever the keypoints are called."""
_COCO: Final = PERSON_17.sigmas
SIGMA_SETS: Final[dict[str, dict[str, float]]] = {
    "coco": dict(zip(PERSON_17.keypoints, _COCO, strict=True)),
    "jrdb-pose": {
        "head": 0.079, "right_eye": 0.025, "left_eye": 0.025, "right_shoulder": 0.079, "center_shoulder": 0.026,
        "left_shoulder": 0.079, "right_elbow": 0.072, "left_elbow": 0.072, "center_hip": 0.107, "right_wrist": 0.062,
        "right_hip": 0.107, "left_hip": 0.107, "left_wrist": 0.062, "right_knee": 0.087, "left_knee": 0.087,
        "right_foot": 0.089, "left_foot": 0.089,
    },
    "posetrack21": dict(zip(("nose", "head_bottom", "head_top", *PERSON_17.keypoints[3:]), _COCO, strict=True)),
}  # fmt: skip
"""``{name: {keypoint: sigma}}``, each in the order of its data set: those of the evaluations of COCO, JRDB and
PoseTrack21."""


@attrs.frozen
class OspaSkeleton(Skeleton):
    """A skeleton with other constants for OSPA than for OKS and AP.

    Attributes:
        ospa_sigmas: K.
    """

    ospa_sigmas: tuple[float, ...] = ()


def sigmas_of(given: Iterable[float] | str | None) -> Sigmas:
    """Converts the option of a data set.

    Raises:
        InputError: no set is called so, or a number is no fraction of a size.
    """
    if given is None:
        return None
    if isinstance(given, str):
        if (name := given.removesuffix(BY_POSITION)) not in SIGMA_SETS:
            raise unknown("set of OKS sigmas", name, SIGMA_SETS)
        return given
    numbers = tuple(map(float, given))
    if not numbers or not all(LEAST <= value <= 1 for value in numbers):
        each = f"one positive number for each keypoint, from {LEAST:f} to 1, a fraction of the instance's size"
        raise InputError(f"sigmas are {numbers}: give {each}, or {_names()}")
    return numbers


def with_sigmas(skeleton: Skeleton, sigmas: Sigmas, ospa_sigmas: Sigmas = None) -> Skeleton:
    """The skeleton with other OKS constants; None for those it has, in OSPA those that OKS is measured by.

    Raises:
        InputError: they are not one a keypoint, or a set has none for a keypoint.
    """
    if sigmas is not None:
        skeleton = attrs.evolve(skeleton, sigmas=_resolved(sigmas, skeleton, "sigmas"))
    if ospa_sigmas is None:
        return skeleton
    columns = attrs.asdict(skeleton, recurse=False)
    return OspaSkeleton(**columns | {"ospa_sigmas": _resolved(ospa_sigmas, skeleton, "ospa_sigmas")})


def ospa_sigmas_of(skeleton: Skeleton) -> tuple[float, ...]:
    """The constants to measure OSPA by."""
    return skeleton.ospa_sigmas if isinstance(skeleton, OspaSkeleton) else skeleton.sigmas


def _resolved(given: Sequence[float] | str, skeleton: Skeleton, option: str) -> tuple[float, ...]:
    if not isinstance(given, str):
        return _one_each(given, skeleton, option)
    known = SIGMA_SETS[given.removesuffix(BY_POSITION)]
    if given.endswith(BY_POSITION):
        return _one_each(tuple(known.values()), skeleton, option, f" in '{given}'")
    if strange := [name for name in skeleton.keypoints if name not in known]:
        raise InputError(
            f"{option}: '{given}' has none for keypoint '{strange[0]}' of skeleton '{skeleton.name}': give "
            f"{given}{BY_POSITION} for its {len(known)} in their order whatever they are of, or {len(skeleton)} numbers"
        )
    return tuple(known[name] for name in skeleton.keypoints)


def _one_each(numbers: Sequence[float], skeleton: Skeleton, option: str, where: str = "") -> tuple[float, ...]:
    if len(numbers) != len(skeleton):
        there = f"{option}: there are {len(numbers)}{where} for the {len(skeleton)} keypoints of skeleton"
        raise InputError(f"{there} '{skeleton.name}': give one for each, or {_names()}")
    return tuple(numbers)


def _names() -> str:
    return f"the name of a set ({', '.join(SIGMA_SETS)})"

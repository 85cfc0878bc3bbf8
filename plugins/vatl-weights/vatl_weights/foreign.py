"""What an estimator says of weights that others made, by attributes of its own; each may be left out.

``known()`` gives ``{name: Download}``, public weights that fit it as its options are, and ``forms`` are the options for
which there are any, a mapping each; ``trunk`` is a :class:`Trunk`; ``rename(key)`` is its own name for what a foreign
checkpoint calls ``key``, None for what is no parameter, and ``convert(tensors)`` such a checkpoint's ``{name: Tensor}``
with the tensors laid out as its own are, under their foreign names still; and ``origin(tensors)`` gives its
:class:`Origin`, which its names give away.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, cast

import attrs
from torch import Tensor

from vatl_core.contracts import Estimator, Normalisation

IMAGENET: Final = "imagenet"
"""What estimators call the backbone that ``auto`` begins with where no weights for poses can be had."""


@attrs.frozen
class Origin:
    """What a checkpoint does not say, but the family of programs that wrote it is known for.

    Attributes:
        normalisation: what the weights expect of a picture; None where nobody knows.
        keypoints: names of the head's channels, in order; None where nobody knows.
    """

    normalisation: Normalisation | None = None
    keypoints: tuple[str, ...] | None = None


@attrs.frozen
class Download:
    """Public weights that can be fetched.

    Attributes:
        url: where the file is.
        sha256: of the file, in hexadecimal: all of it, or as many of its first digits as its publisher tells (≥ 8).
            Empty where nobody tells any: such a file is never fetched, and taken only where somebody has put it.
        backbone: whether only a backbone of it is of use, trained on something else; the rest then stays random.
        keypoints: names of the head's channels, in order, where the file itself does not tell them.
        megabytes: about how large it is; 0 where nobody says.
    """

    url: str
    sha256: str = attrs.field(validator=attrs.validators.matches_re(r"([0-9a-f]{8,64})?"))
    backbone: bool = False
    keypoints: tuple[str, ...] = ()
    megabytes: int = 0


@attrs.frozen
class Trunk:
    """Which of a network's parameters are its backbone's: for files that hold a backbone alone.

    Attributes:
        prefixes: how their names begin; empty where there is no such thing.
        added: modules that the usual backbone of this kind lacks; a file may do without them, and they stay random.
        left_out: how the names begin of what the usual backbone has and this network has no use for.
    """

    prefixes: tuple[str, ...] = ()
    added: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()


def known_weights(estimator: Estimator) -> Mapping[str, Download]:
    """Public weights that fit it, by name; ``--weights auto`` takes those for most of the video's keypoints."""
    return cast(Mapping[str, Download], getattr(estimator, "known", dict)())


def forms_of(kind: type[Estimator]) -> Sequence[Mapping[str, Any]]:
    """Options of an estimator for which there are public weights, or none: its defaults."""
    return cast(Sequence[Mapping[str, Any]], getattr(kind, "forms", ({},)))


def trunk_of(estimator: Estimator) -> Trunk:
    """Which of the estimator's parameters a file of a bare backbone must hold."""
    return cast(Trunk, getattr(estimator, "trunk", Trunk()))


def renamed(estimator: Estimator, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """A foreign checkpoint's tensors under the estimator's own names; those it has no use for are left out."""
    rename = getattr(estimator, "rename", lambda key: key)
    convert = getattr(estimator, "convert", lambda tensors: tensors)
    pairs = ((rename(name), tensor) for name, tensor in convert(tensors).items())
    return {name: tensor for name, tensor in pairs if name is not None}


def origin_of(estimator: Estimator, tensors: Mapping[str, Tensor]) -> Origin:
    """What a foreign checkpoint leaves unsaid, as its parameters, under their foreign names, give it away."""
    return cast(Origin, getattr(estimator, "origin", lambda _: Origin())(tensors))

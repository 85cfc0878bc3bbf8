"""How the estimator learns from what was labelled: from which columns, by which recipe, until when."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import ClassVar, Protocol, Self

import attrs
import torch
from attrs.validators import in_
from torch import Tensor

from vatl_core.compute import Compute
from vatl_core.contracts.estimator import Estimator, Maps
from vatl_core.records import History
from vatl_core.video import Skeleton


class Pictures(Protocol):
    """Pictures of a video's instances: their crops, with a margin; the video's truth cannot be reached from them."""

    @property
    def skeleton(self) -> Skeleton:
        """What the poses are made of."""

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of a crop, which lies in the middle of its picture."""

    @property
    def picture_size(self) -> tuple[int, int]:
        """Height and width of a picture."""

    def get(self, index: Tensor) -> Tensor:
        """(B, 3, H, W) uint8 on the device, of these of the video's instances.

        Raises:
            InputError: a frame cannot be read.
        """

    def matrices(self, index: Tensor) -> Tensor:
        """(B, 2, 3) maps from a pixel of the picture to a pixel of the frame."""

    def fill(self, index: Tensor) -> None:
        """Get these ready, each frame read once and in order, as far as there is room."""


@attrs.frozen
class _Columns:
    """Instances to learn from, with the columns that labelled and unlabelled ones share."""

    index: Tensor
    keypoints: Tensor
    pictures: Pictures = attrs.field(kw_only=True)

    def __len__(self) -> int:
        return len(self.index)

    @property
    def skeleton(self) -> Skeleton:
        """What the poses are made of."""
        return self.pictures.skeleton

    def where(self, mask: Tensor) -> Self:
        """Those for which the mask, one flag an instance, is true."""
        columns = attrs.asdict(self, recurse=False, filter=lambda field, _: field.name != "pictures")
        return attrs.evolve(self, **{name: column[mask] for name, column in columns.items()})


@attrs.frozen
class Labelled(_Columns):
    """M labelled instances, to learn from.

    Attributes:
        index: (M,) indices into the video's instances.
        keypoints: (M, K, 2) pixels of the frame.
        visible: (M, K) bool.
        oks: (M,) of the present estimates against the labels; NaN where nothing of a label is visible.
        queried: (M,) bool, whether the label is from the query just answered.
        pictures: the video's, with a margin.
    """

    visible: Tensor
    oks: Tensor
    queried: Tensor


@attrs.frozen
class Unlabelled(_Columns):
    """The other U instances, as they are estimated at present; those at which nobody is are left out.

    Attributes:
        index: (U,) indices into the video's instances.
        keypoints: (U, K, 2) estimated, pixels of the frame.
        scores: (U, K) the heatmaps' maxima.
        frame, track: (U,).
        previous, next: (U,) indices into the video's instances of the track's neighbours in time; −1 for none.
        boxes: (U, 4) x, y, w, h, pixels.
        pictures: the video's, with a margin.
    """

    scores: Tensor
    frame: Tensor
    track: Tensor
    previous: Tensor
    next: Tensor
    boxes: Tensor


class Augmentation(ABC):
    """Random changes of training crops, a batch at once."""

    @abstractmethod
    def draw(self, count: int, generator: torch.Generator) -> Tensor:
        """(B, …) on the CPU: all that is random about a batch of ``count`` crops, whoever makes its parts."""

    @abstractmethod
    def place(
        self, drawn: Tensor, keypoints: Tensor, visible: Tensor, skeleton: Skeleton, size: tuple[int, int]
    ) -> Tensor:
        """(B, 2, 3) affine maps from a changed crop's pixel to the plain crop's; one that mirrors turns sides over.

        Args:
            drawn: some rows of what :meth:`draw` gave, on the device.
            keypoints: (B, K, 2) pixels of the plain crop.
            visible: (B, K) bool.
            skeleton: of the keypoints.
            size: height and width of a crop.
        """

    def light(self, drawn: Tensor, crops: Tensor) -> Tensor:
        """Crops (B, 3, H, W) uint8 as they look in another light; the same unless a subclass says otherwise."""
        return crops


@attrs.frozen
class Recipe:
    """How to fit: the optimiser's settings and the augmentation.

    Attributes:
        epochs: passes over the instances.
        lr: learning rate of the backbone; an estimator gives its other parts multiples of it.
        weight_decay: of AdamW, or the share of the weights that Adam adds to their gradients.
        decay: factor on the learning rates after each epoch.
        milestones, restarts: epochs after which the learning rates fall to a tenth, and are as at first again.
        one_cycle: rather than that, let the rates rise from 1/25 over the first 30 % of the steps and fall to nothing
            (Smith & Topin, 2018).
        alike: every part learns at ``lr``, as when training from scratch.
        batch: instances to a step at the most.
        augmentation: None to train on plain crops.
        optimiser: ``adamw`` or ``adam``.
        keeps_state: go on with the moments that the last fit of the run left, and count its epochs for ``decay``,
            ``milestones`` and ``restarts``; a fit that is to go on from this one's must have ``alike`` as here.
        subpixel: targets are centred on the keypoints, not on the heatmap pixels that they fall on, as published.
    """

    epochs: int
    lr: float = 2.5e-4
    weight_decay: float = 0.7
    decay: float = 0.99
    milestones: tuple[int, ...] = ()
    one_cycle: bool = False
    alike: bool = False
    batch: int = 120
    augmentation: Augmentation | None = None
    optimiser: str = attrs.field(default="adamw", validator=in_(("adamw", "adam")))
    keeps_state: bool = False
    restarts: tuple[int, ...] = ()
    subpixel: bool = False


Term = Callable[[Callable[[Tensor], Maps]], Tensor]
"""A further term of the loss: from the network in training, (B, 3, H, W) uint8 → Maps, to a scalar with gradients."""


@attrs.define
class Trainer(ABC):
    """Fits estimators, with this device and precision; every random choice comes from the generator, on the CPU."""

    compute: Compute
    generator: torch.Generator

    @abstractmethod
    def fit(self, estimator: Estimator, labelled: Labelled, recipe: Recipe, terms: Sequence[Term] = ()) -> float:
        """Fit ``estimator``, which is on the device, in place.

        Args:
            estimator, recipe: what, and how.
            labelled: to learn from; nothing happens where it is empty.
            terms: asked in each step, in order; what they give is added to the estimator's own loss.

        Returns:
            The last epoch's mean loss; NaN if there was nothing to do.
        """


class Retraining(ABC):
    """How the estimator learns from what has been labelled."""

    @abstractmethod
    def retrain(
        self,
        estimator: Estimator,
        source: dict[str, Tensor],
        labelled: Labelled,
        unlabelled: Unlabelled,
        history: History,
        trainer: Trainer,
    ) -> Estimator:
        """The estimator for the next cycle.

        Args:
            estimator: with the present weights; may be changed in place.
            source: the weights the run began with.
            labelled: everything the oracle has labelled, the last query marked.
            unlabelled: everything else, as it is estimated at present.
            history: the cycles so far, the present one last.
            trainer: seeded, shows progress, knows device and precision.
        """


class Stopping(ABC):
    """When to stop asking."""

    watches: ClassVar[tuple[str, ...]] = ()
    """Criteria whose mean over the video :meth:`decide` reads; they are computed in every cycle."""
    retrains: ClassVar[bool] = False
    """Whether the last labels are still used for a retraining when this one fires."""

    @abstractmethod
    def decide(self, history: History) -> str | None:
        """Why to stop, in a line, or None to go on. Asked in each cycle after labelling, before retraining."""

    def allowance(self, history: History) -> int | None:
        """How many labels may still be asked for; None for any number."""
        return None

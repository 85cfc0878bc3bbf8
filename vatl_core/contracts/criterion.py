"""How much an instance is worth labelling, and the columns that this is judged by."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import ClassVar, Final, Protocol

import attrs
import torch
from torch import Tensor

from vatl_core.contracts.estimator import Maps
from vatl_core.errors import InputError
from vatl_core.video import Skeleton

Epoch = Callable[[int, float, float], None]
_NOTHING: Final = torch.empty(0)


class Network(Protocol):
    """The estimator with its present weights, for criteria that declare further passes; every call is counted."""

    def __call__(self, pictures: Tensor, dropout: float | None = None, sample: int = 0) -> Maps:
        """(B, 3, H, W) uint8 → maps of these pictures; within :func:`torch.enable_grad` with their gradients.

        Args:
            pictures: such as :attr:`Window.pictures`.
            dropout: share of the channels left out where the network has dropout, else before its head; None for none.
            sample: which are left out: one thinned network a sample, for every picture and batch of a cycle.
        """


@attrs.frozen
class Window:
    """A batch of B instances with neighbours in time, on one device; what its ``needs`` do not declare may be empty.

    Attributes:
        index: (B,) indices into the video's instances.
        skeleton: what the poses are made of.
        frame, track: (B,) int64, the frame that it is in, and which individual it is.
        time: (B,) float64, seconds from the first frame where the video tells, else the frame's number.
        boxes: (B, 4) x, y, w, h, pixels.
        crops: (B, 4) the crop boxes x1, y1, x2, y2, pixels, that the heatmaps cover.
        keypoints: (B, K, 2) estimated, pixels of the frame.
        scores: (B, K) the heatmaps' maxima.
        features: (B, D) from the same pass as the heatmaps.
        heatmaps: (B, K, h, w) at the instance's own frame.
        previous, next: (B, K, h, w) of the same track at its neighbouring frames; undefined where there is none.
        has_previous, has_next: (B,) bool, whether there is a neighbour.
        extra: ``{name: (B, …)}``, what further heads gave in the same pass.
        pictures: (B, 3, H, W) uint8, the crops that the pass was made of.
        network: for further passes over pictures.
        labelled: (B,) bool, of a pool.
        condensed: (B, …) of a pool, what :meth:`Criterion.condense` made of each instance's heatmaps.
    """

    index: Tensor
    skeleton: Skeleton
    boxes: Tensor
    crops: Tensor
    keypoints: Tensor
    scores: Tensor
    features: Tensor
    heatmaps: Tensor = _NOTHING
    previous: Tensor = _NOTHING
    next: Tensor = _NOTHING
    has_previous: Tensor = _NOTHING
    has_next: Tensor = _NOTHING
    extra: Mapping[str, Tensor] = attrs.field(factory=dict)
    pictures: Tensor = _NOTHING
    network: Network | None = None
    labelled: Tensor = _NOTHING
    condensed: Tensor = _NOTHING
    frame: Tensor = _NOTHING
    track: Tensor = _NOTHING
    time: Tensor = _NOTHING

    def __len__(self) -> int:
        return len(self.index)


@attrs.frozen
class Panel:
    """One picture of what lies behind a criterion's scores, for each of B instances: drawn over the instance's crop.

    Attributes:
        title: what it shows.
        heatmaps: (B, K, h, w) that cover the crop; None where it shows none.
        keypoints: (B, K, 2) pixels of the frame, NaN for those that are not known; None where it shows none.
        when: whose crop: −1 that of the instance's previous neighbour, 0 its own, 1 that of the next.
        there: (B,) bool, the instances that it exists for; None for all.
    """

    title: str
    heatmaps: Tensor | None = None
    keypoints: Tensor | None = None
    when: int = 0
    there: Tensor | None = None


@attrs.frozen
class Poses:
    """M known poses, to fit a criterion on.

    Attributes:
        keypoints: (M, K, 2) pixels.
        visible: (M, K) bool.
        boxes: (M, 4) x, y, w, h, pixels.
        features: (M, D) from the present estimator's pass, for criteria of the pool; None for poses it has not seen.
        cycle: (M,) int64, in which each was asked for; None for poses that nobody was asked for, as is ``oks``.
        oks: (M,) of the estimate that was there when the label was asked for, so before anything was learnt from it;
            NaN where nothing of it is visible.
        kept: (M, …) what the criterion, one that ``keeps``, condensed of each in the cycle that asked for it; NaN where
            that is not on disk any more; None for any other criterion.
        condensed: (M, …) what the criterion, one of the pool, condensed of each in the present pass; None for others.
    """

    keypoints: Tensor
    visible: Tensor
    boxes: Tensor
    features: Tensor | None = None
    cycle: Tensor | None = None
    oks: Tensor | None = None
    kept: Tensor | None = None
    condensed: Tensor | None = None

    def __len__(self) -> int:
        return len(self.keypoints)


class Criterion(ABC):
    """How much an instance is worth labelling: higher = more.

    ``needs`` declares what :meth:`score` reads of a window: any of ``"heatmaps"``, ``"neighbours"`` (implies
    heatmaps), ``"poses"``, ``"features"``, ``"extra"``; ``"network"`` for pictures and further passes, whose number is
    recorded and reported; and ``"pool"`` to see every instance at once, after the pass: then without heatmaps, but with
    what :meth:`condense` kept of them if it needs them too.
    """

    needs: ClassVar[frozenset[str]] = frozenset({"heatmaps"})
    wants_source: ClassVar[bool] = False
    """Whether :meth:`prepare` makes use of the source domain's poses; if not, they are not loaded for it."""
    keeps: ClassVar[bool] = False
    """Whether what it condenses stays on disk, any number of floats an instance: :attr:`Poses.kept` in later cycles."""
    pretrained: str = "none"
    """An option of criteria with a :meth:`pretrain`: ``auto`` (what ``vatl fit`` kept), ``none``, or a file of it."""
    share: ClassVar[str | None] = None
    """A criterion whose mean over the unlabelled, 0 to 1, is this one's share of a sum; the others have the rest."""

    @abstractmethod
    def score(self, window: Window) -> Tensor:
        """(B,) float32, finite, on the window's device; an instance's score does not depend on its batch."""

    def prepare(
        self, skeleton: Skeleton, source: Poses | None, generator: torch.Generator, device: torch.device
    ) -> str | None:
        """Called once a run, before anything else, with the source domain's poses where the data set has any.

        Args:
            skeleton: of the video.
            source: on ``device``, of this skeleton; None where the data set has none.
            generator: on the CPU.
            device: where :meth:`fit` and :meth:`score` will be asked to work.

        Returns:
            What the user should know about it, in a line, or None.
        """
        return None

    def pretrain(
        self, skeleton: Skeleton, training: Poses, validation: Poses, generator: torch.Generator, epoch: Epoch
    ) -> dict[str, Tensor]:
        """What is learnt from a data set's poses, by name: for a file that :meth:`begin_with` is given in later runs.

        Args:
            skeleton: of the poses.
            training, validation: on the device to work on.
            generator: on the CPU; every random choice comes from it.
            epoch: called after each epoch, counted from 1, with the mean error on the training and validation poses.

        Raises:
            InputError: this criterion has nothing to learn beforehand, or the poses are of no use to it.
        """
        raise InputError(f"{type(self).__name__} has nothing to learn before a run")

    def begin_with(self, skeleton: Skeleton, learnt: Mapping[str, Tensor]) -> None:
        """Called before :meth:`prepare`, which is then shown no source poses, where the run has what was learnt.

        Args:
            skeleton: of the video; what was learnt is for its keypoints and edges, and for the present options.
            learnt: what :meth:`pretrain` returned, on the CPU.

        Raises:
            InputError: it is not what :meth:`pretrain` returns.
        """
        raise InputError(f"{type(self).__name__} has nothing to learn before a run")

    def condense(self, window: Window) -> Tensor:
        """(B, …) what is kept of the heatmaps for scoring the pool; asked of those that need both.

        A selector that watches the criterion finds it in :attr:`vatl_core.Pool.embeddings`.
        """
        return window.scores[:, :0]

    def fit(self, labelled: Poses, generator: torch.Generator) -> None:
        """Called in each cycle before scoring, with the poses labelled so far (none in the first)."""

    def explain(self, window: Window) -> list[Panel]:
        """What lies behind the scores of a window, for people to look at; never asked for in a run.

        Where a criterion has nothing of its own, people are shown the heatmaps or the poses that it needs.
        """
        return []

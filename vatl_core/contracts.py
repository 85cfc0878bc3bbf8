"""What each kind of component must do: abstract classes, and the columns that they are handed.

Every component is an attrs class. Its fields, with their defaults and validators, are its options: from TOML, from
the command line, shown by ``vatl plugins show``. What a method is handed never leads to the truth of an instance
that the oracle has not labelled.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, TypeVar

import attrs
import torch
from torch import Tensor, nn

from vatl_core.errors import InputError, PluginError, unknown
from vatl_core.skeleton import Skeleton
from vatl_core.video import Instances, Video

if TYPE_CHECKING:
    from vatl_core.outcomes import Outcome
    from vatl_core.records import History
    from vatl_core.training import Labelled, Trainer

T = TypeVar("T")
R = TypeVar("R")


# ------------------------------------------------------------------------------------------------------- estimator
@attrs.frozen
class Normalisation:
    """What a network expects of a picture: (pixel / 255 − mean) / std, RGB. It belongs to the checkpoint."""

    mean: tuple[float, float, float] = (0.485, 0.456, 0.406)
    std: tuple[float, float, float] = (0.229, 0.224, 0.225)

    def __call__(self, crops: Tensor) -> Tensor:
        """(B, 3, H, W) uint8 → (B, 3, H, W) float32."""
        mean = torch.tensor(self.mean, device=crops.device).view(1, 3, 1, 1) * 255
        std = torch.tensor(self.std, device=crops.device).view(1, 3, 1, 1) * 255
        return (crops - mean) / std


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
        backbone: whether the file holds only a backbone trained on something else; the rest then stays random.
    """

    url: str
    sha256: str = attrs.field(validator=attrs.validators.matches_re(r"[0-9a-f]{8,64}"))
    backbone: bool = False


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


@attrs.define(eq=False, slots=False, on_setattr=attrs.setters.NO_OP)
class Estimator(nn.Module, ABC):
    """A network from an instance's crop to one heatmap a keypoint, and a feature from the same pass.

    A subclass is ``@attrs.define(eq=False, slots=False, on_setattr=attrs.setters.NO_OP)``: setting an attribute is
    torch's affair. It makes its layers in :meth:`build`, not in its fields.

    Attributes:
        input_size: height and width of the crop in pixels.
        normalisation: what the present weights expect of a crop.
    """

    stride: ClassVar[int] = 4
    """Input pixels to a heatmap pixel."""
    head: ClassVar[str]
    """The module with one output channel a keypoint, whose channels are matched by keypoint name."""
    trunk: ClassVar[Trunk] = Trunk()
    """Which of its parameters a file of a bare backbone must hold."""

    input_size: tuple[int, int] = attrs.field(default=(256, 192), kw_only=True)
    normalisation: Normalisation = attrs.field(factory=Normalisation, init=False)

    def __attrs_pre_init__(self) -> None:
        if type(self).__setattr__ is not nn.Module.__setattr__:
            raise PluginError(
                f"estimator class {type(self).__name__} must be decorated with @attrs.define(eq=False, slots=False, "
                "on_setattr=attrs.setters.NO_OP): attrs would otherwise hide its layers from torch"
            )
        nn.Module.__init__(self)

    @abstractmethod
    def build(self, skeleton: Skeleton) -> None:
        """Make the layers for the keypoints of ``skeleton``, with random weights."""

    @abstractmethod
    def forward(self, crops: Tensor) -> tuple[Tensor, Tensor]:
        """Normalised crops (B, 3, H, W) → heatmaps (B, K, H/stride, W/stride), features (B, D)."""

    @abstractmethod
    def parameter_groups(self, lr: float) -> list[dict[str, object]]:
        """The optimiser's groups: learning rates for backbone, upsampling and head, from the base rate."""

    def rename(self, key: str) -> str | None:
        """This network's name for what a foreign checkpoint calls ``key``; None for what is no parameter."""
        return key

    def origin(self, tensors: Mapping[str, Tensor]) -> Origin:
        """What a foreign checkpoint leaves unsaid, as its parameters, under their foreign names, give it away."""
        return Origin()

    def known(self) -> Mapping[str, Download]:
        """Public weights, by name, that fit this estimator as its options are.

        ``--weights auto`` takes the first that is more than a backbone.
        """
        return {}

    @property
    def heatmap_size(self) -> tuple[int, int]:
        """Height and width of a heatmap."""
        return self.input_size[0] // self.stride, self.input_size[1] // self.stride


# --------------------------------------------------------------------------------------------------------- dataset
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


# ------------------------------------------------------------------------------------------------------- criterion
@attrs.frozen
class Window:
    """A batch of B instances with their neighbours in time, all on one device.

    What the criterion does not declare in its ``needs`` may be empty.

    Attributes:
        index: (B,) indices into the video's instances.
        skeleton: what the poses are made of.
        boxes: (B, 4) x, y, w, h, pixels.
        crops: (B, 4) the crop boxes x1, y1, x2, y2, pixels, that the heatmaps cover.
        keypoints: (B, K, 2) estimated, pixels of the frame.
        scores: (B, K) the heatmaps' maxima.
        features: (B, D) from the same pass as the heatmaps.
        heatmaps: (B, K, h, w) at the instance's own frame.
        previous, next: (B, K, h, w) of the same track at its neighbouring frames; undefined where there is none.
        has_previous, has_next: (B,) bool, whether there is a neighbour.
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
    heatmaps: Tensor = attrs.field(factory=lambda: torch.empty(0))
    previous: Tensor = attrs.field(factory=lambda: torch.empty(0))
    next: Tensor = attrs.field(factory=lambda: torch.empty(0))
    has_previous: Tensor = attrs.field(factory=lambda: torch.empty(0))
    has_next: Tensor = attrs.field(factory=lambda: torch.empty(0))
    labelled: Tensor = attrs.field(factory=lambda: torch.empty(0))
    condensed: Tensor = attrs.field(factory=lambda: torch.empty(0))

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
    """

    keypoints: Tensor
    visible: Tensor
    boxes: Tensor
    features: Tensor | None = None

    def __len__(self) -> int:
        return len(self.keypoints)


@attrs.frozen
class PreTraining:
    """What a criterion's pre-training is told.

    Attributes:
        generator: on the CPU; every random choice comes from it.
        epoch: called after each epoch, counted from 1, with the mean error on the training and validation poses.
    """

    generator: torch.Generator
    epoch: Callable[[int, float, float], None] = lambda number, training, validation: None


class Criterion(ABC):
    """How much an instance is worth labelling: higher = more.

    ``needs`` declares what :meth:`score` reads of a window: any of ``"heatmaps"``, ``"neighbours"`` (implies
    heatmaps), ``"poses"``, ``"features"``; and ``"pool"`` to see every instance at once, after the pass: then without
    heatmaps, but with what :meth:`condense` kept of them if it needs them too.
    """

    needs: ClassVar[frozenset[str]] = frozenset({"heatmaps"})
    wants_source: ClassVar[bool] = False
    """Whether :meth:`prepare` makes use of the source domain's poses; if not, they are not loaded for it."""
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
            source: on ``device``; None where the data set has none of this skeleton.
            generator: on the CPU.
            device: where :meth:`fit` and :meth:`score` will be asked to work.

        Returns:
            What the user should know about it, in a line, or None.
        """
        return None

    def pretrain(self, skeleton: Skeleton, training: Poses, validation: Poses, how: PreTraining) -> dict[str, Tensor]:
        """Learn from a data set's poses, once and before any run, what :meth:`prepare` can then begin with.

        Args:
            skeleton: of the poses.
            training, validation: on the device to work on.
            how: seed and progress.

        Returns:
            What was learnt, by name, to be kept in a file.

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
        """(B, …) what is kept of the heatmaps for scoring the pool; asked of those that need both."""
        return window.scores[:, :0]

    def fit(self, labelled: Poses, generator: torch.Generator) -> None:
        """Called in each cycle before scoring, with the poses labelled so far (none in the first)."""

    def explain(self, window: Window) -> list[Panel]:
        """What lies behind the scores of a window, for people to look at; never asked for in a run.

        Unless a criterion knows better: the heatmaps that it compares or reads, or the poses; nothing for others.
        """
        if "neighbours" in self.needs:
            return [
                Panel("previous frame", window.previous, when=-1, there=window.has_previous),
                Panel("present frame", window.heatmaps),
                Panel("next frame", window.next, when=1, there=window.has_next),
            ]
        if "heatmaps" in self.needs:
            return [Panel("heatmaps", window.heatmaps)]
        return [Panel("estimate", keypoints=window.keypoints)] if "poses" in self.needs else []


# -------------------------------------------------------------------------------------------------------- selector
@attrs.frozen
class Pool:
    """What a selector chooses from: a video's N instances.

    Attributes:
        scores: (N,) the query's score, 0 to 1 over the unlabelled; zeros where the query has no criterion.
        features: (N, D).
        labelled: (N,) bool.
        query_oks: mean OKS of the previous query when it was asked; None in the first cycle.
        watched: ``{name: (N,)}`` scores of the criteria that the selector watches.
    """

    scores: Tensor
    features: Tensor
    labelled: Tensor
    query_oks: float | None = None
    watched: Mapping[str, Tensor] = attrs.field(factory=dict)

    @property
    def unlabelled(self) -> Tensor:
        """(U,) indices of what may be picked, ascending."""
        return torch.nonzero(~self.labelled).flatten()


class Selector(ABC):
    """Which instances to ask the oracle for."""

    uses_scores: ClassVar[bool] = True
    """Whether it reads ``pool.scores``; if not, no criterion is computed for it."""
    watches: ClassVar[tuple[str, ...]] = ()
    """Criteria that :meth:`select` finds in ``pool.watched``; they are computed in every cycle."""

    @abstractmethod
    def select(self, pool: Pool, count: int, generator: torch.Generator) -> Tensor:
        """(min(count, U),) indices of unlabelled instances, each once, in order of picking."""


# ------------------------------------------------------------------------------------------------------ retraining
class Retraining(ABC):
    """How the estimator learns from what has been labelled."""

    @abstractmethod
    def retrain(
        self, estimator: Estimator, source: dict[str, Tensor], labelled: Labelled, history: History, trainer: Trainer
    ) -> Estimator:
        """The estimator for the next cycle.

        Args:
            estimator: with the present weights; may be changed in place.
            source: the weights the run began with.
            labelled: everything the oracle has labelled, the last query marked.
            history: the cycles so far, the present one last.
            trainer: fits an estimator to instances; seeded, shows progress, knows device and precision.
        """


# -------------------------------------------------------------------------------------------------------- stopping
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


# ---------------------------------------------------------------------------------------------------------- oracle
@attrs.frozen
class Labels:
    """What an oracle answered.

    Attributes:
        index: (M,) indices into the video's instances.
        keypoints: (M, K, 2) pixels.
        visible: (M, K) bool.
        annotator: who.
        seconds: (M,) time spent on each; zeros where nobody spent any.
    """

    index: Tensor
    keypoints: Tensor
    visible: Tensor
    annotator: str
    seconds: Tensor


class Oracle(ABC):
    """Who knows the true keypoints of an instance."""

    @abstractmethod
    def annotate(self, video: Video, indices: Tensor, proposals: Tensor) -> Iterable[Labels]:
        """Answers for these instances, in parts as they come; each part is on disk before the next is drawn.

        Args:
            video: with its truth, where it has any.
            indices: (q,) what is asked for.
            proposals: (q, K, 2) the estimator's keypoints, pixels.

        Raises:
            InputError: it cannot answer for this video.
        """


# -------------------------------------------------------------------------------------------------------- executor
class Executor(ABC):
    """Where runs are carried out."""

    @abstractmethod
    def map(self, work: Callable[[T], R], runs: Sequence[T]) -> Generator[Outcome[R], None, None]:
        """``work`` done on each of ``runs``; what came of each, as it comes: the first to end need not be the first.

        A run that fails is an outcome and ends nothing else. Closing the generator ends what is under way. Where a
        process dies, its work may be done again from the beginning: work takes its run up where it was left.

        Args:
            work: importable by its name, so that another process can be sent it.
            runs: what it is called with; can be pickled.

        Raises:
            InputError: runs cannot be carried out there at all.
        """


CONTRACTS: dict[str, type] = {
    "estimator": Estimator,
    "dataset": Dataset,
    "criterion": Criterion,
    "selector": Selector,
    "retraining": Retraining,
    "stopping": Stopping,
    "oracle": Oracle,
    "executor": Executor,
}
"""The class that every component of a kind derives from."""

__all__ = [
    "CONTRACTS", "Criterion", "Dataset", "Download", "Estimator", "Executor", "Instances", "Labels", "Normalisation",
    "Oracle", "Origin", "Panel", "Pool", "Poses", "PreTraining", "Retraining", "Selector", "Stopping", "Trunk",
    "Window",
]  # fmt: skip

"""Whole-body pose unnaturalness: how badly an auto-encoder of usual poses rebuilds this one.

Taketsugu & Ukita, *Active Transfer Learning for Efficient Video-Specific Human Pose Estimation* (WACV 2024), §3.2.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import ClassVar, Final

import attrs
import torch
from attrs.validators import ge, in_, optional
from torch import Tensor

from vatl_core.contracts import Criterion, Panel, Poses, Window
from vatl_core.errors import InputError, unknown
from vatl_core.video import Skeleton
from vatl_criteria.uncertainty.autoencoder import (
    FINE_TUNING,
    PRE_TRAINING,
    AutoEncoder,
    Examples,
    Told,
    fit,
    reconstruction_error,
)
from vatl_criteria.uncertainty.pose_feature import angle_triples, keypoints_of, known_entries, pose_feature

COUNTED: Final = "counted"
"""What a file of learnt things calls the entries of the feature that were learnt, beside the network's parameters."""


@attrs.define
class PoseUnnaturalness(Criterion):
    """WPU: the reconstruction error of a pose's feature.

    The auto-encoder begins with what `vatl fit wpu` learnt, else with what the source domain's poses teach it, and is
    fine-tuned from that state on the poses labelled so far, anew in each cycle. With neither it learns from the
    labelled ones alone, and scores are 0 until there are some. Keypoints that nobody annotated are left out.

    Attributes:
        z_dim: width of the code in the middle.
        output: ``linear``, or ``sigmoid`` as published (which cannot give negative entries).
        ignore: names of keypoints that are left out in any case.
        error: which entries of a feature the auto-encoder learns by: those ``known``, or ``all``, as published; the
            others are 0.
        pretrain_batch: poses to a step before labels come; 10,000 as published.
        pretrain_epochs: then, at the most; 80 as published. None for 80, and more where there are few poses.
        pretrained: ``auto`` takes what `vatl fit wpu` kept for this skeleton and these options, if it did; ``none``
            takes nothing; or a file that it wrote, or one released with the papers (WholeBodyAE_zdim4.pth).
    """

    needs: ClassVar[frozenset[str]] = frozenset({"poses"})
    wants_source: ClassVar[bool] = True

    z_dim: int = attrs.field(default=4, validator=ge(1))
    output: str = attrs.field(default="linear", validator=in_(("linear", "sigmoid")))
    ignore: tuple[str, ...] = ()
    error: str = attrs.field(default="known", validator=in_(("known", "all")))
    pretrain_batch: int = attrs.field(default=PRE_TRAINING.batch, validator=ge(1))
    pretrain_epochs: int | None = attrs.field(default=None, validator=optional(ge(1)))
    pretrained: str = "auto"
    _triples: list[tuple[int, int, int]] = attrs.field(init=False, factory=list, repr=False)
    _network: AutoEncoder | None = attrs.field(init=False, default=None, repr=False)
    _start: dict[str, Tensor] = attrs.field(init=False, factory=dict, repr=False)
    _pre_trained: bool = attrs.field(init=False, default=False, repr=False)
    _counted: Tensor | None = attrs.field(init=False, default=None, repr=False)
    _ignored: list[int] = attrs.field(init=False, factory=list, repr=False)

    # ------------------------------------------------------------------------------------------------ before a run
    def pretrain(
        self, skeleton: Skeleton, training: Poses, validation: Poses, generator: torch.Generator, epoch: Told
    ) -> dict[str, Tensor]:
        """The auto-encoder's parameters, and which entries of the feature the poses showed."""
        network = self._build(skeleton, generator, training.keypoints.device)
        counted = self._learn(self._examples(training), self._examples(validation), generator, epoch)
        return network.state_dict() | {COUNTED: counted}

    def begin_with(self, skeleton: Skeleton, learnt: Mapping[str, Tensor]) -> None:
        """Take the auto-encoder's parameters from :meth:`pretrain`'s."""
        network = self._build(skeleton, torch.Generator(), torch.device("cpu"))
        parameters = dict(learnt)
        counted = parameters.pop(COUNTED, None)
        wanted = {name: tensor.shape for name, tensor in network.state_dict().items()}
        if counted is None or {name: tensor.shape for name, tensor in parameters.items()} != wanted:
            raise InputError("it does not hold this auto-encoder's parameters")
        if counted.shape != (self._size(skeleton),) or not all(bool(t.isfinite().all()) for t in parameters.values()):
            raise InputError("its parameters are damaged")
        network.load_state_dict(parameters)
        self._counted, self._pre_trained = counted.bool(), True

    def prepare(
        self, skeleton: Skeleton, source: Poses | None, generator: torch.Generator, device: torch.device
    ) -> str | None:
        """Make the auto-encoder, and teach it the source domain's poses if it knows nothing yet."""
        if self._pre_trained and self._network is not None and self._counted is not None:
            self._network.to(device)
            self._counted = self._counted.to(device)
            self._start = copy.deepcopy(self._network.state_dict())
            return None
        network = self._build(skeleton, generator, device)
        self._start = copy.deepcopy(network.state_dict())
        if source is None or not len(source):
            return (
                "wpu: the data set has no source poses of this skeleton, so its auto-encoder learns from labels alone"
            )
        self._learn(*self._examples(source).split(generator), generator)
        self._start, self._pre_trained = copy.deepcopy(network.state_dict()), True
        return None

    # --------------------------------------------------------------------------------------------------- in a cycle
    def fit(self, labelled: Poses, generator: torch.Generator) -> None:
        """Fine-tune on the labelled poses, from the pre-trained state, or learn from them alone."""
        if not len(labelled) or self._network is None:
            return
        self._network.load_state_dict(self._start)  # each cycle's scores depend on its labels, not on earlier cycles
        if self._pre_trained:
            fit(self._network, self._to_learn(self._examples(labelled)), None, FINE_TUNING, generator)
        else:
            self._counted = None
            self._learn(*self._examples(labelled).split(generator), generator)

    def score(self, window: Window) -> Tensor:
        """Reads the estimated poses; the box is the instance's box."""
        if self._network is None or self._counted is None:
            return torch.zeros_like(window.scores[:, 0])
        features, _ = self._features(window, self._counted)
        return reconstruction_error(features, self._network(features), self._judged(self._counted).expand_as(features))

    def explain(self, window: Window) -> list[Panel]:
        """The pose that the auto-encoder is given, and the pose that it makes of it."""
        if self._network is None or self._counted is None:
            return [Panel("input", keypoints=window.keypoints)]
        features, weights = self._features(window, self._counted)
        rebuilt = keypoints_of(self._network(features), window.keypoints, weights, window.boxes)
        counted = self._counted[: weights.shape[1], None]
        return [
            Panel("input", keypoints=torch.where((weights > 0)[..., None], window.keypoints, torch.nan)),
            Panel("reconstruction", keypoints=torch.where(counted, rebuilt, torch.nan)),
        ]

    # ------------------------------------------------------------------------------------------------------- shared
    def _build(self, skeleton: Skeleton, generator: torch.Generator, device: torch.device) -> AutoEncoder:
        """Make the network for this skeleton, with random parameters."""
        for name in self.ignore:
            if name not in skeleton.keypoints:
                raise unknown("keypoint of this skeleton to ignore", name, skeleton.keypoints)
        self._triples = angle_triples(skeleton)
        self._ignored = [i for i, name in enumerate(skeleton.keypoints) if name in self.ignore]
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(int(torch.randint(2**62, (1,), generator=generator)))
            self._network = AutoEncoder(self._size(skeleton), self.z_dim, self.output).to(device)
        return self._network

    def _features(self, window: Window, counted: Tensor) -> tuple[Tensor, Tensor]:
        """The estimated poses' features (B, D), 0 where they do not count, and the keypoints' weights (B, K)."""
        weights = window.scores * counted[: window.scores.shape[1]]
        return pose_feature(window.keypoints, weights, window.boxes, self._triples) * counted, weights

    def _size(self, skeleton: Skeleton) -> int:
        """Entries of a feature."""
        return 2 * len(skeleton) + len(self._triples)

    def _learn(
        self, training: Examples, validation: Examples, generator: torch.Generator, told: Told | None = None
    ) -> Tensor:
        """Fit from the present state with the recipe of pre-training; what no pose shows is left out from now on."""
        if self._network is None:
            raise AssertionError("the auto-encoder is made before it learns")
        self._counted = training.known.any(0)
        seen, unseen = self._to_learn(training), self._to_learn(validation.among(self._counted))
        how = attrs.evolve(PRE_TRAINING, batch=self.pretrain_batch)
        if self.pretrain_epochs is not None:
            how = attrs.evolve(how, epochs=self.pretrain_epochs, least_steps=0)
        fit(self._network, seen, unseen, how, generator, told)
        return self._counted

    def _to_learn(self, examples: Examples) -> Examples:
        return examples.whole() if self.error == "all" else examples

    def _judged(self, counted: Tensor) -> Tensor:
        """(D,) the entries whose error counts; a released network may be given those of ignored keypoints, too."""
        keypoints = (len(counted) - len(self._triples)) // 2
        kept = torch.ones(1, keypoints, dtype=torch.bool, device=counted.device)
        kept[:, self._ignored] = False
        return counted & known_entries(kept, self._triples)[0]

    def _examples(self, poses: Poses) -> Examples:
        """Features of known poses; what is not shown, or was not when the auto-encoder learnt, is 0 there."""
        visible = poses.visible.clone()
        visible[:, self._ignored] = False
        if self._counted is not None:
            visible &= self._counted[: visible.shape[1]]
        known = known_entries(visible, self._triples)
        keypoints = poses.keypoints.nan_to_num()  # what is not visible may be anything
        features = pose_feature(keypoints, visible.float(), poses.boxes, self._triples)
        return Examples(torch.where(known, features, 0), known)

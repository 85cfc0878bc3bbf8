"""Whole-body pose unnaturalness: how badly an auto-encoder of usual poses rebuilds this one.

Taketsugu & Ukita, *Active Transfer Learning for Efficient Video-Specific Human Pose Estimation* (WACV 2024), §3.2.
"""

from __future__ import annotations

import copy
from typing import ClassVar

import attrs
import torch
from attrs.validators import ge, in_
from torch import Tensor

from vatl_core.contracts import Criterion, Poses, Window
from vatl_core.skeleton import Skeleton
from vatl_criteria.uncertainty.autoencoder import FINE_TUNING, PRE_TRAINING, AutoEncoder, fit, reconstruction_error
from vatl_criteria.uncertainty.pose_feature import angle_triples, known_entries, pose_feature


@attrs.define
class PoseUnnaturalness(Criterion):
    """WPU: the reconstruction error of a pose's feature.

    The auto-encoder is pre-trained on the source domain's poses where the data set has any, and fine-tuned from that
    state on the poses labelled so far, anew in each cycle. Without source poses it learns from the labelled ones
    alone, and scores are 0 until there are some. Keypoints that nobody annotates are left out of the error.

    Attributes:
        z_dim: width of the code in the middle.
        output: ``linear``, or ``sigmoid`` as published (which cannot give negative entries).
        ignore: names of keypoints that are left out of the error in any case.
    """

    needs: ClassVar[frozenset[str]] = frozenset({"poses"})
    wants_source: ClassVar[bool] = True

    z_dim: int = attrs.field(default=4, validator=ge(1))
    output: str = attrs.field(default="linear", validator=in_(("linear", "sigmoid")))
    ignore: tuple[str, ...] = ()
    _triples: list[tuple[int, int, int]] = attrs.field(init=False, factory=list, repr=False)
    _network: AutoEncoder | None = attrs.field(init=False, default=None, repr=False)
    _start: dict[str, Tensor] = attrs.field(init=False, factory=dict, repr=False)
    _pre_trained: bool = attrs.field(init=False, default=False, repr=False)
    _counted: Tensor | None = attrs.field(init=False, default=None, repr=False)
    _ignored: list[int] = attrs.field(init=False, factory=list, repr=False)

    def prepare(
        self, skeleton: Skeleton, source: Poses | None, generator: torch.Generator, device: torch.device
    ) -> str | None:
        """Make the auto-encoder and pre-train it on the source domain."""
        self._triples = angle_triples(skeleton)
        self._ignored = [i for i, name in enumerate(skeleton.keypoints) if name in self.ignore]
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(int(torch.randint(2**62, (1,), generator=generator)))
            network = AutoEncoder(2 * len(skeleton) + len(self._triples), self.z_dim, self.output)
        self._network = network.to(device)
        self._start = copy.deepcopy(network.state_dict())
        if source is None or not len(source):
            return (
                "wpu: the data set has no source poses of this skeleton, so its auto-encoder learns from labels alone"
            )
        self._learn(source, generator)
        self._start, self._pre_trained = copy.deepcopy(network.state_dict()), True
        return None

    def fit(self, labelled: Poses, generator: torch.Generator) -> None:
        """Fine-tune on the labelled poses, from the pre-trained state, or learn from them alone."""
        if not len(labelled) or self._network is None:
            return
        self._network.load_state_dict(self._start)  # each cycle's scores depend on its labels, not on earlier cycles
        if not self._pre_trained:
            self._learn(labelled, generator)
            return
        fit(self._network, *self._features(labelled), FINE_TUNING, generator)

    def score(self, window: Window) -> Tensor:
        """Reads the estimated poses; the box is the instance's box."""
        if self._network is None or self._counted is None:
            return torch.zeros_like(window.scores[:, 0])
        features = pose_feature(window.keypoints, window.scores, window.boxes, self._triples)
        return reconstruction_error(features, self._network(features), self._counted.expand_as(features))

    def _learn(self, poses: Poses, generator: torch.Generator) -> None:
        """Fit from the present state with the recipe of pre-training; what no pose shows is left out from now on."""
        if self._network is None:
            return
        features, known = self._features(poses)
        fit(self._network, features, known, PRE_TRAINING, generator)
        self._counted = known.any(0)

    def _features(self, poses: Poses) -> tuple[Tensor, Tensor]:
        visible = poses.visible.clone()
        visible[:, self._ignored] = False
        features = pose_feature(poses.keypoints, visible.float(), poses.boxes, self._triples)
        return features, known_entries(visible, self._triples)

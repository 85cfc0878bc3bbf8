"""What an estimator promises."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from vatl_core.compute import Compute
from vatl_core.contracts import Estimator, Maps
from vatl_core.errors import InputError
from vatl_core.seeds import seeded
from vatl_core.video import PERSON_17, Skeleton
from vatl_core.weights import Checkpoint, read_checkpoint, save_checkpoint
from vatl_kit.broken import going_on, promise
from vatl_kit.contract import Contract, quick, untouched_randomness
from vatl_kit.material import STICK, devices, farthest, generator, same
from vatl_weights import STEP_COUNTER, Download, known_weights, load_weights, trunk_of


class EstimatorContract(Contract):
    """``component`` is an estimator, not built yet: heatmaps and features of the right form, weights that come back.

    Give it options that make it small: every check builds it anew.
    """

    kind = "estimator"
    component: Estimator | type[Estimator]

    @quick
    def test_gives_heatmaps_and_features(self) -> None:
        for device in devices():
            for skeleton in (STICK, PERSON_17):
                network = self._built(skeleton, device)
                maps = self._forward(network, self._crops(2, device))
                heatmaps, features = maps[:2]
                expected = (2, len(skeleton), *network.heatmap_size)
                promise(
                    tuple(heatmaps.shape) == expected,
                    f"{self.called} gives one heatmap a keypoint, of input_size / stride",
                    expected,
                    tuple(heatmaps.shape),
                    "make as many channels as build is given keypoints; correct stride",
                )
                promise(
                    features.ndim == 2 and len(features) == 2,
                    f"{self.called} gives a feature for each crop",
                    "(2, D)",
                    tuple(features.shape),
                    "average a map over space: maps.mean((2, 3))",
                )
                for what, tensor in _columns(maps).items():
                    promise(
                        len(tensor) == 2 and tensor.device.type == device.type and bool(tensor.isfinite().all()),
                        f"{self.called} gives finite {what} on the crops' device",
                        f"(2, …) finite numbers on {device}",
                        f"{tuple(tensor.shape)}, {int((~tensor.isfinite()).sum())} others, on {tensor.device}",
                        "make tensors in build as parameters or by register_buffer, so that they move along",
                    )

    def test_a_crop_is_estimated_alone(self) -> None:
        network, crops = self._built(STICK), self._crops(3)
        together = _columns(self._forward(network, crops))
        alone = [_columns(self._forward(network, crop[None])) for crop in crops]
        for what, column in together.items():
            apart = torch.cat([given[what] for given in alone])
            promise(
                same(column, apart),
                f"{self.called}: a crop's {what} do not depend on its batch",
                "the same alone",
                farthest(column, apart),
                "use layers that are independent of the batch when network.eval() was called",
            )

    def test_what_it_estimates_follows_the_crops(self) -> None:
        network, crops = self._built(STICK), self._crops(3)
        order = torch.tensor([2, 0, 1])
        plain, mixed = (_columns(self._forward(network, given)) for given in (crops, crops[order]))
        for what, straight in plain.items():
            promise(
                same(straight[order], mixed[what]),
                f"{self.called}: {what} follow their crops",
                "the same in another order",
                farthest(straight[order], mixed[what]),
                "do not mix the crops of a batch",
            )

    @quick
    def test_estimates_the_same_again(self) -> None:
        network, crops = self._built(STICK), self._crops(2)
        first, second = (untouched_randomness(lambda: _columns(self._forward(network, crops))) for _ in range(2))
        for what, before in first.items():
            promise(
                same(before, second[what]),
                f"{self.called}: the same crops have the same {what}",
                "the same twice",
                farthest(before, second[what]),
                "draw no random numbers in forward when network.eval() was called",
            )

    @quick
    def test_is_built_by_its_seed(self) -> None:
        first, second = (untouched_randomness(lambda: self._built(STICK).state_dict()) for _ in range(2))
        other = [name for name in first if not same(first[name], second[name])]
        promise(
            not other,
            f"{self.called}: the same seed builds the same weights",
            "the same twice",
            f"other {', '.join(other[:3])}",
            "draw from torch's own random numbers, which the run has seeded",
        )

    def test_every_parameter_is_trained_once(self) -> None:
        network = self._built(STICK)
        with going_on(f"{self.called}: parameter_groups(0.001)"):
            groups = network.parameter_groups(1e-3)
        given = [id(p) for group in groups for p in group["params"]]
        wanted = {name: id(p) for name, p in network.named_parameters() if p.requires_grad}
        missing = [name for name, number in wanted.items() if number not in given]
        promise(
            not missing and len(set(given)) == len(given),
            f"{self.called}: parameter_groups has every parameter once",
            f"{len(wanted)} parameters",
            f"{len(given)}, {len(given) - len(set(given))} of them twice; missing: {', '.join(missing[:3]) or 'none'}",
            "give each part of the network to one group",
        )
        rates = [group.get("lr") for group in groups]
        promise(
            all(isinstance(rate, float) and rate > 0 for rate in rates),
            f"{self.called}: parameter_groups says how fast each part learns",
            "a positive lr in each group",
            rates,
            "multiply the lr that it is given",
        )

    def test_learns(self) -> None:
        network, crops = self._built(STICK), self._crops(4)
        targets, weights = self._targets(network)
        network.train()
        optimiser = torch.optim.Adam(network.parameters(), lr=1e-3)
        losses = []
        for _ in range(6):
            with seeded(0, "dropout"), going_on(f"{self.called}: a step of training"):
                loss = network.loss(network(network.normalisation(crops)), targets, weights)
                optimiser.zero_grad()
                loss.backward()
                optimiser.step()
            losses.append(float(loss.detach()))
        promise(
            losses[-1] < losses[0],
            f"{self.called} learns: its loss falls in six steps on four crops",
            f"less than {losses[0]:.4g}",
            f"{losses[-1]:.4g}",
            "let gradients through from heatmaps to weights: no detach, no argmax",
        )

    def test_its_loss_trains_whatever_it_gives(self) -> None:
        network, crops = self._built(STICK), self._crops(4)
        targets, weights = self._targets(network)
        weights[:, 1:] = 0  # nobody knows where these are
        network.train()
        with seeded(0, "dropout"), going_on(f"{self.called}: loss(maps, targets, weights)"):
            maps = network(network.normalisation(crops))
            loss = network.loss(maps, targets, weights)
        promise(
            isinstance(loss, Tensor) and loss.shape == () and bool(loss.isfinite()),
            f"{self.called}: its loss is one finite number",
            "a tensor of shape ()",
            loss,
            "return the mean over the batch",
        )
        learnt = {n: c for n, c in _columns(maps).items() if n == "heatmaps" or (n in maps.extra and c.requires_grad)}
        gradients = torch.autograd.grad(loss, list(learnt.values()), allow_unused=True)
        bad = [n for n, g in zip(learnt, gradients, strict=True) if g is None or not g.isfinite().all()]
        promise(
            not bad,
            f"{self.called}: its loss trains every head",
            f"finite gradients of {', '.join(learnt)}",
            f"none of {', '.join(bad)}",
            "let loss depend on it, or detach what is not to be learnt",
        )

    def test_has_the_head_that_it_names(self) -> None:
        network = self._built(STICK)
        sizes = {len(t) for n, t in network.state_dict().items() if n.startswith(f"{network.head}.") and t.ndim}
        promise(
            sizes == {len(STICK)},
            f"{self.called}: `head` names the module with one channel a keypoint",
            f"parameters {network.head}.… of {len(STICK)} channels",
            f"sizes {sorted(sizes) or 'none'}",
            "give the name of the last convolution",
        )

    def test_the_trunk_that_it_names_is_there(self) -> None:
        network = self._built(STICK)
        names = list(network.state_dict())
        strange = [p for p in trunk_of(network).prefixes if not any(name.startswith(p) for name in names)]
        promise(
            not strange,
            f"{self.called}: `trunk` says how the backbone's parameters begin",
            f"beginnings of {', '.join(names[:2])}, …",
            ", ".join(strange),
            "correct the prefixes, or leave trunk out",
        )

    def test_weights_come_back_from_a_file(self) -> None:
        network, crops = self._built(STICK), self._crops(2)
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "weights.safetensors"
            save_checkpoint(file, network, STICK)
            kept = read_checkpoint(file)
        other = self._built(STICK, seed=1)
        with going_on(f"{self.called}: its own weights load again", "rename(key) must know its own names"):
            fresh = load_weights(other, kept, STICK, "its own")
        given, again = (_columns(self._forward(net, crops)) for net in (network, other))
        for what, first in given.items():
            promise(
                not fresh and same(first, again[what]),
                f"{self.called}: what it estimates lies in its weights",
                f"the same {what} after save and load",
                farthest(first, again[what]),
                "keep everything that changes as parameters or buffers",
            )

    def test_refuses_the_weights_of_another_network(self) -> None:
        network = self._built(STICK)
        tensors = {name: tensor.clone() for name, tensor in network.state_dict().items()}
        gone = next(name for name in tensors if not name.startswith(f"{network.head}."))
        del tensors[gone]
        refused = False
        try:
            load_weights(network, Checkpoint(tensors, STICK.keypoints), STICK, "a wrong file")
        except InputError:
            refused = True
        promise(
            refused or gone.endswith(STEP_COUNTER),
            f"{self.called}: weights load strictly",
            f"a refusal where {gone} is missing",
            "none",
            "do not make up parameters that a file lacks",
        )

    @quick
    def test_known_weights_are_downloads(self) -> None:
        with going_on(f"{self.called}: known"):
            known = known_weights(self.fresh())
        strange = [name for name, download in known.items() if not isinstance(download, Download)]
        promise(
            not strange,
            f"{self.called}: known weights are Downloads by name",
            "vatl_weights.Download(url, sha256)",
            strange,
            "give the file's address and hash",
        )

    def _built(self, skeleton: Skeleton, device: torch.device | None = None, seed: int = 0) -> Any:
        __tracebackhide__ = True
        network = self.fresh()
        with seeded(seed, "weights"), going_on(f"{self.called}: build for {len(skeleton)} keypoints"):
            network.build(skeleton)
        Compute(device or torch.device("cpu")).place(network)
        network.eval()
        return network

    def _targets(self, network: Any) -> tuple[Tensor, Tensor]:
        """Targets (4, K, h, w) and weights (4, K), all of them known."""
        shape = (4, len(STICK), *network.heatmap_size)
        return torch.rand(shape, generator=generator(1)), torch.ones(shape[:2])

    def _forward(self, network: Any, crops: Tensor) -> Maps:
        __tracebackhide__ = True
        with torch.inference_mode(), going_on(f"{self.called}: forward of {len(crops)} crops"):
            given: Maps = network(network.normalisation(crops))
        promise(
            isinstance(given, Maps) and all(isinstance(column, Tensor) for column in _columns(given).values()),
            f"{self.called}: forward gives heatmaps and features",
            "Maps of tensors",
            type(given).__name__,
            "return Maps(heatmaps, features), or Maps(heatmaps, features, {name: column})",
        )
        return given

    def _crops(self, count: int, device: torch.device | None = None) -> Tensor:
        size = self.fresh().input_size
        return torch.randint(0, 256, (count, 3, *size), generator=generator(), dtype=torch.uint8).to(device)


def _columns(maps: Maps) -> dict[str, Tensor]:
    """Everything it gave, by name."""
    return {"heatmaps": maps.heatmaps, "features": maps.features, **maps.extra}

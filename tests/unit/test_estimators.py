"""Every estimator: shapes, features, learning rates, and weights from whoever trained them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from vatl_core.contracts import Estimator, Normalisation
from vatl_core.errors import InputError
from vatl_core.video import PERSON_17, Skeleton
from vatl_core.weights import save_checkpoint
from vatl_estimators.fastpose import FastPose
from vatl_estimators.hrnet import HRNet
from vatl_estimators.simplebaseline import SimpleBaseline
from vatl_estimators.tiny import Tiny
from vatl_weights import load_weights, read_weights

FIVE = Skeleton("five", ("tail", "right_hip", "nose", "left_hip", "fin"))
SMALL: dict[str, tuple[Callable[..., Estimator], int]] = {
    "hrnet": (partial(HRNet, width=8), 120),
    "fastpose": (partial(FastPose, depth=26, width=8), 256),
    "fastpose-deformable": (partial(FastPose, depth=26, width=8, deformable=True), 256),
    "simplebaseline": (partial(SimpleBaseline, backbone="resnet18", head_width=16), 512),
    "tiny": (partial(Tiny, width=8), 28),
}
"""Each estimator's smallest form, with the width of its features."""
IMAGENET = Normalisation()
ALPHAPOSE = Normalisation((0.406, 0.457, 0.480), (1.0, 1.0, 1.0))

every = pytest.mark.parametrize("name", SMALL)


def built(name: str, skeleton: Skeleton = PERSON_17, size: tuple[int, int] = (64, 32), **options: object) -> Estimator:
    estimator = SMALL[name][0](input_size=size, **options)
    estimator.build(skeleton)
    return estimator


def same(one: Estimator, other: Estimator) -> bool:
    theirs = other.state_dict()
    return all(torch.equal(tensor, theirs[key]) for key, tensor in one.state_dict().items())


def load(into: Estimator, tensors: dict[str, Tensor], path: Path, skeleton: Skeleton = PERSON_17) -> list[str]:
    """Through a file of PyTorch's, as a user would."""
    torch.save(tensors, path / "w.pth")
    return load_weights(into, read_weights(path / "w.pth"), skeleton, "w.pth")


class TestForward:
    @every
    @pytest.mark.parametrize("size", [(64, 64), (96, 64), (32, 96)])
    @pytest.mark.parametrize("skeleton", [PERSON_17, FIVE], ids=["17", "5"])
    def test_one_heatmap_a_keypoint_and_features_of_the_declared_width(
        self, name: str, size: tuple[int, int], skeleton: Skeleton
    ) -> None:
        estimator = built(name, skeleton, size).eval()
        with torch.no_grad():
            heatmaps, features, extra = estimator(torch.randn(2, 3, *size))
        assert heatmaps.shape == (2, len(skeleton), *estimator.heatmap_size)
        assert heatmaps.shape[2:] == (size[0] // 4, size[1] // 4)
        assert features.shape == (2, SMALL[name][1])
        assert not extra

    @every
    def test_features_come_from_the_same_pass_and_tell_pictures_apart(self, name: str) -> None:
        estimator = built(name).eval()
        passes: list[torch.Size] = []
        first = next(layer for layer in estimator.modules() if isinstance(layer, torch.nn.Conv2d))
        first.register_forward_hook(lambda _layer, given, _made: passes.append(given[0].shape))
        with torch.no_grad():
            features = estimator(torch.stack([torch.zeros(3, 64, 32), torch.randn(3, 64, 32)])).features
        assert passes == [(2, 3, 64, 32)]
        assert not torch.allclose(features[0], features[1])

    @every
    def test_every_parameter_learns(self, name: str) -> None:
        estimator = built(name, FIVE).train()
        for key, parameter in estimator.named_parameters():
            if "conv2_offset" in key:  # at zero, an offset's gradient may vanish by symmetry
                torch.nn.init.normal_(parameter, std=0.1)
        heatmaps = estimator(torch.randn(2, 3, 64, 32)).heatmaps
        (heatmaps * torch.randn_like(heatmaps)).sum().backward()
        assert [key for key, p in estimator.named_parameters() if p.grad is None or not p.grad.isfinite().all()] == []

    def test_a_deformable_network_begins_as_an_ordinary_one(self) -> None:
        ordinary, deformable = built("fastpose").eval(), built("fastpose-deformable").eval()
        rest = deformable.load_state_dict(ordinary.state_dict(), strict=False)
        assert rest.unexpected_keys == []
        assert {key.split(".")[1] for key in rest.missing_keys} == {"layer2", "layer3", "layer4"}
        assert all("conv2_offset" in key for key in rest.missing_keys)
        crops = torch.randn(1, 3, 64, 32)
        with torch.no_grad():
            torch.testing.assert_close(deformable(crops)[0], ordinary(crops)[0])


@every
def test_learning_rates_are_1_5_10_and_every_parameter_has_one(name: str) -> None:
    estimator = built(name)
    groups = estimator.parameter_groups(1e-3)
    assert [group["lr"] for group in groups] == pytest.approx([1e-3, 5e-3, 1e-2])
    listed = [id(parameter) for group in groups for parameter in group["params"]]
    assert sorted(listed) == sorted(id(parameter) for parameter in estimator.parameters())
    assert all(group["params"] for group in groups)
    head = estimator.get_submodule(estimator.head)
    assert [id(p) for p in groups[2]["params"]] == [id(p) for p in head.parameters()]


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (partial(HRNet, width=20), ["width 20", "8, 18, 32, 48"]),
        (partial(FastPose, depth=34), ["depth 34", "26, 50, 101, 152"]),
        (partial(HRNet, input_size=(250, 192)), ["hrnet", "(250, 192)", "multiples of 32"]),
        (partial(FastPose, input_size=(0, 192)), ["fastpose", "multiples of 32"]),
    ],
)
def test_an_option_that_makes_no_network_is_refused(make: Callable[[], Estimator], words: list[str]) -> None:
    with pytest.raises(InputError) as error:
        make()
    assert all(word in str(error.value) for word in words)


class TestOwnWeights:
    @every
    def test_come_back_strictly(self, name: str, tmp_path: Path) -> None:
        one, other = built(name), built(name)
        one.normalisation = Normalisation((0.1, 0.2, 0.3), (1.0, 1.0, 1.0))
        save_checkpoint(tmp_path / "w.safetensors", one, PERSON_17)
        assert load_weights(other, read_weights(tmp_path / "w.safetensors"), PERSON_17, "w") == []
        assert same(one, other)
        assert other.normalisation == one.normalisation

    @pytest.mark.parametrize("name", ["hrnet", "fastpose", "simplebaseline"])
    def test_of_a_wrong_or_partial_file_are_refused_with_the_first_names(self, name: str, tmp_path: Path) -> None:
        estimator = built(name)
        tensors = dict(estimator.state_dict())
        missing, misshapen = next(key for key in tensors if "layer1" in key), f"{estimator.head}.weight"
        del tensors[missing]
        tensors[misshapen] = tensors[misshapen][:, :3]
        tensors["extra.weight"] = torch.zeros(1)
        with pytest.raises(InputError) as error:
            load(built(name), tensors, tmp_path)
        for words in (f"1 missing (first: {missing})", "1 unexpected (first: extra.weight)",
                      f"1 misshapen (first: {misshapen}"):  # fmt: skip
            assert words in str(error.value)


def as_mmpose(tensors: dict[str, Tensor], head: str, heads: tuple[str, ...]) -> dict[str, Tensor]:
    """Our parameters under MMPose's names."""
    return {
        f"{head}.{key}" if key.startswith(heads) else f"backbone.{key.removeprefix('preact.')}": tensor
        for key, tensor in tensors.items()
    }


class TestForeignWeights:
    @pytest.mark.parametrize("name", ["hrnet", "simplebaseline"])
    @pytest.mark.parametrize("head", ["keypoint_head", "head"])
    @pytest.mark.parametrize("prefix", ["", "module."])
    def test_of_mmpose(self, name: str, head: str, prefix: str, tmp_path: Path) -> None:
        one, other = built(name), built(name)
        other.normalisation = ALPHAPOSE
        tensors = as_mmpose(one.state_dict(), head, ("final_layer", "deconv_layers"))
        tensors["data_preprocessor.mean"] = torch.zeros(3, 1, 1)
        tensors = {prefix + key: tensor for key, tensor in tensors.items()}
        people = {"dataset_meta": {"sigmas": np.ones(17, np.float32), "joints": np.int64(17)}}
        torch.save({"meta": people, "state_dict": tensors}, tmp_path / "w.pth")
        assert load_weights(other, read_weights(tmp_path / "w.pth"), PERSON_17, "w") == []
        assert same(one, other)
        assert other.normalisation == IMAGENET

    @pytest.mark.parametrize("name", ["fastpose", "fastpose-deformable", "simplebaseline"])
    @pytest.mark.parametrize("prefix", ["", "module."])
    def test_of_alphapose(self, name: str, prefix: str, tmp_path: Path) -> None:
        one, other = built(name), built(name)
        assert load(other, {prefix + key: tensor for key, tensor in one.state_dict().items()}, tmp_path) == []
        assert same(one, other)
        assert other.normalisation == ALPHAPOSE

    def test_of_the_hrnet_authors(self, tmp_path: Path) -> None:
        one, other = built("hrnet"), built("hrnet")
        other.normalisation = ALPHAPOSE
        assert load(other, one.state_dict(), tmp_path) == []
        assert same(one, other)
        assert other.normalisation == IMAGENET

    def test_of_an_hrnet_that_alphapose_trained(self, tmp_path: Path) -> None:
        other = built("hrnet", alphapose=True)
        load(other, built("hrnet").state_dict(), tmp_path)
        assert other.normalisation == ALPHAPOSE

    def test_of_the_simplebaseline_authors(self, tmp_path: Path) -> None:
        one, other = built("simplebaseline"), built("simplebaseline")
        load(other, {key.removeprefix("preact."): tensor for key, tensor in one.state_dict().items()}, tmp_path)
        assert same(one, other)
        assert other.normalisation == IMAGENET

    def test_of_people_keep_the_keypoints_that_another_skeleton_shares(self, tmp_path: Path) -> None:
        one, other = built("hrnet"), built("hrnet", FIVE)
        random = other.final_layer.weight.clone()
        notes = load(other, one.state_dict(), tmp_path, FIVE)
        assert notes == ["the weights know 3 of 5 keypoints; re-initialised: tail, fin"]
        for channel, keypoint in enumerate(FIVE.keypoints):
            known = keypoint in PERSON_17.keypoints
            expected = one.final_layer.weight[PERSON_17.keypoints.index(keypoint)] if known else random[channel]
            assert torch.equal(other.final_layer.weight[channel], expected)
        assert torch.equal(one.conv1.weight, other.conv1.weight)

    def test_of_nobody_knows_which_keypoints_keep_the_backbone_alone(self, tmp_path: Path) -> None:
        one, other = built("fastpose"), built("fastpose", FIVE)
        random = other.conv_out.weight.clone()
        notes = load(other, one.state_dict(), tmp_path, FIVE)
        assert notes[0].startswith("nothing says which keypoints the 17 channels of w.pth are")
        assert notes[1].endswith(f"re-initialised: {', '.join(FIVE.keypoints)}")
        assert torch.equal(other.conv_out.weight, random)
        assert torch.equal(one.duc1.conv.weight, other.duc1.conv.weight)

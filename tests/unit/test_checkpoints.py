"""Weights: strict, safe, and kept where keypoints agree."""

from __future__ import annotations

import os
import pickle
from pathlib import Path

import pytest
import torch

from vatl_core.contracts import Normalisation
from vatl_core.errors import InputError
from vatl_core.video import PERSON_17, Skeleton
from vatl_core.weights import save_checkpoint
from vatl_estimators.tiny import Tiny
from vatl_weights import load_weights, read_weights

FOUR = Skeleton("four", ("nose", "left_hip", "tail", "right_hip"))


def built(skeleton: Skeleton = PERSON_17, width: int = 8) -> Tiny:
    estimator = Tiny(width=width)
    estimator.build(skeleton)
    return estimator


def test_what_is_saved_comes_back_with_its_normalisation(tmp_path: Path) -> None:
    one, other = built(), built()
    one.normalisation = Normalisation((0.1, 0.2, 0.3), (1.0, 1.0, 1.0))
    save_checkpoint(tmp_path / "w.safetensors", one, PERSON_17)
    assert load_weights(other, read_weights(tmp_path / "w.safetensors"), PERSON_17, "w") == []
    assert other.normalisation == one.normalisation
    for name, tensor in one.state_dict().items():
        assert torch.equal(tensor, other.state_dict()[name])


@pytest.mark.parametrize("wrapper", [None, "state_dict", "model"])
@pytest.mark.parametrize("prefix", ["", "module."])
def test_a_plain_pickle_of_tensors_loads_whatever_it_is_wrapped_in(
    tmp_path: Path, wrapper: str | None, prefix: str
) -> None:
    one, other = built(), built()
    tensors = {prefix + name: tensor for name, tensor in one.state_dict().items()}
    torch.save({wrapper: tensors, "epoch": 3} if wrapper else tensors, tmp_path / "w.pth")
    load_weights(other, read_weights(tmp_path / "w.pth"), PERSON_17, "w")
    assert torch.equal(one.final_layer.weight, other.final_layer.weight)


def test_a_head_for_another_skeleton_keeps_the_keypoints_that_agree(tmp_path: Path) -> None:
    one, other = built(), built(FOUR)
    fresh_tail = other.final_layer.weight[2].clone()
    save_checkpoint(tmp_path / "w.safetensors", one, PERSON_17)
    notes = load_weights(other, read_weights(tmp_path / "w.safetensors"), FOUR, "w")
    assert notes == ["the weights know 3 of 4 keypoints; re-initialised: tail"]
    assert torch.equal(other.final_layer.weight[0], one.final_layer.weight[0])
    assert torch.equal(other.final_layer.weight[1], one.final_layer.weight[PERSON_17.keypoints.index("left_hip")])
    assert torch.equal(other.final_layer.weight[2], fresh_tail)
    assert torch.equal(other.stem[0][0].weight, one.stem[0][0].weight)


def test_another_network_is_refused_with_the_first_names(tmp_path: Path) -> None:
    tensors = built().state_dict()
    tensors["backbone.extra"] = tensors.pop("stem.0.0.weight")
    tensors["final_layer.bias"] = torch.zeros(3)
    torch.save(tensors, tmp_path / "w.pth")
    with pytest.raises(InputError) as error:
        load_weights(built(), read_weights(tmp_path / "w.pth"), PERSON_17, "w.pth")
    for words in ("w.pth", "1 missing (first: stem.0.0.weight)", "1 unexpected (first: backbone.extra)",
                  "final_layer.bias (3,) instead of (17,)"):  # fmt: skip
        assert words in str(error.value)


class Malicious:
    """Would make a folder if anybody unpickled it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("modern", [True, False])
def test_a_malicious_pickle_is_refused_and_does_nothing(tmp_path: Path, modern: bool) -> None:
    trap = tmp_path / "trapped"
    if modern:
        torch.save({"state_dict": Malicious(trap)}, tmp_path / "w.pth")
    else:
        (tmp_path / "w.pth").write_bytes(pickle.dumps(Malicious(trap)))
    with pytest.raises(InputError, match="refused"):
        read_weights(tmp_path / "w.pth")
    assert not trap.exists()


@pytest.mark.parametrize("suffix", [".safetensors", ".pth"])
@pytest.mark.parametrize("share", [0.0, 0.001, 0.5, 0.99])
def test_a_truncated_file_is_refused(tmp_path: Path, suffix: str, share: float) -> None:
    path = tmp_path / f"w{suffix}"
    if suffix == ".pth":
        torch.save(built().state_dict(), path)
    else:
        save_checkpoint(path, built(), PERSON_17)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(InputError, match=path.name):
        read_weights(path)


@pytest.mark.parametrize("content", [[1, 2], {}, {"a": 1}, "text"])
def test_a_file_without_tensors_is_refused(tmp_path: Path, content: object) -> None:
    torch.save(content, tmp_path / "w.pth")
    with pytest.raises(InputError, match="no state_dict"):
        read_weights(tmp_path / "w.pth")

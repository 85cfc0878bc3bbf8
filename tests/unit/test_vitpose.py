"""ViTPose: what its authors' network gives, from whosever file, at any input size; and how fast each layer learns."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional
from torchvision.models import VisionTransformer

from tests.unit.test_weights import SMALL, begin, built
from vatl_core.compute import Compute
from vatl_core.contracts import Normalisation
from vatl_core.errors import InputError
from vatl_core.estimation.further_passes import FurtherPasses
from vatl_core.video import PERSON_17
from vatl_core.weights import save_checkpoint
from vatl_estimators.positions import fitted_positions
from vatl_estimators.vision_transformer import Form
from vatl_estimators.vitpose import DECODERS, SIZES, ViTPose
from vatl_weights import Download

SIZE, GRID, WIDTH, HEADS, DEPTH, HEAD_WIDTH = (64, 48), (4, 3), 48, 6, 2, 16
LITTLE = partial(ViTPose, size="little", head_width=HEAD_WIDTH, input_size=SIZE)
Tensors = dict[str, Tensor]


@pytest.fixture(autouse=True)
def little(monkeypatch: pytest.MonkeyPatch) -> None:
    """A size that no one published, so that the tests are quick."""
    monkeypatch.setitem(SIZES, "little", Form(WIDTH, DEPTH, HEADS, 0.5))


def of_authors(
    decoder: str = "classic", grid: tuple[int, int] = GRID, width: int = WIDTH, patch: int = 16, depth: int = DEPTH
) -> Tensors:
    """A checkpoint with the names and shapes of the authors' repository, but for its depth; its numbers are random."""
    linear = {"attn.qkv": (3 * width, width), "attn.proj": (width, width), "mlp.fc1": (4 * width, width)}
    shapes: dict[str, tuple[int, ...]] = {"backbone.patch_embed.proj": (width, 3, patch, patch)}
    for block in (f"backbone.blocks.{number}" for number in range(depth)):
        shapes |= {f"{block}.{name}": shape for name, shape in (linear | {"mlp.fc2": (width, 4 * width)}).items()}
        shapes |= {f"{block}.norm{number}": (width,) for number in (1, 2)}
    shapes["backbone.last_norm"] = (width,)
    shapes["keypoint_head.final_layer"] = (17, HEAD_WIDTH, 1, 1) if decoder == "classic" else (17, width, 3, 3)
    drawn = partial(torch.randn, generator=torch.Generator().manual_seed(0))
    tensors = {"backbone.pos_embed": drawn(1, math.prod(grid) + 1, width) / 2}
    for name, shape in shapes.items():
        about = 1.0 if len(shape) == 1 else 0.0
        tensors[f"{name}.weight"] = about + drawn(shape) / max(10.0, math.sqrt(math.prod(shape[1:])))
        tensors[f"{name}.bias"] = drawn(shape[0]) / 10
    for number, inside in ((0, width), (3, HEAD_WIDTH)) if decoder == "classic" else ():
        head = "keypoint_head.deconv_layers"
        tensors[f"{head}.{number}.weight"] = drawn(inside, HEAD_WIDTH, 4, 4) / 5
        norm = {
            "weight": 1 + drawn(HEAD_WIDTH) / 10,
            "bias": drawn(HEAD_WIDTH) / 10,
            "running_mean": drawn(HEAD_WIDTH) / 10,
        }
        norm |= {"running_var": 1 + drawn(HEAD_WIDTH).abs(), "num_batches_tracked": torch.tensor(7)}
        tensors |= {f"{head}.{number + 1}.{name}": tensor for name, tensor in norm.items()}
    return tensors


def as_published(tensors: Tensors, crops: Tensor) -> Tensor:
    """The heatmaps that the authors' program gives with these weights, written from their paper and program anew."""

    def linear(name: str, values: Tensor) -> Tensor:
        return values @ tensors[f"{name}.weight"].T + tensors[f"{name}.bias"]

    def norm(name: str, values: Tensor) -> Tensor:
        mean, variance = values.mean(-1, keepdim=True), values.var(-1, unbiased=False, keepdim=True)
        return (values - mean) / (variance + 1e-6).sqrt() * tensors[f"{name}.weight"] + tensors[f"{name}.bias"]

    patches = functional.pad(crops, (2, 2, 2, 2)).unfold(2, 16, 16).unfold(3, 16, 16)  # (B, 3, h, w, 16, 16)
    proj = tensors["backbone.patch_embed.proj.weight"]
    tokens = torch.einsum("bchwyx,dcyx->bhwd", patches, proj).flatten(1, 2) + tensors["backbone.patch_embed.proj.bias"]
    tokens = tokens + tensors["backbone.pos_embed"][:, 1:] + tensors["backbone.pos_embed"][:, :1]
    for block in (f"backbone.blocks.{number}" for number in range(DEPTH)):
        mixed = linear(f"{block}.attn.qkv", norm(f"{block}.norm1", tokens)).unflatten(-1, (3, HEADS, WIDTH // HEADS))
        query, key, value = mixed.unbind(2)  # (B, N, heads, D/heads) each
        share = torch.einsum("bnhd,bmhd->bhnm", query, key) / math.sqrt(WIDTH // HEADS)
        heard = torch.einsum("bhnm,bmhd->bnhd", share.softmax(-1), value).flatten(2)
        tokens = tokens + linear(f"{block}.attn.proj", heard)
        hidden = linear(f"{block}.mlp.fc1", norm(f"{block}.norm2", tokens))
        tokens = tokens + linear(f"{block}.mlp.fc2", hidden * 0.5 * (1 + torch.erf(hidden / math.sqrt(2))))
    maps = norm("backbone.last_norm", tokens).transpose(1, 2).unflatten(2, GRID)
    return _decoded({n.removeprefix("keypoint_head."): t for n, t in tensors.items()}, maps)


def _decoded(head: Tensors, maps: Tensor) -> Tensor:
    last = head["final_layer.weight"], head["final_layer.bias"]
    if "deconv_layers.0.weight" not in head:
        return functional.conv2d(functional.interpolate(maps.relu(), scale_factor=4, mode="bilinear"), *last, padding=1)
    for number in (0, 3):
        maps = functional.conv_transpose2d(maps, head[f"deconv_layers.{number}.weight"], stride=2, padding=1)
        mean, variance, weight, bias = (
            head[f"deconv_layers.{number + 1}.{name}"][:, None, None]
            for name in ("running_mean", "running_var", "weight", "bias")
        )
        maps = ((maps - mean) / (variance + 1e-5).sqrt() * weight + bias).relu()
    return functional.conv2d(maps, *last)


def of_mmpose(tensors: Tensors) -> Tensors:
    """The same checkpoint as MMPose 1.x has it, by MMPretrain's transformer: there is no position of a class token."""
    words = {
        "keypoint_head.": "head.", "patch_embed.proj.": "patch_embed.projection.", "last_norm.": "ln1.",
        "blocks.": "layers.", ".norm1.": ".ln1.", ".norm2.": ".ln2.", ".mlp.fc1.": ".ffn.layers.0.0.",
        ".mlp.fc2.": ".ffn.layers.1.",
    }  # fmt: skip
    renamed = {}
    for name, tensor in tensors.items():
        for theirs, mmpose in words.items():
            name = name.replace(theirs, mmpose)
        renamed[name] = tensor
    positions = tensors["backbone.pos_embed"]
    mean = {"data_preprocessor.mean": torch.zeros(3, 1, 1)}
    return renamed | {"backbone.pos_embed": positions[:, 1:] + positions[:, :1]} | mean


def of_timm(tensors: Tensors) -> Tensors:
    """Its backbone alone as timm and MAE's authors have it, with a class token and a classifier."""
    named = {n.removeprefix("backbone."): t for n, t in tensors.items() if n.startswith("backbone.")}
    named = {n.replace("last_norm.", "norm."): t for n, t in named.items()}
    token, classifier = torch.ones(1, 1, WIDTH), torch.zeros(1000, WIDTH)
    return named | {"cls_token": token, "head.weight": classifier, "head.bias": classifier[:, 0]}


LAYOUTS: dict[str, Callable[[Tensors], Tensors]] = {"authors": dict, "mmpose": of_mmpose}


def load(tensors: Tensors, estimator: ViTPose, path: Path, *, backbone: bool = False) -> list[str]:
    """Through a file, as a user would."""
    torch.save({"state_dict": tensors, "meta": {"epoch": 210}}, path / "w.pth")
    return begin(f"{'backbone:' * backbone}{path / 'w.pth'}", estimator)[1]


def network(**options: Any) -> ViTPose:
    made = built(partial(LITTLE, **options))
    assert isinstance(made, ViTPose)
    return made.eval()


class TestPublishedNetwork:
    @pytest.mark.parametrize("decoder", DECODERS)
    @pytest.mark.parametrize("layout", LAYOUTS)
    def test_of_either_layout_gives_what_the_authors_network_gives(
        self, layout: str, decoder: str, tmp_path: Path
    ) -> None:
        tensors, estimator = of_authors(decoder), network(decoder=decoder)
        estimator.normalisation = Normalisation((0.1, 0.2, 0.3), (1.0, 1.0, 1.0))
        assert load(LAYOUTS[layout](tensors), estimator, tmp_path) == []
        crops = torch.randn(2, 3, *SIZE)
        expected = as_published(tensors, crops)
        with torch.no_grad():
            maps = estimator(crops)
        assert expected.std() > 0.1
        torch.testing.assert_close(maps.heatmaps, expected, atol=1e-5, rtol=1e-4)
        assert maps.features.shape == (2, WIDTH)
        assert estimator.normalisation == Normalisation()

    def test_are_public_at_mmpose_for_every_published_form_and_no_other(self) -> None:
        for options in ViTPose.forms:
            known = ViTPose(**options).known()
            words = f"ViTPose-{options['size']}{'-simple' * (options['decoder'] == 'simple')}_8xb64"
            assert words in known["coco"].url
            assert re.search(rf"-{known['coco'].sha256}_2023\d{{4}}\.pth$", known["coco"].url)
            assert ("imagenet" in known) == (options["size"] in ("base", "large"))
        for other in ({"depth": 3}, {"heads": 6}, {"patch": 8}):
            assert ViTPose(**other).known() == {}
        assert list(ViTPose(stride=8).known()) == list(ViTPose(head_width=64).known()) == ["imagenet"]
        assert "coco" in ViTPose(drop_path=0.0, layer_decay=1.0, input_size=(384, 288)).known()

    def test_sizes_are_those_published(self) -> None:
        counts = {}
        for size in ("small", "base", "large", "huge"):
            with torch.device("meta"):
                counts[size] = sum(p.numel() for p in built(partial(ViTPose, size=size)).parameters())
        millions = {size: round(count / 1e6) for size, count in counts.items()}
        assert millions == {"small": 24, "base": 90, "large": 309, "huge": 637}


class TestOtherNetworks:
    @pytest.mark.parametrize(
        ("change", "words"),
        [
            ({"patch": 14}, "1 misshapen (first: backbone.patch_embed.weight (48, 3, 14, 14) instead of"),
            ({"width": 24}, "misshapen (first: backbone.pos_embed (1, 12, 24) instead of (1, 12, 48)"),
            ({"decoder": "simple"}, "10 missing (first: deconv_layers.0.weight); 1 misshapen (first: final_layer"),
            ({"depth": 1}, "12 missing (first: backbone.blocks.1.ln_1.weight)"),
            ({"depth": 3}, "12 unexpected (first: backbone.blocks.2.self_attention.in_proj_weight)"),
            ({"blocks.0.mlp.experts.0.bias": (1,)}, "1 unexpected (first: backbone.blocks.0.mlp.experts.0.bias)"),
            (
                {"pos_embed": (1, 8, WIDTH)},
                "1 misshapen (first: backbone.pos_embed (1, 8, 48) instead of (1, 12, 48)",
            ),
            ({"pos_embed": (2, 13, WIDTH)}, "1 misshapen (first: backbone.pos_embed (2, 1"),
            ({"pos_embed": (1, 0, WIDTH)}, "1 misshapen (first: backbone.pos_embed (1, 0, 48)"),
            ({"pos_embed": (12, WIDTH)}, "1 misshapen (first: backbone.pos_embed (12, 48)"),
        ],
        ids=[
            "patch",
            "width",
            "decoder",
            "shallower",
            "deeper",
            "vitpose+",
            "8",
            "twice",
            "0",
            "two-dimensional",
        ],
    )
    @pytest.mark.parametrize("layout", LAYOUTS)
    def test_are_refused_in_a_line(self, layout: str, change: dict[str, Any], words: str, tmp_path: Path) -> None:
        made = {name: value for name, value in change.items() if not isinstance(value, tuple)}
        other = {f"backbone.{name}": torch.ones(shape) for name, shape in change.items() if name not in made}
        tensors, estimator = LAYOUTS[layout](of_authors(**made)) | other, network()
        before = {name: tensor.clone() for name, tensor in estimator.state_dict().items()}
        with pytest.raises(InputError) as error:
            load(tensors, estimator, tmp_path)
        assert words in str(error.value)
        assert "w.pth" in str(error.value)
        assert "\n" not in str(error.value)
        assert all(torch.equal(before[name], tensor) for name, tensor in estimator.state_dict().items())

    @pytest.mark.parametrize(
        ("options", "words"),
        [
            ({"size": "giant"}, "'giant'.*base, huge, large, little, small"),
            ({"decoder": "clasic"}, "did you mean 'classic'"),
            ({"input_size": (250, 192)}, r"vitpose.*\(250, 192\) must be multiples of 16"),
            ({"input_size": (256, 192), "patch": 14}, "multiples of 14"),
            ({"heads": 5}, "48 channels cannot be shared by 5 heads"),
            ({"stride": 5}, "stride 5 must divide patch 16"),
            ({"stride": 32}, "stride 32 must divide patch 16"),
            ({"patch": 14, "stride": 2, "input_size": (56, 42)}, "stride 2 must divide patch 14 by a power of two"),
        ],
    )
    def test_that_cannot_be_made_are_refused(self, options: dict[str, Any], words: str) -> None:
        with pytest.raises(InputError, match=words):
            LITTLE(**options)

    @pytest.mark.parametrize(
        "options",
        [{"stride": 0}, {"patch": 4}, {"depth": 0}, {"heads": 0}, {"head_width": 0}, {"drop_path": 1.0},
         {"layer_decay": 0.0}, {"layer_decay": 1.1}, {"decoder_rates": (5.0, 0.0)}],
        ids=str,
    )  # fmt: skip
    def test_options_are_held_to_their_range(self, options: dict[str, Any]) -> None:
        with pytest.raises(ValueError, match=next(iter(options))):
            LITTLE(**options)


class TestStride:
    @pytest.mark.parametrize(
        ("decoder", "stride", "patch"),
        [("classic", 2, 16), ("classic", 8, 16), ("classic", 16, 16), ("classic", 7, 14), ("simple", 1, 16),
         ("simple", 8, 16), ("simple", 16, 16), ("simple", 2, 14), ("simple", 4, 8)],
    )  # fmt: skip
    def test_any_that_divides_a_patch(self, decoder: str, stride: int, patch: int) -> None:
        size = (4 * patch, 3 * patch)
        estimator = network(depth=1, decoder=decoder, stride=stride, patch=patch, input_size=size)
        with torch.no_grad():
            heatmaps = estimator(torch.randn(1, 3, *size)).heatmaps
        assert heatmaps.shape[2:] == estimator.heatmap_size == (size[0] // stride, size[1] // stride)


def bicubic(count: int, wanted: int) -> np.ndarray:
    """(wanted, count): what each place is mixed of by Keys' cubic convolution, a = −¾, with the edges repeated."""
    matrix = np.zeros((wanted, count))
    for place in range(wanted):
        centre = (place + 0.5) * count / wanted - 0.5
        for source in range(math.floor(centre) - 1, math.floor(centre) + 3):
            t, a = abs(centre - source), -0.75
            near, far = (a + 2) * t**3 - (a + 3) * t**2 + 1, a * (t**3 - 5 * t**2 + 8 * t - 4)
            matrix[place, min(max(source, 0), count - 1)] += near if t <= 1 else far
    return matrix


class TestPositions:
    @pytest.mark.parametrize(
        ("theirs", "grid"), [((8, 6), (16, 12)), ((16, 12), (8, 6)), ((7, 7), (16, 12)), ((4, 2), (6, 3))]
    )
    @pytest.mark.parametrize("token", [0, 1])
    def test_are_those_of_an_independent_computation(
        self, theirs: tuple[int, int], grid: tuple[int, int], token: int
    ) -> None:
        given = torch.randn(1, math.prod(theirs) + token, 5)
        maps = given[0, token:].double().numpy().reshape(*theirs, 5)
        expected = np.einsum("yi,xj,ijd->yxd", bicubic(theirs[0], grid[0]), bicubic(theirs[1], grid[1]), maps)
        found = fitted_positions(given, grid, token)
        np.testing.assert_allclose(found[0].numpy(), expected.reshape(-1, 5), atol=1e-5)
        shared = fitted_positions(given, grid, token, shared=True)
        torch.testing.assert_close(shared, found + given[:, :1] if token else found)

    @pytest.mark.parametrize("grid", [(16, 12), (24, 18), (16, 16)])
    @pytest.mark.parametrize("token", [0, 1])
    def test_of_as_many_patches_stay_as_they_are(self, grid: tuple[int, int], token: int) -> None:
        given = torch.randn(1, math.prod(grid) + token, 5)
        assert torch.equal(fitted_positions(given, grid, token), given[:, token:])

    def test_of_a_number_that_leaves_their_rows_open_are_left_to_be_refused(self) -> None:
        assert fitted_positions(given := torch.randn(1, 64, 5), (4, 1)) is given  # 16 × 4, or 8 × 8

    def test_half_precision_is_resampled_too(self) -> None:
        given = torch.randn(1, 49, 5)
        found = fitted_positions(given.half(), (4, 3))
        torch.testing.assert_close(found, fitted_positions(given, (4, 3)), atol=1e-2, rtol=1e-2)

    @pytest.mark.parametrize("layout", LAYOUTS)
    def test_of_a_checkpoint_are_resampled_to_the_input_size(self, layout: str, tmp_path: Path) -> None:
        tensors, estimator = of_authors(grid=(8, 6)), network()
        assert load(LAYOUTS[layout](tensors), estimator, tmp_path) == []
        positions = tensors["backbone.pos_embed"]
        expected = fitted_positions(positions[:, 1:] + positions[:, :1], GRID)
        torch.testing.assert_close(estimator.backbone.pos_embed.detach(), expected, atol=1e-5, rtol=1e-5)

    def test_of_its_own_file_are_resampled_too(self, tmp_path: Path) -> None:
        one, other = network(depth=1), network(depth=1, input_size=(128, 96))
        save_checkpoint(tmp_path / "w.safetensors", one, PERSON_17)
        assert begin(tmp_path / "w.safetensors", other)[1] == []
        expected = fitted_positions(one.backbone.pos_embed.detach(), (8, 6))
        assert torch.equal(other.backbone.pos_embed, expected)
        assert torch.equal(other.backbone.norm.weight, one.backbone.norm.weight)


class TestBackbone:
    @pytest.mark.parametrize("prefix", ["", "backbone."])
    def test_of_timm_or_mae_keeps_its_class_token_to_itself(self, prefix: str, tmp_path: Path) -> None:
        tensors, estimator = of_authors(grid=(3, 3)), network()
        head = estimator.final_layer.weight.clone()
        named = {
            f"{prefix}{name}": tensor for name, tensor in of_timm(tensors).items() if "head" not in name or not prefix
        }
        (note,) = load(named, estimator, tmp_path, backbone=True)
        assert note.startswith("only the backbone is loaded")
        expected = fitted_positions(tensors["backbone.pos_embed"][:, 1:], GRID)
        assert torch.equal(estimator.backbone.pos_embed, expected)
        assert torch.equal(estimator.backbone.blocks[1].mlp[3].bias, tensors["backbone.blocks.1.mlp.fc2.bias"])
        assert torch.equal(estimator.final_layer.weight, head)

    @pytest.mark.parametrize("old", [False, True])
    def test_of_torchvision_is_read(self, old: bool, tmp_path: Path) -> None:
        theirs, estimator = VisionTransformer(32, 16, DEPTH, HEADS, WIDTH, 4 * WIDTH, num_classes=3), network()
        tensors = theirs.state_dict()
        if old:  # as in the published files
            words = {".mlp.0.": ".mlp.linear_1.", ".mlp.3.": ".mlp.linear_2."}
            tensors = {re.sub(r"\.mlp\.\d\.", lambda word: words[word[0]], n): t for n, t in tensors.items()}
        load(tensors, estimator, tmp_path, backbone=True)
        for own, layer in zip(estimator.backbone.blocks, theirs.encoder.layers, strict=True):
            pairs = zip(own.state_dict().items(), layer.state_dict().items(), strict=True)
            assert all(name == other and torch.equal(a, b) for (name, a), (other, b) in pairs)
        assert torch.equal(estimator.backbone.patch_embed.weight, theirs.conv_proj.weight)

    def test_of_another_network_is_refused(self, tmp_path: Path) -> None:
        tensors = of_timm(of_authors())
        del tensors["blocks.1.attn.qkv.bias"]
        with pytest.raises(InputError, match=r"1 missing .first: backbone\.blocks\.1\.self_attention\.in_proj_bias"):
            load(tensors, network(), tmp_path, backbone=True)
        with pytest.raises(InputError, match="are not this estimator's backbone"):
            load(dict(built(SMALL["simplebaseline"]).state_dict()), network(), tmp_path, backbone=True)


def rates(groups: list[dict[str, Any]], estimator: ViTPose) -> dict[str, tuple[float, float]]:
    """Each parameter's rate and weight decay, by AdamW itself."""
    names = {id(parameter): name for name, parameter in estimator.named_parameters()}
    optimiser = torch.optim.AdamW(groups, lr=1.0, weight_decay=0.1)
    pairs = [(names[id(p)], g["lr"], g["weight_decay"]) for g in optimiser.param_groups for p in g["params"]]
    assert sorted(name for name, *_ in pairs) == sorted(names.values())
    return {name: (lr, decay) for name, lr, decay in pairs}


class TestLearningRates:
    @pytest.mark.parametrize("decay", [0.75, 0.8])
    @pytest.mark.parametrize("decoder", DECODERS)
    def test_fall_from_layer_to_layer_as_published(self, decoder: str, decay: float) -> None:
        with torch.device("meta"):
            estimator = built(partial(ViTPose, size="small", decoder=decoder, layer_decay=decay, decoder_rates=(1, 1)))
        assert isinstance(estimator, ViTPose)
        for name, (rate, _) in rates(estimator.parameter_groups(1e-3), estimator).items():
            if name.startswith(("backbone.pos_embed", "backbone.patch_embed")):
                layer = 0  # of 12 + 2, as the authors' and MMPose's constructors count them
            elif name.startswith("backbone.blocks."):
                layer = int(name.split(".")[2]) + 1
            else:
                layer = 13
            assert rate == pytest.approx(1e-3 * decay ** (13 - layer)), name

    def test_spare_vectors_and_positions_weight_decay_as_published(self) -> None:
        estimator = network()
        for name, (_, decay) in rates(estimator.parameter_groups(1e-3), estimator).items():
            matrix = name.endswith("weight") and "ln_" not in name and "norm" not in name
            matrix = matrix and not re.fullmatch(r"deconv_layers\.[14]\.weight", name)
            assert decay == (0.1 if matrix else 0.0), name

    def test_are_1_5_and_10_where_layers_are_alike(self) -> None:
        estimator = network(layer_decay=1.0)
        found = rates(estimator.parameter_groups(1e-3), estimator)
        parts = {name.partition(".")[0]: rate for name, (rate, _) in found.items()}
        assert parts == pytest.approx({"backbone": 1e-3, "deconv_layers": 5e-3, "final_layer": 1e-2})
        assert len({rate for rate, _ in found.values()}) == 3

    def test_make_it_learn(self) -> None:
        torch.manual_seed(0)
        estimator = network().train()
        crops, targets = torch.randn(4, 3, *SIZE), torch.rand(4, 17, 16, 12)
        optimiser = torch.optim.AdamW(estimator.parameter_groups(2.5e-4))
        losses = []
        for _ in range(8):
            loss = estimator.loss(estimator(crops), targets, torch.ones(4, 17))
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            losses.append(float(loss.detach()))
        assert losses[-1] < 0.8 * losses[0]


class TestDropPath:
    def test_skips_layers_in_training_alone_and_later_ones_more(self) -> None:
        estimator = network(drop_path=0.5)
        assert [block.dropout.p for block in estimator.backbone.blocks] == [0.0, 0.5]
        crops = torch.randn(8, 3, *SIZE)
        with torch.no_grad():
            assert torch.equal(estimator(crops).heatmaps, estimator(crops).heatmaps)
            estimator.backbone.train()
            assert not torch.equal(estimator(crops).features, estimator(crops).features)

    def test_dropout_that_a_criterion_asks_for_is_before_the_head_as_in_every_other_network(self) -> None:
        passes = FurtherPasses(network(), Compute(torch.device("cpu")), seed=0)
        crops = torch.zeros(2, 3, *SIZE, dtype=torch.uint8)
        with torch.no_grad():
            plain, thinned = passes(crops), passes(crops, dropout=0.5)
        assert torch.equal(plain.features, thinned.features)
        assert not torch.equal(plain.heatmaps, thinned.heatmaps)


def test_known_weights_are_taken_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tensors, estimator = of_authors(), network()
    torch.save({"state_dict": of_mmpose(tensors)}, tmp_path / "w.pth")
    known = {"coco": Download("https://127.0.0.1:9/w.pth", "0" * 8, keypoints=PERSON_17.keypoints)}
    monkeypatch.setattr(ViTPose, "known", lambda self: known)
    monkeypatch.setattr("vatl_weights.sources.fetch", lambda *_: tmp_path / "w.pth")
    begun, _ = begin("coco", estimator)
    assert begun == "coco (https://127.0.0.1:9/w.pth)"
    assert torch.equal(estimator.final_layer.weight, tensors["keypoint_head.final_layer.weight"])

"""`simplebaseline` on a backbone of timm's, whatever its stride: on a stand-in, and on timm itself where it is."""

from __future__ import annotations

import sys
from fnmatch import filter as matching
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from tests.unit.test_weights import begin, built
from vatl_core.contracts import Normalisation
from vatl_core.errors import InputError
from vatl_estimators.positions import fitted_positions
from vatl_estimators.simplebaseline import SimpleBaseline

HALVES = (0.5, 0.5, 0.5)


class Network(nn.Module):
    """What timm makes of a backbone: some layers, and what it says of their last map."""

    def __init__(self, stride: int, **said: Any) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 6, stride, stride)
        self.feature_info = SimpleNamespace(
            reduction=lambda: [1, said.get("claimed", stride)], channels=lambda: [3, said.get("width", 6)]
        )
        self.default_cfg = {"mean": HALVES, "std": HALVES}
        self.said = said
        if "output_fmt" in said:
            self.output_fmt = said["output_fmt"]

    def forward(self, pictures: Tensor) -> list[Tensor]:
        if self.said.get("img_size", pictures.shape[2:]) != pictures.shape[2:]:
            raise AssertionError(f"Input height {pictures.shape[2]} is another\nthan the model's")
        maps = self.stem(pictures)
        return [pictures, maps.permute(0, 2, 3, 1) if "output_fmt" in self.said else maps]


class Transformer(nn.Module):
    """What timm makes of a transformer: the whole within, for pictures of one size."""

    def __init__(self, img_size: tuple[int, int], tokens: int = 1) -> None:
        super().__init__()
        self.model = nn.Module()
        self.model.cls_token = nn.Parameter(torch.zeros(1, 1, 6))
        self.model.pos_embed = nn.Parameter(torch.zeros(1, tokens + img_size[0] * img_size[1] // 256, 6))
        self.model.patch_embed, self.model.norm = nn.Conv2d(3, 6, 16, 16), nn.Identity()
        self.feature_info = SimpleNamespace(reduction=lambda: [16], channels=lambda: [6])
        self.default_cfg = {"mean": HALVES, "std": HALVES}
        self.tokens = tokens

    def forward(self, pictures: Tensor) -> list[Tensor]:
        maps = self.model.patch_embed(pictures)
        return [maps + self.model.pos_embed[:, self.tokens :].transpose(1, 2).view(1, *maps.shape[1:])]


NETWORKS: dict[str, Any] = {f"stride{stride}": partial(Network, stride) for stride in (2, 4, 7, 8, 9, 14, 16, 32, 64)}
NETWORKS |= {
    "swin": partial(Network, 32, output_fmt="NHWC"),
    "fixed": partial(Network, 16),
    "padded": partial(Network, 32, claimed=16),
    "narrow": partial(Network, 32, width=7),
    "vit": Transformer,
    "distilled": partial(Transformer, tokens=2),
}


@pytest.fixture(autouse=True)
def timm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(
        sys.modules,
        "timm",
        SimpleNamespace(
            list_models=lambda pattern: matching(NETWORKS, pattern),
            get_pretrained_cfg=lambda name: SimpleNamespace(fixed_input_size=name in ("fixed", "vit", "distilled")),
            create_model=lambda name, features_only, pretrained, **more: NETWORKS[name](**more),
        ),
    )


def on(name: str, size: tuple[int, int]) -> SimpleBaseline:
    made = built(partial(SimpleBaseline, backbone=f"timm:{name}", head_width=4, input_size=size))
    assert isinstance(made, SimpleBaseline)
    return made.eval()


class TestStride:
    @pytest.mark.parametrize(
        ("stride", "heatmaps", "deconvolutions"),
        [(2, 2, 0), (4, 4, 0), (7, 7, 0), (8, 4, 1), (9, 9, 0), (14, 7, 1), (16, 4, 2), (32, 4, 3), (64, 4, 4)],
    )
    def test_leads_to_4_by_as_many_deconvolutions_as_it_takes(
        self, stride: int, heatmaps: int, deconvolutions: int
    ) -> None:
        size = (2 * stride, 3 * stride)
        estimator = on(f"stride{stride}", size)
        with torch.no_grad():
            maps = estimator(torch.randn(2, 3, *size))
        assert estimator.stride == heatmaps
        assert maps.heatmaps.shape == (2, 17, *estimator.heatmap_size)
        assert maps.heatmaps.shape[2:] == (size[0] // heatmaps, size[1] // heatmaps)
        assert maps.features.shape == (2, 6)
        assert sum(isinstance(layer, nn.ConvTranspose2d) for layer in estimator.deconv_layers) == deconvolutions
        listed = [id(p) for group in estimator.parameter_groups(1e-3) for p in group["params"]]
        assert sorted(listed) == sorted(id(p) for p in estimator.parameters())
        assert all(group["params"] for group in estimator.parameter_groups(1e-3))
        assert SimpleBaseline().stride == 4

    def test_channels_may_come_last(self) -> None:
        estimator, crops = on("swin", (64, 96)), torch.randn(1, 3, 64, 96)
        with torch.no_grad():
            assert torch.equal(estimator.preact(crops), estimator.preact.network.stem(crops))

    def test_a_backbone_for_one_size_is_made_for_the_input_s(self) -> None:
        assert on("fixed", (64, 96)).preact.network.said == {"img_size": (64, 96)}

    @pytest.mark.parametrize(
        ("name", "size", "words"),
        [
            ("stride14", (64, 96), r"input_size \(64, 96\) must be multiples of 14"),
            ("padded", (64, 96), r"timm:padded gives a map of \(6, 2, 3\) .*not 6 channels in 4 rows and 6 columns"),
            ("narrow", (64, 96), r"timm:narrow gives a map of \(6, 2, 3\) .*not 7 channels in 2 rows and 3 columns"),
            ("stride3", (64, 96), "no timm backbone is called 'stride3': did you mean"),
        ],
    )
    def test_a_map_that_is_not_what_is_said_of_it_is_refused_in_a_line(
        self, name: str, size: tuple[int, int], words: str
    ) -> None:
        with pytest.raises(InputError, match=words) as error:
            on(name, size)
        assert "\n" not in str(error.value)

    def test_a_backbone_that_fails_at_the_input_size_is_refused_in_a_line(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(NETWORKS, "stride8", partial(Network, 8, img_size=(224, 224)))
        with pytest.raises(
            InputError, match=r"timm:stride8 fails at input_size \(64, 96\): Input height 64 is another$"
        ):
            on("stride8", (64, 96))


class TestBareFile:
    @pytest.mark.parametrize(("name", "tokens"), [("vit", 1), ("distilled", 2)])
    def test_of_another_picture_size_has_its_positions_resampled(self, name: str, tokens: int, tmp_path: Path) -> None:
        theirs = NETWORKS[name](img_size=(224, 224)).model
        nn.init.normal_(theirs.pos_embed)
        classifier = {"head.weight": torch.zeros(9, 6), "norm.weight": torch.zeros(6)}
        torch.save(theirs.state_dict() | classifier, tmp_path / "vit.pth")
        estimator = on(name, (64, 48))
        begin(f"backbone:{tmp_path / 'vit.pth'}", estimator)
        own = estimator.preact.network.model
        patches = fitted_positions(theirs.pos_embed.detach()[:, tokens:], (4, 3))
        assert torch.equal(own.pos_embed, torch.cat([theirs.pos_embed[:, :tokens], patches], 1))
        assert torch.equal(own.patch_embed.weight, theirs.patch_embed.weight)
        assert estimator.normalisation == Normalisation(HALVES, HALVES)

    @pytest.mark.parametrize(
        ("change", "words"),
        [
            (
                {"patch_embed.weight": (6, 3, 32, 32)},
                r"1 misshapen .first: preact\.network\.model\.patch_embed\.weight",
            ),
            ({"pos_embed": (1, 12, 6)}, r"1 misshapen .first: preact\.network\.model\.pos_embed"),
            ({"pos_embed": (12, 6)}, r"1 misshapen .first: preact\.network\.model\.pos_embed"),
            ({"cls_token": None}, r"1 missing .first: preact\.network\.model\.cls_token"),
        ],
        ids=["patch", "number", "two-dimensional", "token"],
    )
    def test_of_another_transformer_is_refused(
        self, change: dict[str, tuple[int, ...] | None], words: str, tmp_path: Path
    ) -> None:
        tensors = NETWORKS["vit"](img_size=(224, 224)).model.state_dict()
        tensors |= {name: torch.zeros(shape) for name, shape in change.items() if shape}
        tensors = {name: tensor for name, tensor in tensors.items() if change.get(name, ()) is not None}
        torch.save(tensors, tmp_path / "vit.pth")
        with pytest.raises(InputError, match=words):
            begin(f"backbone:{tmp_path / 'vit.pth'}", on("vit", (64, 48)))


class TestTimmItself:
    """The same with the library, where it is installed."""

    @pytest.mark.parametrize(
        ("name", "size", "stride"),
        [
            ("vit_tiny_patch16_224", (64, 48), 4),
            ("vit_small_patch14_dinov2", (56, 42), 7),
            ("swin_tiny_patch4_window7_224", (64, 96), 4),
            ("xcit_nano_12_p8_224", (64, 48), 4),
        ],
    )
    def test_transformers_give_heatmaps_and_take_their_files(
        self, name: str, size: tuple[int, int], stride: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.delitem(sys.modules, "timm")
        timm = pytest.importorskip("timm")
        estimator = on(name, size)
        with torch.no_grad():
            heatmaps = estimator(torch.randn(1, 3, *size)).heatmaps
        assert heatmaps.shape[2:] == (size[0] // stride, size[1] // stride)
        theirs = timm.create_model(name, img_size=size)
        torch.save(theirs.state_dict(), tmp_path / "w.pth")
        begin(f"backbone:{tmp_path / 'w.pth'}", estimator)
        crops = torch.randn(1, 3, *size)
        with torch.no_grad():
            expected = theirs.eval().forward_intermediates(crops, intermediates_only=True, norm=False)[-1]
            torch.testing.assert_close(estimator.preact(crops), expected)

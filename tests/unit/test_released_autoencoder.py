"""The auto-encoders released with the papers, as `wpu.pretrained`, and pre-training as published."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import attrs
import pytest
import torch
from torch import Tensor, nn

from tests.conftest import Registered, configured
from tests.parity.fixtures import arrays
from vatl_core.config import RunConfig
from vatl_core.config_files import configure
from vatl_core.contracts import Poses
from vatl_core.discovery import discover
from vatl_core.errors import InputError
from vatl_core.plugins import Registry
from vatl_core.run import execute
from vatl_core.video import PERSON_17, Skeleton
from vatl_core.weights import PreTrained
from vatl_criteria.uncertainty import unnaturalness
from vatl_criteria.uncertainty.autoencoder import PRE_TRAINING, Examples, Fitting
from vatl_criteria.uncertainty.unnaturalness import PoseUnnaturalness
from vatl_posetrack21.skeleton import SKELETON as POSETRACK

EARS = ("left_ear", "right_ear")
ENTRIES = [3, 4, 20, 21]
"""Of the ears, in the feature."""
Layers = dict[str, Tensor]


@pytest.fixture(scope="module")
def fixture() -> dict[str, Tensor]:
    return {name: torch.from_numpy(column).float() for name, column in arrays("wpu.npz").items()}


@pytest.fixture
def layers(fixture: dict[str, Tensor]) -> Layers:
    """The fixture's network as the released files lay it out."""
    names = [f"{part}.{number}" for part in ("encoder", "decoder") for number in (0, 2, 4, 6)]
    kinds = ("weight", "bias")
    return {f"{name}.{kind}": fixture[f"{kind[0]}{i}"] for i, name in enumerate(names) for kind in kinds}


def without_ears(layers: Layers) -> Layers:
    """The same network for features that lack the ears."""
    left = [entry for entry in range(42) if entry not in ENTRIES]
    first, last, shift = "encoder.0.weight", "decoder.6.weight", "decoder.6.bias"
    return layers | {first: layers[first][:, left], last: layers[last][left], shift: layers[shift][left]}


def saved(layers: Mapping[str, Any], folder: Path, name: str = "WholeBodyAE_zdim4.pth") -> Path:
    torch.save(dict(layers), folder / name)
    return folder / name


def begun(path: Path, skeleton: Skeleton = PERSON_17, **options: Any) -> PoseUnnaturalness:
    """A criterion as a run begins with what the plugins make of its option."""
    criterion = PoseUnnaturalness(**{"output": "sigmoid"} | options, pretrained=str(path))
    found = discover().manager.hook.vatl_pretrained(name="wpu", criterion=criterion, skeleton=skeleton)
    assert isinstance(found, PreTrained)
    criterion.begin_with(skeleton, found.tensors)
    assert criterion.prepare(skeleton, None, torch.Generator(), torch.device("cpu")) is None
    return criterion


def scored(criterion: PoseUnnaturalness, fixture: dict[str, Tensor]) -> Tensor:
    points = fixture["keypoints"]
    window: Any = SimpleNamespace(keypoints=points[..., :2], scores=points[..., 2], boxes=fixture["bbox_xywh"])
    with torch.no_grad():
        return criterion.score(window)


class TestReading:
    def test_it_scores_as_the_published_code_does(
        self, layers: Layers, fixture: dict[str, Tensor], tmp_path: Path
    ) -> None:
        ours = scored(begun(saved(layers, tmp_path)), fixture)
        assert torch.allclose(ours, fixture["wpu"], rtol=1e-4, atol=1e-6)

    def test_ears_that_are_ignored_go_in_and_do_not_count(
        self, layers: Layers, fixture: dict[str, Tensor], tmp_path: Path
    ) -> None:
        ours = scored(begun(saved(layers, tmp_path), ignore=EARS), fixture)
        assert torch.allclose(ours, fixture["wpu_without_ears"], rtol=1e-4, atol=1e-6)

    def test_of_a_network_without_ears_the_rest_is_what_it_says(
        self, layers: Layers, fixture: dict[str, Tensor], tmp_path: Path
    ) -> None:
        criterion = begun(saved(without_ears(layers), tmp_path), POSETRACK, ignore=EARS)
        parts = list(without_ears(layers).values())
        network = nn.Sequential()
        for number, (weight, bias) in enumerate(zip(parts[::2], parts[1::2], strict=True)):
            layer = nn.Linear(weight.shape[1], weight.shape[0])
            layer.load_state_dict({"weight": weight, "bias": bias})
            network.extend([layer, *([] if number in (3, 7) else [nn.ReLU()])])
        points, boxes = fixture["keypoints"].clone(), fixture["bbox_xywh"]
        seen = [k for k in range(17) if k not in (3, 4)]
        weights = points[:, seen, 2]
        centre = (points[:, seen, :2] * weights[..., None]).sum(1, keepdim=True) / weights.sum(1)[:, None, None]
        offsets = (points[:, seen, :2] - centre) / boxes[:, 3, None, None]
        feature = torch.cat([offsets[..., 0], offsets[..., 1], fixture["hybrid_feature"][:, 34:]], 1)
        with torch.no_grad():
            expected = (feature - torch.sigmoid(network(feature))).square().mean(1)
        assert torch.allclose(scored(criterion, fixture), expected, rtol=1e-4, atol=1e-6)

    @pytest.mark.parametrize("wrapped", [{}, {"state_dict": True}])
    def test_names_wrappers_and_other_precisions_do_not_matter(
        self, layers: Layers, fixture: dict[str, Tensor], tmp_path: Path, wrapped: dict[str, bool]
    ) -> None:
        renamed = {f"module.x{number}": tensor.double() for number, tensor in enumerate(layers.values())}
        path = saved({"state_dict": renamed} if wrapped else renamed, tmp_path)
        assert torch.allclose(scored(begun(path), fixture), fixture["wpu"], rtol=1e-4, atol=1e-6)

    def test_another_z_is_read_by_its_option(self, tmp_path: Path) -> None:
        widths = [42, 24, 12, 7, 2, 7, 12, 24, 42]
        made: Layers = {}
        for number, (before, after) in enumerate(pairwise(widths)):
            made |= {f"{number}.w": torch.rand(after, before), f"{number}.b": torch.rand(after)}
        path = saved(made, tmp_path)
        assert begun(path, z_dim=2).z_dim == 2
        with pytest.raises(InputError, match=r"WholeBodyAE_zdim4\.pth: its code has z = 2, not 4: give -o wpu.z_dim=2"):
            begun(path)


def lacking(layers: Layers) -> Layers:
    return dict(list(layers.items())[:-1])


def turned(layers: Layers) -> Layers:
    return dict(reversed(layers.items()))


def direct(layers: Layers) -> Layers:
    sizes = {"encoder.0.weight": (24, 51), "decoder.6.weight": (51, 24), "decoder.6.bias": (51,)}
    return layers | {name: torch.ones(size) for name, size in sizes.items()}


def endless(layers: Layers) -> Layers:
    return layers | {"encoder.2.bias": layers["encoder.2.bias"] / 0}


def more(layers: Layers) -> Layers:
    return layers | {"steps": torch.ones(())}


class TestRefusals:
    @pytest.mark.parametrize(
        ("change", "options", "said"),
        [
            (
                lacking,
                {},
                "no auto-encoder as released, D → 24 → 12 → 7 → z → 7 → 12 → 24 → D by 16 tensors in order: it ",
            ),
            (turned, {}, "no auto-encoder as released"),
            (more, {}, "it holds 17 tensors (encoder.0.weight, encoder.0.bias, …)"),
            (direct, {}, "it is of features of 51 entries, and those of skeleton 'person-17' have 42: give a file"),
            (direct, {"ignore": EARS}, "have 42 or 38"),
            (without_ears, {}, "it is of features of 38 entries"),
            (endless, {}, "its parameters are damaged"),
            (dict, {"output": "linear"}, "end in a sigmoid: add -o wpu.output=sigmoid"),
            (dict, {"z_dim": 6}, "its code has z = 4, not 6: give -o wpu.z_dim=4"),
        ],
    )
    def test_what_does_not_fit_is_one_line_with_its_file(
        self, layers: Layers, tmp_path: Path, change: Callable[[Layers], Layers], options: dict[str, Any], said: str
    ) -> None:
        path = saved(change(layers), tmp_path)
        with pytest.raises(InputError, match=re.escape(said)) as error:
            begun(path, **options)
        assert str(error.value).startswith(str(path))
        assert "\n" not in str(error.value)

    def test_torn_strange_and_missing_files_are(self, layers: Layers, tmp_path: Path) -> None:
        whole = saved(layers, tmp_path).read_bytes()
        strange = {"torn": whole[:-300], "half": whole[: len(whole) // 2], "text": b"text", "empty": b""}
        for name, content in strange.items():
            (tmp_path / f"{name}.pth").write_bytes(content)
        torch.save([1, 2], tmp_path / "list.pth")
        torch.save(nn.Linear(2, 2), tmp_path / "code.pth")
        with pytest.raises(InputError, match=r"~nobody-here/x\.pth: there is no such file"):
            begun(Path("~nobody-here/x.pth"))
        for name in (*strange, "list", "code", "missing"):
            with pytest.raises(InputError, match=re.escape(str(tmp_path / f"{name}.pth"))) as error:
                begun(tmp_path / f"{name}.pth")
            assert "\n" not in str(error.value)


class TestRuns:
    def config(self, registry: Registry, folder: Path, path: Path, **options: Any) -> RunConfig:
        tables = {"query": {"wpu": {"pretrained": str(path)} | options}}
        tables["dataset"] = {"synthetic": {"frames": 2, "cache": str(folder / "cache")}}
        settings = {"dataset": "synthetic", "query": "wpu", "select": "top", "retrain": "none", "schedule": ["2"]}
        return configured(registry, folder / "runs", **settings, options=tables)

    def test_a_run_begins_with_it_says_so_and_keeps_it(
        self, layers: Layers, registered: Registered, tmp_path: Path
    ) -> None:
        registry = registered()
        config = self.config(registry, tmp_path, saved(layers, tmp_path), output="sigmoid")
        record = execute(config, registry)
        assert "the released auto-encoder WholeBodyAE_zdim4.pth (z = 4), sha256 " in record.notes[0]
        assert (config.path / "criteria" / "wpu.safetensors").exists()

    def test_one_that_does_not_fit_leaves_nothing(self, layers: Layers, registered: Registered, tmp_path: Path) -> None:
        registry = registered()
        with pytest.raises(InputError, match=r"add -o wpu\.output=sigmoid"):
            execute(self.config(registry, tmp_path, saved(layers, tmp_path)), registry)
        assert not (tmp_path / "runs").exists()


class TestPreTraining:
    def fitted_by(self, monkeypatch: pytest.MonkeyPatch, **options: Any) -> list[tuple[Fitting, Examples]]:
        """How it is fitted before a run and in a cycle, and to what."""
        calls: list[tuple[Fitting, Examples]] = []
        monkeypatch.setattr(unnaturalness, "fit", lambda net, seen, unseen, how, *_: calls.append((how, seen)))
        criterion = PoseUnnaturalness(**options)
        points, visible = torch.rand(12, 17, 2) * 50, torch.ones(12, 17, dtype=torch.bool)
        visible[:, 3:5] = False  # nobody annotates ears
        visible[:6, 15] = False
        poses = Poses(points, visible, torch.tensor([[0.0, 0, 50, 50]]).repeat(12, 1))
        criterion.prepare(PERSON_17, poses, torch.Generator().manual_seed(0), torch.device("cpu"))
        criterion.fit(poses, torch.Generator().manual_seed(0))
        return calls

    def test_ours_is_the_default(self, monkeypatch: pytest.MonkeyPatch) -> None:
        (how, seen), (_, labelled) = self.fitted_by(monkeypatch)
        assert how == PRE_TRAINING
        assert not seen.known.all()
        assert not labelled.known.all()

    def test_the_published_one_is_an_option(self, monkeypatch: pytest.MonkeyPatch) -> None:
        options = {"error": "all", "pretrain_batch": 10_000, "pretrain_epochs": 80}
        (how, seen), (after, labelled) = self.fitted_by(monkeypatch, **options)
        assert how == Fitting(1e-3, 80, 10_000, ((12, 2e-4), (40, 5e-5)), patience=30, decoupled=True, least_steps=0)
        assert (after.epochs, after.lr, after.batch) == (20, 8e-5, 10)
        for examples in (seen, labelled):
            assert examples.known.all()
            assert (examples.features[:, ENTRIES] == 0).all()

    @pytest.mark.parametrize(
        "options", [{"error": "some"}, {"pretrain_batch": 0}, {"pretrain_epochs": 0}, {"pretrain_epochs": -3}]
    )
    def test_values_out_of_range_are_refused(self, options: dict[str, Any]) -> None:
        with pytest.raises(ValueError, match=next(iter(options))):
            PoseUnnaturalness(**options)

    def test_the_presets_set_it_where_the_network_is_the_published_one(self) -> None:
        for dataset in ("posetrack21", "jrdb-pose"):
            options = configure(discover(), {"preset": "vatl4pose", "dataset": dataset}).of("query", "wpu")
            made = PoseUnnaturalness(**attrs.asdict(PoseUnnaturalness(**options), filter=lambda f, _: f.init))
            assert (made.error, made.pretrain_batch, made.pretrain_epochs) == ("all", 10_000, 80)
            assert made.output == "sigmoid"

    def test_options_of_a_preset_can_be_fitted(self) -> None:
        settings = {"preset": "vatl4pose", "dataset": "posetrack21", "query": "wpu"}
        assert configure(discover(), settings).of("query", "wpu")["ignore"] == list(EARS)

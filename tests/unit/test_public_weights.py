"""Weights that others publish: in which layouts, for which keypoints, and which of them a run begins with."""

from __future__ import annotations

import json
import socket
import time
from pathlib import Path

import attrs
import pytest
import torch
from click.testing import CliRunner
from torch import Tensor, nn

from tests.conftest import Registered, configured
from tests.unit.test_weights import NOWHERE, SHA256, SMALL, TRAINED, Public, begin, built
from vatl_core.contracts import Estimator, Normalisation
from vatl_core.errors import InputError, PluginError
from vatl_core.plugins import Component
from vatl_core.run import execute
from vatl_core.video import PERSON_17, Skeleton
from vatl_core.weights import RANDOM, read_checkpoint
from vatl_estimators.hrnet import HRNet
from vatl_estimators.keypoints import ANIMAL_POSE, AP_10K, FACE_68, QUADRUPED_39, TOP_VIEW_MOUSE_27
from vatl_estimators.public import imagenet, mmpose, superanimal
from vatl_estimators.simplebaseline import SimpleBaseline
from vatl_estimators.tiny import Tiny
from vatl_weights import Download, downloads
from vatl_weights import sources as weights
from vatl_weights.command import command

QUADRUPED = Skeleton("quadruped", QUADRUPED_39)
MAMMAL = Skeleton("mammal", AP_10K)
RANDOM_HEAD = "only the backbone is loaded: upsampling and head begin with random weights, since "


@pytest.fixture(autouse=True)
def cached(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("TORCH_HOME", raising=False)
    for name in ("http_proxy", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setattr(weights, "UNASKED_TIMEOUT", 1.0)
    monkeypatch.setattr("vatl_estimators.high_resolution.BLOCKS", 1)  # deep enough to have every kind of name
    downloads.folder().mkdir(parents=True)
    return downloads.folder()


@pytest.fixture
def as_published(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small networks know what the published ones do."""
    monkeypatch.setattr(HRNet, "known", lambda self: mmpose("hrnet-w32") | superanimal())
    monkeypatch.setattr(SimpleBaseline, "known", lambda self: mmpose("resnet50") | imagenet("resnet50"))


def of_mmpose(network: Estimator) -> dict[str, Tensor]:
    """A network's parameters as MMPose 0.x writes them, with the statistics of its pictures that 1.x adds."""
    pairs = ((name.removeprefix("preact."), name, tensor) for name, tensor in network.state_dict().items())
    named = {
        f"{'backbone' if name.startswith(network.trunk.prefixes) else 'keypoint_head'}.{bare}": tensor
        for bare, name, tensor in pairs
    }
    return named | {"data_preprocessor.mean": torch.zeros(3, 1, 1)}


def of_deeplabcut(network: Estimator) -> dict[str, Tensor]:
    """An HRNet's parameters as DeepLabCut 3 writes them: with all outputs of the last stage, and a head transposed."""
    tensors = {f"backbone.model.{k}": t for k, t in network.state_dict().items() if not k.startswith("final_layer.")}
    tensors |= {f"backbone.model.stage4.2.fuse_layers.{n}.0.0.weight": torch.zeros(2) for n in (1, 2, 3)}
    head, to = "heads.bodypart.heatmap_head.deconv_layers.0", network.final_layer
    return tensors | {f"{head}.weight": to.weight.detach().transpose(0, 1), f"{head}.bias": to.bias.detach()}


def published(tensors: dict[str, Tensor], place: Path) -> Path:
    torch.save({"model": tensors, "metadata": {"epoch": 200, "losses": {}}}, place)
    return place


def same(one: Estimator, other: Estimator) -> bool:
    pairs = zip(one.state_dict().values(), other.state_dict().values(), strict=True)
    return all(torch.equal(a, b) for a, b in pairs)


def test_their_keypoints_are_as_many_as_their_publishers_say_and_none_twice() -> None:
    counts = {AP_10K: 17, ANIMAL_POSE: 20, FACE_68: 68, QUADRUPED_39: 39, TOP_VIEW_MOUSE_27: 27}
    assert [len(set(names)) for names in counts] == list(counts.values())


class TestLayouts:
    @pytest.mark.parametrize(
        ("network", "file", "keypoints"),
        [
            ("hrnet", "hrnet_w32_ap10k_256x256-18aac840_20211029.pth", AP_10K),
            ("hrnet", "hrnet_w32_animalpose_256x256-1aa7f075_20210426.pth", ANIMAL_POSE),
            ("simplebaseline", "res50_ap10k_256x256-35760eb8_20211029.pth", AP_10K),
            ("simplebaseline", "res50_coco_wholebody_face_256x256-5128edf5_20210909.pth", FACE_68),
        ],
    )
    @pytest.mark.usefixtures("as_published")
    def test_of_mmpose_is_read_and_its_name_says_the_keypoints(
        self, network: str, file: str, keypoints: tuple[str, ...], tmp_path: Path
    ) -> None:
        theirs = Skeleton("theirs", keypoints)
        one, other = built(SMALL[network], theirs), built(SMALL[network], theirs)
        begun, notes = begin(published(of_mmpose(one), tmp_path / file), other, theirs)
        assert (begun, notes) == (str(tmp_path / file), [])
        assert same(one, other)
        assert other.normalisation == Normalisation()

    @pytest.mark.usefixtures("as_published")
    def test_seventeen_points_of_a_mammal_are_not_a_person_s(self, tmp_path: Path) -> None:
        file = published(
            of_mmpose(built(SMALL["hrnet"], MAMMAL)), tmp_path / mmpose("hrnet-w32")["ap10k"].url.split("/")[-1]
        )
        (note,) = begin(file, built(SMALL["hrnet"]))[1]
        assert "know none of the 17 keypoints" in note

    @pytest.mark.usefixtures("as_published")
    def test_of_deeplabcut_gives_what_its_own_head_gives(self, tmp_path: Path) -> None:
        one, other = built(SMALL["hrnet"], QUADRUPED).eval(), built(SMALL["hrnet"], QUADRUPED).eval()
        tensors = of_deeplabcut(one)
        file = published(tensors, tmp_path / "superanimal_quadruped_hrnet_w32.pt")
        assert begin(file, other, QUADRUPED)[1] == []
        theirs = nn.ConvTranspose2d(8, 39, 1)
        head = "heads.bodypart.heatmap_head.deconv_layers.0."
        theirs.load_state_dict({k.removeprefix(head): t for k, t in tensors.items() if k.startswith(head)})
        seen: list[Tensor] = []
        other.final_layer.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
        with torch.no_grad():
            heatmaps = other(torch.randn(2, 3, 64, 32)).heatmaps
            torch.testing.assert_close(heatmaps, theirs(seen[0]))
        assert other.normalisation == Normalisation()

    @pytest.mark.parametrize("fault", ["missing", "unexpected", "misshapen"])
    @pytest.mark.usefixtures("as_published")
    def test_of_deeplabcut_is_read_strictly(self, fault: str, tmp_path: Path) -> None:
        tensors = of_deeplabcut(built(SMALL["hrnet"], QUADRUPED))
        if fault == "missing":
            del tensors["backbone.model.stage3.1.fuse_layers.0.1.0.weight"]
        elif fault == "unexpected":
            tensors["heads.bodypart.locref_head.deconv_layers.0.weight"] = torch.zeros(8, 78, 1, 1)
        else:
            tensors["heads.bodypart.heatmap_head.deconv_layers.0.weight"] = torch.zeros(8, 39, 3, 3)
        file = published(tensors, tmp_path / "superanimal_quadruped_hrnet_w32.pt")
        with pytest.raises(InputError, match=f"1 {fault} "):
            begin(file, built(SMALL["hrnet"], QUADRUPED), QUADRUPED)

    @pytest.mark.parametrize("count", [26])
    @pytest.mark.usefixtures("as_published")
    def test_of_another_number_of_channels_than_its_name_says_is_refused(self, count: int, tmp_path: Path) -> None:
        skeleton = Skeleton("other", tuple(map(str, range(count))))
        file = published(
            of_deeplabcut(built(SMALL["hrnet"], skeleton)), tmp_path / "superanimal_quadruped_hrnet_w32.pt"
        )
        with pytest.raises(InputError, match=f"have {count} channels, but 39 keypoints are named"):
            begin(file, built(SMALL["hrnet"], skeleton), skeleton)


class TestWithoutHash:
    @pytest.mark.usefixtures("as_published")
    def test_nothing_is_fetched_and_the_way_is_told(self, cached: Path) -> None:
        with pytest.raises(InputError) as error:
            begin("superanimal-quadruped", built(SMALL["hrnet"], QUADRUPED), QUADRUPED)
        for words in ("huggingface.co", "unchecked", "by hand", str(cached / "superanimal_quadruped_hrnet_w32.pt")):
            assert words in str(error.value)

    @pytest.mark.parametrize("choice", ["superanimal-quadruped", "auto"])
    @pytest.mark.usefixtures("as_published")
    def test_put_there_by_hand_it_is_taken_with_a_word_of_warning(self, choice: str, cached: Path) -> None:
        one, other = built(SMALL["hrnet"], QUADRUPED), built(SMALL["hrnet"], QUADRUPED)
        published(of_deeplabcut(one), cached / "superanimal_quadruped_hrnet_w32.pt")
        begun, (note,) = begin(choice, other, QUADRUPED)
        assert begun.startswith("superanimal-quadruped (https://huggingface.co/")
        assert "only 0 digits of a SHA-256" in note
        assert same(one, other)

    @pytest.mark.usefixtures("as_published")
    def test_auto_does_not_speak_of_what_cannot_be_fetched(self) -> None:
        begun, (note,) = begin("auto", built(SMALL["hrnet"], QUADRUPED), QUADRUPED)
        assert begun == RANDOM
        assert "huggingface" not in note
        assert "coco" in note


class TestAuto:
    @pytest.mark.parametrize(
        ("keypoints", "name"),
        [(AP_10K, "ap10k"), (ANIMAL_POSE, "animalpose"), (("fin", "tail"), "coco"), (PERSON_17.keypoints[:4], "coco")],
    )
    @pytest.mark.usefixtures("as_published")
    def test_takes_what_knows_most_of_the_video_s_keypoints(self, keypoints: tuple[str, ...], name: str) -> None:
        skeleton = Skeleton("theirs", keypoints)
        _, (note,) = begin("auto", built(SMALL["hrnet"], skeleton), skeleton)
        assert mmpose("hrnet-w32")[name].url in note

    @pytest.mark.parametrize("where", ["cache", "torch"])
    def test_without_any_it_begins_with_imagenet_s_backbone_and_says_so_in_a_line(
        self, where: str, cached: Path, tmp_path: Path
    ) -> None:
        pictures = Download("http://127.0.0.1:9/pictures.safetensors", SHA256, backbone=True)
        place = downloads.place(pictures)
        if where == "torch":
            place = tmp_path / "cache/torch/hub/checkpoints/pictures.safetensors"
            place.parent.mkdir(parents=True)
        place.write_bytes(TRAINED.read_bytes())
        estimator = built(lambda: Public(published={"people": NOWHERE, "imagenet": pictures}))
        begun, (note,) = begin("auto", estimator)
        assert begun == f"random but for the backbone of imagenet ({pictures.url})"
        assert note.startswith(RANDOM_HEAD)
        assert NOWHERE.url in note
        assert torch.equal(estimator.stem[0][0].weight, read_checkpoint(TRAINED).tensors["stem.0.0.weight"])
        assert not torch.equal(estimator.final_layer.weight, read_checkpoint(TRAINED).tensors["final_layer.weight"])

    def test_what_torch_keeps_under_that_name_is_not_taken_where_it_is_another_file(self, tmp_path: Path) -> None:
        place = tmp_path / "cache/torch/hub/checkpoints/public.safetensors"
        place.parent.mkdir(parents=True)
        place.write_bytes(TRAINED.read_bytes()[:-1])
        assert downloads.cached(NOWHERE) is None

    def test_no_other_backbone_is_taken_unasked(self) -> None:
        known = {"faces": attrs.evolve(NOWHERE, backbone=True)}
        assert begin("auto", built(lambda: Public(published=known)))[0] == RANDOM

    def test_servers_that_say_nothing_are_soon_given_up(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as silent:
            url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
            known = {n: Download(url + n, SHA256, n == "imagenet") for n in ("people", "imagenet")}
            with pytest.MonkeyPatch.context() as patch:
                patch.delenv("http_proxy")
                started = time.monotonic()
                begun, (note,) = begin("auto", built(lambda: Public(published=known)))
        assert time.monotonic() - started < 4
        assert begun == RANDOM
        assert note.count("no answer within") == 2

    def test_a_run_keeps_what_it_began_with_and_the_warning(
        self, registered: Registered, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        pictures = Download("http://127.0.0.1:9/pictures.safetensors", SHA256, backbone=True)
        downloads.place(pictures).write_bytes(TRAINED.read_bytes())
        monkeypatch.setattr(Tiny, "known", lambda self: {"imagenet": pictures}, raising=False)
        registry = registered()
        options = {"estimator": {"tiny": {"input_size": [64, 64]}}}
        record = execute(
            configured(registry, tmp_path, weights="auto", query="lc", retrain="none", options=options), registry
        )
        assert record.weights == f"random but for the backbone of imagenet ({pictures.url})"
        assert any(warning.startswith(RANDOM_HEAD) for warning in record.warnings)
        kept = read_checkpoint(tmp_path / "run/cycles/000/weights.safetensors")
        assert kept.begun_with == record.weights


class Unusable(Component):
    def load(self) -> type:
        raise PluginError("estimator 'odd' cannot be imported")


def listed(*words: str) -> tuple[int, str, str]:
    """Exit code, output and complaint of ``vatl weights``."""
    found = CliRunner().invoke(command, words)
    return found.exit_code, found.stdout, found.stderr or str(found.exception or "")


class TestListing:
    def test_says_what_is_known_and_what_is_here(self, cached: Path, tmp_path: Path) -> None:
        (cached / "superanimal_topviewmouse_hrnet_w32.pt").write_bytes(b"x" * 2_000_000)
        (cached / "mine-0123abcd.pth").write_bytes(b"x" * 3_000_000)
        (cached / ".lock.pth.lock").touch()
        (cached / "half.pth.part").touch()
        code, out, _ = listed()
        assert code == 0
        lines = {tuple(line.split()[:3]): " ".join(line.split()) for line in out.splitlines() if len(line.split()) > 2}
        assert "about 114 MB no " in lines["hrnet", "width=32", "coco"]
        assert " 2 MB " in lines["hrnet", "width=32", "superanimal-topviewmouse"]
        assert "by hand" in lines["hrnet", "width=32", "superanimal-quadruped"]
        assert "backbone only" in lines["simplebaseline", "backbone=resnet18", "imagenet"]
        assert f"kept in {cached}" in out
        assert [line for line in out.splitlines() if line.startswith("beside")] == [
            "beside them: mine-0123abcd.pth (3 MB)"
        ]

    def test_as_json_and_of_one_estimator(self, cached: Path) -> None:
        facts = json.loads(listed("--json", "--estimator", "hrnet")[1])
        assert facts["cache"] == str(cached)
        assert {entry["estimator"] for entry in facts["known"]} == {"hrnet"}
        (mammal,) = [e for e in facts["known"] if e["name"] == "ap10k" and e["options"] == {"width": 32}]
        assert mammal["keypoints"] == list(AP_10K)
        assert (mammal["sha256"], mammal["file"]) == ("18aac840", None)

    def test_of_one_that_is_not_there_is_an_error(self) -> None:
        code, _, error = listed("--estimator", "hrnett")
        assert code != 0
        assert "did you mean 'hrnet'?" in error

    def test_what_cannot_be_used_is_left_out_by_name(
        self,
        registered: Registered,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        registry = registered(Unusable("estimator", "odd", "Does not import", "odd:Odd"))
        monkeypatch.setattr("vatl_core.discovery.discover", lambda: registry)
        code, out, error = listed()
        assert code == 0
        assert "left out: estimator 'odd' cannot be imported" in error
        assert "hrnet" in out

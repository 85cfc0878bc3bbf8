"""What a run begins with: names, addresses and files; bare backbones; and a head on another skeleton."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import attrs
import pytest
import torch
import torchvision
from torch import Tensor

import vatl_synthetic
from tests.conftest import Registered, Sticks, Vatl, configured
from vatl_core.compute import Compute
from vatl_core.contracts import Dataset, Estimator, Normalisation
from vatl_core.errors import InputError
from vatl_core.estimation import Crops, estimate
from vatl_core.hookspecs import hookimpl
from vatl_core.plugins import Component
from vatl_core.run import execute
from vatl_core.store import RunFolder
from vatl_core.video import PERSON_17, Skeleton, Video
from vatl_core.weights import RANDOM, is_random, read_checkpoint
from vatl_estimators.fastpose import FastPose
from vatl_estimators.hrnet import HRNet
from vatl_estimators.simplebaseline import SimpleBaseline
from vatl_estimators.tiny import Tiny
from vatl_estimators.vitpose import ViTPose
from vatl_synthetic.dataset import Synthetic
from vatl_weights import Download, begin_with, downloads
from vatl_weights import sources as weights
from vatl_weights.sources import chosen_by

TRAINED = Path(vatl_synthetic.__file__).parent / "weights" / "tiny.safetensors"
"""Of `tiny`, on the 17 keypoints of a person."""
PANORAMA_17 = Skeleton(
    "panorama",
    ("head", "right_eye", "left_eye", "right_shoulder", "centre_shoulder", "left_shoulder", "right_elbow",
     "left_elbow", "centre_hip", "right_wrist", "right_hip", "left_hip", "left_wrist", "right_knee", "left_knee",
     "right_foot", "left_foot"),
)  # fmt: skip
"""As many keypoints as a person's usual ones, but others."""
OTHERS = {
    "permuted": Skeleton("permuted", PERSON_17.keypoints[::-1]),
    "dropped": Skeleton("dropped", PERSON_17.keypoints[3:12:2]),
    "with-new-ones": Skeleton("new", ("tail", *PERSON_17.keypoints[::3], "fin")),
    "seventeen-others": PANORAMA_17,
}
SMALL: dict[str, Callable[[], Estimator]] = {
    "hrnet": partial(HRNet, width=8, input_size=(64, 32)),
    "fastpose": partial(FastPose, depth=26, width=8, input_size=(64, 32)),
    "simplebaseline": partial(SimpleBaseline, backbone="resnet18", head_width=16, input_size=(64, 32)),
    "tiny": partial(Tiny, width=8),
}


def built(make: Callable[[], Estimator], skeleton: Skeleton = PERSON_17) -> Estimator:
    estimator = make()
    estimator.build(skeleton)
    return estimator


def begin(
    choice: str | Path,
    estimator: Estimator,
    skeleton: Skeleton = PERSON_17,
    dataset: Dataset | None = None,
    **more: Any,
) -> tuple[str, list[str]]:
    return begin_with(str(choice), "tiny", estimator, dataset or Sticks(), skeleton, **more)


@attrs.define(eq=False, slots=False, on_setattr=attrs.setters.NO_OP)
class Public(Tiny):
    """An estimator with public weights."""

    published: dict[str, Download] = attrs.field(factory=dict, kw_only=True)

    def known(self) -> dict[str, Download]:
        return self.published


@pytest.fixture(autouse=True)
def cached(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(weights, "UNASKED_TIMEOUT", 1.0)
    return downloads.folder()


@pytest.fixture
def published(tmp_path: Path) -> Iterator[str]:
    """The address of the trained weights on a server of this machine."""
    folder = tmp_path / "published"
    folder.mkdir()
    (folder / "tiny.safetensors").write_bytes(TRAINED.read_bytes())

    class Handler(SimpleHTTPRequestHandler):
        def __init__(self, *parts: Any) -> None:
            super().__init__(*parts, directory=str(folder))

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        threading.Thread(target=http.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{http.server_port}/tiny.safetensors"
        http.shutdown()


SHA256 = hashlib.sha256(TRAINED.read_bytes()).hexdigest()
NOWHERE = Download("http://127.0.0.1:9/public.safetensors", SHA256)


class Hub:
    """A plugin that knows weights by names of its own."""

    @hookimpl
    def vatl_source_weights(self, choice: str, estimator: Estimator) -> tuple[str, list[str]] | None:
        if not choice.startswith("hub:"):
            return None
        torch.nn.init.constant_(estimator.get_parameter(f"{estimator.head}.bias"), 7.0)
        return f"the hub's {choice.removeprefix('hub:')}", ["fetched from the hub"]


class TestPlugin:
    def test_a_plugin_may_know_weights_by_names_of_its_own(self, registered: Registered, tmp_path: Path) -> None:
        registry = registered(plugins=(Hub(),))
        record = execute(configured(registry, tmp_path, weights="hub:bees", retrain="none"), registry)
        assert record.weights == "the hub's bees"
        assert "fetched from the hub" in record.warnings

    def test_without_any_a_run_begins_at_random_and_a_name_is_not_passed_over(
        self, registered: Registered, tmp_path: Path
    ) -> None:
        registry = registered()
        for _, plugin in registry.manager.list_name_plugin():
            if hasattr(plugin, "vatl_source_weights"):
                registry.manager.unregister(plugin)
        record = execute(configured(registry, tmp_path, weights="auto", retrain="none"), registry)
        assert is_random(record.weights)
        assert "no plugin that finds any is installed" in record.warnings[0]
        with pytest.raises(InputError, match=r"no plugin knows weights 'bees\.pth': install .* vatl-weights"):
            execute(configured(registry, tmp_path, name="named", weights="bees.pth"), registry)


class TestChoice:
    def test_an_address_with_its_hash(self, published: str) -> None:
        estimator = built(Tiny)
        begun, notes = begin(f"{published}#sha256={SHA256[:16].upper()}", estimator)
        assert begun.startswith(published)
        assert notes == []
        assert torch.equal(estimator.final_layer.weight, read_checkpoint(TRAINED).tensors["final_layer.weight"])

    @pytest.mark.parametrize("backbone", ["", "backbone:"])
    def test_few_digits_of_a_hash_are_a_word_of_warning(self, published: str, backbone: str) -> None:
        _, notes = begin(f"{backbone}{published}#sha256={SHA256[:8]}", built(Tiny))
        assert notes[0].startswith("only 8 digits of a SHA-256 say that ")
        known = built(lambda: Public(published={"people": Download(published, SHA256[:8])}))
        assert f"{published}#sha256={SHA256}" in begin("people", known)[1][0]

    def test_a_word_of_warning_reaches_the_run(self, registered: Registered, published: str, tmp_path: Path) -> None:
        registry = registered()
        weights = f"{published}#sha256={SHA256[:8]}"
        options = {"estimator": {"tiny": {"input_size": [64, 64]}}}
        config = configured(registry, tmp_path, weights=weights, retrain="none", options=options)
        record = execute(config, registry)
        assert any(warning.startswith("only 8 digits of a SHA-256") for warning in record.warnings)

    def test_a_known_name(self, published: str) -> None:
        estimator = built(lambda: Public(published={"people": Download(published, SHA256)}))
        begun, notes = begin("people", estimator)
        assert begun == f"people ({published})"
        assert notes == []

    @pytest.mark.parametrize(
        ("choice", "words"),
        [
            ("peple", ["'peple'", "did you mean 'people'?", "auto, none, people"]),
            ("people", ["cannot be fetched", "public-", "by hand"]),
            ("http://127.0.0.1:9/w.pth", ["http://127.0.0.1:9/w.pth#sha256="]),
            ("http://127.0.0.1:9/w.pth#sha256=12", ["#sha256="]),
            ("http://127.0.0.1:9/w.pth#sha256=0123abcd", ["cannot be fetched"]),
            ("ftp://example.org/w.pth#sha256=0123abcd", ["https://", "path"]),
            ("nowhere.pth", ["nowhere.pth", "no such file"]),
            ("backbone:nowhere.pth", ["nowhere.pth", "no such file"]),
        ],
    )
    def test_what_was_asked_for_and_cannot_be_had_is_an_error(self, choice: str, words: list[str]) -> None:
        estimator = built(lambda: Public(published={"people": NOWHERE}))
        with pytest.raises(InputError) as error:
            begin(choice, estimator)
        assert all(word in str(error.value) for word in words), str(error.value)

    @pytest.mark.parametrize("choice", ["none", f"backbone:{TRAINED}"])
    def test_keypoints_for_a_head_that_is_not_loaded_are_an_error(self, choice: str) -> None:
        with pytest.raises(InputError, match="--weights-keypoints"):
            begin(choice, built(Tiny), keypoints=("same",))

    def test_every_published_download_has_its_hash_in_its_name(self) -> None:
        kinds: list[Any] = [HRNet, FastPose, SimpleBaseline, ViTPose]
        names = [kind(**options).known() for kind in kinds for options in kind.forms]
        for download in (download for known in names for download in known.values()):
            assert downloads.place(download).name == download.url.rpartition("/")[2]
            assert bool(download.keypoints) != download.backbone
        assert HRNet(width=8).known() == FastPose(depth=26).known() == {}
        assert list(SimpleBaseline(head_width=128).known()) == ["imagenet"]

    def test_a_name_is_nearer_than_a_file_and_a_backbone_can_be_taken_of_each(self) -> None:
        known = {"people": NOWHERE}
        assert chosen_by("people", known).place == NOWHERE
        assert chosen_by("./people", known).place == Path("people")
        assert [chosen_by(f"backbone:{c}", known).backbone for c in ("people", "w.pth")] == [True, True]


class TestAuto:
    def test_what_ships_with_the_data_set_comes_first(self) -> None:
        begun, notes = begin("auto", built(lambda: Public(published={"people": NOWHERE})), dataset=Synthetic())
        assert (begun, notes) == ("shipped tiny.safetensors", [])

    def test_then_the_cache_and_nobody_is_asked(self, cached: Path) -> None:
        cached.mkdir(parents=True)
        downloads.place(NOWHERE).write_bytes(TRAINED.read_bytes())
        begun, notes = begin("auto", built(lambda: Public(published={"people": NOWHERE})))
        assert begun.startswith("people")
        assert notes == []

    def test_then_the_first_download_that_is_more_than_a_backbone(self, published: str) -> None:
        known = {"pictures": attrs.evolve(NOWHERE, backbone=True), "people": Download(published, SHA256)}
        assert begin("auto", built(lambda: Public(published=known)))[0] == f"people ({published})"

    def test_then_random_ones_with_one_warning_that_says_what_to_do(self) -> None:
        estimator = built(lambda: Public(published={"people": NOWHERE}))
        begun, (note,) = begin("auto", estimator)
        assert begun == RANDOM
        for words in ("random", NOWHERE.url, "by hand", str(downloads.place(NOWHERE))):
            assert words in note

    def test_shipped_weights_that_do_not_fit_are_told(self) -> None:
        begun, (note,) = begin("auto", built(partial(Tiny, width=8)), dataset=Synthetic())
        assert begun == RANDOM
        assert "do not fit" in note

    def test_a_person_s_download_serves_whatever_has_no_keypoint_in_common(self, published: str) -> None:
        fish = Skeleton("fish", ("fin", "tail"))
        estimator = built(lambda: Public(published={"people": Download(published, SHA256)}), fish)
        begun, (note,) = begin("auto", estimator, fish)
        assert not is_random(begun)
        for words in ("none of the 2 keypoints", "backbone and upsampling", "fin, tail"):
            assert words in note
        assert torch.equal(estimator.stem[0][0].weight, read_checkpoint(TRAINED).tensors["stem.0.0.weight"])


class TestBackbone:
    @pytest.mark.parametrize("depth", [18, 34])
    def test_of_torchvision_loads_strictly(self, depth: int, tmp_path: Path) -> None:
        network = getattr(torchvision.models, f"resnet{depth}")(weights=None)
        torch.save(network.state_dict(), tmp_path / "resnet.pth")
        estimator = built(SMALL["simplebaseline"])
        head = estimator.final_layer.weight.clone()
        estimator.normalisation = Normalisation((0, 0, 0), (1, 1, 1))
        if depth == 34:
            with pytest.raises(InputError, match="unexpected"):
                begin(f"backbone:{tmp_path / 'resnet.pth'}", estimator)
            return
        begun, notes = begin(f"backbone:{tmp_path / 'resnet.pth'}", estimator)
        assert is_random(begun)
        assert notes == ["only the backbone is loaded: upsampling and head begin with random weights"]
        assert torch.equal(estimator.preact.layer4[1].conv2.weight, network.layer4[1].conv2.weight)
        assert torch.equal(estimator.final_layer.weight, head)
        assert estimator.normalisation == Normalisation()

    @pytest.mark.parametrize("name", SMALL)
    def test_of_whole_weights_leaves_the_rest_random(self, name: str, tmp_path: Path) -> None:
        one, other = built(SMALL[name]), built(SMALL[name], OTHERS["dropped"])
        torch.save(given := one.state_dict(), tmp_path / "w.pth")
        before = {key: tensor.clone() for key, tensor in other.state_dict().items()}
        begin(f"backbone:{tmp_path / 'w.pth'}", other, OTHERS["dropped"])
        for key, tensor in other.state_dict().items():
            theirs = given[key] if key.startswith(other.trunk.prefixes) else before[key]
            assert torch.equal(tensor, theirs), key

    @pytest.mark.parametrize("name", SMALL)
    @pytest.mark.parametrize("fault", ["missing", "misshapen"])
    def test_that_is_partial_or_another_is_refused(self, name: str, fault: str, tmp_path: Path) -> None:
        estimator = built(SMALL[name])
        tensors = dict(estimator.state_dict())
        key = [k for k in tensors if k.startswith(estimator.trunk.prefixes) and k.endswith("weight")][3]
        if fault == "missing":
            del tensors[key]
        else:
            tensors[key] = tensors[key][:1]
        torch.save(tensors, tmp_path / "w.pth")
        with pytest.raises(InputError, match=f"1 {fault} .first: {key}"):
            begin(f"backbone:{tmp_path / 'w.pth'}", estimator)

    def test_of_a_plain_resnet_leaves_squeeze_and_excitation_random_and_says_so(self, tmp_path: Path) -> None:
        one, other = built(SMALL["fastpose"]), built(partial(FastPose, depth=26, width=8, deformable=True))
        plain = {k.removeprefix("preact."): t for k, t in one.state_dict().items() if k.startswith("preact.")}
        plain = {k: t for k, t in plain.items() if ".se." not in k} | {"fc.weight": torch.zeros(1000, 8)}
        torch.save(plain, tmp_path / "resnet.pth")
        squeeze = other.preact.layer1[0].se.fc[0].weight.clone()
        _, notes = begin(f"backbone:{tmp_path / 'resnet.pth'}", other)
        assert torch.equal(other.preact.layer2[1].conv2.weight, one.preact.layer2[1].conv2.weight)
        assert torch.equal(other.preact.layer1[0].se.fc[0].weight, squeeze)
        assert "preact.layer1.0.se" in notes[1]
        assert "preact.layer2.0.conv2_offset" in notes[1]
        assert other.normalisation == Normalisation()

    def test_of_hrnet_s_classifier_leaves_out_what_only_that_has(self, tmp_path: Path) -> None:
        one, other = built(SMALL["hrnet"]), built(SMALL["hrnet"])
        tensors = {k: t for k, t in one.state_dict().items() if not k.startswith("final_layer")}
        tensors |= {"stage4.2.fuse_layers.1.0.weight": torch.zeros(3), "classifier.weight": torch.zeros(1000, 8)}
        torch.save(tensors, tmp_path / "w.pth")
        begin(f"backbone:{tmp_path / 'w.pth'}", other)
        assert torch.equal(one.conv1.weight, other.conv1.weight)

    @pytest.mark.parametrize("name", ["tf_efficientnet_lite0", "convnext_atto"])
    @pytest.mark.parametrize("names", ["timm's", "others"])
    def test_of_timm_loads_by_name_or_in_order(self, name: str, names: str, tmp_path: Path) -> None:
        timm = pytest.importorskip("timm")
        network = timm.create_model(name, pretrained=False)
        tensors = network.state_dict()
        if names == "others":
            tensors = {f"_{number}.{key.rpartition('.')[2]}": t for number, (key, t) in enumerate(tensors.items())}
        torch.save(tensors, tmp_path / "w.pth")
        estimator = built(partial(SimpleBaseline, backbone=f"timm:{name}", head_width=8, input_size=(64, 64))).eval()
        _, notes = begin(f"backbone:{tmp_path / 'w.pth'}", estimator)
        assert ("in their order" in " ".join(notes)) == (names == "others")
        crops = torch.randn(1, 3, 64, 64)
        theirs = timm.create_model(name, features_only=True)
        theirs.load_state_dict(estimator.preact.network.state_dict())
        expected = network.eval().forward_intermediates(crops, intermediates_only=True)[-1]
        with torch.no_grad():
            torch.testing.assert_close(estimator.preact(crops), expected)
        assert estimator.normalisation == estimator.preact.normalisation

    @pytest.mark.parametrize("fault", ["kind", "shape", "short"])
    def test_under_other_names_is_refused_unless_every_tensor_agrees(self, fault: str, tmp_path: Path) -> None:
        estimator = built(SMALL["tiny"])
        own = [(k, t) for k, t in estimator.state_dict().items() if k.startswith(estimator.trunk.prefixes)]
        tensors = {f"_{number}.{key.rpartition('.')[2]}": tensor for number, (key, tensor) in enumerate(own)}
        last = list(tensors)[-2]
        if fault == "kind":
            tensors = {k.replace("running_var", "running_mean") if k == last else k: t for k, t in tensors.items()}
        elif fault == "shape":
            tensors[last] = tensors[last][:1]
        else:
            del tensors[last]
        torch.save(tensors, tmp_path / "w.pth")
        with pytest.raises(InputError, match=r"are not this estimator's backbone: .* missing"):
            begin(f"backbone:{tmp_path / 'w.pth'}", estimator)


def test_old_files_without_batch_normalisation_s_counters_load(tmp_path: Path) -> None:
    one, other = built(SMALL["simplebaseline"]), built(SMALL["simplebaseline"])
    torch.save({k: t for k, t in one.state_dict().items() if "num_batches" not in k}, tmp_path / "w.pth")
    assert begin(tmp_path / "w.pth", other)[1] == []
    assert torch.equal(one.preact.bn1.running_mean, other.preact.bn1.running_mean)


def saved(estimator: Estimator, path: Path, **beside: Any) -> Path:
    torch.save({"state_dict": estimator.state_dict()} | beside, path)
    return path


class TestNamelessHeads:
    @pytest.mark.parametrize("name", ["fastpose", "tiny"])
    def test_that_could_be_for_two_skeletons_are_refused(self, name: str, tmp_path: Path) -> None:
        file = saved(built(SMALL[name]), tmp_path / "w.pth")
        with pytest.raises(InputError) as error:
            begin(file, built(SMALL[name], PANORAMA_17), PANORAMA_17)
        for words in ("w.pth", "--weights-keypoints person-17", "--weights-keypoints same", "right_eye"):
            assert words in str(error.value)

    @pytest.mark.parametrize(
        ("told", "kept"),
        [
            (("person-17",), set(PERSON_17.keypoints) & set(PANORAMA_17.keypoints)),
            (PERSON_17.keypoints, set(PERSON_17.keypoints) & set(PANORAMA_17.keypoints)),
            (("same",), set(PANORAMA_17.keypoints)),
            (PANORAMA_17.keypoints[::-1], set(PANORAMA_17.keypoints)),
        ],
    )
    def test_are_what_the_user_says(self, told: tuple[str, ...], kept: set[str], tmp_path: Path) -> None:
        one, other = built(SMALL["fastpose"]), built(SMALL["fastpose"], PANORAMA_17)
        _, notes = begin(saved(one, tmp_path / "w.pth"), other, PANORAMA_17, keypoints=told)
        named = {"person-17": PERSON_17.keypoints, "same": PANORAMA_17.keypoints}.get(told[0], told)
        for channel, keypoint in enumerate(PANORAMA_17.keypoints):
            if keypoint in kept:
                assert torch.equal(other.conv_out.weight[channel], one.conv_out.weight[named.index(keypoint)])
            else:
                assert keypoint in notes[0].partition("re-initialised: ")[2].split(", ")

    @pytest.mark.parametrize("told", [("a", "b"), ("nose",) * 17])
    def test_are_not_what_cannot_be(self, told: tuple[str, ...], tmp_path: Path) -> None:
        file = saved(built(SMALL["fastpose"]), tmp_path / "w.pth")
        with pytest.raises(InputError, match=r"17 channels, but 2|two channels: nose"):
            begin(file, built(SMALL["fastpose"], PANORAMA_17), PANORAMA_17, keypoints=told)

    def test_of_another_number_are_re_initialised_with_a_way_to_keep_them(self, tmp_path: Path) -> None:
        skeleton = OTHERS["with-new-ones"]
        file = saved(built(SMALL["fastpose"]), tmp_path / "w.pth")
        _, notes = begin(file, built(SMALL["fastpose"], skeleton), skeleton)
        assert "--weights-keypoints" in notes[0]
        assert "none of the" in notes[1]

    def test_of_the_video_s_number_are_taken_for_its_keypoints_and_that_is_told(self, tmp_path: Path) -> None:
        skeleton = OTHERS["dropped"]
        one, other = built(SMALL["tiny"], skeleton), built(SMALL["tiny"], skeleton)
        _, (note,) = begin(saved(one, tmp_path / "w.pth"), other, skeleton)
        assert "no names" in note
        assert torch.equal(one.final_layer.weight, other.final_layer.weight)

    @pytest.mark.parametrize("name", ["hrnet", "simplebaseline"])
    def test_of_families_trained_on_people_are_theirs(self, name: str, tmp_path: Path) -> None:
        one, other = built(SMALL[name]), built(SMALL[name], PANORAMA_17)
        bare = {k.removeprefix("preact."): t for k, t in one.state_dict().items()}
        torch.save(bare, tmp_path / "w.pth")
        _, (note,) = begin(tmp_path / "w.pth", other, PANORAMA_17)
        shared = [k for k in PANORAMA_17.keypoints if k in PERSON_17.keypoints]
        assert f"know {len(shared)} of 17" in note
        for keypoint in shared:
            here, there = PANORAMA_17.keypoints.index(keypoint), PERSON_17.keypoints.index(keypoint)
            assert torch.equal(other.final_layer.weight[here], one.final_layer.weight[there])

    def test_are_named_by_mmpose_s_own_words_where_it_has_some(self, tmp_path: Path) -> None:
        one, other = built(SMALL["hrnet"]), built(SMALL["hrnet"], PANORAMA_17)
        people = {"dataset_meta": {"keypoint_id2name": dict(enumerate(PANORAMA_17.keypoints[::-1]))}}
        assert begin(saved(one, tmp_path / "w.pth", meta=people), other, PANORAMA_17)[1] == []
        assert torch.equal(other.final_layer.weight, one.final_layer.weight.flip(0))


def on(skeleton: Skeleton, video: Video) -> Video:
    """The same video, with the truth of another skeleton; what nobody annotated is invisible."""
    columns = [PERSON_17.keypoints.index(k) if k in PERSON_17.keypoints else 0 for k in skeleton.keypoints]
    known = torch.tensor([k in PERSON_17.keypoints for k in skeleton.keypoints])
    truth, visible = video.instances.keypoints, video.instances.visible
    assert truth is not None
    assert visible is not None
    instances = attrs.evolve(video.instances, keypoints=truth[:, columns], visible=visible[:, columns] & known)
    return attrs.evolve(video, skeleton=skeleton, instances=instances)


def source_video(cache: Path) -> Video:
    return Synthetic(source_frames=4, cache=cache / "synthetic").load("source-00")


def errors(estimator: Estimator, video: Video) -> Tensor:
    """(N, K) pixels between estimate and truth."""
    crops = Crops(video.without_truth(), estimator.input_size, torch.device("cpu"), 2**24)
    found = estimate(estimator.eval(), crops, {}, Compute(torch.device("cpu")))
    assert video.instances.keypoints is not None
    return torch.linalg.norm(found.keypoints - video.instances.keypoints, dim=-1)


@pytest.mark.parametrize("name", OTHERS)
def test_shared_keypoints_keep_their_accuracy_on_another_skeleton(name: str, cache: Path) -> None:
    skeleton = OTHERS[name]
    one, other = built(Tiny), built(Tiny, skeleton)
    begin(TRAINED, one)
    fresh_weights = other.final_layer.weight.clone()
    _, notes = begin(TRAINED, other, skeleton)
    shared = [k for k in skeleton.keypoints if k in PERSON_17.keypoints]
    fresh = [k for k in skeleton.keypoints if k not in shared]
    here, there = [skeleton.keypoints.index(k) for k in shared], [PERSON_17.keypoints.index(k) for k in shared]
    assert notes == ([] if not fresh else [
        f"the weights know {len(shared)} of {len(skeleton)} keypoints; re-initialised: {', '.join(fresh)}"
    ])  # fmt: skip
    for keypoint in fresh:
        channel = skeleton.keypoints.index(keypoint)
        assert torch.equal(other.final_layer.weight[channel], fresh_weights[channel])
    video = source_video(cache)
    with torch.no_grad():
        crops = torch.randn(3, 3, *one.input_size)
        torch.testing.assert_close(other.eval()(crops)[0][:, here], one.eval()(crops)[0][:, there])
        assert torch.equal(other(crops)[1], one(crops)[1])
    before, after = errors(one, video)[:, there], errors(other, on(skeleton, video))[:, here]
    torch.testing.assert_close(after, before, atol=1e-3, rtol=0)
    assert float(before.median()) < 4, "else there would be no accuracy to keep"


@attrs.frozen
class Panorama(Dataset):
    """A video of the source domain, with the truth of seventeen other keypoints."""

    cache: Path

    def videos(self) -> list[str]:
        return ["people"]

    def load(self, name: str) -> Video:
        return on(PANORAMA_17, source_video(self.cache))


FEW = {"few-labels": {"steps": 4, "epochs": 1}}
"""Options of a retraining of at most four epochs."""
PANORAMA = Component("dataset", "panorama", "Other keypoints", "tests.unit.test_weights:Panorama")


def test_a_run_on_another_skeleton_begins_with_what_they_share(
    registered: Registered, tmp_path: Path, cache: Path
) -> None:
    registry = registered(PANORAMA)
    options = {"dataset": {"panorama": {"cache": str(cache)}}, "estimator": {"tiny": {}}, "retrain": FEW}
    torch.save(read_checkpoint(TRAINED).tensors, tmp_path / "nameless.pth")
    settings = {"dataset": "panorama", "weights": str(tmp_path / "nameless.pth"), "schedule": ["2"], "query": "thc"}
    settings["retrain"] = "few-labels"
    with pytest.raises(InputError, match="--weights-keypoints"):
        execute(configured(registry, tmp_path, **settings, options=options), registry)
    assert not (tmp_path / "run").exists()
    told = configured(registry, tmp_path, **settings, weights_keypoints="person-17", options=options)
    record = execute(told, registry)
    assert any("re-initialised: head, centre_shoulder, centre_hip" in warning for warning in record.warnings)
    first = json.loads((tmp_path / "run" / "cycles.jsonl").read_text().splitlines()[0])
    assert first["evaluation"]["mean_oks"] > 0.8


def test_a_run_taken_up_again_keeps_what_it_began_with(
    registered: Registered, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry = registered()
    file = tmp_path / "begin.pth"
    torch.save(built(partial(Tiny, width=8, input_size=(64, 64)), Sticks().load("").skeleton).state_dict(), file)
    settings = {"weights": str(file), "options": {"retrain": FEW}, "query": "thc", "schedule": ["4"]}
    settings["retrain"] = "few-labels"
    whole = execute(configured(registry, tmp_path / "whole", **settings), registry)

    class KilledError(Exception):
        pass

    def killed(*_: object) -> None:
        raise KilledError

    monkeypatch.setattr(RunFolder, "append", killed)
    with pytest.raises(KilledError):
        execute(configured(registry, tmp_path / "killed", **settings), registry)
    monkeypatch.undo()
    file.unlink()
    again = execute(tmp_path / "killed" / "run", registry)
    assert (again.weights, again.ap, again.mean_oks) == (whole.weights, whole.ap, whole.mean_oks)
    assert again.warnings == whole.warnings


def test_the_signature_works_offline_with_random_weights_and_a_warning(vatl: Vatl) -> None:
    outcome = vatl(
        "run", "--estimator", "hrnet", "--query", "wpu", "--stop", "sc-thc", "-o", "hrnet.input_size=64,64",
        "-o", "synthetic.frames=4", "-o", "synthetic.people=1", "-o", "synthetic.source_videos=1",
        "-o", "few-labels.steps=1", "-o", "few-labels.epochs=1", "-o", "wpu.pretrain_epochs=2", "--schedule", "2",
        "--device", "cpu", "--json",
    )  # fmt: skip
    assert outcome.code == 0, outcome.err
    assert outcome.record["weights"] == "random"
    (warning,) = [w for w in outcome.record["warnings"] if "random weights" in w]
    assert "cannot be fetched" in warning
    assert "by hand" in warning


TINY = ("run", "-o", "synthetic.frames=4", "-o", "synthetic.people=1", "-o", "synthetic.source_videos=1",
        "--query", "thc", "--schedule", "2", "-o", "few-labels.steps=2", "-o", "few-labels.epochs=1",
        "--device", "cpu", "--json")  # fmt: skip


def test_the_command_fetches_an_address_and_shows_how_far_it_is(published: str, vatl: Vatl) -> None:
    outcome = vatl(*TINY, "--weights", f"{published}#sha256={SHA256}")
    assert outcome.code == 0, outcome.err
    assert outcome.record["weights"].startswith(published)
    assert "downloading weights: 100 %" in outcome.err


def test_the_command_refuses_another_file_and_leaves_nothing(published: str, vatl: Vatl, tmp_path: Path) -> None:
    outcome = vatl(*TINY, "--weights", f"{published}#sha256={'0' * 64}")
    assert outcome.code == 2
    assert SHA256 in outcome.err
    assert not (tmp_path / "runs").exists()

"""``vatl export``: the file gives what the estimator gives, says what there is to know, and is whole or not there."""

from __future__ import annotations

import errno
import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import attrs
import numpy as np
import onnxruntime
import pytest
import torch
from click.testing import CliRunner, Result
from torch import Tensor, nn

from tests.conftest import STICK, Registered, configured
from tests.docs.blocks import ROOT, blocks
from tests.unit.test_weights import SMALL, TRAINED, built
from vatl_core.cli import main
from vatl_core.compute import Compute
from vatl_core.contracts import Estimator, Maps, Normalisation
from vatl_core.errors import InputError
from vatl_core.estimation import Crops, estimate
from vatl_core.run import execute
from vatl_core.video import CROP_PADDING, PERSON_17, Skeleton
from vatl_core.weights import load_checkpoint, read_checkpoint, save_checkpoint
from vatl_estimators.fastpose import FastPose
from vatl_estimators.se_resnet import STAGES
from vatl_estimators.simplebaseline import SimpleBaseline
from vatl_estimators.tiny import Tiny
from vatl_estimators.vitpose import ViTPose
from vatl_export.command import command
from vatl_export.network import TOLERANCE, traced
from vatl_export.subject import Subject, of_run
from vatl_export.writing import check_target, write
from vatl_oracles.ground_truth import GroundTruth
from vatl_synthetic.dataset import Synthetic

SMALLEST = partial(Tiny, width=4, input_size=(64, 64))
NETWORKS: dict[str, Callable[[], Estimator]] = {
    "simplebaseline": SMALL["simplebaseline"],
    "hrnet": SMALL["hrnet"],
    "fastpose": partial(FastPose, depth=26, width=4, deformable=True, input_size=(64, 32)),
    "vitpose": partial(ViTPose, size="small", depth=1, decoder="simple", input_size=(64, 32)),
    "timm's": partial(SimpleBaseline, backbone="timm:resnet10t", head_width=8, input_size=(64, 32)),
}
"""`tiny` is written as ONNX where ten lines estimate with it."""


def subject(make: Callable[[], Estimator], skeleton: Skeleton = STICK) -> Subject:
    """A network whose heatmaps reach as high as those of a trained one."""
    torch.manual_seed(0)
    network = built(make, skeleton).requires_grad_(False)
    network.normalisation = Normalisation((0.4, 0.5, 0.6), (1.0, 0.5, 0.25))
    for parameter in network.get_submodule(network.head).parameters():
        nn.init.normal_(parameter)
    highest = float(np.abs(heatmaps(network, crops_for(network, 4))).max())
    for parameter in network.get_submodule(network.head).parameters():
        parameter /= highest
    return Subject(network, "small", skeleton, "random")


def crops_for(network: Estimator, count: int) -> Tensor:
    return torch.randint(0, 256, (count, 3, *network.input_size), dtype=torch.uint8)


def heatmaps(network: Estimator, crops: Tensor) -> np.ndarray:
    with torch.no_grad():
        found: np.ndarray = network.eval()(network.normalisation(crops)).heatmaps.numpy()
    return found


def exported(*words: str | Path) -> Result:
    return CliRunner().invoke(command, [str(word) for word in words])


def refused(*words: str | Path) -> str:
    """What the command says and does not do."""
    error = exported(*words).exception
    assert isinstance(error, InputError), error
    assert "\n" not in str(error)
    return str(error)


class TestAgreement:
    @pytest.mark.parametrize("name", NETWORKS)
    def test_onnxruntime_gives_the_estimator_s_heatmaps_of_any_number_of_crops(
        self, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        if name == "timm's":
            pytest.importorskip("timm")
        monkeypatch.setattr("vatl_estimators.high_resolution.BLOCKS", 1)  # what follows is the same but for its length
        monkeypatch.setattr("vatl_estimators.hrnet.EXCHANGES", {"stage2": 1, "stage3": 1, "stage4": 1})
        monkeypatch.setitem(STAGES, 26, (1, 2, 1, 1))
        given = subject(NETWORKS[name])
        write(given, tmp_path / "model.onnx")
        session = onnxruntime.InferenceSession(tmp_path / "model.onnx")
        for count in (1, 4):
            crops = crops_for(given.estimator, count)
            own, (found,) = heatmaps(given.estimator, crops), session.run(["heatmaps"], {"crops": crops.numpy()})
            assert np.abs(own).max() > 0.1
            np.testing.assert_allclose(found, own, atol=TOLERANCE)

    def test_torch_gives_them_too_without_vatl(self, tmp_path: Path) -> None:
        given = subject(SMALLEST)
        write(given, tmp_path / "model.PT2")
        beside = {"vatl.json": ""}
        program = torch.export.load(tmp_path / "model.PT2", extra_files=beside).module()
        crops = crops_for(given.estimator, 3)
        np.testing.assert_allclose(program(crops), heatmaps(given.estimator, crops), atol=TOLERANCE)
        assert json.loads(beside["vatl.json"])["skeleton"]["keypoints"] == list(STICK.keypoints)

    def test_a_graph_that_gives_other_heatmaps_is_not_written(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        given = subject(SMALLEST)
        monkeypatch.setattr(Normalisation, "__call__", lambda self, crops: crops / 255)
        with pytest.raises(InputError, match="'small' cannot be exported: its graph gives other heatmaps"):
            write(given, tmp_path / "model.pt2")
        assert not list(tmp_path.iterdir())

    def test_ten_lines_estimate_what_vatl_estimates(
        self, tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        assert exported("--estimator", "tiny", "--weights", TRAINED, "model.onnx").exit_code == 0
        (told,) = [block for block in blocks(ROOT / "docs" / "export.md") if "def estimate" in block.text]
        assert len(told.text.partition("def estimate")[2].strip().splitlines()) == 12  # with its head and its docstring
        names: dict[str, Any] = {}
        exec(compile(told.text, told.place, "exec"), names)
        video, network, cpu = Synthetic(frames=4, cache=cache / "synthetic").load("gym"), Tiny(), torch.device("cpu")
        network.build(video.skeleton)
        load_checkpoint(network, video.skeleton, TRAINED)
        own = estimate(network.eval(), Crops(video.without_truth(), network.input_size, cpu, 0), {}, Compute(cpu))
        for number, (frame, box) in enumerate(zip(video.instances.frame, video.instances.boxes, strict=True)):
            picture = np.ascontiguousarray(video.frames.read(int(frame)).permute(1, 2, 0).numpy()[..., ::-1])
            keypoints, scores = names["estimate"](picture, box.double().numpy())
            np.testing.assert_allclose(keypoints, own.keypoints[number], atol=1e-2)
            np.testing.assert_allclose(scores, own.scores[number], atol=1e-2)


class TestDescription:
    def test_says_what_one_needs_to_know(self, tmp_path: Path) -> None:
        file = tmp_path / "w.safetensors"
        network = built(partial(Tiny, width=4))
        network.normalisation = Normalisation((0.1, 0.2, 0.3), (1.0, 0.5, 0.25))
        save_checkpoint(file, network, PERSON_17)
        done = exported("--estimator", "tiny", "-o", "width=4", "--weights", file, tmp_path / "m.pt2")
        assert isinstance(done.exception, InputError)  # options are of a part
        done = exported("--estimator", "tiny", "-o", "tiny.width=4", "--weights", file, tmp_path / "m.pt2")
        assert (done.exit_code, done.output) == (0, f"{tmp_path / 'm.pt2'}\n")
        beside = {"vatl.json": ""}
        torch.export.load(tmp_path / "m.pt2", extra_files=beside)
        about = json.loads(beside["vatl.json"])
        assert about["input"] == {
            "name": "crops", "size": [128, 96], "layout": "NCHW", "type": "uint8", "channels": "RGB", "range": [0, 255],
        }  # fmt: skip
        assert about["heatmaps"] == {"name": "heatmaps", "size": [32, 24], "stride": 4}
        assert about["normalisation"]["mean"] == [0.1, 0.2, 0.3]
        assert about["normalisation"]["std"] == [1.0, 0.5, 0.25]
        assert about["crop"]["padding"] == CROP_PADDING
        assert (about["vatl"], about["estimator"], about["weights"]) == ("0.1.0", "tiny", str(file))
        plain = json.loads(json.dumps(attrs.asdict(PERSON_17)))
        assert about["skeleton"] == plain

    def test_of_weights_whose_keypoints_only_the_user_knows(self, tmp_path: Path) -> None:
        torch.save(built(partial(Tiny, width=4), STICK).state_dict(), tmp_path / "w.pth")
        words = ("--estimator", "tiny", "-o", "tiny.width=4", "--weights", tmp_path / "w.pth")
        assert "do not say which keypoints they are for: add --weights-keypoints" in refused(*words, tmp_path / "m.pt2")
        for wrong in ("same", "a,b", "a,a,b,c,d"):
            assert "keypoints" in refused(*words, "--weights-keypoints", wrong, tmp_path / "m.pt2")
        assert exported(*words, "--weights-keypoints", ",".join(STICK.keypoints), tmp_path / "m.pt2").exit_code == 0
        beside = {"vatl.json": ""}
        torch.export.load(tmp_path / "m.pt2", extra_files=beside)
        skeleton = json.loads(beside["vatl.json"])["skeleton"]
        assert (skeleton["keypoints"], skeleton["flip_pairs"]) == (list(STICK.keypoints), [[1, 2], [3, 4]])


class TestRun:
    @pytest.fixture
    def run(self, tmp_path: Path, registered: Registered, monkeypatch: pytest.MonkeyPatch) -> Path:
        registry = registered()
        monkeypatch.setattr("vatl_core.run.past.discover", lambda: registry)
        config = configured(registry, tmp_path, schedule=["4"], query="lc", weights="none")
        with monkeypatch.context() as patch:
            patch.setattr(GroundTruth, "annotate", self._leave)
            with pytest.raises(KeyboardInterrupt):
                execute(config, registry)
        return tmp_path / "run"

    @staticmethod
    def _leave(*_: object) -> None:
        raise KeyboardInterrupt

    def test_it_is_the_last_network_and_one_that_learnt_nothing_is_told_to_be(
        self, run: Path, tmp_path: Path, registered: Registered
    ) -> None:
        early = exported(run, tmp_path / "early.pt2")
        assert early.exit_code == 0
        assert early.stderr == f"warning: {run} has learnt nothing yet: this is the network that it began with\n"
        execute(run, registered())
        found = of_run(run)
        assert (found.weights, found.notes, found.skeleton) == ("cycle 1 of run", (), STICK)
        last = run / "cycles/001/weights.safetensors"
        assert torch.equal(found.estimator.final_layer.weight, read_checkpoint(last).tensors["final_layer.weight"])
        last.unlink()  # an earlier one does not stand in for it
        with pytest.raises(InputError, match=r"is not there: the run's last network is lost"):
            of_run(run)

    def test_without_weights_nothing_is_written(self, run: Path, tmp_path: Path) -> None:
        (run / "cycles/000/weights.safetensors").unlink()
        assert refused(run, tmp_path / "m.pt2") == (f"{run} has no weights yet: take it up with `vatl resume {run}`")
        assert not (tmp_path / "m.pt2").exists()


class TestTarget:
    @pytest.mark.parametrize(
        ("name", "words"),
        [
            ("model.pb", "networks are written as .onnx or .pt2"),
            ("model", "networks are written as .onnx or .pt2"),
            ("model.pt", "TorchScript is deprecated"),
            ("model.torchscript", "TorchScript is deprecated"),
            ("folder.onnx", "is a folder: name a file"),
            ("nowhere/model.onnx", "there is no folder"),
            ("there.onnx", "is there already: give another name, or --overwrite"),
            ("dangling.onnx", "is there already: give another name, or --overwrite"),
            ("there.onnx/model.onnx", "there is no folder"),
        ],
    )
    def test_that_cannot_be_is_refused_before_anything_is_done(self, name: str, words: str, tmp_path: Path) -> None:
        (tmp_path / "folder.onnx").mkdir()
        (tmp_path / "there.onnx").write_text("kept")
        (tmp_path / "dangling.onnx").symlink_to(tmp_path / "nothing")
        with pytest.raises(InputError, match=words):
            check_target(tmp_path / name, overwrite=False)
        assert refused("no-run", tmp_path / name).startswith(str(tmp_path / name))

    def test_of_a_folder_that_is_not_ours_is_refused(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("os.access", lambda path, mode: False)
        with pytest.raises(InputError, match="nothing may be written into"):
            check_target(tmp_path / "model.onnx", overwrite=True)

    def test_on_a_disk_that_is_full_nothing_is_left(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def half(_: object, path: Path, **__: object) -> None:
            path.write_bytes(b"half")
            raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr("torch.export.save", half)
        with pytest.raises(OSError, match="No space left"):
            write(subject(SMALLEST), tmp_path / "model.pt2")
        assert not list(tmp_path.iterdir())

    def test_that_is_there_is_replaced_when_all_is_well_and_else_kept(self, tmp_path: Path) -> None:
        file = tmp_path / "model.pt2"
        file.write_text("kept")
        words = ("--estimator", "tiny", "--overwrite", file, "--weights")
        assert "no such file" in refused(*words, "nowhere.pth")
        assert file.read_text() == "kept"
        assert exported(*words, TRAINED).exit_code == 0
        assert file.read_bytes()[:2] == b"PK"
        assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((), "give a run and a file to write"),
        (("a", "b", "m.onnx"), "give a run and a file to write, not 3 places"),
        (("m.onnx",), "say what to write to m.onnx"),
        (("--estimator", "tiny", "m.onnx"), "say what to write to m.onnx"),
        (("--weights", "w.pth", "m.onnx"), "say what to write to m.onnx"),
        (("--estimator", "tiny", "--weights", "none", "m.onnx"), "say what to write to m.onnx"),
        (("--estimator", "tiny", "--weights", "auto", "m.onnx"), "say what to write to m.onnx"),
        (("--estimator", "tinny", "--weights", "w.pth", "m.onnx"), "did you mean 'tiny'?"),
        (("--estimator", "tiny", "--weights", "w.pth", "m.onnx"), "w.pth: there is no such file"),
        (("--estimator", "tiny", "--weights", "cocoa", "m.onnx"), "'cocoa'"),
        (("--estimator", "tiny", "--weights", f"backbone:{TRAINED}", "m.onnx"), "is a backbone alone"),
        (("--estimator", "hrnet", "--weights", str(TRAINED), "m.onnx"), "do not fit this estimator"),
        (("--estimator", "tiny", "-o", "tiny.width=lots", "--weights", str(TRAINED), "m.onnx"), "width"),
        (("--data-root", "d", "m.onnx"), "--data-root d is where a run's data is"),
        (("run", "m.onnx"), "run is no run"),
        (("run", "m.onnx", "--estimator", "tiny", "-o", "tiny.width=8"), "leave out --estimator, -o, or the run"),
    ],
)
def test_words_that_make_no_sense_are_told_in_a_line(
    words: tuple[str, ...], told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert told in refused(*words)
    assert not list(tmp_path.iterdir())


@torch.library.custom_op("vatl_tests::doubled", mutates_args=())
def doubled(maps: Tensor) -> Tensor:
    """An operator of a plugin's own."""
    return maps * 2


@doubled.register_fake
def _(maps: Tensor) -> Tensor:
    return torch.empty_like(maps)


@attrs.define(eq=False, slots=False, on_setattr=attrs.setters.NO_OP)
class Odd(Tiny):
    """A network that no graph can be made of, or no ONNX."""

    fault: str = "operator"

    def forward(self, crops: Tensor) -> Maps:
        maps = super().forward(crops)
        if self.fault == "operator":
            return maps._replace(heatmaps=doubled(maps.heatmaps))
        if self.fault == "looking":
            return maps if float(crops.mean()) > 0 else maps._replace(heatmaps=-maps.heatmaps)
        if self.fault == "counting":
            return maps if len(crops) < 4 else maps._replace(heatmaps=-maps.heatmaps)
        raise RuntimeError("\n\nit broke\nin two lines")


@pytest.mark.parametrize(
    ("fault", "ending", "told"),
    [
        ("operator", "onnx", "cannot be written as ONNX (.pt2 may do): .*vatl_tests.doubled"),
        ("looking", "pt2", "cannot be made a graph by torch.export"),
        ("counting", "onnx", "cannot be made a graph by torch.export"),
        ("raising", "pt2", "cannot be made a graph by torch.export: RuntimeError: it broke$"),
    ],
)
def test_a_network_that_cannot_be_exported_is_named_in_a_line(
    fault: str, ending: str, told: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    given = subject(lambda: Odd(width=4, input_size=(64, 64)))
    given.estimator.fault = fault
    with pytest.raises(InputError, match=told.replace("(", r"\(").replace(")", r"\)")) as error:
        write(given, tmp_path / f"model.{ending}")
    assert str(error.value).startswith("estimator 'small' cannot be ")
    assert "\n" not in str(error.value)
    assert len(str(error.value)) < 600
    assert not list(tmp_path.iterdir())
    assert capfd.readouterr() == ("", "")


def test_what_onnx_lacks_torch_can_still_write(tmp_path: Path) -> None:
    given = subject(lambda: Odd(width=4, input_size=(64, 64)))
    crops = crops_for(given.estimator, 2)
    np.testing.assert_allclose(traced(given).module()(crops), heatmaps(given.estimator, crops), atol=TOLERANCE)


def test_the_command_line_ends_with_2_and_a_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["export", str(tmp_path / "run"), str(tmp_path / "m.onnx")])
    assert ended.value.code == 2
    assert capsys.readouterr().err == f"vatl: {tmp_path / 'run'} is no run: it has no config.toml\n"

"""`vatl fit`: what a criterion learns before any run, and how runs begin with it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest
import torch
from click.testing import CliRunner
from safetensors.torch import save_file

from tests import conftest
from tests.conftest import STICK, Registered, Sticks, Vatl, stick_video
from tests.unit.test_cycle import InterruptedRunError, Interrupter, outcome
from vatl_core.config import RunConfig
from vatl_core.config_files import configure
from vatl_core.discovery import discover
from vatl_core.errors import InputError
from vatl_core.plugins import Component, Registry
from vatl_core.run import execute
from vatl_core.video import Instances, Skeleton
from vatl_core.weights import read_pretrained
from vatl_criteria.uncertainty import unnaturalness
from vatl_criteria.uncertainty.autoencoder import PRE_TRAINING
from vatl_criteria.uncertainty.unnaturalness import PoseUnnaturalness
from vatl_train.fitting import Fitted, fit, poses_of
from vatl_train.pretrained import PreTrainedFor, find_learnt, read_learnt

OTHER = Skeleton("pair", ("a", "b"), ((0, 1),))


@attrs.frozen
class Splits(Sticks):
    """Stick figures with splits; in `mixed` another skeleton's come between, in `blank` nothing is annotated."""

    val: bool = True

    def splits(self) -> dict[str, list[str]]:
        return {"train": ["sticks"], "mixed": ["sticks"], "blank": ["sticks"]} | (
            {"val": ["sticks"]} if self.val else {}
        )

    def split_poses(self, split: str) -> Iterator[tuple[Skeleton, Instances]]:
        self.of_split(split)
        own = stick_video(40, 5, seed=len(split)).instances
        if split == "blank":
            own = own.without_truth()
        yield STICK, own
        if split == "mixed":
            points = torch.rand(7, 2, 2) * 9
            seen = torch.arange(7)[:, None].expand(7, 2) > 1
            boxes = torch.tensor([[0.0, 0, 9, 9]]).repeat(7, 1)
            yield OTHER, Instances.of(torch.arange(7), torch.zeros(7, dtype=torch.int64), boxes, None, points, seen)


@pytest.fixture
def registry(registered: Registered) -> Registry:
    return registered(Component("dataset", "splits", "", "tests.unit.test_fit:Splits"))


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few steps: how well it learns is not what these tests are about."""
    monkeypatch.setattr(unnaturalness, "PRE_TRAINING", attrs.evolve(PRE_TRAINING, epochs=20, least_steps=120))


@pytest.fixture(autouse=True)
def data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    return tmp_path / "data"


def configured(registry: Registry, folder: Path, options: dict[str, Any] | None = None, **settings: Any) -> RunConfig:
    """A short run whose auto-encoder has no options but a test's: a file of what it learnt is for these alone."""
    return conftest.configured(registry, folder, options={"query": {"wpu": {}}} | (options or {}), **settings)


def fitted(registry: Registry, folder: Path, split: str = "train", query: str = "wpu", **settings: object) -> Fitted:
    given = {name: settings.pop(name) for name in ("validation", "skeleton", "told") if name in settings}
    config = configured(registry, folder, dataset="splits", query=query, **settings)
    return fit(registry, config, split, given.pop("validation", None), **given)  # type: ignore[arg-type]


class TestFitting:
    def test_it_is_told_what_it_learnt_from_and_gets_better(self, registry: Registry, tmp_path: Path) -> None:
        result = fitted(registry, tmp_path)
        assert (result.learnt.split, result.learnt.validation, result.learnt.poses) == ("train", "val", (200, 200))
        assert result.learnt.figures["validation_error"] == min(validation for _, _, validation in result.curve)
        assert result.curve[-1][2] < result.curve[0][2] / 2
        assert [number for number, _, _ in result.curve] == list(range(1, len(result.curve) + 1))

    def test_the_same_seed_gives_the_same_file(self, registry: Registry, tmp_path: Path) -> None:
        first, again, other = (fitted(registry, tmp_path, seed=seed).learnt.kept.data for seed in (3, 3, 4))
        assert first == again != other

    def test_without_a_validation_split_whole_tracks_are_held_out(self, registry: Registry, tmp_path: Path) -> None:
        said: list[str] = []
        options = {"dataset": {"splits": {"val": False}}}
        result = fitted(registry, tmp_path, options=options, told=said.append)
        assert result.learnt.poses == (160, 40), "five tracks of forty: a tenth begins a track, which goes whole"
        assert "40 of 200 poses are held out" in said[0]

    def test_poses_of_another_skeleton_are_left_out_and_said(self, registry: Registry, tmp_path: Path) -> None:
        said: list[str] = []
        assert fitted(registry, tmp_path, "mixed", told=said.append).learnt.serves.keypoints == STICK.keypoints
        assert "7 poses of skeleton 'pair' left out" in said[0]

    def test_another_skeleton_can_be_asked_for(self) -> None:
        said: list[str] = []
        found = poses_of(Splits(), "mixed", "pair", said.append)
        assert (found.skeleton, len(found)) == (OTHER, 5)
        assert said == [
            "split 'mixed': 200 poses of skeleton 'stick' left out: only those of 'pair' are learnt",
            "split 'mixed': 2 instances without an annotated keypoint left out",
        ]

    @pytest.mark.parametrize(
        ("given", "message"),
        [
            ({"query": "thc"}, "nothing to learn before a run"),
            ({"split": "tset"}, "no split is called 'tset'"),
            ({"validation": "vla"}, "did you mean 'val'"),
            ({"validation": "train"}, "is what is learnt from"),
            ({"split": "blank"}, "no annotated pose"),
            ({"skeleton": "pair"}, "no skeleton in split 'train' is called 'pair'"),
        ],
        ids=str,
    )
    def test_what_cannot_be_fitted_is_told(
        self, registry: Registry, tmp_path: Path, given: dict[str, str], message: str
    ) -> None:
        with pytest.raises(InputError, match=message):
            fitted(registry, tmp_path, **given)


class TestBeginning:
    def run(self, registry: Registry, folder: Path, **settings: object) -> tuple[str, ...]:
        settings = {"query": "wpu", "dataset": "splits", "schedule": ["4"], "retrain": "none"} | settings
        return execute(configured(registry, folder, **settings), registry).notes

    def test_a_run_says_what_its_criterion_begins_with(self, registry: Registry, tmp_path: Path) -> None:
        assert "wpu" not in " ".join(self.run(registry, tmp_path, name="none"))
        result = fitted(registry, tmp_path)
        result.save(result.learnt.serves.path)
        (note,) = self.run(registry, tmp_path, name="auto")
        assert "`vatl fit` learnt from 200 poses (train of splits" in note
        assert (tmp_path / "auto/criteria/wpu.safetensors").read_bytes() == result.learnt.serves.path.read_bytes()
        never = {"query": {"wpu": {"pretrained": "none"}}}
        assert self.run(registry, tmp_path, name="never", options=never) == ()
        wider = {"query": {"wpu": {"z_dim": 5}}}
        assert self.run(registry, tmp_path, name="wider", options=wider) == (), "that one is for other options"

    @pytest.mark.parametrize("hooks", [0, 4], ids=["at the start", "after retraining"])
    def test_a_changed_file_does_not_change_an_interrupted_run(
        self, registry: Registry, tmp_path: Path, hooks: int
    ) -> None:
        settings = {"query": "wpu", "dataset": "splits", "schedule": ["4", "8"]}
        first, other = (fitted(registry, tmp_path, seed=seed) for seed in (0, 1))
        first.save(first.learnt.serves.path)
        execute(configured(registry, tmp_path, name="whole", **settings), registry)
        interrupter = Interrupter(hooks)
        registry.manager.register(interrupter)
        with pytest.raises(InterruptedRunError):
            execute(configured(registry, tmp_path, name="cut", **settings), registry)
        registry.manager.unregister(interrupter)
        other.save(other.learnt.serves.path)
        execute(tmp_path / "cut", registry)
        assert outcome(tmp_path / "cut") == outcome(tmp_path / "whole")

    def test_a_file_that_comes_later_does_not_either(self, registry: Registry, tmp_path: Path) -> None:
        interrupter = Interrupter(0)
        registry.manager.register(interrupter)
        with pytest.raises(InterruptedRunError):
            self.run(registry, tmp_path, name="cut")
        registry.manager.unregister(interrupter)
        result = fitted(registry, tmp_path)
        result.save(result.learnt.serves.path)
        assert execute(tmp_path / "cut", registry).notes == ()


def purpose_for(skeleton: Skeleton = STICK, **options: object) -> tuple[PoseUnnaturalness, Skeleton]:
    return PoseUnnaturalness(**options), skeleton  # type: ignore[arg-type]


class TestFile:
    @pytest.fixture
    def file(self, registry: Registry, tmp_path: Path) -> Path:
        path = tmp_path / "wpu.safetensors"
        fitted(registry, tmp_path).save(path)
        return path

    def test_it_comes_back_as_it_was_written(self, file: Path) -> None:
        assert read_learnt(file).kept.data == file.read_bytes()

    def test_it_is_for_its_skeleton_and_options_alone(self, file: Path) -> None:
        def refusal(criterion: PoseUnnaturalness, skeleton: Skeleton) -> str:
            with pytest.raises(InputError) as caught:
                find_learnt("wpu", attrs.evolve(criterion, pretrained=str(file)), skeleton)
            return str(caught.value)

        cut = attrs.evolve(STICK, edges=STICK.edges[1:])
        turned = attrs.evolve(STICK, keypoints=STICK.keypoints[::-1])
        assert "another skeleton: 5 keypoints (head, …), not these 2" in refusal(*purpose_for(OTHER))
        assert "in another order" in refusal(*purpose_for(turned))
        assert "other edges: 4, not these 3" in refusal(*purpose_for(cut))
        assert "z_dim = 4, not 6" in refusal(*purpose_for(z_dim=6))
        assert "output = linear, not sigmoid" in refusal(*purpose_for(output="sigmoid"))

    def test_damaged_and_foreign_files_are_refused(self, file: Path, tmp_path: Path) -> None:
        whole = file.read_bytes()
        cases = {
            "cut": (whole[:-40], "damaged, truncated"),
            "text": (b"no safetensors at all", "damaged, truncated"),
            "empty": (b"", "damaged, truncated"),
            "later": (whole.replace(b'seed\\"', b'sede\\"'), "another version"),
        }
        for name, (data, message) in cases.items():
            (tmp_path / name).write_bytes(data)
            with pytest.raises(InputError, match=message):
                read_learnt(tmp_path / name)
        save_file({"a": torch.ones(2)}, tmp_path / "foreign")
        with pytest.raises(InputError, match="holds nothing that a criterion was pre-trained to"):
            read_learnt(tmp_path / "foreign")
        with pytest.raises(InputError, match="no such file"):
            read_learnt(tmp_path / "missing")
        with pytest.raises(InputError, match="no such file"):
            find_learnt("wpu", PoseUnnaturalness(pretrained="~nobody-here/wpu.safetensors"), STICK)

    @pytest.mark.parametrize("damage", ["lacks", "misshapen", "infinite"])
    def test_what_it_holds_is_checked(self, registry: Registry, file: Path, damage: str) -> None:
        found = read_pretrained(file)
        name = next(n for n in found.tensors if n.endswith("weight"))
        if damage == "lacks":
            del found.tensors[name]
        else:
            found.tensors[name] = torch.ones(2, 2) if damage == "misshapen" else found.tensors[name] * torch.inf
        file.write_bytes(found.data)
        options = {"query": {"wpu": {"pretrained": str(file)}}}
        with pytest.raises(InputError, match="'wpu' cannot begin with what `vatl fit` learnt from 200 poses"):
            execute(configured(registry, file.parent, dataset="splits", query="wpu", options=options), registry)

    def test_without_a_plugin_that_knows_it_a_file_is_not_passed_over(
        self, registry: Registry, file: Path, tmp_path: Path
    ) -> None:
        for _, plugin in registry.manager.list_name_plugin():
            if hasattr(plugin, "vatl_pretrained") and not hasattr(plugin, "vatl_components"):
                registry.manager.unregister(plugin)
        settings = {"dataset": "splits", "query": "wpu", "schedule": ["4"], "retrain": "none"}
        assert execute(configured(registry, tmp_path, name="auto", **settings), registry).notes == ()
        options = {"query": {"wpu": {"pretrained": str(file)}}}
        with pytest.raises(InputError, match=r"no plugin knows wpu\.pretrained = .*: install vatl-train"):
            execute(configured(registry, tmp_path, name="file", options=options, **settings), registry)

    def test_auto_does_not_pass_over_a_damaged_file(self, file: Path) -> None:
        criterion = PoseUnnaturalness()
        path = PreTrainedFor.of("wpu", criterion, STICK).path
        assert find_learnt("wpu", criterion, STICK) is None
        path.parent.mkdir(parents=True)
        path.write_bytes(file.read_bytes()[:100])
        with pytest.raises(InputError, match="damaged"):
            find_learnt("wpu", criterion, STICK)


class TestCommand:
    def test_it_writes_what_runs_then_begin_with(
        self, vatl: Vatl, environment: dict[str, str], data_folder: Path
    ) -> None:
        environment["XDG_DATA_HOME"] = str(data_folder)
        small = ("-o", "synthetic.source_videos=2", "-o", "synthetic.source_frames=8", "--device", "cpu")
        small += ("-o", "wpu.pretrain_epochs=20")
        done = vatl("fit", "wpu", "--dataset", "synthetic", *small)
        assert done.code == 0, done.err
        summary, *written = done.out.splitlines()
        assert summary.startswith("32 poses, 64 to validate on: validation error 0.")
        assert [Path(path).suffix for path in written] == [".safetensors", ".json", ".png"]
        assert data_folder in Path(written[0]).parents
        record = json.loads(Path(written[1]).read_text())
        assert record["curve"][-1]["epoch"] == record["figures"]["epochs"]
        assert "epoch 10:" in done.err
        short = ("-o", "synthetic.frames=4", "--schedule", "2", "--retrain", "none")
        run = vatl("run", "--query", "wpu", "--json", *small, *short)
        assert run.code == 0, run.err
        assert "learnt from 32 poses (train of synthetic" in run.record["notes"][0]
        assert run.record["notes"][0] in run.err

    def test_by_a_preset_it_has_the_options_that_runs_by_it_look_for(self, monkeypatch: pytest.MonkeyPatch) -> None:
        from vatl_train import fitting
        from vatl_train.commands.fit import command

        asked: list[RunConfig] = []

        def noted(registry: Registry, config: RunConfig, *_: object) -> None:
            asked.append(config)
            raise InputError("enough")

        monkeypatch.setattr(fitting, "fit", noted)
        words = ["wpu", "--preset", "vatl4pose", "--dataset", "posetrack21", "-o", "wpu.pretrain_epochs=7"]
        CliRunner().invoke(command, words)
        by_preset = configure(discover(), {"preset": "vatl4pose", "dataset": "posetrack21"}).of("query", "wpu")
        assert asked[0].of("query", "wpu") == by_preset | {"pretrain_epochs": "7"}

    @pytest.mark.parametrize(
        ("words", "message"),
        [
            (["thc"], "nothing to learn before a run"),
            (["wup"], "did you mean 'wpu'?"),
            (["wpu", "--split", "trian"], "did you mean 'train'?"),
            (["wpu", "--out", "wpu.pth"], "end the name in .safetensors"),
            (["wpu", "-o", "wpu.z_dim=0"], "z_dim"),
            (["wpu", "-o", "wpu.ignore=nsoe"], "did you mean 'nose'?"),
            (["wpu", "--preset", "vatl4posee"], "did you mean 'vatl4pose'?"),
            (["wpu", "-o", "wpu.error=half"], "'error' must be in"),
        ],
        ids=str,
    )
    def test_bad_input_is_one_line(self, words: list[str], message: str, data_folder: Path) -> None:
        from vatl_train.commands import fit as module

        done = CliRunner().invoke(module.command, [*words, "--device", "cpu"])
        assert isinstance(done.exception, InputError)
        assert message in str(done.exception)
        assert not data_folder.exists()

"""``vatl train``: what it trains and validates on, what it keeps, and how it goes on after an interruption."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any, ClassVar

import attrs
import pytest
import torch
from filelock import FileLock
from torch import Tensor, nn

from tests.conftest import Registered, Vatl, stick_video
from tests.processes import Command
from tests.unit.test_training import Plain
from vatl_augmentation import CropAugmentation
from vatl_core.config_files import configure
from vatl_core.contracts import Dataset, Maps, Recipe
from vatl_core.errors import InputError, VatlError
from vatl_core.learning.optimisation import rate_factor
from vatl_core.plugins import Component, Registry
from vatl_core.video import Skeleton, Video
from vatl_core.weights import read_checkpoint
from vatl_train.commands.train import _recipe
from vatl_train.commands.train import command as train_command
from vatl_train.folder import TrainingFolder
from vatl_train.team import Team, own_device
from vatl_train.training import Log, SourceTraining, _enough, train
from vatl_train.videos import SourceVideos, source_videos

ROOT = Path(__file__).parents[2]


@attrs.frozen
class Sources(Dataset):
    """Stick figures to train on; the name's number seeds them."""

    count: int = 3
    frames: int = 6
    val: bool = True
    missing: str = ""

    def videos(self) -> list[str]:
        return ["target-90"]

    def sources(self) -> list[str]:
        return [f"train-{number}" for number in range(self.count)]

    def splits(self) -> dict[str, list[str]]:
        return super().splits() | ({"val": ["val-50", "val-51"]} if self.val else {})

    def load(self, name: str) -> Video:
        video = attrs.evolve(stick_video(self.frames, 2, int(name.split("-")[1])), name=name)
        return video.without_truth() if name == self.missing else video


@attrs.define(eq=False, slots=False, on_setattr=attrs.setters.NO_OP)
class Remembered(Plain):
    """Leads to the last one built; has running statistics, which its heatmaps do not depend on."""

    made: ClassVar[list[Plain]] = []

    def build(self, skeleton: Skeleton) -> None:
        super().build(skeleton)
        self.norm = nn.BatchNorm1d(8)
        Remembered.made.append(self)

    def forward(self, crops: Tensor) -> Maps:
        maps = super().forward(crops)
        return maps._replace(features=self.norm(maps.features))


def components() -> list[Component]:
    return [
        Component("dataset", "sources", "", "tests.unit.test_source_training:Sources"),
        Component("estimator", "remembered", "", "tests.unit.test_source_training:Remembered"),
    ]


def task(registry: Registry, *, of: dict[str, Any] | None = None, epochs: int = 3, **more: Any) -> SourceTraining:
    """A short training on the sticks."""
    options: dict[str, Any] = {"dataset": {"sources": of or {}}}
    options["estimator"] = {"tiny": {"input_size": [64, 64], "width": 8}, "remembered": {"input_size": [64, 64]}}
    settings = {"dataset": "sources", "estimator": "tiny", "weights": "none", "device": "cpu", "precision": "float32"}
    config = configure(registry, settings | {k: more.pop(k) for k in ("estimator", "cache_mb") if k in more}, options)
    recipe = Recipe(epochs, more.pop("lr", 2e-3), 0.0, 1.0, alike=True, batch=8, optimiser="adam")
    return SourceTraining(config, recipe, **more)


def told(log: Log) -> Log:
    """A log without what depends on the clock."""
    return [{name: value for name, value in line.items() if name != "seconds"} for line in log]


def log_of(out: Path) -> Log:
    lines = (out.with_name(f"{out.name}.training") / "log.jsonl").read_text().splitlines()
    return told([json.loads(line) for line in lines])


class TestVideos:
    @staticmethod
    def names(videos: SourceVideos) -> tuple[list[str], list[str]]:
        return [v.name for v in videos.training], [v.name for v in videos.validation]

    def test_the_validation_split_is_val_where_there_is_one(self) -> None:
        assert self.names(source_videos(Sources(), "train", "", 0.1, 0)) == (
            ["train-0", "train-1", "train-2"], ["val-50", "val-51"],
        )  # fmt: skip

    def test_any_split_can_be_trained_and_validated_on(self) -> None:
        assert self.names(source_videos(Sources(), "val", "test", 0.1, 0)) == (["val-50", "val-51"], ["target-90"])
        assert self.names(source_videos(Sources(), "train", "none", 0.1, 0))[1] == []

    def test_else_a_share_of_the_videos_is_held_out(self) -> None:
        dataset = Sources(count=10, val=False)
        held = [self.names(source_videos(dataset, "train", "", 0.3, seed)) for seed in (0, 0, 1)]
        assert held[0] == held[1] != held[2]
        for training, validation in held:
            assert (len(training), len(validation)) == (7, 3)
            assert {*training, *validation} == {*dataset.sources()}

    def test_of_a_single_video_a_share_of_the_instances_is_held_out(self) -> None:
        videos = source_videos(Sources(count=1, val=False), "train", "", 0.25, 0)
        parts = [{*part[0].instances.ids} for part in (videos.training, videos.validation)]
        assert (len(parts[0]), len(parts[1])) == (9, 3)
        assert not parts[0] & parts[1]
        again = source_videos(Sources(count=1, val=False), "train", "", 0.25, 0)
        assert {*again.validation[0].instances.ids} == parts[1]

    @pytest.mark.parametrize(
        ("dataset", "split", "validation", "says"),
        [
            (Sources(), "trian", "", "did you mean 'train'"),
            (Sources(), "train", "vla", "did you mean 'val'"),
            (Sources(count=0), "train", "", "there are: test, val"),
            (Sources(missing="train-1"), "train", "", "'train-1' has no annotated keypoints"),
            (Sources(missing="val-50"), "train", "", "'val-50' has no annotated keypoints"),
            (Sources(count=1, val=False, missing="train-0"), "train", "", "'train-0' has 0 annotated"),
        ],
    )
    def test_what_cannot_be_used_is_named(self, dataset: Dataset, split: str, validation: str, says: str) -> None:
        with pytest.raises(InputError, match=says):
            source_videos(dataset, split, validation, 0.1, 0)

    def test_different_skeletons_are_refused(self) -> None:
        one, other = stick_video(), stick_video()
        other = attrs.evolve(other, name="other", skeleton=attrs.evolve(other.skeleton, name="branch"))
        with pytest.raises(InputError, match="different skeletons"):
            SourceVideos([one], [other], "")


class TestTraining:
    def test_the_best_on_validation_is_kept(self, registered: Registered, tmp_path: Path) -> None:
        registry, out = registered(*components()), tmp_path / "out.safetensors"
        log = train(registry, task(registry, epochs=12, lr=2e-2), out)
        assert [line["epoch"] for line in log] == list(range(1, 13))
        assert log[-1]["loss"] < log[0]["loss"] / 1.5
        values = [line["validation_oks"] for line in log]
        assert max(values) > values[0]
        best = values.index(max(values)) + 1
        assert [line["epoch"] for line in log if line["kept"]][-1] == best
        shorter = tmp_path / "shorter.safetensors"
        train(registry, task(registry, epochs=best, lr=2e-2), shorter)
        assert shorter.read_bytes() == out.read_bytes()
        assert log_of(out) == told(log)
        assert sorted(p.name for p in tmp_path.iterdir() if p.name.startswith("out")) == [
            "out.safetensors", "out.safetensors.training",
        ]  # fmt: skip
        assert sorted(p.name for p in (tmp_path / "out.safetensors.training").iterdir()) == [
            ".lock", "log.jsonl", "settings.json",
        ]  # fmt: skip

    def test_without_validation_the_last_epoch_is_kept(self, registered: Registered, tmp_path: Path) -> None:
        registry = registered(*components())
        log = train(registry, task(registry, validation="none"), tmp_path / "out.safetensors")
        assert [(line["kept"], line["validation_oks"]) for line in log] == [(False, None), (False, None), (True, None)]

    def test_the_cache_makes_no_difference(self, registered: Registered, tmp_path: Path) -> None:
        registry = registered(*components())
        for megabytes in (0, 1, 100):
            train(registry, task(registry, cache_mb=megabytes, epochs=2), tmp_path / f"{megabytes}.safetensors")
        weights = [(tmp_path / f"{megabytes}.safetensors").read_bytes() for megabytes in (0, 1, 100)]
        assert weights[0] == weights[1] == weights[2]

    def test_a_loss_that_is_no_number_ends_it(self, registered: Registered, tmp_path: Path) -> None:
        registry = registered(*components())
        with pytest.raises(VatlError, match="diverged in epoch"):
            train(registry, task(registry, lr=1e30, epochs=5), tmp_path / "out.safetensors")

    def test_the_default_recipe_is_the_papers(self) -> None:
        flags = train_command.make_context("train", ["--out", "x.safetensors"]).params
        recipe = _recipe(flags)
        assert (recipe.optimiser, recipe.epochs, recipe.batch, recipe.weight_decay) == ("adam", 200, 32, 0.0)
        assert recipe.alike
        rates = [recipe.lr * rate_factor(recipe, epoch, 1) for epoch in (0, 89, 90, 119, 120, 199)]
        assert rates == pytest.approx([1e-3, 1e-3, 1e-4, 1e-4, 1e-5, 1e-5])
        assert recipe.augmentation == CropAugmentation()

    def test_every_setting_reaches_the_recipe(self) -> None:
        words = (
            "--out x.safetensors --epochs 10 --optimiser adamw --lr 0.5 --weight-decay 0.2 --batch 7 --milestone 3 "
            "--milestone 4 --decay 0.9 --one-cycle --rotation 1 --rotated 0.1 --scale 0.2 --flip 0.3 --half-body 0.4"
        )
        augmentation = CropAugmentation(1.0, 0.1, 0.2, 0.3, 0.4)
        assert _recipe(train_command.make_context("train", words.split()).params) == Recipe(
            10, 0.5, 0.2, 0.9, (3, 4), True, True, 7, augmentation, "adamw"
        )


class StoppedError(Exception):
    """As if the power had gone."""


class TestGoingOn:
    @pytest.mark.parametrize("validation", ["", "none"])
    @pytest.mark.parametrize("at", [0, 1, 2, 3])
    def test_it_ends_as_if_it_had_not_been_interrupted(
        self, registered: Registered, tmp_path: Path, validation: str, at: int
    ) -> None:
        registry = registered(*components())
        what = task(registry, validation=validation)
        train(registry, what, tmp_path / "plain.safetensors")

        def stop(stage: str, done: int, total: int) -> None:
            if done == at:
                raise StoppedError

        seen: list[int] = []
        with pytest.raises(StoppedError):
            train(registry, what, tmp_path / "cut.safetensors", stop)
        log = train(registry, what, tmp_path / "cut.safetensors", lambda stage, done, total: seen.append(done))
        assert seen == [0, 1, 2, 3], "the display counts what was done before"
        assert told(log) == log_of(tmp_path / "plain.safetensors") == log_of(tmp_path / "cut.safetensors")
        assert (tmp_path / "cut.safetensors").read_bytes() == (tmp_path / "plain.safetensors").read_bytes()

    def test_other_settings_do_not_go_on(self, registered: Registered, tmp_path: Path) -> None:
        registry, out = registered(*components()), tmp_path / "out.safetensors"
        train(registry, task(registry), out)
        before = {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}
        with pytest.raises(InputError, match=r"recipe\.lr: 0\.002 there, 0\.003 here") as error:
            train(registry, task(registry, lr=3e-3), out)
        assert "epochs" not in str(error.value)
        assert {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()} == before

    def test_what_is_done_is_not_done_again(self, registered: Registered, tmp_path: Path) -> None:
        registry, out, said = registered(*components()), tmp_path / "out.safetensors", []
        log = train(registry, task(registry), out)
        assert train(registry, task(registry), out, say=said.append) == log
        assert len(said) == 1
        assert "done already" in said[0]
        out.unlink()
        with pytest.raises(InputError, match="gone: delete the folder"):
            train(registry, task(registry), out)

    def test_two_do_not_train_into_one_file(self, registered: Registered, tmp_path: Path) -> None:
        registry, out = registered(*components()), tmp_path / "out.safetensors"

        def again(stage: str, done: int, total: int) -> None:
            with pytest.raises(InputError, match="another process"):
                train(registry, task(registry), out)

        train(registry, task(registry, epochs=3), out, again)

    def test_the_lock_stays_where_whoever_comes_next_looks_for_it(self, tmp_path: Path) -> None:
        folder = TrainingFolder(tmp_path / "out.safetensors", {})
        with folder.begun():
            (lock,) = tmp_path.rglob("*.lock")
            there = lock.stat().st_ino
        assert lock.stat().st_ino == there
        folder.check()

    def test_what_was_killed_before_it_wrote_anything_is_gone_on_with(self, tmp_path: Path) -> None:
        folder = TrainingFolder(tmp_path / "out.safetensors", {})
        folder.path.mkdir()
        with FileLock(folder.path / ".lock"):
            pass
        half = folder.path / ".settings.json.0f1e.part.json"
        half.touch()
        folder.check()
        with folder.begun():
            assert not half.exists()

    @pytest.mark.parametrize(
        ("name", "says"), [("state.pt", "state.pt is damaged"), ("settings.json", "settings.json is damaged")]
    )
    def test_damage_is_told(self, registered: Registered, tmp_path: Path, name: str, says: str) -> None:
        registry, out = registered(*components()), tmp_path / "out.safetensors"
        with pytest.raises(StoppedError):
            train(registry, task(registry), out, stopping_after(1))
        for damage in (b"{tor", b"text", b""):
            (tmp_path / "out.safetensors.training" / name).write_bytes(damage)
            with pytest.raises(InputError, match=says):
                train(registry, task(registry), out)

    def test_a_strangers_folder_is_left_alone(self, tmp_path: Path) -> None:
        (tmp_path / "out.safetensors.training").mkdir()
        (tmp_path / "out.safetensors.training" / "thesis.txt").write_text("mine")
        with pytest.raises(InputError, match="no training's"):
            TrainingFolder(tmp_path / "out.safetensors", {}).check()


def stopping_after(epoch: int) -> Callable[[str, int, int], None]:
    def stop(stage: str, done: int, total: int) -> None:
        if done == epoch:
            raise StoppedError

    return stop


# ---------------------------------------------------------------------------------------------------- whole commands
SHORT = (
    "train", "--dataset", "synthetic", "--estimator", "tiny", "-o", "tiny.width=8", "-o", "tiny.input_size=64,64",
    "-o", "synthetic.source_videos=2", "-o", "synthetic.source_frames=6", "--device", "cpu", "--half-body", "0.3",
    "--precision", "float32",
)  # fmt: skip


class TestCommand:
    def test_killed_it_goes_on_to_the_same_weights(
        self, vatl: Vatl, tmp_path: Path, environment: dict[str, str]
    ) -> None:
        words = [*SHORT, "--epochs", "16"]
        plain = vatl(*words, "--out", "plain.safetensors")
        assert plain.code == 0, plain.err
        assert "validation mean OKS" in plain.out
        process = Command([*words, "--out", "cut.safetensors"], tmp_path, environment)
        log = tmp_path / "cut.safetensors.training" / "log.jsonl"
        while not (log.exists() and len(log.read_text().splitlines()) >= 3):
            assert process.poll() is None, "it ended before it could be killed"
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert len(log.read_text().splitlines()) < 16
        assert vatl(*words, "--out", "cut.safetensors").code == 0
        assert log_of(tmp_path / "cut.safetensors") == log_of(tmp_path / "plain.safetensors")
        assert (tmp_path / "cut.safetensors").read_bytes() == (tmp_path / "plain.safetensors").read_bytes()

    @pytest.mark.parametrize(
        ("words", "says"),
        [
            (["--out", "x.pth"], "end the name in .safetensors"),
            (["--out", "x.safetensors", "--split", "trian"], "did you mean 'train'"),
            (["--out", "x.safetensors", "--held-out", "1"], "held-out"),
            (["--out", "x.safetensors", "--optimiser", "sgd"], "adamw"),
        ],
    )
    def test_bad_input_is_one_line_and_writes_nothing(
        self, vatl_here: Vatl, tmp_path: Path, words: list[str], says: str
    ) -> None:
        outcome = vatl_here(*SHORT, *words)
        assert outcome.code == 2
        assert says in outcome.err
        assert outcome.err.count("\n") == 1
        assert not list(tmp_path.iterdir())


class TestTorchrun:
    """Two processes on the CPU, as ``torchrun`` starts them."""

    @staticmethod
    def torchrun(tmp_path: Path, environment: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", *words]
        variables = environment | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
        return subprocess.run(command, cwd=tmp_path, env=variables, capture_output=True, text=True, timeout=300)

    def test_two_processes_do_what_one_does(
        self, registered: Registered, tmp_path: Path, environment: dict[str, str]
    ) -> None:
        """With batches that do not divide evenly, on a network that normalises nothing and has an unused layer."""
        script = tmp_path / "both.py"
        script.write_text(SCRIPT)
        done = self.torchrun(tmp_path, environment, str(script))
        assert done.returncode == 0, done.stderr
        registry = registered(*components())
        log = train(registry, task(registry, estimator="remembered"), tmp_path / "one.safetensors")
        for one, two in zip(told(log), log_of(tmp_path / "two.safetensors"), strict=True):
            assert two["loss"] == pytest.approx(one["loss"], rel=1e-4)
            assert two["validation_oks"] == pytest.approx(one["validation_oks"], rel=1e-3)
            assert two["lr"] == one["lr"]
        ranks = [torch.load(tmp_path / f"rank{rank}.pt", weights_only=True) for rank in range(2)]
        kept = read_checkpoint(tmp_path / "one.safetensors").tensors
        for name, weight in ranks[0].items():
            assert torch.equal(weight, ranks[1][name]), name
        for name, weight in Remembered.made[-1].named_parameters():
            torch.testing.assert_close(ranks[0][name], weight, rtol=1e-3, atol=1e-5)
        assert kept.keys() == ranks[0].keys()

    def test_the_command_writes_and_speaks_once(self, tmp_path: Path, environment: dict[str, str]) -> None:
        words = ["-m", "vatl_core.cli", *SHORT, "--epochs", "2", "--out", "two.safetensors"]
        done = self.torchrun(tmp_path, environment, *words)
        assert done.returncode == 0, done.stderr
        assert done.stdout.count("two.safetensors: epoch") == 1
        assert done.stderr.count("training on") == 1
        assert [line["epoch"] for line in log_of(tmp_path / "two.safetensors")] == [1, 2]

    @pytest.mark.parametrize(("count", "batch", "fits"), [(8, 2, True), (9, 2, False), (9, 1, False), (1, 32, False)])
    def test_a_batch_that_leaves_somebody_without_work_is_refused(self, count: int, batch: int, fits: bool) -> None:
        with nullcontext() if fits else pytest.raises(InputError, match="choose a larger --batch or fewer processes"):
            _enough(count, Recipe(1, batch=batch), Team(0, 2))

    def test_there_is_a_gpu_for_each_process(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
        monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
        monkeypatch.setattr(torch.cuda, "set_device", lambda number: None)
        assert [own_device("auto", number, 2) for number in range(2)] == ["cuda:0", "cuda:1"]
        assert own_device("cpu", 1, 2) == "cpu"
        with pytest.raises(InputError, match=r"3 processes cannot share 2 GPU"):
            own_device("cuda", 0, 3)


SCRIPT = """
import os
import torch
from pathlib import Path
from tests.conftest import SticksPlugin
from tests.unit.test_source_training import Remembered, components, task
from vatl_core.discovery import discover
from vatl_train.training import train

registry = discover()
registry.manager.register(SticksPlugin(*components()), name="tests")
train(registry, task(registry, estimator="remembered"), Path("two.safetensors"))
threads = {path.read_text().strip() for path in Path("/proc/self/task").glob("*/comm")}
assert not any("gloo" in name for name in threads), threads  # one at work while Python ends aborts the process
torch.save(Remembered.made[-1].state_dict(), f"rank{os.environ['RANK']}.pt")
"""

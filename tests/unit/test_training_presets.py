"""The published recipes of source training: what each sets, its rate in every epoch, and what goes before it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs
import pytest
from click.testing import CliRunner

from tests.conftest import Registered
from tests.unit.test_source_training import StoppedError, components, log_of, task, told
from vatl_augmentation import CropAugmentation
from vatl_core.cli.run import command as run_command
from vatl_core.contracts import Recipe
from vatl_core.discovery import discover
from vatl_core.errors import InputError
from vatl_core.learning.optimisation import rate_factor
from vatl_kit.plugin_checks import check_plugins
from vatl_kit.showing import show
from vatl_train import training
from vatl_train.commands.train import command
from vatl_train.training import SourceTraining, train

NAMES = ["posetrack21-simplebaseline", "posetrack21-fastpose", "posetrack21-hrnet", "jrdb-pose-fastpose"]


def shorter(epoch: int) -> float:
    """PoseTrack21's rate in an epoch, from 0."""
    if epoch < 140:
        return 1e-3 if epoch < 90 else 1e-4 if epoch < 120 else 1e-5
    return 1e-3 if epoch < 160 else 1e-4 if epoch < 190 else 1e-5


def longer(epoch: int) -> float:
    """HRNet's."""
    if epoch < 210:
        return 1e-3 if epoch < 170 else 1e-4 if epoch < 200 else 1e-5
    return 1e-3 if epoch < 230 else 1e-4 if epoch < 250 else 1e-5


def panoramas(epoch: int) -> float:
    """JRDB-Pose's."""
    return 5e-4 if epoch < 90 else 5e-5


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Callable[..., SourceTraining]:
    """What the command would train by these words."""

    def ask(*words: str) -> SourceTraining:
        tasks: list[SourceTraining] = []

        def noted(registry: Any, task: SourceTraining, *_: Any) -> None:
            tasks.append(task)
            raise InputError("enough")

        monkeypatch.setattr(training, "train", noted)
        outcome = CliRunner().invoke(command, ["--out", "x.safetensors", *words])
        assert str(outcome.exception) == "enough", outcome.exception
        return tasks[0]

    return ask


Ask = Callable[..., SourceTraining]


class TestPublished:
    @pytest.mark.parametrize(
        ("name", "dataset", "estimator", "batch", "epochs", "rate"),
        [
            ("posetrack21-simplebaseline", "posetrack21", "simplebaseline", 180, 200, shorter),
            ("posetrack21-fastpose", "posetrack21", "fastpose", 70, 200, shorter),
            ("posetrack21-hrnet", "posetrack21", "hrnet", 170, 270, longer),
            ("jrdb-pose-fastpose", "jrdb-pose", "fastpose", 240, 100, panoramas),
        ],
    )
    @pytest.mark.parametrize("steps", [1, 3])
    def test_the_recipe_and_its_rate_in_every_epoch(
        self,
        asked: Ask, name: str, dataset: str, estimator: str, batch: int, epochs: int, rate: Callable[[int], float],
        steps: int,
    ) -> None:  # fmt: skip
        made = asked("--preset", name)
        recipe = made.recipe
        assert (made.config.dataset, made.config.estimator, made.config.weights) == (dataset, estimator, "none")
        assert (recipe.optimiser, recipe.batch, recipe.epochs, recipe.weight_decay) == ("adam", batch, epochs, 0.0)
        assert recipe.alike
        assert recipe.augmentation == CropAugmentation(rotation=40, rotated=0.6, scale=0.3, flip=0.5, half_body=0)
        for epoch in range(epochs):
            for step in range(steps):
                found = recipe.lr * rate_factor(recipe, epoch * steps + step, steps)
                assert found == pytest.approx(rate(epoch)), f"epoch {epoch}"

    @pytest.mark.parametrize("name", NAMES)
    def test_they_are_shown_in_full(self, name: str) -> None:
        page = CliRunner().invoke(show, [name]).output
        assert f"preset {name}: For vatl train: " in page
        for line in ("[run]", "[train]", 'optimiser = "adam"', "milestones = [", "restarts = ["):
            assert line in page
        (told_of,) = json.loads(CliRunner().invoke(show, [name, "--json"]).output)
        assert told_of["sets"]["train"]["batch"] == {"s": 180, "f": 70, "h": 170}.get(name.partition("-")[2][0], 240)

    def test_checks_find_nothing_wrong_with_them(self) -> None:
        for name in NAMES:
            assert not any(finding.problem for finding in check_plugins(discover(), name))


class TestPrecedence:
    @pytest.mark.parametrize(
        ("words", "changes"),
        [
            (["--epochs", "7"], {"epochs": 7}),
            (["--lr", "0.001"], {"lr": 1e-3}),
            (["--lr", "0.01"], {"lr": 1e-2}),
            (["--batch", "32"], {"batch": 32}),
            (["--milestone", "3", "--milestone", "5"], {"milestones": (3, 5)}),
            (["--restart", "4"], {"restarts": (4,)}),
            (["--optimiser", "adamw", "--weight-decay", "0.1"], {"optimiser": "adamw", "weight_decay": 0.1}),
            (["--one-cycle"], {"one_cycle": True}),
            (["--flip", "0"], {"augmentation": CropAugmentation(flip=0)}),
        ],
        ids=str,
    )
    def test_what_is_given_goes_before_the_preset_even_where_it_is_the_default(
        self, asked: Ask, words: list[str], changes: dict[str, Any]
    ) -> None:
        plain = asked("--preset", "posetrack21-hrnet").recipe
        assert asked("--preset", "posetrack21-hrnet", *words).recipe == attrs.evolve(plain, **changes)

    def test_so_do_data_set_estimator_and_options(self, asked: Ask) -> None:
        words = ("--preset", "posetrack21-hrnet", "--dataset", "synthetic", "--weights", "auto")
        config = asked(*words, "-o", "hrnet.width=48").config
        assert (config.dataset, config.estimator, config.weights) == ("synthetic", "hrnet", "auto")
        assert config.of("estimator", "hrnet") == {"width": "48"}
        other = asked(*words, "--estimator", "tiny").config
        assert (other.estimator, other.options.get("estimator", {})) == ("tiny", {})

    def test_without_a_preset_nothing_is_begun_again(self, asked: Ask) -> None:
        assert asked().recipe.restarts == ()


class TestRefusals:
    @pytest.mark.parametrize(
        ("words", "said"),
        [
            (["--preset", "posetrack21-hrnt"], "did you mean 'posetrack21-hrnet'?"),
            (["--preset", "vatl4pose"], "preset 'vatl4pose' is for `vatl run --preset vatl4pose`: recipes are posetr"),
            (["--one-cycle", "--restart", "3"], "--restart has nothing to begin again under --one-cycle"),
        ],
    )
    def test_is_one_line_and_nothing_is_written(
        self, words: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        outcome = CliRunner().invoke(command, ["--out", "x.safetensors", *words])
        assert isinstance(outcome.exception, InputError)
        assert re.search(re.escape(said), str(outcome.exception))
        assert "\n" not in str(outcome.exception)
        assert not list(tmp_path.iterdir())

    def test_a_run_is_not_made_by_a_recipe(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        outcome = CliRunner().invoke(run_command, ["--preset", "posetrack21-hrnet"])
        assert str(outcome.exception).startswith(
            "preset 'posetrack21-hrnet' is for `vatl train --preset posetrack21-hr"
        )
        assert not list(tmp_path.iterdir())


def restarting(of: SourceTraining) -> SourceTraining:
    """Six epochs, in the middle of which the rate goes up again."""
    return attrs.evolve(of, recipe=attrs.evolve(of.recipe, epochs=6, milestones=(1, 2, 5), restarts=(3,)))


class TestTraining:
    RATES = (2e-3, 2e-4, 2e-5, 2e-3, 2e-3, 2e-4)

    @pytest.mark.parametrize("at", [2, 3])
    def test_it_learns_at_these_rates_and_goes_on_exactly(
        self, registered: Registered, tmp_path: Path, at: int
    ) -> None:
        registry = registered(*components())
        what = restarting(task(registry, validation="none"))
        plain = train(registry, what, tmp_path / "plain.safetensors")
        assert [line["lr"] for line in plain] == pytest.approx(self.RATES)

        def stop(stage: str, done: int, total: int) -> None:
            if done == at:
                raise StoppedError

        with pytest.raises(StoppedError):
            train(registry, what, tmp_path / "cut.safetensors", stop)
        log = train(registry, what, tmp_path / "cut.safetensors")
        assert told(log) == told(plain) == log_of(tmp_path / "cut.safetensors")
        assert (tmp_path / "cut.safetensors").read_bytes() == (tmp_path / "plain.safetensors").read_bytes()

    def test_other_restarts_do_not_go_on(self, registered: Registered, tmp_path: Path) -> None:
        registry = registered(*components())
        what = task(registry, validation="none", epochs=1)
        train(registry, what, tmp_path / "out.safetensors")
        with pytest.raises(InputError, match=r"recipe\.restarts: \[\] there, \[3\] here"):
            train(
                registry,
                attrs.evolve(what, recipe=attrs.evolve(what.recipe, restarts=(3,))),
                tmp_path / "out.safetensors",
            )

    def test_decay_begins_again_too_and_several_restarts_each_count(self) -> None:
        recipe = Recipe(8, 1.0, decay=0.5, milestones=(3, 5), restarts=(2, 5))
        rates = [rate_factor(recipe, epoch, 1) for epoch in range(8)]
        assert rates == pytest.approx([1, 0.5, 1, 0.05, 0.025, 0.1, 0.05, 0.025])

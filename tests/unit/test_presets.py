"""Presets: what they set, what takes precedence, how they are recorded and repeated, and what can go wrong."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import attrs
import pytest
import tomli_w
from click.testing import CliRunner

from tests.conftest import Registered, Vatl, configured
from vatl_core.cli.run import command
from vatl_core.config import ROLES, RunConfig
from vatl_core.config_files import configure, read_toml
from vatl_core.discovery import discover
from vatl_core.errors import InputError, PluginError
from vatl_core.hookspecs import hookimpl
from vatl_core.plugins import Component, Preset, Registry, build
from vatl_core.records import CycleRecord, History
from vatl_core.run import execute
from vatl_kit.showing import show
from vatl_retraining.policies import Policy
from vatl_train.presets import TrainingPreset

NAMES = [
    "core-set",
    "fewest-labels",
    "k-means",
    "lc",
    "mpe",
    "mpe+influence",
    "random",
    "thc",
    "thc+dwc",
    "thc+wpu",
    "tpc",
    "vatl4pose",
    "vatl4pose-decrease",
    "vatl4pose-fixed-lambda",
    "vatl4pose-from-source",
    "vatl4pose-increase",
    "vatl4pose-mva2023",
    "wpu",
    "wpu+dwc",
]
ALIKE = {"mpe", "thc", "thc+wpu", "vatl4pose-decrease", "vatl4pose-increase", "wpu", "wpu+dwc"}
"""Those of parts that other presets have, too."""
PUBLISHED = [name for name in NAMES if name != "fewest-labels"]


class Bringing:
    """A stranger's plugin that brings presets."""

    def __init__(self, *brought: Preset) -> None:
        self.brought = brought

    @hookimpl
    def vatl_presets(self) -> list[Preset]:
        return list(self.brought)


class Describing:
    """A plugin with components only."""

    def __init__(self, *components: Component) -> None:
        self.components = components

    @hookimpl
    def vatl_components(self) -> list[Component]:
        return list(self.components)


def knowing(*datasets: str) -> Registry:
    """What is installed, and data sets of these names."""
    registry = discover()
    missing = [Component("dataset", n, "", "nowhere:Nothing") for n in datasets if n not in discover().names("dataset")]
    registry.manager.register(Describing(*missing), name="more")
    return registry


def of_runs(registry: Registry) -> list[str]:
    """The names of all presets but the recipes of source training."""
    presets = registry.described("preset")
    return sorted(name for name, preset in presets.items() if not isinstance(preset, TrainingPreset))


def of(name: str, registry: Registry | None = None, /, **settings: Any) -> RunConfig:
    """The configuration that a preset leads to, with these settings above it."""
    return configure(registry or discover(), settings | {"preset": name}, settings.pop("options", {}))


def asked(labelled: int = 0, random_source: bool = False) -> History:
    """A cycle that asked for one of 500 instances, whose OKS was 0.6."""
    record = CycleRecord(labelled, 500, labelled, (0,))
    record = attrs.evolve(record, query_oks=(0.6,), labelled_oks=(0.6,) * (labelled + 1))
    return History((record,), 0.5, random_source=random_source)


class TestPublished:
    def test_all_are_there(self) -> None:
        assert of_runs(discover()) == NAMES

    @pytest.mark.parametrize(
        ("name", "query", "select"),
        [
            ("vatl4pose", "thc+wpu", "duw"),
            ("vatl4pose-mva2023", "thc+wpu", "dwc"),
            ("random", "random", "random"),
            ("lc", "lc", "top"),
            ("k-means", "random", "kmeans"),
            ("core-set", "random", "coreset"),
            ("mpe+influence", "mpe+influence", "top"),
            ("tpc", "tpc", "top"),
            ("mpe", "mpe", "top"),
            ("thc", "thc", "top"),
            ("wpu", "wpu", "top"),
            ("thc+wpu", "thc+wpu", "top"),
            ("thc+dwc", "thc", "dwc"),
            ("wpu+dwc", "wpu", "dwc"),
            ("vatl4pose-increase", "thc+wpu", "duw"),
            ("vatl4pose-decrease", "thc+wpu", "duw"),
            ("vatl4pose-fixed-lambda", "thc+wpu", "fixed-lambda"),
        ],
    )
    def test_what_scores_and_what_picks(self, name: str, query: str, select: str) -> None:
        config = of(name)
        assert (config.query, config.select) == (query, select)
        assert (config.retrain, config.stop, config.preset) == ("continual", ("none",), name)
        assert config.schedule == ("0.05", "0.1", "0.15", "0.2", "0.3", "0.4", "0.6", "0.8", "1.0")

    @pytest.mark.parametrize(
        ("name", "differing"),
        [
            ("vatl4pose-increase", {"query_weights": "increase"}),
            ("vatl4pose-decrease", {"query_weights": "decrease"}),
            ("vatl4pose-from-source", {"retrain": "from-source"}),
            ("vatl4pose-fixed-lambda", {"select": "fixed-lambda"}),
        ],
    )
    @pytest.mark.parametrize("dataset", ["synthetic", "posetrack21", "jrdb-pose"])
    def test_variants_of_the_method_differ_from_it_in_one_thing(
        self, name: str, differing: dict[str, str], dataset: str
    ) -> None:
        registry = knowing(dataset)
        method, variant = (of(n, registry, dataset=dataset) for n in ("vatl4pose", name))
        assert attrs.evolve(variant, preset="", options={}) == attrs.evolve(method, preset="", options={}, **differing)
        assert variant.of("select", variant.select) == method.of("select", "duw")
        assert variant.of("query", "wpu") == method.of("query", "wpu")
        shared = {"alpha", "lr", "decay", "batch", "weight_decay"}
        retraining = [c.of("retrain", c.retrain) for c in (method, variant)]
        assert {k: retraining[0][k] for k in shared} == {k: retraining[1][k] for k in shared}

    @pytest.mark.parametrize("name", PUBLISHED)
    def test_what_the_released_code_does_and_we_by_default_do_not(self, name: str) -> None:
        config = of(name)
        assert (config.precision, config.rounding) == ("float32", "down")
        policy = build(discover(), "retraining", config.retrain, config.of("retrain", config.retrain))
        assert isinstance(policy, Policy)
        assert policy.schedule == ("cycle" if name.endswith("from-source") else "run")
        recipes = [policy.recipe(asked(random_source=random)) for random in (False, True)]
        assert recipes[0] == recipes[1], "whatever the source weights are"
        assert (recipes[1].epochs, recipes[1].lr, recipes[1].one_cycle) == (100, 2.5e-4, False)

    @pytest.mark.parametrize(("retrain", "epochs"), [("from-source", 101), ("from-scratch", 101)])
    def test_other_published_ways_of_retraining_are_as_published_too(self, retrain: str, epochs: int) -> None:
        registry = knowing("jrdb-pose")
        config = of("lc", registry, retrain=retrain, dataset="jrdb-pose")
        policy = build(registry, "retraining", retrain, config.of("retrain", retrain))
        recipe = policy.recipe(asked(labelled=19, random_source=True))
        assert (recipe.epochs, recipe.batch, recipe.one_cycle, recipe.alike) == (epochs, 32, False, False)

    def test_lambda_is_that_of_the_configuration_or_of_the_table(self) -> None:
        registry = knowing("posetrack21", "jrdb-pose")

        def weight(name: str, dataset: str, **settings: Any) -> Any:
            config = of(name, registry, dataset=dataset, **settings)
            return config.of("select", config.select)["uncertainty_weight"]

        assert weight("vatl4pose", "posetrack21") == weight("vatl4pose", "synthetic") == 0.01
        assert weight("vatl4pose", "jrdb-pose") == 1000
        other = {"select": {"duw": {"uncertainty_weight": 0.01}}}
        assert weight("vatl4pose", "jrdb-pose", options=other) == 0.01
        assert weight("vatl4pose-mva2023", "jrdb-pose") == 0.01, "w, not λ"

    def test_what_is_done_by_default_is_the_preset_for_the_fewest_labels(self) -> None:
        preset, default = of("fewest-labels"), configure(discover(), {}, {})
        assert attrs.evolve(preset, preset="", name="") == attrs.evolve(default, name="")

    @pytest.mark.parametrize("dataset", ["synthetic", "coco", "posetrack21", "jrdb-pose"])
    @pytest.mark.parametrize("name", NAMES)
    def test_every_option_that_is_set_exists_and_fits(self, name: str, dataset: str) -> None:
        registry = knowing(dataset)
        config = of(name, registry, dataset=dataset)
        for role, tables in config.options.items():
            for component, options in tables.items():
                needed = {"root": "."} if role == "dataset" else {}
                build(registry, ROLES[role], component, needed | options)

    def test_hyper_parameters_are_those_of_the_data_set(self) -> None:
        registry = knowing("posetrack21", "jrdb-pose")
        posetrack, jrdb = (of("vatl4pose", registry, dataset=name) for name in ("posetrack21", "jrdb-pose"))
        assert posetrack.of("retrain", "continual")["batch"] == 120
        assert jrdb.of("retrain", "continual")["batch"] == 32
        assert posetrack.of("query", "wpu")["ignore"] == ["left_ear", "right_ear"]
        assert "ignore" not in jrdb.of("query", "wpu")
        assert posetrack.threshold == jrdb.threshold == 1.0
        assert of("vatl4pose").threshold == 0.5
        assert posetrack.of("retrain", "continual")["alpha"] == 250

    def test_the_data_set_keeps_its_own_estimator(self) -> None:
        assert of("vatl4pose").estimator == "tiny"
        assert of("vatl4pose", estimator="hrnet").estimator == "hrnet"

    @pytest.mark.parametrize("name", sorted({*NAMES} - ALIKE))
    def test_a_run_of_it_ends(self, name: str, registered: Registered, tmp_path: Path) -> None:
        registry = registered()
        small = {"estimator": {"tiny": {"input_size": [32, 32], "width": 4}}, "retrain": {}}
        small["retrain"] = {"few-labels": {"steps": 2, "epochs": 1}}
        small["retrain"] |= {policy: {"alpha": 2, "scratch_epochs": 1} for policy in ("continual", "from-source")}
        small["query"] = {"wpu": {"pretrain_epochs": 2}}
        settings = {"preset": name, "dataset": "sticks", "estimator": "tiny", "schedule": ["3", "5"]}
        config = configure(registry, settings | {"runs": tmp_path, "device": "cpu", "precision": "float32"}, small)
        record = execute(config, registry)
        assert (record.stopped_by, record.labelled, record.cycles) == ("schedule", 5, 2)


class TestPrecedence:
    def test_a_setting_of_the_user_takes_the_presets_place(self) -> None:
        config = of("vatl4pose", select="top", stop=["sc-correct"], schedule=["0.5"])
        assert (config.query, config.select, config.stop) == ("thc+wpu", "top", ("sc-correct",))
        assert config.schedule == ("0.5",)

    def test_options_are_merged_one_by_one(self) -> None:
        config = of("vatl4pose", options={"retrain": {"continual": {"alpha": 7}}})
        assert config.of("retrain", "continual")["alpha"] == 7
        assert config.of("retrain", "continual")["lr"] == 2.5e-4

    def test_what_it_says_of_parts_that_are_not_used_is_left_out(self) -> None:
        config = of("vatl4pose", query="lc", select="top", retrain="full")
        assert not any(config.options.values())

    def test_the_preset_itself_is_not_changed(self) -> None:
        registry = discover()
        before = registry.find("preset", "vatl4pose").on("jrdb-pose")
        of("vatl4pose", registry, options={"retrain": {"continual": {"alpha": 7}}})
        assert registry.find("preset", "vatl4pose").on("jrdb-pose") == before
        assert registry.find("preset", "vatl4pose").on("posetrack21")[1]["retrain"]["continual"]["batch"] == 120

    def test_defaults_then_preset_then_file_then_command_line(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        file = tmp_path / "run.toml"
        file.write_text(
            '[run]\nquery = "wpu"\nseed = 3\n[query.wpu]\nz_dim = 5\n[retrain.continual]\nalpha = 9\nlr = 0.1\n'
        )
        made = _typed(
            monkeypatch,
            *("--preset", "vatl4pose", "--config", str(file), "--seed", "4", "-o", "continual.lr=0.2"),
        )
        assert (made.query, made.seed, made.select) == ("wpu", 4, "duw")
        assert made.of("query", "wpu") == {"z_dim": 5}
        expected = {"alpha": 9, "lr": "0.2", "decay": 0.99, "batch": 120}
        assert expected.items() <= made.of("retrain", "continual").items()
        assert made.batch is None

    def test_a_file_may_name_it_and_the_command_line_another(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        file = tmp_path / "run.toml"
        file.write_text('[run]\npreset = "lc"\n')
        assert _typed(monkeypatch, "--config", str(file)).query == "lc"
        both = _typed(monkeypatch, "--config", str(file), "--preset", "tpc")
        assert (both.query, both.preset) == ("tpc", "tpc")


def _typed(monkeypatch: pytest.MonkeyPatch, *words: str) -> RunConfig:
    """The configuration that the words after ``vatl run`` lead to; nothing is run."""
    made: list[RunConfig] = []

    class Catching:
        def map(self, work: Any, runs: list[RunConfig]) -> list[None]:
            made.extend(runs)
            raise SystemExit(0)

    monkeypatch.setattr("vatl_core.plugins.build", lambda *_: Catching())
    outcome = CliRunner().invoke(command, list(words), catch_exceptions=False)
    assert outcome.exit_code == 0, outcome.output
    return made[0]


class TestRecord:
    def test_a_run_records_the_name_and_every_value(self, registered: Registered, tmp_path: Path) -> None:
        registry = registered()
        small = {"estimator": {"tiny": {"input_size": [32, 32], "width": 4}}, "retrain": {"continual": {"alpha": 2}}}
        unsaid = dict.fromkeys(("query", "select", "retrain", "refine", "stop"))
        wanted = {"preset": "lc", "schedule": ["2"], "weights": "none"} | unsaid
        config = configured(registry, tmp_path, **wanted, options=small)
        execute(config, registry)
        written = tomllib.loads((tmp_path / "run" / "config.toml").read_text())
        assert written["run"]["preset"] == "lc"
        assert written["run"]["select"] == "top"
        assert written["retrain"]["continual"].items() >= {"alpha": 2, "batch": 120, "schedule": "run"}.items()

    def test_its_configuration_repeats_it_when_the_preset_is_gone_or_changed(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        first = _typed(monkeypatch, "--preset", "vatl4pose", "-o", "wpu.z_dim=6", "--name", "first")
        file = tmp_path / "config.toml"
        file.write_text(tomli_w.dumps(first.to_toml() | {"made_with": {"vatl-core": "0"}}))
        plain = Registry.find

        def find(registry: Registry, kind: str, name: str) -> Any:
            assert kind != "preset", "it is not looked up"
            return plain(registry, kind, name)

        monkeypatch.setattr(Registry, "find", find)
        again = _typed(monkeypatch, "--config", str(file))
        assert again == first

    def test_a_users_file_is_told_from_a_runs_own(self, tmp_path: Path) -> None:
        file = tmp_path / "a.toml"
        file.write_text('[run]\npreset = "lc"\n')
        assert read_toml(file, discover()) == ({"preset": "lc"}, {}, False)
        file.write_text('[run]\npreset = "lc"\n[made_with]\nvatl-core = "0.1.0"\n')
        assert read_toml(file, discover()) == ({"preset": "lc"}, {}, True)


class TestWhatCanGoWrong:
    def test_a_misspelt_name_gets_the_nearest_and_the_list(self) -> None:
        with pytest.raises(
            InputError, match=r"did you mean 'vatl4pose'.*there are: core-set, fewest-labels, .*k-means, lc"
        ):
            discover().find("preset", "vatl4poes")

    def test_two_plugins_that_claim_a_name_are_both_named(self) -> None:
        registry = discover()
        registry.manager.register(Bringing(Preset("lc", "", {})), name="stranger 2.0")
        with pytest.raises(
            PluginError, match=r"claimed by .*(vatl-presets.*stranger 2\.0|stranger 2\.0.*vatl-presets)"
        ):
            registry.find("preset", "lc")
        assert registry.find("preset", "tpc").name == "tpc"

    def test_a_part_that_is_not_installed_is_named_in_one_line(self) -> None:
        registry = discover()
        registry.manager.register(Bringing(Preset("mine", "", {"run": {"query": "lc+zeal"}})), name="stranger")
        with pytest.raises(InputError, match="preset 'mine' needs the criterion 'zeal', which is not installed"):
            of("mine", registry)
        assert of("mine", registry, query="lc").query == "lc"

    @pytest.mark.parametrize(
        ("tables", "says"),
        [({"run": {"colour": 1}}, "'colour'"), ({"rub": {}}, r"\[rub\]"), ({"run": {"preset": "lc"}}, "'preset'")],
    )
    def test_a_preset_that_sets_what_does_not_exist_is_the_plugins_fault(self, tables: Any, says: str) -> None:
        registry = discover()
        registry.manager.register(Bringing(Preset("mine", "", tables)), name="stranger 2.0")
        with pytest.raises(PluginError, match=rf"'mine' of stranger 2\.0 sets {says}"):
            of("mine", registry)

    def test_a_plugin_that_fails_to_describe_its_presets_leaves_the_others(self) -> None:
        class Failing:
            @hookimpl
            def vatl_presets(self) -> list[Preset]:
                raise RuntimeError("no luck")

        registry = discover()
        registry.manager.register(Failing(), name="stranger")
        assert of_runs(registry) == NAMES
        assert registry.broken["stranger"] == "RuntimeError: no luck"

    def test_on_the_command_line(self, vatl_here: Vatl, tmp_path: Path) -> None:
        outcome = vatl_here("run", "--preset", "vatl4poes")
        assert outcome.code == 2
        assert "did you mean 'vatl4pose'?" in outcome.err
        assert outcome.err.count("\n") == 1
        assert not list(tmp_path.iterdir())


class TestShown:
    def test_the_list_has_them_with_their_help(self, vatl_here: Vatl) -> None:
        outcome = vatl_here("plugins", "list")
        lines = [line.split() for line in outcome.out.splitlines() if line.startswith("preset ")]
        assert [words[1] for words in lines] == sorted(discover().names("preset"))
        assert "(Taketsugu & Ukita, WACV 2024)" in outcome.out

    def test_what_one_sets_is_shown_as_a_configuration_file(self) -> None:
        shown = CliRunner().invoke(show, ["vatl4pose"], catch_exceptions=False).output
        general, posetrack, jrdb = shown.partition("[run]")[2].split("and for --dataset")
        tables = tomllib.loads("[run]" + general)
        assert tables["run"]["query"] == "thc+wpu"
        assert tables["retrain"]["continual"]["alpha"] == 250
        assert 'ignore = ["left_ear", "right_ear"]' in posetrack
        assert "batch = 32" in jrdb

    def test_a_name_that_a_component_has_too_shows_both(self) -> None:
        shown = CliRunner().invoke(show, ["random"], catch_exceptions=False).output
        assert all(f"{kind} random: " in shown for kind in ("criterion", "selector", "preset"))

"""The search for options: what it is told, by what trials are judged, and that it goes on where it was left."""

from __future__ import annotations

import csv
import json
import math
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, get_type_hints

import attrs
import optuna
import pytest
import tomli_w
import torch
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.study import Study
from optuna.trial import TrialState

from tests import trees
from vatl_core.config import RunConfig
from vatl_core.config_files import configure
from vatl_core.discovery import discover
from vatl_core.errors import InputError, VatlError
from vatl_core.metrics import alc
from vatl_core.records import CycleRecord, Evaluation, RunRecord, to_json
from vatl_core.run import execute
from vatl_core.store import RunFolder
from vatl_executors.local import Local
from vatl_sweep import SweepFolder, execution
from vatl_sweep.plan import read_plan
from vatl_sweep.stepping import step_to
from vatl_tune.command import command
from vatl_tune.objective import Objective
from vatl_tune.results import best_toml, importances, write_results
from vatl_tune.setup import Setup
from vatl_tune.space import parameters
from vatl_tune.storage import FILE, check_storage
from vatl_tune.tuning import mean_curve, tune

SMALL: dict[str, Any] = {
    "run": {"retrain": "continual", "select": "duw", "query": "lc", "schedule": ["1", "2"], "device": "cpu"},
    "dataset": {"synthetic": {"frames": 3, "people": 1, "source_videos": 1}},
    "estimator": {"tiny": {"input_size": [64, 64]}},
    "executor": {"local": {"jobs": "none"}},
    "tune": {
        "videos": ["beach", "gym"],
        "trials": 8,
        "measure": "mean-oks",
        "objective": "final",
        "search": {"duw": {"uncertainty_weight": "1e-4..1e3:log"}},
    },
}
CYCLES = 5
Read = Callable[..., Setup]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Reads a search: the small one with some tables replaced, and settings of [tune] from the command line."""

    def from_file(*search: str, tables: Mapping[str, Any] | None = None, **said: Any) -> Setup:
        path = tmp_path / "small.toml"
        path.write_text(tomli_w.dumps(SMALL | dict(tables or {})))
        return Setup.read(discover(), path, {"folder": tmp_path / "tuned"} | said, search)

    return from_file


def told(**tables: Any) -> dict[str, Any]:
    """The table [tune] of the small search with some settings replaced; None takes one away."""
    return {"tune": {name: value for name, value in (SMALL["tune"] | tables).items() if value is not None}}


def evaluation(**figures: Any) -> Evaluation:
    return Evaluation(**(empty(Evaluation) | figures))


def empty(kind: type) -> dict[str, Any]:
    """A value of its type for every field of a record."""
    return {name: of() if callable(of) else None for name, of in get_type_hints(kind).items()}


def cycle(number: int, labelled: int, **figures: Any) -> CycleRecord:
    return CycleRecord(number, instances=100, labelled=labelled, evaluation=evaluation(**figures))


def quality(config: RunConfig) -> float:
    """Best at λ = 1, where nobody has drawn yet."""
    return 1 - 0.1 * abs(math.log10(float(config.of("select", "duw").get("uncertainty_weight", 0.01))))


@attrs.define
class Acting:
    """Stands in for carrying runs out: what a run comes to depends on λ and on how many cycles there were."""

    failing: Callable[[RunConfig], bool] = lambda config: False
    killed_at: int = -1
    moments: int = 0
    cycles: int = 0

    def moment(self, *_: object) -> None:
        """Something has been written, or is going to be."""
        self.moments += 1
        if self.moments == self.killed_at:
            raise KeyboardInterrupt

    def step(self, config: RunConfig, cycles: int) -> Path:
        for number in range(len(RunFolder(config.path).cycles()), min(cycles, CYCLES)):
            self.cycles += 1
            self.moment()
            if self.failing(config):
                raise VatlError("the weights are gone")
            config.path.mkdir(parents=True, exist_ok=True)
            (config.path / "config.toml").write_text(tomli_w.dumps(config.to_toml()))
            record = cycle(number, 10 * number, mean_oks=quality(config) * (number + 1) / CYCLES)
            with (config.path / "cycles.jsonl").open("a") as file:
                file.write(json.dumps(to_json(record)) + "\n")
        return config.path

    def __call__(self, config: RunConfig) -> RunRecord:
        self.step(config, CYCLES)
        record = RunRecord(**(empty(RunRecord) | {"run": str(config.path)}))
        (config.path / "run.json").write_text(json.dumps(to_json(record)))
        self.moment()
        return record


@pytest.fixture
def acting(monkeypatch: pytest.MonkeyPatch) -> Acting:
    stand_in = Acting()
    monkeypatch.setattr(execution, "execute", stand_in)
    monkeypatch.setattr(execution, "step_to", stand_in.step)
    return stand_in


def searched(setup: Setup, told: Callable[..., None] = lambda trial: None) -> Study:
    check_storage(setup.folder, setup.identity)
    with SweepFolder(setup.folder).locked():
        return tune(setup, Local(), told)


def summary(study: Study) -> list[tuple[Any, ...]]:
    return [(t.params, t.state, t.value, t.intermediate_values) for t in study.trials]


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


class TestWhatIsSearched:
    @pytest.mark.parametrize(
        ("name", "values", "drawn"),
        [
            ("duw.uncertainty_weight", "1e-4..1e3:log", FloatDistribution(1e-4, 1e3, log=True)),
            ("select.uncertainty_weight", "0..1", FloatDistribution(0, 1)),
            ("duw.uncertainty_weight", "0..1:.25", FloatDistribution(0, 1, step=0.25)),
            ("duw.uncertainty_weight", [0.5, 1, 2], CategoricalDistribution(["0.5", "1", "2"])),
            ("duw.normalise_distance", "true,false", CategoricalDistribution(["true", "false"])),
            ("few-labels.steps", "2..16", IntDistribution(2, 16)),
            ("few-labels.steps", "2..16:4", IntDistribution(2, 14, step=4)),
            ("few-labels.steps", "1..1000:log", IntDistribution(1, 1000, log=True)),
            ("tiny.input_size", "64,64|96,128", CategoricalDistribution(["64,64", "96,128"])),
            ("tiny.input_size", [[64, 64], [96, 128]], CategoricalDistribution(["64,64", "96,128"])),
        ],
    )
    def test_ranges_and_choices_become_what_optuna_draws_from(self, name: str, values: Any, drawn: Any) -> None:
        config = configure(discover(), {"select": "duw", "retrain": "few-labels", "estimator": "tiny"})
        (parameter,) = parameters(discover(), config, {name: values})
        assert parameter.distribution == drawn
        assert parameter.name == name

    @pytest.mark.parametrize(
        ("search", "says"),
        [
            ("duw.uncertainty_weight=1e3..1e-4", "1e3 is not below 1e-4"),
            ("duw.uncertainty_weight=1..1", "1 is not below 1"),
            ("duw.uncertainty_weight=0..10:log", "a logarithm begins above 0"),
            ("duw.uncertainty_weight=-1..10:log", "a logarithm begins above 0"),
            ("duw.uncertainty_weight=-1..10", "'uncertainty_weight' must be >= 0"),
            ("duw.uncertainty_weight=0..1e999", "1e999 does not fit: float"),
            ("duw.uncertainty_weight=1..10:lug", "'lug' is neither log nor a step"),
            ("duw.uncertainty_weight=1..10:", "'' is neither log nor a step"),
            ("duw.uncertainty_weight=1..10:20", "no longer than the range"),
            ("duw.uncertainty_weight=1..10:0", "a step is above 0"),
            ("duw.uncertainty_weight=1,many", "uncertainty_weight = 'many' does not fit"),
            ("duw.uncertainty_weight=1,-2", "'uncertainty_weight' must be >= 0: -2"),
            ("duw.uncertainty_weight=1,1.0", "1 and 1.0 are the same value"),
            ("duw.uncertainty_weight=3", "nothing is left to search"),
            ("duw.uncertainty_wieght=1..3", "did you mean 'uncertainty_weight'"),
            ("duv.uncertainty_weight=1..3", "did you mean 'duw'"),
            ("herding.features=1,2", "no part of the run that is tuned is called 'herding'"),
            ("duw=1..3", "the form is PART.OPTION"),
            ("duw.uncertainty_weight", "the form is PART.OPTION=VALUES"),
            ("duw.normalise_distance=0..1", "is no number but bool"),
            ("tiny.input_size=64..128", "is no number but"),
            ("continual.batch=2.5..8", "2.5 does not fit: int"),
            ("synthetic.frames=2..4", "dataset is no part of the method"),
            ("executor.jobs=1..4", "executor is no part of the method"),
            ("select.uncertainty_weight=1..3", "are the same option"),
        ],
    )
    def test_what_makes_no_sense_is_refused_in_a_line(self, read: Read, tmp_path: Path, search: str, says: str) -> None:
        with pytest.raises(InputError, match=re.escape(says)) as refused:
            read(search)
        assert "\n" not in str(refused.value)
        assert [path.name for path in tmp_path.iterdir()] == ["small.toml"], "nothing was written"

    @pytest.mark.parametrize(
        ("tables", "says"),
        [
            (told(search=None), "nothing to search"),
            (told(search=3), "write [tune]"),
            (told(videos=None), "names no videos to tune on"),
            (told(videos=["dence"]), "did you mean 'dance'"),
            (told(videos=["gym", "gym"]), "videos has 'gym' twice"),
            (told(seeds=[1, 1]), "seeds has 1 twice"),
            (told(seeds=[-1]), "'seeds' must be >= 0"),
            (told(trails=3), "did you mean 'trials'"),
            (told(trials=0), "'trials' must be >= 1"),
            (told(trials="many"), "trials = 'many' does not fit"),
            (told(prune_after=[0]), "'prune_after' must be >= 1"),
            (told(objective="area"), "there are: alc, final, labels@ACCURACY"),
            (told(objective="labels"), "labels@ACCURACY"),
            (told(objective="labels@2"), "is no accuracy"),
            (told(objective="labels@0"), "is no accuracy"),
            (told(measure="pkc"), "did you mean 'pck'"),
            (told(measure="ar", with_labels=True), "no measure is called 'ar'"),
            (told(measure="ap@.33"), "no measure is called 'ap@0.33'"),
            (told(search={"duw": {"a": {"b": 3}}}), "is to be values"),
            (told(variant="mine"), "no variant"),
            ({"tune": 3}, "write [tune]"),
            ({"variant": {"a": {}, "b": {}}}, "say which is tuned by --variant: a, b"),
            ({"variant": 3}, "write [variant.NAME.run]"),
            ({"run": 3}, "'run' is to be a table"),
            ({"sweep": {"videos": ["gym"]}}, "gym: tuned on, and reported on by [sweep]"),
            ({"sweep": {"videos": "all"}}, "beach, gym: tuned on, and reported on by [sweep]"),
        ],
    )
    def test_a_file_that_makes_no_sense_is_refused(
        self, read: Read, tmp_path: Path, tables: dict[str, Any], says: str
    ) -> None:
        with pytest.raises(InputError, match=re.escape(says)):
            read(tables=tables)
        assert [path.name for path in tmp_path.iterdir()] == ["small.toml"], "nothing was written"

    def test_a_video_without_truth_is_refused(self, read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("vatl_tune.objective.true_poses", lambda video, among: None)
        with pytest.raises(InputError, match="video 'beach' has no truth by which trials could be judged"):
            read()

    def test_one_of_the_variants_is_tuned(self, read: Read) -> None:
        tables = {"variant": {"a": {"run": {"query": "thc"}}}, "sweep": {"videos": "dance", "presets": ["core-set"]}}
        assert read(tables=tables, variant="a").config.query == "thc"
        assert read(tables=tables, variant="core-set").config.preset == "core-set"

    def test_nothing_ends_a_curve_unless_the_file_says_so(self, read: Read) -> None:
        assert read().config.stop == ("none",)
        assert read(tables={"run": SMALL["run"] | {"stop": ["sc-correct"]}}).config.stop == ("sc-correct",)

    def test_the_file_of_a_search_is_a_sweep_of_the_videos_reported_on(self, read: Read, tmp_path: Path) -> None:
        setup = read(tables={"sweep": {"videos": ["dance"]}})
        assert setup.videos == ["beach", "gym"]
        assert {run.config.video for run in read_plan(discover(), tmp_path / "small.toml").runs} == {"dance"}

    def test_a_split_that_is_held_out_stands_for_its_videos(self, read: Read, tmp_path: Path) -> None:
        root = trees.posetrack21(tmp_path / "posetrack", train_val=True)
        tables = {
            "run": SMALL["run"] | {"dataset": "posetrack21", "estimator": "tiny", "weights": "none"},
            "dataset": {"posetrack21": {"root": str(root)}},
            "sweep": {"videos": "all"},
        }
        assert read(tables=tables, videos="train_val").videos == ["000001_bonn_train"]
        with pytest.raises(InputError, match="tuned on, and reported on"):
            read(tables=tables, videos="val")


class TestObjective:
    CURVE = [cycle(0, 0, ap=0.2, mean_oks=0.4), cycle(1, 10, ap=0.4, mean_oks=0.6), cycle(2, 50, ap=0.8, mean_oks=0.9)]

    def test_the_area_is_that_of_the_closing_record(self) -> None:
        values = Objective.of("alc", "AP", False).values(self.CURVE)
        assert values == pytest.approx([0, 0.03, alc([0, 0.1, 0.5], [0.2, 0.4, 0.8])])

    def test_the_last_pass(self) -> None:
        assert Objective.of("final", "mean-oks", False).values(self.CURVE) == [0.4, 0.6, 0.9]

    def test_labels_needed_lie_between_two_points_and_are_all_where_it_is_never_reached(self) -> None:
        needed = Objective.of("labels@0.6", "ap", False)
        assert needed.values(self.CURVE) == pytest.approx([1, 1, 0.3])
        assert needed.direction == "minimize"
        assert Objective.of("labels@.1", "ap", False).values(self.CURVE) == [0, 0, 0]

    def test_of_a_distance_less_is_better(self) -> None:
        curve = [cycle(n, 10 * n, further={"OSPA": ospa}) for n, ospa in enumerate((0.8, 0.4))]
        assert Objective.of("final", "ospa", False).direction == "minimize"
        assert Objective.of("labels@0.6", "ospa", False).values(curve) == pytest.approx([1, 0.05])

    @pytest.mark.parametrize(
        ("measure", "with_labels", "figures"),
        [
            ("ap@.60", False, {"ap_at": {"0.5": 0.9, "0.6": 0.25}}),
            ("ap", True, {"ap_with_labels": 0.25}),
            ("mean-oks", True, {"mean_oks_with_labels": 0.25, "mean_oks": 0.1}),
            ("PCK.nose", False, {"further": {"PCK": 0.1, "PCK.nose": 0.25}}),
            ("pck", True, {"further": {"PCK": 0.1}, "further_with_labels": {"PCK": 0.25}}),
        ],
    )
    def test_measures_by_name(self, measure: str, with_labels: bool, figures: dict[str, Any]) -> None:
        assert Objective.of("final", measure, with_labels).values([cycle(0, 0, **figures)]) == [0.25]

    def test_what_is_not_known_keeps_the_last_value_and_is_no_number_before(self) -> None:
        curve = [cycle(0, 0, ap=-1.0), cycle(1, 10, ap=0.5), CycleRecord(2, 100, 20)]
        first, *rest = Objective.of("final", "ap", False).values(curve)
        assert math.isnan(first)
        assert rest == [0.5, 0.5]

    @given(st.lists(st.lists(st.floats(0, 1), min_size=1, max_size=5), min_size=1, max_size=4))
    def test_a_run_that_ends_early_stays_where_it_was(self, curves: list[list[float]]) -> None:
        mean = mean_curve(curves)
        assert len(mean) == max(map(len, curves))
        assert mean[-1] == pytest.approx(sum(curve[-1] for curve in curves) / len(curves))


class TestSearching:
    def test_it_begins_with_the_default_and_comes_near_the_best(self, read: Read, acting: Acting) -> None:
        study = searched(read(trials=18))
        assert study.trials[0].params == {"duw.uncertainty_weight": 0.01}
        assert study.best_value > study.trials[0].value + 0.1
        assert study.best_value == pytest.approx(0.9, abs=0.1)

    def test_the_same_seed_gives_the_same_trials_and_another_others(
        self, read: Read, acting: Acting, tmp_path: Path
    ) -> None:
        one, same, other = (searched(read(folder=tmp_path / f"t{n}", seed=s)) for n, s in enumerate((3, 3, 4)))
        assert summary(one) == summary(same)
        assert [trial.params for trial in one.trials] != [trial.params for trial in other.trials]

    @pytest.mark.parametrize(("at_once", "moments"), [(1, 8), (3, 11)])
    def test_a_search_that_is_killed_again_and_again_comes_to_the_same(
        self, read: Read, acting: Acting, tmp_path: Path, at_once: int, moments: int
    ) -> None:
        settings = {"at_once": at_once, "prune_after": "2,4", "trials": 10}
        whole = searched(read(folder=tmp_path / "whole", **settings))
        assert {trial.state for trial in whole.trials} == {TrialState.COMPLETE, TrialState.PRUNED}
        setup, acting.killed_at, sittings = read(**settings), moments, 0
        while acting.killed_at:
            acting.moments, sittings = 0, sittings + 1
            try:
                study = searched(setup, acting.moment)
                acting.killed_at = 0
            except KeyboardInterrupt:
                pass
        assert sittings > 7
        assert summary(study) == summary(whole)

    def test_those_behind_end_after_early_cycles_but_none_of_the_first(self, read: Read, acting: Acting) -> None:
        study = searched(read(prune_after="2,3", trials=12))
        pruned = [trial for trial in study.trials if trial.state == TrialState.PRUNED]
        assert pruned
        assert min(trial.number for trial in pruned) >= 5
        folder = SweepFolder(read().folder)
        for trial in pruned:
            runs = read().runs(trial.number, trial.params)
            assert {len(RunFolder(run.path).cycles()) for run in runs} == {trial.last_step} <= {2, 3}
            assert {folder.state(run) for run in runs} == {"interrupted"}
        complete = [trial for trial in study.trials if trial.state == TrialState.COMPLETE]
        assert all(len(trial.intermediate_values) == CYCLES for trial in complete)

    def test_nothing_is_pruned_where_nobody_wants_it(self, read: Read, acting: Acting) -> None:
        assert {trial.state for trial in searched(read(prune_after="none")).trials} == {TrialState.COMPLETE}

    def test_more_trials_go_on_and_as_many_do_nothing(self, read: Read, acting: Acting) -> None:
        few, done = summary(searched(read(trials=6))), acting.cycles
        assert summary(searched(read(trials=6))) == few
        assert acting.cycles == done
        assert summary(searched(read(trials=8)))[:6] == few

    def test_values_that_were_tried_are_not_run_again(self, read: Read, acting: Acting) -> None:
        tables = told(search={"duw.uncertainty_weight": [0.01, 1]})
        study = searched(read(tables=tables, prune_after="none"))
        assert acting.cycles == 2 * 2 * CYCLES, "two values on two videos"
        values = {trial.params["duw.uncertainty_weight"]: trial.value for trial in study.trials}
        assert all(trial.value == values[trial.params["duw.uncertainty_weight"]] for trial in study.trials)

    def test_a_trial_that_fails_is_kept_apart_and_the_others_go_on(self, read: Read, acting: Acting) -> None:
        acting.failing = lambda config: config.name.startswith("trial0002-gym")
        study = searched(read())
        failed = [trial for trial in study.trials if trial.state == TrialState.FAIL]
        assert [(trial.number, trial.user_attrs["cause"]) for trial in failed] == [(2, "the weights are gone")]
        assert len(study.trials) == 8

    def test_one_failure_after_the_other_ends_it_until_the_cause_is_gone(self, read: Read, acting: Acting) -> None:
        acting.failing = lambda config: True
        with pytest.raises(VatlError, match="the last 3 trials failed, trial 2: the weights are gone"):
            searched(read())
        acting.failing = lambda config: False
        assert [trial.state for trial in searched(read(trials=5)).trials[3:]] == [TrialState.COMPLETE] * 2

    def test_values_that_go_together_nowhere_fail_alone(self, read: Read, acting: Acting) -> None:
        setup = read()
        broken = attrs.evolve(setup, options=("duw.uncertainty_weight_of=3",))
        with pytest.raises(VatlError, match="no option of selector 'duw' is called 'uncertainty_weight_of'"):
            searched(broken)
        assert acting.cycles == 0


class TestStorage:
    @pytest.fixture
    def begun(self, read: Read, acting: Acting) -> Iterator[Path]:
        setup = read(trials=3)
        searched(setup)
        before = contents(setup.folder)
        yield setup.folder
        if (setup.folder / FILE).read_bytes() in before.values():
            assert contents(setup.folder) == before, "nothing was written"

    @pytest.mark.parametrize(
        ("change", "says"),
        [
            ({"tables": told(search={"duw.uncertainty_weight": "1e-3..1:log"})}, "what is searched then: duw.unc"),
            ({"tables": told(search={"continual.lr": "1e-3..1:log"})}, "now: continual.lr = 1e-3..1:log"),
            ({"objective": "alc"}, "the objective then: final mean-oks; now: ALC of mean-oks"),
            ({"measure": "ap"}, "the objective"),
            ({"videos": "beach"}, "the videos then: beach, gym; now: beach"),
            ({"seeds": "1"}, "the seeds then: 0; now: 1"),
            ({"seed": 7}, "the seed of the search then: 0; now: 7"),
            ({"tables": {"run": SMALL["run"] | {"query": "mpe"}}}, "then: query = lc; now: query = mpe"),
        ],
    )
    def test_another_search_is_refused(self, begun: Path, read: Read, change: dict[str, Any], says: str) -> None:
        setup = read(**change)
        with pytest.raises(InputError, match=re.escape(says)) as refused:
            check_storage(setup.folder, setup.identity)
        assert str(begun / FILE) in str(refused.value)
        assert "\n" not in str(refused.value)

    def test_what_may_change_may(self, begun: Path, read: Read) -> None:
        setup = read(trials=40, at_once=2, prune_after="none")
        check_storage(setup.folder, setup.identity)

    @pytest.mark.parametrize(
        ("damage", "says"),
        [
            (lambda data: data[:-9], "is torn: line"),
            (lambda data: data.replace(b'"op_code"', b'"op"', 1), "no journal of Optuna's"),
            (lambda data: data[: len(data) // 2] + b"\n" + data[len(data) // 2 :], "no journal of Optuna's"),
            (lambda data: b"SQLite format 3\0" + bytes(80) + b"\n", "no journal of Optuna's"),
            (lambda data: b"[]\n", "no journal of Optuna's"),
            (lambda data: data + b"\xff\n", "no journal of Optuna's"),
            (lambda data: re.sub(rb'\{"vatl":.*\}\}', b'{"vatl":3}}', data), "a study that vatl did not begin"),
            (lambda data: data.replace(b'"vatl-tune"', b'"mine"'), "is of another study, mine"),
            (lambda data: data.replace(b'{"vatl":', b'{"mine":'), "a study that vatl did not begin"),
        ],
    )
    def test_a_storage_that_cannot_be_read_is_refused(
        self, begun: Path, read: Read, damage: Callable[[bytes], bytes], says: str
    ) -> None:
        file = begun / FILE
        file.write_bytes(damage(file.read_bytes()))
        setup, before = read(), contents(begun)
        with pytest.raises(InputError, match=re.escape(says)) as refused:
            check_storage(setup.folder, setup.identity)
        assert str(file) in str(refused.value)
        assert "\n" not in str(refused.value)
        assert contents(begun) == before

    def test_a_study_of_somebody_elses_is_refused(self, read: Read, tmp_path: Path) -> None:
        setup = read()
        setup.folder.mkdir()
        storage = JournalStorage(JournalFileBackend(str(setup.folder / FILE)))
        optuna.create_study(storage=storage, study_name="theirs").optimize(lambda trial: 1.0, n_trials=1)
        with pytest.raises(InputError, match="is of another study, theirs"):
            check_storage(setup.folder, setup.identity)

    def test_a_folder_or_a_link_in_its_place_is_refused(self, read: Read, tmp_path: Path) -> None:
        setup = read()
        (setup.folder / FILE).mkdir(parents=True)
        with pytest.raises(InputError, match=r"study\.journal cannot be read"):
            check_storage(setup.folder, setup.identity)
        (setup.folder / FILE).rmdir()
        (setup.folder / FILE).symlink_to(tmp_path / "elsewhere")
        with pytest.raises(InputError, match="is a symbolic link"):
            check_storage(setup.folder, setup.identity)

    def test_a_beginning_killed_at_once_is_taken_for_new(self, read: Read, acting: Acting) -> None:
        setup = read(trials=2)
        setup.folder.mkdir()
        (setup.folder / FILE).touch()
        (setup.folder / f"{FILE}.lock").touch()
        assert len(searched(setup).trials) == 2


class TestResults:
    def test_the_folder_tells_of_every_trial(self, read: Read, acting: Acting) -> None:
        tables = told(search={"duw": {"uncertainty_weight": "1e-4..1e3:log", "normalise_distance": [True, False]}})
        setup = read(tables=tables)
        acting.failing = lambda config: "trial0002" in config.name
        study = searched(setup)
        page = write_results(setup, study)
        rows = list(csv.DictReader((setup.folder / "trials.csv").open()))
        assert [row["state"] for row in rows] == [trial.state.name.lower() for trial in study.trials]
        assert rows[2]["cause"] == "the weights are gone"
        assert float(rows[0]["duw.uncertainty_weight"]) == study.trials[0].params["duw.uncertainty_weight"]
        for name in ("history", "slices", "curves", "importances"):
            assert (setup.folder / f"{name}.png").read_bytes().startswith(b"\x89PNG")
            assert (setup.folder / f"{name}.svg").exists()
        text = page.read_text()
        assert text.count("<svg") == 4
        assert f"Best: trial {study.best_trial.number}" in text
        assert "report no figures on\nbeach, gym" in text
        assert "failed: the weights are gone" in text

    def test_importances_sum_to_one_and_name_what_matters(self, read: Read, acting: Acting) -> None:
        tables = told(search={"duw": {"uncertainty_weight": "1e-4..1e3:log", "normalise_distance": [True, False]}})
        study = searched(read(tables=tables, prune_after="none", trials=12))
        found = importances(study)
        assert set(found) == {"fANOVA", "PED-ANOVA"}
        for shares in found.values():
            assert sum(shares.values()) == pytest.approx(1)
            assert max(shares, key=lambda name: shares[name]) == "duw.uncertainty_weight"
        assert found == importances(study), "by a seed"

    def test_a_run_is_made_of_the_best_trial(self, read: Read, acting: Acting, tmp_path: Path) -> None:
        setup = read(trials=5)
        study = searched(setup)
        file = tmp_path / "best.toml"
        file.write_text(best_toml(setup, study.best_trial))
        config = configure(discover(), {"video": "dance"}, file=file)
        assert config.of("select", "duw") == {
            "uncertainty_weight": str(study.best_trial.params["duw.uncertainty_weight"])
        }
        assert (config.query, config.select, config.name) == ("lc", "duw", "")

    def test_a_search_of_one_trial_has_its_page(self, read: Read, acting: Acting) -> None:
        setup = read(trials=1)
        assert write_results(setup, searched(setup)).read_text().count("<svg") == 3


class TestCommand:
    def invoke(self, *words: str) -> Any:
        return CliRunner().invoke(command, words)

    def test_it_tells_the_trials_the_best_and_where_the_page_is(
        self, read: Read, acting: Acting, tmp_path: Path
    ) -> None:
        read()
        said = self.invoke(str(tmp_path / "small.toml"), "--folder", str(tmp_path / "tuned"), "--trials", "3")
        assert said.exit_code == 0, said.exception
        assert "warning: beach, gym of 'synthetic' tuned on: report no figures on them" in said.stderr
        assert "trial 0: duw.uncertainty_weight = 0.01: 0.8000" in said.stderr
        *_, values, page = said.stdout.splitlines()
        assert values.startswith("duw.uncertainty_weight = ")
        assert Path(page) == tmp_path / "tuned" / "index.html"
        assert Path(page).exists()

    def test_without_a_file_it_tunes_what_a_run_would_be(self, acting: Acting, tmp_path: Path) -> None:
        words = ["--search", "estimator.input_size=64,64|96,96", "--videos", "gym", "--folder", str(tmp_path / "t")]
        said = self.invoke(*words, "--dry-run", "-o", "synthetic.frames=3")
        assert said.exit_code == 0, said.exception
        assert "estimator.input_size            64,64|96,96" in said.stdout
        assert "ALC of ap, the mean over 1 runs a trial, on gym" in said.stdout
        assert list(tmp_path.iterdir()) == []

    def test_a_search_at_work_keeps_others_out(self, read: Read, acting: Acting, tmp_path: Path) -> None:
        setup = read()
        with SweepFolder(setup.folder).locked():
            said = self.invoke(str(tmp_path / "small.toml"), "--folder", str(setup.folder))
        assert isinstance(said.exception, InputError)
        assert "is being worked on by another" in str(said.exception)

    def test_where_every_trial_fails_it_says_so(self, read: Read, acting: Acting, tmp_path: Path) -> None:
        read()
        acting.failing = lambda config: True
        said = self.invoke(str(tmp_path / "small.toml"), "--folder", str(tmp_path / "tuned"), "--trials", "2")
        assert str(said.exception) == "none of 2 trials came to its end: see the causes above"
        assert "trial 1: duw.uncertainty_weight" in said.stderr
        assert "failed: the weights are gone" in said.stderr


class TestStepping:
    def test_a_run_in_steps_comes_to_what_it_comes_to_at_once(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("vatl_report.report.write_report", lambda *_: None)
        settings = SMALL["run"] | {"retrain": "few-labels", "weights": "none", "precision": "float32"}
        options = SMALL["dataset"] | SMALL["estimator"] | {"few-labels": {"steps": 2, "epochs": 1}}
        one, other = (
            configure(discover(), settings | {"runs": tmp_path, "name": name}, options=options)
            for name in ("at-once", "steps")
        )
        record = execute(one)
        for cycles in (1, 2):
            step_to(other, cycles)
            assert len(RunFolder(other.path).cycles()) == cycles
            assert RunFolder(other.path).closing() is None
        step_to(other, 9)
        stepped = RunFolder(other.path).closing()
        assert stepped is not None
        assert (stepped.mean_oks, stepped.ap, stepped.alc) == (record.mean_oks, record.ap, record.alc)
        last = len(RunFolder(one.path).cycles()) - 1
        first, second = (RunFolder(config.path).estimates(last) for config in (one, other))
        assert first is not None
        assert second is not None
        assert torch.equal(first.keypoints, second.keypoints)

"""Sweeps: what their files mean, what is done again and what is not, and what comes out."""

from __future__ import annotations

import csv
import json
import signal
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from io import StringIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import attrs
import pytest
import tomli_w

from tests.conftest import Vatl
from tests.processes import Command
from vatl_core.config import RunConfig
from vatl_core.contracts import Outcome
from vatl_core.discovery import discover
from vatl_core.errors import InputError, PluginError, VatlError
from vatl_core.records import RunRecord, to_json
from vatl_executors.local import Local
from vatl_sweep import execution as module
from vatl_sweep.execution import sweep
from vatl_sweep.folder import SweepFolder
from vatl_sweep.plan import Plan, read_plan
from vatl_sweep.progress import Watch
from vatl_sweep.results import rows_of, summaries, table

TWELVE: dict[str, Any] = {
    "sweep": {"videos": ["dance", "beach"], "seeds": [0, 1, 2]},
    "run": {"retrain": "continual", "schedule": ["1", "2"], "device": "cpu", "precision": "float32"},
    "dataset": {"synthetic": {"frames": 3, "people": 1, "source_videos": 1}},
    "estimator": {"tiny": {"input_size": [64, 64]}},
    "retrain": {"continual": {"alpha": 1}},
    "variant": {
        "chance": {"run": {"query": "random", "select": "random"}},
        "sure": {"run": {"query": "lc", "select": "top"}},
    },
}
Written = Callable[..., Path]


@pytest.fixture
def written(tmp_path: Path) -> Written:
    """Writes a sweep's file: the twelve runs with some tables replaced."""

    def write(**tables: Any) -> Path:
        path = tmp_path / "sweep.toml"
        path.write_text(tomli_w.dumps({k: v for k, v in (TWELVE | tables).items() if v is not None}))
        return path

    return write


@pytest.fixture
def planned(written: Written, tmp_path: Path) -> Callable[..., Plan]:
    def plan(*options: str, **tables: Any) -> Plan:
        return read_plan(discover(), written(**tables), tmp_path / "swept", options=options)

    return plan


@attrs.define
class Acting:
    """Stands in for carrying a run out: notes which, fails where it should, and leaves a closing record else."""

    failing: dict[str, Exception] = attrs.field(factory=dict)
    done: list[str] = attrs.field(factory=list)

    def __call__(self, config: RunConfig) -> RunRecord:
        self.done.append(config.name)
        config.path.mkdir(parents=True, exist_ok=True)
        (config.path / "config.toml").write_text(tomli_w.dumps(config.to_toml()))
        if error := self.failing.get(config.name):
            raise error
        record = closing(config, mean_oks=0.5 + 0.1 * config.seed, alc=0.2 * config.seed)
        (config.path / "cycles.jsonl").write_text('{"instances": 4}\n{}\n')
        (config.path / "run.json").write_text(json.dumps(to_json(record)))
        return record


def closing(config: RunConfig, **figures: float) -> RunRecord:
    none = dict.fromkeys(
        ("mean_oks", "mean_oks_unlabelled", "mean_oks_with_labels", "ap", "ap_with_labels", "alc", "alc_with_labels")
    )
    plain = {"run": str(config.path), "dataset": config.dataset, "video": config.video, "instances": 4, "labelled": 2}
    plain |= {"measured": 4, "cycles": 1, "stopped_by": "schedule", "reason": "", "seconds": 1.0, "weights": "random"}
    return RunRecord(**(plain | none | figures))  # type: ignore[arg-type]


@pytest.fixture
def acting(monkeypatch: pytest.MonkeyPatch) -> Acting:
    stand_in = Acting()
    monkeypatch.setattr(module, "execute", stand_in)
    return stand_in


class TestPlan:
    def test_it_has_every_combination(self, planned: Callable[..., Plan]) -> None:
        runs = planned().runs
        assert len({run.name for run in runs}) == 12
        assert runs[0].name == "chance-dance-seed0"
        assert {(r.variant, r.config.video, r.config.seed) for r in runs} == {
            (variant, video, seed)
            for variant in ("chance", "sure")
            for video in ("dance", "beach")
            for seed in (0, 1, 2)
        }
        assert {run.config.query for run in runs if run.variant == "sure"} == {"lc"}
        assert {run.path.parent.name for run in runs} == {"runs"}

    def test_runs_are_called_by_one_printable_part_of_a_path(self, planned: Callable[..., Plan]) -> None:
        (run,) = planned(sweep={"videos": ["dance"]}, variant={"../../a\x1b": {"run": {"query": "lc"}}}).runs
        assert run.name == ".._.._a_-dance-seed0"

    def test_all_is_every_video_of_the_data_set(self, planned: Callable[..., Plan]) -> None:
        everything = planned(sweep={"videos": "all"})
        assert {"dance", "beach"} < {run.config.video for run in everything.runs}

    def test_a_split_stands_for_its_videos_and_what_is_searched_does_not_matter(
        self, planned: Callable[..., Plan]
    ) -> None:
        val = discover().find("dataset", "synthetic").load()(frames=3).splits()["val"]
        plan = planned(sweep={"videos": ["val", val[0], "dance"]}, variant=None, tune={"videos": ["beach"]})
        assert [run.config.video for run in plan.runs] == [*val, "dance"]

    def test_without_a_grid_it_is_one_run_of_the_first_video(self, planned: Callable[..., Plan]) -> None:
        (run,) = planned(sweep=None, variant=None).runs
        assert (run.variant, run.config.seed) == ("run", 0)
        assert run.config.video

    def test_presets_lie_beneath_the_file_and_the_command_line_above(self, planned: Callable[..., Plan]) -> None:
        plan = planned(
            "executor.jobs=2",
            "continual.alpha=3",
            sweep={"presets": ["vatl4pose"]},
            variant={"mild": {"run": {"preset": "vatl4pose"}, "retrain": {"continual": {"lr": 0.5, "alpha": 2}}}},
            retrain={"continual": {"lr": 0.25}},
        )
        published, mild = (run.config.of("retrain", "continual") for run in plan.runs)
        assert [run.variant for run in plan.runs] == ["vatl4pose", "mild"]
        assert {run.config.preset for run in plan.runs} == {"vatl4pose"}
        assert {run.config.schedule for run in plan.runs} == {("1", "2")}, "the file's, not the preset's"
        assert (published["lr"], mild["lr"]) == (0.25, 0.5)
        assert (published["alpha"], mild["alpha"]) == ("3", "3")
        assert published["decay"] == 0.99, "the preset's"

    def test_runs_are_apart_if_nobody_says_anything_else(self, planned: Callable[..., Plan]) -> None:
        assert planned().runs[0].config.of("executor", "local") == {"jobs": 1}
        assert planned("local.jobs=4").runs[0].config.of("executor", "local") == {"jobs": "4"}

    @pytest.mark.parametrize(
        ("tables", "says"),
        [
            ({"sweep": {"videos": ["dence"]}}, "did you mean 'dance'"),
            ({"sweep": {"video": ["dance"]}}, "did you mean 'videos'"),
            ({"sweep": {"seeds": "many"}}, "seeds = 'many' does not fit"),
            ({"sweep": {"seeds": 3}}, "seeds = 3 does not fit"),
            ({"sweep": {"seeds": [0, -1]}}, "a seed is 0 or more"),
            ({"sweep": {"seeds": [1, 1]}}, "name each once"),
            ({"sweep": {"presets": ["vatlpose"]}}, "did you mean 'vatl4pose'"),
            ({"sweep": 3}, "write \\[sweep\\]"),
            ({"run": {"name": "mine"}}, "sets 'name', which the sweep decides"),
            ({"variant": {"a": {"run": {"seed": 3}}}}, "sets 'seed', which the sweep decides"),
            ({"variant": {"a": {"executor": {"local": {"jobs": 3}}}}}, "sets 'executor'"),
            ({"variant": {"a": {"run": {"qeury": "lc"}}}}, "did you mean 'query'"),
            ({"variant": {"a": {"query": {"wpu": {"zdim": 3}}, "run": {"query": "wpu"}}}}, "did you mean 'z_dim'"),
            ({"variant": {"a": 3}}, "write \\[variant.NAME.run\\]"),
            ({"variant": {"a": {"query": "lc"}}}, "write \\[query\\]"),
            ({"variant": {"lc": {}}, "sweep": {"presets": ["lc"]}}, "has the name of a preset"),
            ({"variant": {"a": {}, "A": {}}}, "two runs of the sweep would be called"),
            ({"estimator": {"tiny": {"input_size": 3}}}, "does not fit"),
            ({"variants": {"a": {}}}, "no table of"),
        ],
    )
    def test_what_makes_no_sense_is_refused(
        self, planned: Callable[..., Plan], tmp_path: Path, tables: dict[str, Any], says: str
    ) -> None:
        with pytest.raises(InputError, match=says):
            planned(**tables)
        assert [path.name for path in tmp_path.iterdir()] == ["sweep.toml"], "nothing was written"

    def test_a_file_that_is_none_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match="cannot be read"):
            read_plan(discover(), tmp_path / "none.toml")
        (tmp_path / "torn.toml").write_text("[sweep\n")
        with pytest.raises(InputError, match="is to be TOML"):
            read_plan(discover(), tmp_path / "torn.toml")


class TestSweep:
    def test_one_that_fails_leaves_eleven_results_and_its_cause(
        self, planned: Callable[..., Plan], acting: Acting
    ) -> None:
        acting.failing["sure-dance-seed1"] = VatlError("the weights are gone")
        plan = planned()
        sweep(plan, Local())
        rows = rows_of(SweepFolder(plan.folder), plan.runs)
        assert [row["state"] for row in rows].count("finished") == 11
        (failed,) = [row for row in rows if row["state"] == "failed"]
        assert (failed["run"], failed["cause"]) == ("sure-dance-seed1", "the weights are gone")
        assert "VatlError: the weights are gone" in (plan.folder / "logs" / "sure-dance-seed1.log").read_text()

    def test_the_same_again_does_nothing_and_retry_only_what_failed(
        self, planned: Callable[..., Plan], acting: Acting
    ) -> None:
        acting.failing["sure-dance-seed1"] = RuntimeError("out of\nmemory")
        plan = planned()
        sweep(plan, Local())
        sweep(plan, Local())
        assert len(acting.done) == 12
        assert SweepFolder(plan.folder).failure(plan.runs[7]).cause == "RuntimeError: out of memory"  # type: ignore[union-attr]
        sweep(plan, Local(), retry=True)
        assert acting.done[12:] == ["sure-dance-seed1"], "and fails again"
        acting.failing.clear()
        sweep(plan, Local(), retry=True)
        assert {row["state"] for row in rows_of(SweepFolder(plan.folder), plan.runs)} == {"finished"}

    def test_new_runs_are_added(self, planned: Callable[..., Plan], acting: Acting) -> None:
        sweep(planned(sweep={"videos": ["dance"], "seeds": [0]}), Local())
        sweep(planned(sweep={"videos": ["dance"], "seeds": [0, 7]}), Local())
        assert acting.done == ["chance-dance-seed0", "sure-dance-seed0", "chance-dance-seed7", "sure-dance-seed7"]

    def test_changed_ones_are_refused(self, planned: Callable[..., Plan], acting: Acting) -> None:
        sweep(planned(), Local())
        with pytest.raises(InputError, match=r"12 runs .*first: chance-dance-seed0, in schedule\)"):
            sweep(planned(run=TWELVE["run"] | {"schedule": ["1"]}), Local())
        with pytest.raises(InputError, match=r"in retrain\.continual\.alpha\)"):
            sweep(planned("continual.alpha=2"), Local())
        sweep(planned("local.jobs=7"), Local())
        assert len(acting.done) == 12

    def test_two_on_one_folder_exclude_each_other(self, planned: Callable[..., Plan], acting: Acting) -> None:
        plan = planned()
        with SweepFolder(plan.folder).locked(), pytest.raises(InputError, match="being worked on by another sweep"):
            sweep(plan, Local())
        assert not plan.folder.exists(), "nothing was begun"

    def test_an_executor_that_cannot_work_leaves_nothing(
        self, planned: Callable[..., Plan], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        plan = planned()

        def refuse(*_: object) -> None:
            raise InputError("no cluster")

        monkeypatch.setattr(Local, "map", refuse)
        with pytest.raises(InputError, match="no cluster"):
            sweep(plan, Local())
        assert not plan.folder.exists()

    def test_an_executor_that_gives_no_outcomes_is_named_and_what_is_done_is_kept(
        self, planned: Callable[..., Plan], acting: Acting, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def bare(executor: Local, work: Callable[[Any], Any], runs: Sequence[Any]) -> Iterator[Any]:
            for number, run in enumerate(runs):
                result = work(run)
                yield Outcome(number, result) if number < 3 else result

        plan = planned()
        monkeypatch.setattr(Local, "map", bare)
        with pytest.raises(PluginError, match=r"executor 'local' gave a str: Outcomes .* \(plugin vatl-executors"):
            sweep(plan, Local())
        states = [row["state"] for row in json.loads((plan.folder / "sweep.json").read_text())["runs"]]
        assert states.count("finished") >= 3

    def test_results_are_means_and_deviations_over_the_seeds(
        self, planned: Callable[..., Plan], acting: Acting
    ) -> None:
        acting.failing["sure-beach-seed2"] = VatlError("no")
        plan = planned()
        sweep(plan, Local())
        results = json.loads((plan.folder / "sweep.json").read_text())
        whole, *_, short = results["results"]
        assert whole["alc"] == pytest.approx(statistics.fmean([0, 0.2, 0.4]))
        assert whole["alc_std"] == pytest.approx(statistics.stdev([0, 0.2, 0.4]))
        assert whole["mean_oks_std"] == pytest.approx(statistics.stdev([0.5, 0.6, 0.7]))
        assert (short["finished"], short["failed"], short["alc"]) == (2, 1, pytest.approx(0.1))
        with (plan.folder / "runs.csv").open() as file:
            assert [row["state"] for row in csv.DictReader(file)] == ["finished"] * 11 + ["failed"]
        text = table(summaries(results["runs"])).splitlines()
        assert text[1].split() == ["chance", "dance", "3", "0.200", "±", "0.200", "0.600", "±", "0.100"]
        assert "2 of 3" in text[4]

    def test_a_video_without_truth_has_no_figures(self) -> None:
        row = {"variant": "a", "video": "v", "state": "finished", "alc": None, "mean_oks": None}
        assert table(summaries([row])).split() == ["variant", "video", "runs", "a", "v", "1"]

    def test_it_says_how_far_it_is(self, planned: Callable[..., Plan], acting: Acting) -> None:
        acting.failing["chance-dance-seed1"] = VatlError("no luck")
        plan, out = planned(), StringIO()
        seen: list[str] = []
        with Watch(SweepFolder(plan.folder), plan.runs, out) as watch:
            sweep(plan, Local(), False, watch.begun, lambda run: (watch.ended(run), seen.append(watch.status())))  # type: ignore[func-returns-value]
        assert "12 runs to do" in out.getvalue()
        assert "[2/12] chance-dance-seed1: failed in cycle 1: no luck" in out.getvalue()
        assert "[3/12] chance-dance-seed2: finished, mean OKS 0.700 (1 s)" in out.getvalue()
        assert seen[1] == "2 of 12 done, 0 running, 1 failed"

    def test_it_names_the_cycle_of_what_is_under_way(self, planned: Callable[..., Plan]) -> None:
        plan = planned()
        folder = SweepFolder(plan.folder)
        watch = Watch(folder, plan.runs, StringIO())
        with watch:
            watch.begun(list(plan.runs))
            folder.log(plan.runs[0]).parent.mkdir(parents=True)
            folder.log(plan.runs[0]).write_text("begun\n")
            plan.runs[0].path.mkdir(parents=True)
            (plan.runs[0].path / "cycles.jsonl").write_text('{"instances": 3}\n{"torn')
            assert watch.status() == "0 of 12 done, 1 running: chance-dance-seed0 cycle 2 of 3"


def attempts(folder: Path) -> dict[str, int]:
    """How often each run was begun or taken up."""
    return {log.stem: log.read_text().count(", process ") for log in (folder / "logs").iterdir()}


@pytest.mark.timeout(2400)
def test_one_killed_half_way_repeats_nothing_and_one_that_fails_stands_alone(
    vatl: Vatl, written: Written, tmp_path: Path, environment: dict[str, str]
) -> None:
    file, folder = written(), tmp_path / "sweeps" / "sweep"
    obstacle = folder / "runs" / "sure-beach-seed2" / "notes.txt"
    obstacle.parent.mkdir(parents=True)
    obstacle.write_text("somebody's own file")
    killed = Command(["sweep", file, "--jobs", "2"], tmp_path, environment)
    while killed.poll() is None and len(list(folder.glob("runs/*/run.json"))) < 6:
        time.sleep(0.05)
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    ended = [path.parent for path in folder.glob("runs/*/run.json")]
    finished = {run.name: (run / "run.json").read_bytes() for run in ended if not (run / ".untold").exists()}
    assert 4 <= len(finished) < 11, "two may be writing their reports"

    here = ("-o", "local.jobs=none")  # processes of their own take longer to begin than the runs that are left
    resumed = vatl("sweep", file, *here, timeout=900)
    assert resumed.code == 1, resumed.err
    assert "failed: sure-beach-seed2:" in resumed.err
    assert "exists already" in resumed.err
    assert resumed.err.splitlines()[-1].startswith("vatl: 1 of 12 runs failed")
    assert len(list(folder.glob("runs/*/run.json"))) == 11
    assert {name: (folder / "runs" / name / "run.json").read_bytes() for name in finished} == finished
    assert {name: n for name, n in attempts(folder).items() if name in finished} == dict.fromkeys(finished, 1)

    obstacle.unlink()
    retried = vatl("sweep", file, *here, "--retry", timeout=900)
    assert retried.code == 0, retried.err
    assert attempts(folder)["sure-beach-seed2"] == 2
    assert sum(attempts(folder).values()) <= 12 + 2 + 1, "those under way when it was killed, and the one that failed"
    listed = vatl("sweep", file, "--dry-run")
    assert [line.split()[0] for line in listed.out.splitlines()] == ["finished"] * 12


class TestLinks:
    @pytest.mark.parametrize("place", ["", "logs", "failed", "logs/a.log"])
    def test_no_link_in_its_folder_is_followed(self, tmp_path: Path, place: str) -> None:
        folder, elsewhere = SweepFolder(tmp_path / "sweep"), tmp_path / "elsewhere"
        (folder.path / place).parent.mkdir(parents=True, exist_ok=True)
        (folder.path / place).symlink_to(elsewhere)
        with pytest.raises(InputError, match="is a symbolic link"), folder.locked():
            pass
        assert not elsewhere.exists()

    def test_a_torn_record_of_a_failure_is_told(self, tmp_path: Path) -> None:
        run: Any = SimpleNamespace(name="a")
        for torn in ("{", "[]", '{"cause": "x"}'):
            (tmp_path / "failed").mkdir(exist_ok=True)
            (tmp_path / "failed" / "a.json").write_text(torn)
            with pytest.raises(InputError, match=r"a\.json cannot be read"):
                SweepFolder(tmp_path).failure(run)

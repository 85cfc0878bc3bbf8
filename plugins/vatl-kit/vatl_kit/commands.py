"""``vatl plugins new`` and ``vatl plugins check``"""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from vatl_core.discovery import discover
from vatl_core.errors import PluginError


@click.command("new")
@click.argument("kind", metavar="KIND")
@click.argument("name", metavar="NAME")
@click.option("--out", type=click.Path(path_type=Path), help="The package's folder; vatl-NAME here if not given.")
@click.option("--author", default="", help="For the licence; git's user.name if not given.")
def new(kind: str, name: str, out: Path | None, author: str) -> None:
    """Write a package with a component of KIND called NAME, that installs and runs as it is.

    KIND is criterion, selector, stopping, retraining, refinement, estimator, dataset, oracle or executor; or lifecycle,
    for a plugin that listens to runs. What is written does something already: change it into your own idea.
    """
    from vatl_core.errors import unknown
    from vatl_kit.scaffold.kinds import ALL, SCAFFOLDS
    from vatl_kit.scaffold.writing import write_package

    if kind not in ALL:
        raise unknown("kind of plugin", kind, ALL)
    folder = write_package(discover(), kind, name, out, author)
    click.echo(f"wrote {folder}: {SCAFFOLDS[kind].help}")
    click.echo(f"  pip install -e {shlex.quote(str(folder))}")
    click.echo(f"  vatl run {SCAFFOLDS[kind].use.format(name=name)}".rstrip())
    click.echo(f"  pytest {shlex.quote(str(folder))}")


@click.command("check")
@click.argument("name", default="")
def check(name: str) -> None:
    """Import and try out everything that is installed, or only NAME; exit code 1 if something is wrong.

    NAME is a component, a preset, a command or a plugin. Each plugin must load and be written for this vatl-core; each
    component must import, take its own defaults and keep the promises of its contract that can be tried in a few
    seconds. Data sets need their files for that, and oracles that ask people are not asked. Each preset must set what
    there is, and each command import.
    """
    from vatl_core.cli import COMMANDS
    from vatl_kit.plugin_checks import check_plugins

    wrong = 0
    for finding in check_plugins(discover(), name, COMMANDS):
        wrong += bool(finding.problem)
        mark = "WRONG" if finding.problem else "ok   "
        click.echo(f"{mark}  {finding.what}" + (f": {said}" if (said := finding.problem or finding.note) else ""))
    if wrong:
        raise PluginError(f"{wrong} of what is installed is wrong: see the lines marked WRONG")

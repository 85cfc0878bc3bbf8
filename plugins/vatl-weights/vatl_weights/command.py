"""``vatl weights``"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import click

if TYPE_CHECKING:
    from vatl_weights.listing import KnownWeights

_TITLES: Final = ("estimator", "--weights", "keypoints", "size", "here", "from")


@click.command("weights")
@click.option("--estimator", help="Only those of this pose estimator.")
@click.option("--json", "as_json", is_flag=True, help="Print everything as one JSON object instead of a table.")
def command(estimator: str | None, as_json: bool) -> None:
    """List public weights that `--weights NAME` knows, for which estimator, and which of them are on this machine.

    Nothing is fetched. Last comes what else lies in the cache: files that were fetched by an address.
    """
    from vatl_core.discovery import discover
    from vatl_core.errors import PluginError
    from vatl_weights.downloads import folder
    from vatl_weights.listing import known_of, others_here

    registry, known = discover(), list["KnownWeights"]()
    for name in [estimator] if estimator else registry.names("estimator"):
        try:
            known += known_of(registry, name)
        except PluginError as error:
            if estimator:
                raise
            click.echo(f"left out: {error}", err=True)
    others = [] if estimator else others_here(known)
    if as_json:
        facts = {"cache": str(folder()), "known": [entry.to_json() for entry in known]}
        click.echo(json.dumps(facts | {"others": [str(path) for path in others]}))
        return
    for line in _aligned([_TITLES, *map(_row, known)]) if known else ["no public weights are known"]:
        click.echo(line)
    click.echo(f"\nThey are kept in {folder()}")
    for path in others:
        click.echo(f"beside them: {path.name} ({path.stat().st_size / 1e6:.0f} MB)")


def _row(known: KnownWeights) -> tuple[str, ...]:
    options = " ".join(f"{name}={value}" for name, value in known.options.items())
    size = f"{'' if known.file else 'about '}{known.megabytes} MB" if known.megabytes or known.file else "?"
    here = "yes" if known.file else "no" if known.download.sha256 else "by hand"
    channels = "backbone only" if known.download.backbone else str(len(known.download.keypoints) or "?")
    return (f"{known.estimator} {options}".strip(), known.name, channels, size, here, known.download.url)


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Columns in line."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip() for row in rows]

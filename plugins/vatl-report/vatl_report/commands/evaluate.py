"""``vatl evaluate``"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

if TYPE_CHECKING:
    from collections.abc import Callable

    from vatl_report.split_evaluation import Figures, SplitEvaluation

UNKNOWN: Final = "—"
SHOWN: Final = ("0.5", "0.6", "0.7", "0.75", "0.8", "0.95")
"""The thresholds of the table; the files have them all."""


@click.command("evaluate")
@click.option("--dataset", help="Data set; `synthetic` if not given.")
@click.option("--split", help="Its split to evaluate on, such as val; `test` if neither this nor --video is given.")
@click.option("--video", "videos", multiple=True, metavar="NAME", help="A video to evaluate on; repeatable.")
@click.option("--estimator", help="Pose estimator; the data set's own if not given.")
@click.option("--weights", help="auto (default), none (random), a known name, URL#sha256=HEX, or a file.")
@click.option("--weights-keypoints", help="Of a head that names none: their names, person-17, or same (the video's).")
@click.option("--device", help="auto (default), cpu, cuda, …")
@click.option("--precision", type=click.Choice(["auto", "float32", "bfloat16"]), help="Of the forward pass.")
@click.option("--batch", type=int, help="Instances to a forward pass.")
@click.option("--seed", type=int, help="Of random weights.")
@click.option("--out", type=click.Path(path_type=Path), help="File for all figures, .json or .csv.")
@click.option("-o", "options", multiple=True, metavar="PART.OPTION=VALUE", help="Option of a part; repeatable.")
@click.option("--json", "as_json", is_flag=True, help="Print all figures as one JSON object instead of a table.")
def command(
    split: str | None,
    videos: tuple[str, ...],
    out: Path | None,
    options: tuple[str, ...],
    as_json: bool,
    **flags: Any,
) -> None:
    """Measure an estimator's poses against the truth of a split, or of single videos.

    AP, AR, mean OKS and what plugins measure (PCK, OSPA) of all instances together and of each video, such as
    `vatl evaluate --dataset synthetic --split val --estimator tiny`.
    """
    from vatl_core.config_files import configure
    from vatl_core.discovery import discover
    from vatl_core.errors import InputError

    if out and out.suffix not in (".json", ".csv"):
        raise InputError(f"--out {out}: figures are written as JSON or CSV: end the name in .json or .csv")
    if split and videos:
        raise InputError(f"--split {split} and --video {videos[0]}: give a split or videos, not both")
    registry = discover()
    config = configure(registry, flags, options=options)

    from vatl_core.files import write_whole
    from vatl_report.split_evaluation import evaluate_videos

    with _percent("evaluating") as progress:
        found = evaluate_videos(registry, config, None if videos else split or "test", videos, progress)
    for warning in found.warnings:
        click.echo(f"warning: {warning}", err=True)
    if out:
        write_whole(out, found.to_csv() if out.suffix == ".csv" else json.dumps(found.to_json(), indent=2) + "\n")
    click.echo(json.dumps(found.to_json()) if as_json else _told(found))


@contextmanager
def _percent(label: str) -> Iterator[Callable[[float], None]]:
    """A bar that is told how much of everything is done, 0 to 1; it appears when there is something to tell."""
    from vatl_core.progress import bar

    with ExitStack() as stack:
        steps: list[Callable[[], None]] = []
        shown = 0

        def progress(done: float) -> None:
            nonlocal shown
            if not steps:
                steps.append(stack.enter_context(bar(label, 100)))
            while shown < int(100 * done):
                steps[0]()
                shown += 1

        yield progress


def _told(found: SplitEvaluation) -> str:
    """The figures as a table, a line a video, all together last."""
    together = found.together
    what = f"split {found.split}" if found.split else "the videos named"
    lines = [f"{found.estimator} on {found.dataset}, {what}; weights: {found.weights}", ""]
    rows = [*found.videos, together] if len(found.videos) > 1 else [together]
    head = ["video", "instances", "AP", *(t.removeprefix("0") for t in SHOWN), "medium", "large", "AR"]
    lines += _aligned([[*head, "OKS", *_whole(together)], *(_row(figures) for figures in rows)])
    lines += [f"\n{name} by keypoint: {', '.join(_by_keypoint(together, name))}" for name in _whole(together)]
    return "\n".join(line for line in lines if not line.endswith(": "))


def _whole(figures: Figures) -> dict[str, float]:
    """What plugins measured of whole poses."""
    return {name: value for name, value in figures.further.items() if not {".", "@"} & set(name)}


def _by_keypoint(figures: Figures, measure: str) -> list[str]:
    parts = ((name.partition(f"{measure}."), value) for name, value in figures.further.items())
    return [f"{keypoint} {value:.3f}" for (_, point, keypoint), value in parts if point]


def _row(figures: Figures) -> list[str]:
    measured = [
        figures.ap, *map(figures.ap_at.get, SHOWN), figures.ap_medium, figures.ap_large, figures.ar, figures.mean_oks,
        *_whole(figures).values(),
    ]  # fmt: skip
    cells = [UNKNOWN if value is None else f"{value:.3f}" for value in measured]
    return [figures.video or "all together", str(figures.instances), *cells]


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Columns in line: the first to the left, the others to the right."""
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell.ljust(w) if n == 0 else cell.rjust(w) for n, (cell, w) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    ]

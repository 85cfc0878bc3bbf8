"""``vatl predict``"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from vatl_predict.formats import DEFAULT, FORMATS

if TYPE_CHECKING:
    from vatl_core.run import PastRun
    from vatl_core.video import Video
    from vatl_predict.elsewhere import Check, Job
    from vatl_predict.places import Place
    from vatl_predict.predictions import Predictions

OWN: Final = ("estimator", "weights", "weights_keypoints", "refine")
"""What a run has of its own."""
SETTINGS: Final = ("device", "precision", "batch", "decoder")
"""How other videos are estimated: as the run's own was if not given."""
OF_OTHERS: Final = ("only", "skip_broken", *SETTINGS, "options")
"""What is said of videos that are estimated now: a run's own was, when it ran."""


@click.command("predict")
@click.argument("words", nargs=-1, type=click.Path(path_type=Path), metavar="[RUN] [PATH]...")
@click.option("--format", "formats", multiple=True, type=click.Choice(list(FORMATS)), help="Repeatable; coco and csv.")
@click.option("--dataset", help="Data set of other videos; the one that opens each PATH if not given.")
@click.option("--only", multiple=True, metavar="NAME", help="Which of its videos; repeatable, all if not given.")
@click.option("--estimator", help="Without RUN: pose estimator; the data set's own if not given.")
@click.option("--weights", help="Without RUN: auto (default), a known name, URL#sha256=HEX, or a file.")
@click.option("--weights-keypoints", help="Of a head that names none: their names, person-17, or same (the video's).")
@click.option("--refine", help="Without RUN: refinement that makes the poses consistent over time.")
@click.option("--device", help="Of other videos: auto, cpu, cuda, …; the run's if not given.")
@click.option("--precision", type=click.Choice(["auto", "float32", "bfloat16"]), help="Of other videos, as --device.")
@click.option("--batch", type=int, help="Of other videos: instances to a forward pass; the run's if not given.")
@click.option("--decoder", help="Of other videos: exact or torchcodec; the run's, or exact, if not given.")
@click.option("--skip-broken", is_flag=True, help="Leave out who is on frames that cannot be read.")
@click.option("--data-root", type=click.Path(path_type=Path), help="Where the run's data is now, if it was moved.")
@click.option("--out", type=click.Path(path_type=Path), help="Folder; RUN/predictions, or predictions, if not given.")
@click.option("--with-labels", is_flag=True, help="Put labels in place of the poses of labelled instances.")
@click.option("--video/--no-video", "overlay", default=True, help="Whether to write the overlay video.")
@click.option("--fps", type=click.FloatRange(min=0.1), default=25.0, show_default=True, help="Of the overlay video.")
@click.option("-o", "options", multiple=True, metavar="PART.OPTION=VALUE", help="Option of a part; repeatable.")
def command(
    words: tuple[Path, ...],
    formats: tuple[str, ...],
    data_root: Path | None,
    out: Path | None,
    overlay: bool,
    fps: float,
    **flags: Any,
) -> None:
    """Write poses for whole videos, in files for other programs.

    RUN is the directory of a run: the poses are its estimator's, of the run's own video, or of the videos at each PATH
    (a video, a folder of videos or of pictures, a file of annotations) or of a --dataset. Without RUN they are those of
    --estimator with --weights. Beside the files of each --format lies the video with the poses drawn over it.
    """
    from vatl_formats import real_folder
    from vatl_predict.formats import check_installed
    from vatl_predict.places import check_writable

    run, paths = _told_apart(words, flags)
    wanted = list(dict.fromkeys(formats or DEFAULT))
    check_installed(wanted)
    folder = real_folder(out or (run / "predictions" if run else Path("predictions")))

    def check(places: Sequence[Place], videos: Sequence[Video]) -> None:
        for place, video in zip(places, videos, strict=True):
            files = [*map(place.of, wanted), *([place.overlay] if overlay else [])]
            check_writable(folder, files)
            for name in wanted:
                FORMATS[name].check(video)

    for place, found in _jobs(run, data_root, paths, folder, flags, check):
        for name in wanted:
            FORMATS[name].write(found, place.of(name), place.scorer)
            click.echo(str(place.of(name)))
        if overlay:
            _draw(found, place.overlay, fps)


def _draw(found: Predictions, path: Path, fps: float) -> None:
    from vatl_core.errors import InputError
    from vatl_core.progress import bar
    from vatl_predict.overlay import covered, write_overlay

    length = len(found.video.frames)
    try:
        with bar("overlay", length) as step:
            write_overlay(found, path, fps, lambda done: step())
    except InputError as error:  # nobody is on that frame: the poses have been found
        found, count = covered(found)
        click.echo(f"{error}; the overlay shows what was there before on {count} of {length} frames", err=True)
        with bar("overlay", length) as step:
            write_overlay(found, path, fps, lambda done: step())
    click.echo(str(path))


def _told_apart(words: Sequence[Path], flags: Mapping[str, Any]) -> tuple[Path | None, list[Path]]:
    """The run, and the paths of other videos."""
    from vatl_core.errors import InputError

    own = next((f"--{name.replace('_', '-')}" for name in OWN if flags[name]), None)
    if words and (words[0] / "config.toml").is_file():
        if own:
            raise InputError(f"{words[0]} is a run, which has its own: give {own} without a run")
        return words[0], list(words[1:])
    if own is None:
        lacking = f"{words[0]} is no run: it has no config.toml" if words else "give the directory of a run"
        raise InputError(f"{lacking}; without one, say by which weights: --estimator NAME --weights FILE")
    return None, list(words)


def _jobs(
    run: Path | None,
    data_root: Path | None,
    paths: Sequence[Path],
    folder: Path,
    flags: Mapping[str, Any],
    check: Check,
) -> Iterator[Job]:
    """Poses, one video after the other, and where they go."""
    from vatl_core.errors import InputError
    from vatl_core.run import PastRun, move_data

    if run and data_root:
        move_data(run, data_root)
    past = PastRun.open(run) if run else None
    elsewhere = bool(paths or flags["dataset"])
    if past and not elsewhere:
        return _own(past, folder, flags, check)
    if flags["with_labels"] or (data_root and not run):
        given = "--with-labels" if flags["with_labels"] else "--data-root"
        raise InputError(f"{given} is about the video of a run: leave it out, or give the run alone")
    return _of_others(past, paths, folder, flags, check)


def _own(past: PastRun, folder: Path, flags: Mapping[str, Any], check: Check) -> Iterator[Job]:
    """The poses that a run found in its own video."""
    from vatl_core.errors import InputError
    from vatl_predict.beginnings import nothing_learnt
    from vatl_predict.places import Place, called, scorer_of
    from vatl_predict.predictions import Predictions

    if given := next((name for name in OF_OTHERS if flags[name]), None):
        option = {"options": "-o"}.get(given, f"--{given.replace('_', '-')}")
        about = "is about other videos than the run's own, whose poses it has"
        raise InputError(f"{option} {about}: give a PATH or --dataset")
    found = Predictions.of(past, flags["with_labels"])
    place = Place(folder, called(found.video.name), scorer_of(past.config.estimator))
    check([place], [found.video])
    if not found.learnt:
        click.echo(nothing_learnt(past), err=True)
    yield place, found


def _of_others(
    past: PastRun | None, paths: Sequence[Path], folder: Path, flags: Mapping[str, Any], check: Check
) -> Iterator[Job]:
    """The poses of other videos."""
    from vatl_core.discovery import discover, say_what_is_left_out
    from vatl_core.errors import InputError
    from vatl_predict.elsewhere import predict_with_run, predict_with_weights
    from vatl_predict.videos import sources

    if not paths and not flags["dataset"]:
        raise InputError("there is nothing to predict: give a PATH, a folder or a --dataset")
    registry = past.registry if past else discover()
    say_what_is_left_out(registry)
    options = (*flags["options"], *("dataset.skip_broken=true",) * flags["skip_broken"])
    settings = {name: flags[name] for name in ("dataset", *SETTINGS, *OWN)}
    found = sources(registry, settings, paths, flags["only"], options)
    _refuse_idle(found[0].config.options, past is not None)

    def tell(text: str) -> None:
        click.echo(text, err=True)

    if past is None:
        return predict_with_weights(registry, found, folder, check, tell)
    changed = {name: getattr(found[0].config, name) for name in SETTINGS if flags[name] is not None}
    return predict_with_run(past, changed, found, folder, check, tell)


def _refuse_idle(options: Mapping[str, Mapping[str, Any]], of_run: bool) -> None:
    """Refuse options of parts that have none to be set here: a run's are its own."""
    from vatl_core.errors import InputError

    parts = ("dataset",) if of_run else ("dataset", "estimator", "refine")
    if idle := next((name for role in options for name in options[role] if role not in parts), None):
        what = "the run's parts are as they were" if of_run else "nothing is made of it"
        raise InputError(f"-o {idle}.…: {what}; options here are of: {', '.join(parts)}")

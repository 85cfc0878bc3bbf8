"""``vatl predict``"""

from __future__ import annotations

from pathlib import Path

import click


@click.command("predict")
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--data-root", type=click.Path(path_type=Path), help="Where its data is now, if it was moved.")
@click.option("--out", type=click.Path(path_type=Path), help="Folder; RUN/predictions if not given.")
@click.option("--with-labels", is_flag=True, help="Put labels in place of the poses of labelled instances.")
@click.option("--video/--no-video", default=True, help="Whether to write the overlay video.")
@click.option("--fps", type=click.FloatRange(min=0.1), default=25.0, show_default=True, help="Of the overlay video.")
def command(run: Path, data_root: Path | None, out: Path | None, with_labels: bool, video: bool, fps: float) -> None:
    """Write the adapted estimator's poses for the whole video of the run in directory RUN.

    Three files: poses.json (COCO keypoints over video, which `--dataset coco` reads back), poses.csv (one row a
    keypoint) and overlay.mp4.
    """
    from vatl_core.errors import InputError

    if not (run / "config.toml").is_file():
        raise InputError(f"{run} is no run: it has no config.toml")

    from vatl_core.progress import bar
    from vatl_core.run import PastRun, move_data
    from vatl_core.weights import read_checkpoint
    from vatl_formats import real_folder
    from vatl_predict.predictions import Predictions, write_coco, write_csv, write_overlay

    if data_root:
        move_data(run, data_root)
    folder = real_folder(out or run / "predictions")
    past = PastRun.open(run)
    predictions = Predictions.of(past, with_labels)
    if not predictions.learnt:
        began = read_checkpoint(past.folder.weights(0)).begun_with
        click.echo(f"{run} has learnt nothing yet: these are poses of the weights it began with ({began})", err=True)
    written = [write_coco(predictions, folder / "poses.json"), write_csv(predictions, folder / "poses.csv")]
    if video:
        with bar("overlay", len(predictions.video.frames)) as step:
            written.append(write_overlay(predictions, folder / "overlay.mp4", fps, lambda done: step()))
    for path in written:
        click.echo(str(path))

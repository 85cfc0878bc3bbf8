"""Poses of other videos than a run's own, or of any with one's own weights."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs

from vatl_core.plugins import Registry
from vatl_core.progress import bars
from vatl_core.run import PastRun
from vatl_core.video import Video
from vatl_predict.beginnings import Kept, keypoints_of_run, keypoints_of_weights, nothing_learnt
from vatl_predict.places import Place, named_apart, scorer_of
from vatl_predict.predictions import Predictions
from vatl_predict.predictor import Predictor
from vatl_predict.skeletons import Keypoints
from vatl_predict.videos import Source

Job = tuple[Place, Predictions]
Check = Callable[[Sequence[Place], Sequence[Video]], None]
"""Told of all places and videos before anything is estimated; may refuse them."""
Tell = Callable[[str], None]


def predict_with_run(
    run: PastRun, changed: Mapping[str, Any], sources: Sequence[Source], folder: Path, check: Check, tell: Tell
) -> Iterator[Job]:
    """The poses of videos by a run's estimator, with its refinement and the last of its weights.

    Args:
        run: finished or not.
        changed: of its settings, such as the device.
        sources: the videos.
        folder: where files go.
        check: see :data:`Check`.
        tell: of what the user should know.

    Raises:
        InputError: a video cannot be used, or is of another skeleton.
    """
    kept = Kept.of(run)
    if not kept.cycle:
        tell(nothing_learnt(run))
    places, videos = _ready(sources, keypoints_of_run(run, kept), run.config.estimator, folder, tell)
    check(places, videos)
    config = attrs.evolve(run.config, **changed)
    predictor = Predictor.of_run(config, run.registry, videos[0].skeleton, kept.file)
    yield from _estimated(predictor, places, videos)


def predict_with_weights(
    registry: Registry, sources: Sequence[Source], folder: Path, check: Check, tell: Tell
) -> Iterator[Job]:
    """The poses of videos by the estimator and the weights that the first of them is configured with.

    Args and errors are as above.
    """
    config, dataset = sources[0].config, sources[0].dataset
    places, videos = _ready(sources, keypoints_of_weights(config), config.estimator, folder, tell)
    check(places, videos)
    with bars(config.weights) as progress:
        predictor, said = Predictor.of_weights(config, registry, videos[0].skeleton, dataset, progress)
    for line in said:
        tell(line)
    yield from _estimated(predictor, places, videos)


def _ready(
    sources: Sequence[Source], known: Keypoints | None, estimator: str, folder: Path, tell: Tell
) -> tuple[list[Place], list[Video]]:
    """All videos, of one skeleton, and where the files of each go."""
    videos = [video for source in sources for video in source.load()]
    if known is None:  # then the first video says what is estimated
        first = videos[0].skeleton
        known = Keypoints(first.keypoints, f"video '{videos[0].name}' before it", lambda: first)
    agreed = [known.agreed(video) for video in videos]
    for video in videos:
        for reason, count in video.dropped.items():
            tell(f"{video.name}: {count} annotations dropped: {reason}")
    return named_apart(folder, [video.name for video in videos], scorer_of(estimator)), agreed


def _estimated(predictor: Predictor, places: Sequence[Place], videos: Sequence[Video]) -> Iterator[Job]:
    for place, video in zip(places, videos, strict=True):
        with bars(place.video) as progress:
            found = predictor.poses(video, progress)
        yield place, found

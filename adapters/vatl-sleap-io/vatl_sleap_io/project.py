"""A project file: read by sleap-io, with its videos by name and its skeleton."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any, Final

import attrs
import numpy as np
import sleap_io

from vatl_core.errors import InputError
from vatl_core.files import exists
from vatl_core.video import Skeleton
from vatl_formats import flip_pairs_from_names, named_pairs, recognised
from vatl_sleap_io.slp_tables import refuse_contradictions
from vatl_sleap_io.tables import READERS, read_table

PICTURES: Final = frozenset({".bmp", ".jpeg", ".jpg", ".png"})


@attrs.frozen(eq=False)
class Project:
    """What a file holds.

    Attributes:
        path: the file.
        labels: with at least one instance, of a skeleton with at least one keypoint.
    """

    path: Path
    labels: sleap_io.Labels

    @property
    def nodes(self) -> list[str]:
        """The first skeleton's keypoints."""
        return list(self.labels.skeletons[0].node_names)

    def skeleton(self, flip_pairs: Sequence[str] | None = None) -> Skeleton:
        """The first skeleton; its left/right pairs are those that are named, its symmetries, or follow from names.

        Raises:
            InputError: a keypoint is there twice, or a pair is none.
        """
        theirs, names = self.labels.skeletons[0], self.nodes
        pairs = sorted({(min(pair), max(pair)) for pair in theirs.symmetry_inds})
        told = pairs or flip_pairs_from_names(names) if flip_pairs is None else named_pairs(flip_pairs, names)
        return Skeleton(
            name=theirs.name or self.path.stem,
            keypoints=names,
            edges=theirs.edge_inds,
            flip_pairs=told,
        )

    def videos(self) -> dict[str, sleap_io.Video]:
        """The videos with instances, by the name of their file or folder, numbered where that names several."""
        there = {id(frame.video) for frame in self.labels if len(frame)}
        names = [self._called(video) for video in self.labels.videos]
        several = {name for name, count in Counter(names).items() if count > 1}
        return {
            f"{name}-{number}" if name in several else name: video
            for number, (name, video) in enumerate(zip(names, self.labels.videos, strict=True), 1)
            if id(video) in there
        }

    def _called(self, video: sleap_io.Video) -> str:
        original = (video.original_video or video).filename
        if isinstance(original, list):
            return Path(original[0]).parent.name or self.path.stem
        return Path(original).name.removesuffix(".slp").removesuffix(Path(original).suffix) or self.path.stem


def read_project(path: Path, least_likelihood: float) -> Project:
    """Read a project file.

    Args:
        path: the file.
        least_likelihood: as :func:`read_table` has it.

    Raises:
        InputError: it is missing, nothing that sleap-io reads, or has no skeleton or no instances.
    """
    if not exists(path):
        raise InputError(f"{path} does not exist: give the path of the project's file")
    labels = _load(path, least_likelihood)
    if not isinstance(labels, sleap_io.Labels):
        raise InputError(f"{path} holds pictures and no labels: give the project's file")
    if not any(len(frame) for frame in labels):
        raise InputError(f"{path} has no instances: is it the right file, and are its pictures where it says?")
    if not labels.skeletons or not len(labels.skeletons[0]):
        raise InputError(f"{path} has no skeleton with keypoints: there is nothing to estimate")
    if strange := [name for name in labels.skeletons[0].node_names if not isinstance(name, str) or not name]:
        raise InputError(f"{path} has a keypoint called {strange[0]!r}: give it a name")
    return Project(path, labels)


@contextmanager
def _pictures_alone() -> Iterator[None]:
    """Have sleap-io open nothing that a project names but pictures, which some formats take their size from.

    It would fetch addresses, and give videos to FFmpeg, which follows playlists.
    """
    theirs = sleap_io.Video.exists

    def exists(video: sleap_io.Video, *options: Any, **named: Any) -> bool:
        names = video.filename if isinstance(video.filename, list) else [video.filename]
        pictures = all(Path(name).suffix.lower() in PICTURES and "://" not in str(name) for name in names)
        return pictures and bool(theirs(video, *options, **named))

    sleap_io.Video.exists = exists
    try:
        yield
    finally:
        sleap_io.Video.exists = theirs


class _SoundNumpy:
    """numpy, but that an array of no shape is one of nothing."""

    def __getattr__(self, name: str) -> Any:
        return getattr(np, name)

    def empty(self, shape: Any, *options: Any, **named: Any) -> Any:
        return np.empty(shape or 0, *options, **named)


@contextmanager
def _times_alone() -> Iterator[None]:
    """Keep sleap-io's reader of NWB from counting what lay in memory among a file's times, as 0.9 does.

    Then all frames behind that value are one too high.
    """
    from sleap_io.io import nwb_predictions  # which takes seconds

    theirs = nwb_predictions.np
    nwb_predictions.np = _SoundNumpy()
    try:
        yield
    finally:
        nwb_predictions.np = theirs


def _load(path: Path, least_likelihood: float) -> object:
    closed = {"open_videos": False} if path.suffix.lower() == ".slp" else {}  # we find the videos ourselves
    if path.name == "data.yaml" and (known := recognised(path)):  # sleap-io makes a video of each of its pictures
        raise InputError(f"{path} is {known}")
    try:
        table = read_table(path, least_likelihood) if path.suffix.lower() in READERS else None
        timed = _times_alone() if path.suffix.lower() == ".nwb" else nullcontext()
        with warnings.catch_warnings(), _pictures_alone(), timed:
            # instances that it leaves out where a picture is missing would be lost
            warnings.filterwarnings("error", ".*skipped along with their annotations", UserWarning)
            labels = table or sleap_io.load_file(path.absolute().as_posix(), **closed)
        if closed:
            refuse_contradictions(path)
        return labels
    except InputError:
        raise
    except Exception as error:  # its dozen readers raise whatever the file makes them stumble over
        known, said = recognised(path), " ".join(str(error).split()) or type(error).__name__
        cause = said if known is None or "sleap-io" in known else known
        hint = "; COCO keypoints are read by --dataset coco" if path.suffix.lower() == ".json" else ""
        raise InputError(f"{path} is no project that sleap-io {sleap_io.__version__} reads ({cause}){hint}") from error

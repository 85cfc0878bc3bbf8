"""The data set ``sleap-io``: projects of pose-tracking programs."""

from __future__ import annotations

from pathlib import Path

import attrs

from vatl_core.contracts import Dataset
from vatl_core.errors import InputError, unknown
from vatl_core.video import Video
from vatl_formats import Sigmas, extent_of, sigmas_of, with_sigmas, without_broken
from vatl_sleap_io.footage import Search, open_footage
from vatl_sleap_io.instances import PREDICTED, instances_of
from vatl_sleap_io.project import Project, read_project


@attrs.define
class SleapIO(Dataset):
    """A project of SLEAP, DeepLabCut or another program whose files sleap-io (Pereira et al.) reads.

    Every video of the project with instances is a video. Instances have the box around their points, 15 % of their
    extent beyond them on each side. An instance without a track is a track of its own.

    Attributes:
        labels: the project's file.
        frames: the video file, or the folder to look for the project's videos and pictures in; None for where the
            project says, else beside it.
        predicted: what becomes of instances that a program predicted and no user labelled: ``boxes``, they are
            estimated and have no truth; ``truth``, they count like a user's; ``none``, they are dropped.
        least_likelihood: that a point must have to count as placed in a table of predictions, of DeepLabCut's analysis
            for instance; from 0 to 1. Other programs leave such points out themselves.
        sigmas: OKS constants, as a fraction of the instance's size: K numbers or a set's name, coco, jrdb-pose or
            posetrack21; 0.05 each if None.
        ospa_sigmas: those that OSPA is measured by, in the same words; the same if None.
        flip_pairs: keypoints that are each other's mirror image, LEFT:RIGHT each; None for the skeleton's symmetries,
            or else those that the keypoints' names tell.
        skip_broken: whether to leave out, and count, who is on frames that cannot be read; every frame is looked at.
        outside: whether the project may name videos and pictures that do not lie below its own folder; by absolute
            paths alone, as SLEAP names all, if None. False for a stranger's project.
        extent: pixels that a side of a box has at least; needed where there is one keypoint. None for boxes as they
            are.
    """

    labels: Path = attrs.field(converter=Path)
    frames: Path | None = attrs.field(converter=attrs.converters.optional(Path), default=None)
    predicted: str = attrs.field(default=PREDICTED[0], validator=attrs.validators.in_(PREDICTED))
    least_likelihood: float = attrs.field(
        converter=float, default=0.6, validator=[attrs.validators.ge(0), attrs.validators.le(1)]
    )
    sigmas: Sigmas = attrs.field(converter=sigmas_of, default=None)
    ospa_sigmas: Sigmas = attrs.field(converter=sigmas_of, default=None)
    flip_pairs: tuple[str, ...] | None = None
    outside: bool | None = None
    skip_broken: bool = False
    extent: float | None = attrs.field(converter=extent_of, default=None)
    _project: Project | None = attrs.field(init=False, default=None, repr=False, eq=False)

    def videos(self) -> list[str]:
        return list(self._read().videos())

    def load(self, name: str) -> Video:
        project = self._read()
        videos = project.videos()
        if name not in videos:
            raise unknown("video", name, videos)
        skeleton = with_sigmas(project.skeleton(self.flip_pairs), self.sigmas, self.ospa_sigmas)
        if len(videos) > 1 and self.frames is not None and self.frames.is_file():
            raise InputError(
                f"{project.path} has {len(videos)} videos: give the folder that holds them as the option frames"
            )
        footage = open_footage(videos[name], Search(project.path, self.frames, self.outside))
        instances, dropped, by = instances_of(project, videos[name], footage, self.predicted, self.extent)
        video = Video(name, skeleton, footage.frames, instances, dropped, by)
        return without_broken(video) if self.skip_broken else video

    def _read(self) -> Project:
        self._project = self._project or read_project(self.labels, self.least_likelihood)
        return self._project

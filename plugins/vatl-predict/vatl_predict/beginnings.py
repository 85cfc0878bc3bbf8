"""Which weights there are, and for which keypoints, before a network is made."""

from __future__ import annotations

import shlex
from pathlib import Path

import attrs

from vatl_core.config import RunConfig
from vatl_core.errors import InputError
from vatl_core.run import PastRun
from vatl_core.video import PERSON_17, Skeleton
from vatl_core.weights import read_checkpoint
from vatl_predict.skeletons import Keypoints, bare
from vatl_weights import read_weights


@attrs.frozen
class Kept:
    """The last weights of a run.

    Attributes:
        cycle: that estimated with them.
        file: where they are.
    """

    cycle: int
    file: Path

    @classmethod
    def of(cls, run: PastRun) -> Kept:
        """Those of a run, finished or not.

        Raises:
            InputError: there are none.
        """
        done, folder = len(run.cycles), run.folder
        for cycle in (done, done - 1):
            if cycle >= 0 and (file := folder.weights(cycle)).is_file():
                return cls(cycle, file)
        lost = f"{folder.weights(max(done - 1, 0))} is not there: without weights nothing is estimated"
        raise InputError(f"{lost}; restore it, or take the run up (`vatl resume {shlex.quote(str(folder.path))}`)")


def nothing_learnt(run: PastRun) -> str:
    """What to say of poses by the weights that a run began with."""
    began = read_checkpoint(run.folder.weights(0)).begun_with
    return f"{run.folder.path} has learnt nothing yet: these are poses of the weights it began with ({began})"


def keypoints_of_run(run: PastRun, kept: Kept) -> Keypoints:
    """What a run's weights are for.

    Raises:
        InputError: their file is damaged.
    """
    names = read_checkpoint(kept.file).keypoints
    if names is None:
        raise InputError(f"weights {kept.file} are no run's: they do not say which keypoints they are for")

    def skeleton() -> Skeleton:
        try:
            return run.video.skeleton
        except InputError:  # its data need not be here: then nobody knows the edges
            return bare(run.folder.path.name, names)

    return Keypoints(names, f"the weights of {run.folder.path}", skeleton)


def keypoints_of_weights(config: RunConfig) -> Keypoints | None:
    """What one's own weights are for; None where they are in no file, or nobody says."""
    file, told = Path(config.weights).expanduser(), config.weights_keypoints
    names = told or (read_weights(file).keypoints if file.is_file() else None)
    if names == (PERSON_17.name,):
        names = PERSON_17.keypoints
    if not names or names == ("same",):
        return None
    return Keypoints(tuple(names), f"weights {config.weights}", lambda: bare(file.stem, names))

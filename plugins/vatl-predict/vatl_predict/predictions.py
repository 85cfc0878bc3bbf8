"""An estimator's poses for a whole video."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

import attrs
import torch
from torch import Tensor

from vatl_core.errors import InputError
from vatl_core.estimation import Estimates
from vatl_core.video import Video
from vatl_formats import with_identities

if TYPE_CHECKING:
    from vatl_core.run import PastRun


@attrs.frozen
class Predictions:
    """Poses of P of a video's instances, on the CPU: all but those at which an annotator found nobody.

    Attributes:
        video: whose.
        index: (P,) which of its instances they are, ascending.
        keypoints: (P, K, 2) pixels; 0 where a label says that the keypoint is not there.
        scores: (P, K); 1 for the keypoints of a label, 0 for those that it has not.
        labelled: (P,) bool, where a label stands in place of the estimate.
        visible: (P, K) bool, which keypoints there are: all of an estimate, those annotated of a label.
        occluded: (P, K) bool, which of a label's keypoints are hidden in the picture.
        learnt: whether anything was learnt from labels before they were estimated.
    """

    video: Video
    index: Tensor
    keypoints: Tensor
    scores: Tensor
    labelled: Tensor
    visible: Tensor
    occluded: Tensor
    learnt: bool = attrs.field(default=True, kw_only=True)

    @classmethod
    def of(cls, run: PastRun, with_labels: bool = False) -> Predictions:
        """The poses of a run's last estimates.

        Raises:
            InputError: it has estimated nothing yet, or what it estimated last is lost.
        """
        cycle, estimates = _last_estimates(run)
        keypoints, scores = estimates.keypoints.clone(), estimates.scores.clone()
        labelled = torch.zeros(len(keypoints), dtype=torch.bool)
        occluded = torch.zeros_like(scores, dtype=torch.bool)
        visible = ~occluded
        if with_labels:
            labels = run.labels()
            labelled[labels.index] = True
            occluded[labels.index] = labels.occluded
            # what the annotator took away stays away: the estimate of it is what the label contradicts
            visible[labels.index] = seen = labels.visible
            keypoints[labels.index] = torch.where(seen[..., None], labels.keypoints, 0.0)
            scores[labels.index] = seen.to(scores)
        index = torch.nonzero(run.standing.there(torch.device("cpu"))).flatten()
        columns = (keypoints, scores, labelled, visible, occluded)
        video = with_identities(run.video, run.folder.path)
        return cls(video, index, *(column[index] for column in columns), learnt=cycle > 0)

    @classmethod
    def estimated(cls, video: Video, keypoints: Tensor, scores: Tensor) -> Predictions:
        """The poses (N, K, 2) with scores (N, K) of all instances of a video, none of them labelled."""
        nobody = torch.zeros(len(keypoints), dtype=torch.bool)
        hidden = torch.zeros(scores.shape, dtype=torch.bool)
        return cls(video, torch.arange(len(keypoints)), keypoints.cpu(), scores.cpu(), nobody, ~hidden, hidden)

    @property
    def frame(self) -> Tensor:
        """(P,) which of the video's frames each is on."""
        return self.video.instances.frame[self.index]

    @property
    def pose_scores(self) -> Tensor:
        """(P,) the mean score of the keypoints that there are."""
        return self.scores.sum(1) / self.visible.sum(1).clamp(min=1)


def _last_estimates(run: PastRun) -> tuple[int, Estimates]:
    """The cycle under way where it has estimated, else the last that was finished, never an earlier one."""
    done, path = len(run.cycles), run.folder.path
    for cycle in (done, done - 1):
        if cycle >= 0 and (estimates := run.folder.estimates(cycle)):
            return cycle, estimates
    if done:
        lost = run.folder.cycle_folder(done - 1) / "estimates.npz"
        raise InputError(f"{lost} is not there: the run's last poses are lost, restore the file")
    raise InputError(f"{path} has no estimates yet: take it up with `vatl resume {shlex.quote(str(path))}`")

"""What a refinement promises."""

from __future__ import annotations

from typing import Any

import torch

from vatl_core.contracts import Labels, Refined, Refinement, Tracks
from vatl_kit.broken import going_on, promise
from vatl_kit.contract import quick, untouched_randomness
from vatl_kit.material import STICK, devices, farthest, generator, same, stick_video
from vatl_kit.truth import UnknowingContract


class RefinementContract(UnknowingContract):
    """``component`` is a refinement: finite poses and spreads of the same shapes, whatever is labelled."""

    kind = "refinement"
    component: Refinement | type[Refinement]

    @quick
    def test_gives_a_finite_pose_and_spread_for_each_instance(self) -> None:
        for device in devices():
            for labelled in (0, 5):
                tracks = self._tracks(device)
                found = self._refined(tracks, labelled)
                for name, part, like in (
                    ("keypoints", found[0], tracks.keypoints),
                    ("spread", found[1], tracks.scores),
                ):
                    promise(
                        part.shape == like.shape and part.device == like.device and bool(part.isfinite().all()),
                        f"{self.called} gives finite {name} with {labelled} labels",
                        f"{tuple(like.shape)} on {like.device}",
                        f"{tuple(part.shape)} on {part.device}",
                        "return Refined(keypoints, spread) of the tracks' shapes",
                    )

    @quick
    def test_the_same_again_gives_the_same(self) -> None:
        tracks = self._tracks(torch.device("cpu"))
        first, second = (untouched_randomness(lambda: self._refined(tracks, 5)) for _ in range(2))
        promise(
            same(first[0], second[0]),
            f"{self.called}: the same tracks give the same poses",
            "the same keypoints",
            farthest(first[0], second[0]),
            "leave nothing to chance, and keep nothing on self",
        )

    def test_leaves_what_it_is_given_as_it_is(self) -> None:
        tracks, kept = self._tracks(torch.device("cpu")), self._tracks(torch.device("cpu"))
        self._refined(tracks, 5)
        promise(
            same(tracks.keypoints, kept.keypoints) and same(tracks.scores, kept.scores),
            f"{self.called} leaves the tracks as they are",
            "the same keypoints and scores",
            farthest(kept.keypoints, tracks.keypoints),
            "do not use operations that end in an underscore, or assign into them",
        )

    def _refined(self, tracks: Tracks, labelled: int) -> Refined:
        __tracebackhide__ = True
        made: Any = self.fresh()
        draw = generator(4)
        candidates = torch.rand(*tracks.scores.shape, made.candidates, 3, generator=draw).to(tracks.scores.device)
        index = torch.arange(labelled) * 2
        points = tracks.keypoints[index.to(tracks.keypoints.device)].cpu()
        labels = Labels(index, points, torch.ones(labelled, len(STICK)) > 0, "kit", torch.zeros(labelled))
        with going_on(f"{self.called}: refine {len(tracks.frame)} instances"):
            found: Refined = made.refine(tracks, candidates, labels)
        return found

    def _tracks(self, device: torch.device) -> Tracks:
        """Estimates of two individuals in eight frames."""
        instances = stick_video(8, 2).instances
        draw, count = generator(2), len(instances)
        points = (instances.boxes[:, None, :2] + torch.rand(count, len(STICK), 2, generator=draw) * 40).to(device)
        columns = {n: getattr(instances, n).to(device) for n in ("frame", "track", "previous", "next", "boxes")}
        scores = torch.rand(count, len(STICK), generator=draw).to(device)
        return Tracks(STICK, time=columns["frame"].double() / 25, keypoints=points, scores=scores, **columns)

"""What an oracle promises."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import attrs
import torch
from torch import Tensor

from vatl_core.contracts import Enough, Labels, Oracle, Redrawn, Refusal, Request
from vatl_core.errors import InputError
from vatl_core.video import Instances, Video
from vatl_kit.broken import BrokenContract, going_on, promise
from vatl_kit.contract import Contract, quick
from vatl_kit.material import generator, same, stick_video


class OracleContract(Contract):
    """``component`` is an oracle: answers to what it was asked, each of them sound.

    Of one that ``asks_people``, who cannot be had in a test, only what needs none of them is checked.
    """

    kind = "oracle"
    component: Oracle | type[Oracle]

    @quick
    def test_answers_everything_it_is_asked(self) -> None:
        if self.fresh().asks_people:
            return
        request = self._request([9, 2, 5, 0])
        answers = self._answers(request)
        settled = {i for answer in answers if isinstance(answer, Labels) for i in answer.index.tolist()}
        settled |= {answer.index for answer in answers if isinstance(answer, Refusal)}
        left = sorted(set(request.indices.tolist()) - settled)
        promise(
            not left or any(isinstance(answer, Enough) for answer in answers),
            f"{self.called} answers everything it is asked",
            "Labels or a Refusal for each instance, or Enough",
            f"nothing for {left}",
            "go through request.indices",
        )

    @quick
    def test_tells_what_it_can_answer_for(self) -> None:
        video = stick_video()
        for asked in (video, _half_known(video), video.without_truth()):
            with going_on(f"{self.called}: can_answer"):
                mask = self.fresh().can_answer(asked)
            promise(
                mask is None
                or (isinstance(mask, Tensor) and mask.dtype == torch.bool and mask.shape == (len(video.instances),)),
                f"{self.called} tells which instances it can answer for",
                f"None for any, or ({len(video.instances)},) torch.bool",
                f"{mask.dtype} {tuple(mask.shape)}" if isinstance(mask, Tensor) else type(mask).__name__,
                "video.instances.known where it looks the truth up, else leave can_answer to Oracle",
            )

    def test_what_it_can_answer_for_it_answers(self) -> None:
        video = _half_known(stick_video())
        mask = self.fresh().can_answer(video)
        if self.fresh().asks_people or mask is None or not mask.any():
            return
        query = torch.nonzero(mask).flatten().tolist()
        answers = self._answers(self._request(query, video=video))
        named = {i for answer in answers if isinstance(answer, Labels) for i in answer.index.tolist()}
        named |= {answer.index for answer in answers if isinstance(answer, Refusal)}
        promise(
            set(query) <= named or any(isinstance(answer, Enough) for answer in answers),
            f"{self.called} answers for every instance that it says it can answer for",
            query,
            sorted(named),
            "let can_answer be what annotate looks up",
        )

    @quick
    def test_answers_are_sound(self) -> None:
        if self.fresh().asks_people:
            return
        request = self._request([9, 2, 5, 0])
        for answer in self._answers(request):
            promise(
                isinstance(answer, Labels | Redrawn | Refusal | Enough),
                f"{self.called} gives answers",
                "Labels, Redrawn, Refusal or Enough",
                type(answer).__name__,
                "yield vatl_core.Labels(index, keypoints, visible, annotator, seconds)",
            )
            if isinstance(answer, Labels):
                self._is_sound(answer, request)

    def test_asked_for_a_part_it_answers_that_part(self) -> None:
        if self.fresh().asks_people:
            return
        whole, part = self._labels([9, 2, 5, 0], [9, 2, 5, 0]), self._labels([9, 2, 5, 0], [5, 0])
        promise(
            set(part) <= {5, 0},
            f"{self.called}: a run that is taken up again asks for the rest of a query",
            "answers for 5 and 0",
            f"answers for {sorted(part)}",
            "go through request.indices, not request.query",
        )
        other = [i for i in part if not same(part[i], whole[i])]
        promise(
            not other,
            f"{self.called}: an instance's answer does not depend on what else is asked",
            "the same labels",
            f"others for {other}",
            "draw what is random from the instance's number, as by vatl_core.seeds.generator(seed, index)",
        )

    def test_leaves_the_video_as_it_is(self) -> None:
        if self.fresh().asks_people:
            return
        request, kept = self._request([1, 3]), stick_video()
        self._answers(request)
        before, after = kept.instances.keypoints, request.video.instances.keypoints
        promise(
            before is not None and after is not None and same(before, after),
            f"{self.called} leaves the truth as it is: the evaluation reads it too",
            "the same keypoints",
            "others",
            "clone what you change",
        )

    @quick
    def test_says_so_where_it_cannot_answer(self) -> None:
        if self.fresh().asks_people:
            return
        bare = stick_video().without_truth()
        try:
            list(self.fresh().annotate(self._request([1, 3], video=bare)))
        except InputError:
            return
        except Exception as error:  # anything else is the wrong error
            raise BrokenContract(
                f"{self.called}: asked about a video without truth, it answers or says that it cannot",
                "answers, or vatl_core.InputError",
                f"{type(error).__name__}: {error}",
                "check request.video.instances.has_truth first",
            ) from error

    def _labels(self, query: list[int], indices: list[int]) -> dict[int, Tensor]:
        """The keypoints that it gives, by instance."""
        answers = self._answers(self._request(query, indices))
        return {
            number: answer.keypoints[place]
            for answer in answers
            if isinstance(answer, Labels)
            for place, number in enumerate(answer.index.tolist())
        }

    def _answers(self, request: Request) -> list[Any]:
        __tracebackhide__ = True
        with going_on(f"{self.called}: annotate {len(request)} instances"):
            return list(self.fresh().annotate(request))

    def _request(self, query: list[int], indices: list[int] | None = None, video: Video | None = None) -> Request:
        video = video or stick_video()
        asked = torch.tensor(indices or query)
        proposals = torch.rand((len(asked), 5, 2), generator=generator()) * 100
        none = torch.zeros(0, dtype=torch.int64)
        labels = Labels(none, torch.zeros(0, 5, 2), torch.zeros(0, 5) > 0, "", torch.zeros(0))
        self._folder = tempfile.TemporaryDirectory(prefix="vatl-testing-")
        folder = Path(self._folder.name)
        return Request(video, 0, torch.tensor(query), asked, proposals, torch.rand(len(asked), 5), labels, folder)

    def _is_sound(self, labels: Labels, request: Request) -> None:
        __tracebackhide__ = True
        count, keypoints = len(labels.index), len(request.video.skeleton)
        shapes = {
            "keypoints": (count, keypoints, 2), "visible": (count, keypoints), "occluded": (count, keypoints),
            "seconds": (count,), "moved": (count,), "proposals": (count, keypoints, 2),
        }  # fmt: skip
        for name, shape in shapes.items():
            promise(
                tuple(getattr(labels, name).shape) == shape,
                f"{self.called}: {name} of Labels has a row an instance",
                shape,
                tuple(getattr(labels, name).shape),
                "index the columns by the same instances",
            )
        strange = sorted(set(labels.index.tolist()) - set(request.query.tolist()))
        promise(
            not strange,
            f"{self.called} labels what it was asked for",
            f"instances among {sorted(request.query.tolist())}",
            strange,
            "go through request.indices",
        )
        promise(
            bool(labels.keypoints[labels.visible].isfinite().all()),
            f"{self.called} gives finite keypoints where they are visible",
            "pixels",
            "NaN or infinite ones",
            "set visible to False where a keypoint is not known",
        )
        promise(
            bool((labels.seconds.isfinite() & (labels.seconds >= 0)).all()),
            f"{self.called} says how long a label took",
            "seconds from 0",
            labels.seconds.tolist(),
            "give zeros where nobody spent any time",
        )


def _half_known(video: Video) -> Video:
    """The video with the truth of every other instance."""
    old, known = video.instances, torch.arange(len(video.instances)) % 2 == 0
    columns = (old.frame, old.track, old.boxes, old.ids, old.keypoints, old.visible, known)
    return attrs.evolve(video, instances=Instances.of(*columns))

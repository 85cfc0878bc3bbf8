"""What a data set promises."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from typing import Any, Final

import torch
from torch import Tensor

from vatl_core.contracts import Dataset
from vatl_core.errors import InputError
from vatl_core.video import Instances, Video, neighbours
from vatl_kit.broken import BrokenContract, going_on, promise
from vatl_kit.contract import Contract, quick
from vatl_kit.material import same

_COLUMNS: Final[Mapping[str, tuple[tuple[int, ...], torch.dtype]]] = {
    "frame": ((), torch.int64), "track": ((), torch.int64), "previous": ((), torch.int64), "next": ((), torch.int64),
    "boxes": ((4,), torch.float32), "known": ((), torch.bool),
}  # fmt: skip
"""What a row of each column is."""


class DatasetContract(Contract):
    """``component`` is a data set with something in it: videos that load, the same whenever they do."""

    kind = "dataset"
    component: Dataset | type[Dataset]

    @quick
    def test_names_its_videos(self) -> None:
        with going_on(f"{self.called}: videos()"):
            names = self.fresh().videos()
        promise(
            isinstance(names, list) and names and all(isinstance(name, str) and name for name in names),
            f"{self.called}: videos() names what there is to adapt to",
            "a list of names",
            names,
            "give the tests a folder with at least one video",
        )
        promise(
            len(set(names)) == len(names) and self.fresh().videos() == names,
            f"{self.called}: videos() names each once, in the same order whenever it is asked",
            names,
            self.fresh().videos(),
            "sort them",
        )

    @quick
    def test_its_first_video_has_instances(self) -> None:
        self._is_sound(self._video())

    def test_its_source_videos_have_truth(self) -> None:
        data = self.fresh()
        if not (names := data.sources()):
            return  # it has nothing to train on, which is its right
        video = self._loaded(data, names[0])
        self._is_sound(video)
        promise(
            video.instances.has_truth,
            f"{self.called}: sources() have truth, since one trains on them",
            "keypoints",
            "none",
            "leave videos without keypoints out of sources()",
        )

    @quick
    def test_frames_are_pictures_in_any_order(self) -> None:
        frames = self._video().frames
        last = len(frames) - 1
        with going_on(f"{self.called}: read the first frame, the last and the first again"):
            first, end, again = frames.read(0), frames.read(last), frames.read(0)
            many = list(frames.reader().read_many([0, last]))
        promise(
            all(p.dtype == torch.uint8 and p.ndim == 3 and len(p) == 3 and not p.is_cuda for p in (first, end)),
            f"{self.called}: frames are (3, H, W) uint8 RGB on the CPU",
            "(3, H, W) torch.uint8",
            f"{tuple(first.shape)} {first.dtype}",
            "torch.from_numpy(picture).permute(2, 0, 1), of bytes",
        )
        for index, picture in ((0, first), (last, end)):
            with going_on(f"{self.called}: size of frame {index}"):
                size = frames.size(index)
            promise(
                size == (picture.shape[2], picture.shape[1]),
                f"{self.called}: size tells what read gives",
                f"width and height {(picture.shape[2], picture.shape[1])} of frame {index}",
                size,
                "leave size to Frames, or give (width, height) of the picture as read turns and scales it",
            )
        promise(
            torch.equal(first, again) and torch.equal(many[0], first) and torch.equal(many[1], end),
            f"{self.called}: a frame is the same in whatever order frames are read",
            "the same picture",
            "another",
            "seek to the frame that is asked for; give reader() a decoder of its own",
        )
        self._raises_input_error(lambda: frames.read(len(frames)), f"frame {len(frames)} of {len(frames)}")
        with going_on(f"{self.called}: the time of each frame"):
            times = [frames.time(index) for index in range(min(len(frames), 100))]
        promise(
            times[0] == 0 and times == sorted(times),
            f"{self.called}: time goes on from the first frame",
            "0 s, then more and more",
            times[:5],
            "leave time to Frames, or give seconds since the first frame",
        )

    @quick
    def test_neighbours_are_those_in_time(self) -> None:
        instances = self._video().instances
        previous, following = neighbours(instances.frame, instances.track)
        promise(
            torch.equal(instances.previous, previous) and torch.equal(instances.next, following),
            f"{self.called}: previous and next are the same track's neighbours in time",
            "what vatl_core.video.neighbours finds",
            f"{int((instances.previous != previous).sum())} others before, {int((instances.next != following).sum())} "
            "after",
            "make Instances by Instances.of(…), which works them out",
        )

    def test_loads_the_same_whenever_it_loads(self) -> None:
        first, again = self._video(), self._video()
        self._are_same(first.instances, again.instances)
        promise(
            first.labelled_by == again.labelled_by,
            f"{self.called}: a run that is taken up again is given the same labels",
            first.labelled_by,
            again.labelled_by,
            "draw nothing at random that no option seeds; keep the annotations' order",
        )
        promise(
            first.skeleton == again.skeleton and torch.equal(first.frames.read(0), again.frames.read(0)),
            f"{self.called}: a run that is taken up again sees the same video",
            "the same skeleton and pictures",
            "others",
            "draw nothing at random that no option seeds",
        )

    def test_splits_name_what_loads(self) -> None:
        data = self.fresh()
        with going_on(f"{self.called}: splits()"):
            splits = data.splits()
        for split, names in splits.items():
            promise(
                names and data.of_split(split) == names,
                f"{self.called}: each split has videos",
                "names",
                names,
                "leave empty splits out",
            )
        for skeleton, instances in [next(iter(data.split_poses(split))) for split in splits]:
            promise(
                instances.keypoints is None or instances.keypoints.shape[1:] == (len(skeleton), 2),
                f"{self.called}: split_poses gives a skeleton with the poses that are made of it",
                f"(N, {len(skeleton)}, 2)",
                None if instances.keypoints is None else tuple(instances.keypoints.shape),
                "give each video's own skeleton",
            )

    @quick
    def test_a_video_that_is_not_there_is_an_input_error(self) -> None:
        self._raises_input_error(lambda: self.fresh().load("no such video"), "the video 'no such video'")

    def test_can_be_sent_to_another_process(self) -> None:
        data = self.fresh()
        with going_on(f"{self.called}: pickle it", "keep open files and decoders out of its fields"):
            other = pickle.loads(pickle.dumps(data))  # noqa: S301 - our own bytes
        promise(
            other.videos() == data.videos(),
            f"{self.called}: another process finds the same videos",
            data.videos(),
            other.videos(),
            "keep in its options what it needs",
        )

    def _video(self) -> Video:
        __tracebackhide__ = True
        data = self.fresh()
        return self._loaded(data, data.videos()[0])

    def _loaded(self, data: Any, name: str) -> Video:
        __tracebackhide__ = True
        with going_on(f"{self.called}: load '{name}'"):
            video = data.load(name)
        promise(
            isinstance(video, Video),
            f"{self.called}: load gives a Video",
            "vatl_core.Video",
            type(video).__name__,
            "return Video(name, skeleton, frames, instances)",
        )
        loaded: Video = video
        return loaded

    def _is_sound(self, video: Video) -> None:
        """Columns that belong together, boxes with an area, keypoints that are numbers where they are annotated."""
        __tracebackhide__ = True
        found, count = video.instances, len(video.instances)
        columns = {name: ((count, *row), kind) for name, (row, kind) in _COLUMNS.items()}
        if found.keypoints is not None:
            whole = (count, len(video.skeleton))
            columns |= {"keypoints": ((*whole, 2), torch.float32), "visible": (whole, torch.bool)}
        for name, (shape, kind) in columns.items():
            self._is_column(name, getattr(found, name), shape, kind)
        self._says_what_is_known(found)
        self._says_who_labelled(video)
        promise(
            len(found.ids) == count and len(set(found.ids)) == count,
            f"{self.called}: every instance has an id of its own",
            f"{count} different ids",
            len(set(found.ids)),
            "use the annotation's id, or leave ids out",
        )
        boxes = found.boxes
        promise(
            bool(boxes.isfinite().all()) and bool((boxes[:, 2:] > 0).all()),
            f"{self.called}: every box has an area",
            "x, y, width > 0, height > 0",
            boxes[~(boxes[:, 2:] > 0).all(1)][:1].tolist(),
            "drop instances without one, and count them in Video.dropped",
        )
        self._meet_their_pictures(video)
        if found.keypoints is not None and found.visible is not None:
            promise(
                bool(found.keypoints[found.visible].isfinite().all()),
                f"{self.called}: annotated keypoints are numbers",
                "finite pixels",
                f"{int((~found.keypoints[found.visible].isfinite()).sum())} not finite",
                "set visible to False where a keypoint is not known",
            )

    def _says_what_is_known(self, found: Instances) -> None:
        __tracebackhide__ = True
        both = (found.keypoints is None) == (found.visible is None)
        odd = found.known.any() if found.visible is None else found.visible[~found.known].any()
        promise(
            both and not odd,
            f"{self.called}: what nobody knows has no visible keypoint, and what is known has keypoints",
            "known, keypoints and visible that agree",
            "known instances without keypoints" if found.visible is None else "visible keypoints that are not known",
            "make Instances by Instances.of(…, known=…), which hides what is not known",
        )

    def _says_who_labelled(self, video: Video) -> None:
        __tracebackhide__ = True
        told: Any = video.labelled_by
        known = dict(enumerate(video.instances.known.tolist()))
        named = told is None or (isinstance(told, Mapping) and all(isinstance(who, str) for who in told.values()))
        promise(
            named and all(type(i) is int and known.get(i) for i in told or ()),
            f"{self.called}: labelled_by says who labelled which instances by hand, each of known truth",
            "{number of the instance: name}, or None where the data does not tell",
            told,
            "name the file where it names nobody; leave out whose keypoints are predicted, or not known",
        )

    def _is_column(self, name: str, column: Any, shape: tuple[int, ...], kind: torch.dtype) -> None:
        __tracebackhide__ = True
        promise(
            isinstance(column, Tensor) and tuple(column.shape) == shape and not column.is_cuda,
            f"{self.called}: {name} has a row an instance, on the CPU",
            shape,
            tuple(column.shape) if isinstance(column, Tensor) else type(column).__name__,
            "make Instances by Instances.of(frame, track, boxes, ids, keypoints, visible, known)",
        )
        promise(
            column.dtype == kind,
            f"{self.called}: {name} has the type that Instances documents",
            kind,
            column.dtype,
            f"make {name} by .to({kind})",
        )

    def _meet_their_pictures(self, video: Video) -> None:
        """Boxes may reach beyond their picture, and show some of it; of long videos not every picture is opened."""
        __tracebackhide__ = True
        found = video.instances
        frames = found.frame.unique()
        looked = frames[torch.linspace(0, len(frames) - 1, min(len(frames), 12)).long()].tolist()
        with going_on(f"{self.called}: the size of its pictures"):
            sizes = {index: video.frames.size(index) for index in looked}
        largest = tuple(max(size[side] for size in sizes.values()) for side in (0, 1))
        sides = torch.tensor([sizes.get(index, largest) for index in found.frame.tolist()])
        low, high = found.boxes[:, :2], found.boxes[:, :2] + found.boxes[:, 2:]
        outside = ((low >= sides) | (high <= 0)).any(1)
        promise(
            not outside.any(),
            f"{self.called}: every box meets its picture",
            "some of each box inside",
            f"{int(outside.sum())} outside, such as {found.boxes[outside][:1].tolist()} of a picture "
            f"{sides[outside][:1].tolist()}",
            "give x, y of the upper left corner, width, height in pixels; drop who is not to be seen, and count them",
        )

    def _are_same(self, first: Instances, again: Instances) -> None:
        __tracebackhide__ = True
        for name in ("frame", "track", "boxes", "keypoints", "visible", "known"):
            before, after = getattr(first, name), getattr(again, name)
            promise(
                (before is None and after is None) or same(before, after),
                f"{self.called}: a run that is taken up again sees the same instances",
                f"the same {name}",
                "others",
                "draw nothing at random that no option seeds; keep the annotations' order",
            )

    def _raises_input_error(self, ask: Any, what: str) -> None:
        __tracebackhide__ = True
        try:
            ask()
        except InputError:
            return
        except Exception as error:  # anything else is the wrong error
            came = f"{type(error).__name__}: {error}"
            cause: Exception | None = error
        else:
            came, cause = "no error", None
        raise BrokenContract(
            f"{self.called}: asked for {what}, it says what is wrong",
            "vatl_core.InputError",
            came,
            "raise InputError with a line that says what there is",
        ) from cause

"""What the measurements are made on: sizes, videos and clocks."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from pathlib import Path

import attrs
import cv2
import torch

from vatl_core.compute import Compute
from vatl_core.contracts import Criterion, Estimator
from vatl_core.discovery import discover
from vatl_core.estimation import Crops
from vatl_core.plugins import build
from vatl_core.seeds import generator
from vatl_core.video import PERSON_17, Frames, Video
from vatl_frames import PictureFiles, VideoFile


@attrs.frozen
class Sizes:
    """How much is measured.

    Attributes:
        estimator, learner: names, of what is passed and of what is retrained; with ``input_size``.
        batch, batches: instances to a forward pass, and how many passes.
        frames, frame_size, people: of the film that is decoded.
        labels, epochs: of a retraining.
        pool: instances that criteria and selectors see; ``features`` wide.
        cycles, instances, preset: of a whole run.
        rounds: how often each is timed; the median counts.
    """

    estimator: str = "hrnet"
    learner: str = "simplebaseline"
    input_size: tuple[int, int] = (256, 192)
    batch: int = 256
    batches: int = 4
    frames: int = 120
    frame_size: tuple[int, int] = (1080, 1920)
    people: int = 4
    labels: int = 100
    epochs: int = 75
    pool: int = 10_000
    features: int = 2048
    instances: int = 300
    cycles: int = 9
    preset: str = "vatl4pose"
    rounds: int = 5


SMALL = Sizes("tiny", "tiny", (64, 64), 8, 2, 6, (120, 160), 2, 6, 2, 60, 16, 12, 2, "tpc", 1)
"""For a CPU, to see that all of it runs: the ratios say nothing."""


@attrs.frozen
class Bench:
    """Where and how much is measured."""

    compute: Compute
    sizes: Sizes

    @property
    def device(self) -> torch.device:
        return self.compute.device

    def seconds(self, work: Callable[[], object]) -> float:
        """Until the device has done it."""
        self.wait()
        start = time.perf_counter()
        work()
        self.wait()
        return time.perf_counter() - start

    def wait(self) -> None:
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)

    def ratio(self, ours: Callable[[], object], bare: Callable[[], object]) -> float:
        """The median of so many rounds, each timed in turn, after one that is not."""
        ours()
        bare()
        return statistics.median(self.seconds(ours) / self.seconds(bare) for _ in range(self.sizes.rounds))

    def network(self, name: str) -> Estimator:
        """A built estimator on the device."""
        options: dict[str, object] = {"input_size": self.sizes.input_size, "compiled": "auto"}
        options |= {"backbone": "resnet50"} if name == "simplebaseline" else {}
        made: Estimator = build(discover(), "estimator", name, options)
        torch.manual_seed(0)
        made.build(PERSON_17)
        self.compute.place(made)
        made.eval()
        return made

    def bare(self, network: Estimator) -> Callable[[torch.Tensor], object]:
        """The network alone, compiled where there is a GPU."""
        return torch.compile(network.forward, dynamic=False) if self.device.type == "cuda" else network

    def video(self, instances: int) -> Video:
        """Noise that is in memory, with two people a frame."""
        frames = (instances + 1) // 2
        pictures = torch.randint(0, 255, (frames, 3, 128, 160), dtype=torch.uint8, generator=generator(0, "pictures"))
        boxes = torch.tensor([[10.0, 10, 60, 90], [80.0, 20, 60, 90]]).repeat(frames, 1)[:instances]
        frame = torch.arange(frames).repeat_interleave(2)[:instances]
        return Video.of(pictures, boxes, PERSON_17, frame=frame, track=(torch.arange(2).repeat(frames))[:instances])

    def film(self, folder: Path) -> Video:
        """A H.264 film on disk, every frame with people."""
        path = folder / "film.mp4"
        if not path.exists():
            write_film(path, self.sizes.frames, self.sizes.frame_size)
        return self._with_people(VideoFile(path))

    def pictures(self, folder: Path) -> Video:
        """The same frames as JPEG files."""
        film, paths = self.film(folder), [folder / f"{number:04}.jpg" for number in range(self.sizes.frames)]
        for path, frame in zip(paths, film.frames.read_many(range(len(paths))), strict=True):
            cv2.imwrite(str(path), frame.flip(0).permute(1, 2, 0).contiguous().numpy())
        return self._with_people(PictureFiles(paths))

    def _with_people(self, frames: Frames) -> Video:
        height, width = self.sizes.frame_size
        side = min(height // 2, width // self.sizes.people)
        one = torch.tensor([[float(n * side), height / 4, side * 0.6, side * 0.9] for n in range(self.sizes.people)])
        frame = torch.arange(self.sizes.frames).repeat_interleave(self.sizes.people)
        track = torch.arange(self.sizes.people).repeat(self.sizes.frames)
        return Video.of(frames, one.repeat(self.sizes.frames, 1), PERSON_17, frame=frame, track=track)

    def crops(self, video: Video, network: Estimator, budget: int = 2**33) -> Crops:
        return Crops(video.without_truth(), network.input_size, self.device, budget)

    def criteria(self, *names: str) -> dict[str, Criterion]:
        """Criteria that are ready to score."""
        made = {name: build(discover(), "criterion", name, {}) for name in names}
        for name, criterion in made.items():
            criterion.prepare(PERSON_17, None, generator(0, name), self.device)
        return made


def write_film(path: Path, frames: int, size: tuple[int, int]) -> None:
    """Noise that moves, in colours that compress as pictures do."""
    import av
    import numpy as np

    path.parent.mkdir(parents=True, exist_ok=True)
    height, width = size
    rows, columns = np.mgrid[:height, :width]
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for number in range(frames):
            waves = [127 + 120 * np.sin((rows + columns * k + number * 9) / (17 + 5 * k)) for k in range(3)]
            picture = av.VideoFrame.from_ndarray(np.stack(waves, -1).astype(np.uint8), format="rgb24")
            container.mux(stream.encode(picture))
        container.mux(stream.encode())

"""What is measured, each as a ratio to what the machine could do at best, in one process and in turn.

A measurement is a function of a bench and a folder for files; it returns ``{what: (figure, goal)}``.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Final, cast

import attrs
import torch

from tests.gpu.material import Bench
from vatl_core.contracts import Labelled, Maps, Pool, Recipe, Window
from vatl_core.discovery import discover
from vatl_core.errors import InputError
from vatl_core.estimation import Crops, estimate
from vatl_core.learning import MARGIN, GradientDescent
from vatl_core.learning.optimisation import optimiser_of
from vatl_core.plugins import build
from vatl_core.seeds import generator
from vatl_core.video import PERSON_17, Frames, Video

Figures = dict[str, tuple[float, float | None]]
SCORED: Final = ("lc", "thc", "wpu")


def synchronisations(bench: Bench, folder: Path) -> Figures:
    """Questions to the device that each further batch of the pass asks, by CUDA's own debug mode."""
    if bench.device.type != "cuda":
        from tests import pretend_device
        from tests.unit.test_waiting import made, passed

        few, many = (len(passed(made(*SCORED), pretend_device.device(), n, 4)[1]) for n in (4, 12))
        return {"waits a further batch (a device that only pretends)": ((many - few) / 4, 0)}
    network, criteria, sizes = bench.network(bench.sizes.estimator), bench.criteria(*SCORED), bench.sizes
    noted = []
    for batches in (2, 6):
        crops = bench.crops(bench.video(batches * sizes.batch), network)
        estimate(network, crops, criteria, bench.compute, sizes.batch)
        torch.cuda.set_sync_debug_mode("warn")
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            estimate(network, crops, criteria, bench.compute, sizes.batch)
        torch.cuda.set_sync_debug_mode("default")
        noted.append(sum("synchroniz" in str(warning.message) for warning in caught))
    return {"synchronisations a further batch": ((noted[1] - noted[0]) / 4, 0)}


def later_pass(bench: Bench, folder: Path) -> Figures:
    """The pass from the second cycle on against the bare network on ready batches."""
    network, criteria, sizes = bench.network(bench.sizes.estimator), bench.criteria(*SCORED), bench.sizes
    crops = bench.crops(bench.video(sizes.batch * sizes.batches), network)
    ready = torch.randn(sizes.batch, 3, *network.input_size, device=bench.device)
    alone = bench.bare(network)

    def bare() -> None:
        with torch.inference_mode(), bench.compute.autocast():
            for _ in range(sizes.batches):
                alone(bench.compute.layout(ready))

    ratio = bench.ratio(lambda: estimate(network, crops, criteria, bench.compute, sizes.batch), bare)
    rate = sizes.batch * sizes.batches / bench.seconds(bare)
    return {"pass with lc, thc, wpu / bare network": (ratio, 1.1), "instances a second, bare": (rate, None)}


def first_pass(bench: Bench, folder: Path) -> Figures:
    """The pass of the first cycle, from a film, against decoding the film alone."""
    network, criteria, sizes = bench.network(bench.sizes.estimator), bench.criteria(*SCORED), bench.sizes
    video = bench.film(folder)

    def whole() -> None:
        estimate(network, bench.crops(video, network), criteria, bench.compute, sizes.batch)

    def decoding() -> None:
        for _ in video.frames.reader().read_many(range(sizes.frames)):
            pass

    ratio = bench.ratio(whole, decoding)
    return {"first pass from a film / decoding it": (ratio, 1.2)}


def decoders(bench: Bench, folder: Path) -> Figures:
    """The first pass from a film and from pictures by torchcodec, against decoding them so; and how fast that is."""
    from vatl_frames.by_torchcodec import by_torchcodec

    network, sizes, found = bench.network(bench.sizes.estimator), bench.sizes, Figures()
    for name, video in (("film", bench.film(folder)), ("pictures", bench.pictures(folder))):
        try:
            frames = by_torchcodec(video.frames, bench.device)
        except InputError:  # it has no FFmpeg here, by which it decodes films
            continue
        assert frames is not None
        shown = attrs.evolve(video, frames=frames)

        def whole(video: Video = shown) -> None:
            estimate(network, bench.crops(video, network), {}, bench.compute, sizes.batch)

        def decoding(frames: Frames = frames) -> None:
            for _ in frames.reader().read_many(range(sizes.frames)):
                pass

        def exactly(frames: Frames = video.frames) -> None:
            for _ in frames.reader().read_many(range(sizes.frames)):
                pass

        found[f"first pass from {name} / decoding, {frames.decoder}"] = (bench.ratio(whole, decoding), 1.2)
        found[f"{name} by PyAV or OpenCV / by torchcodec"] = (bench.ratio(exactly, decoding), None)
    return found


def retraining(bench: Bench, folder: Path) -> Figures:
    """A retraining against bare steps on a ready batch, with the same optimiser and precision."""
    network, sizes = bench.network(bench.sizes.learner), bench.sizes
    pictures = Crops(bench.video(sizes.labels), network.input_size, bench.device, 2**33, margin=MARGIN)
    labelled, recipe = everything(bench, pictures), Recipe(sizes.epochs, batch=sizes.labels)
    trainer = GradientDescent(bench.compute, generator(0, "gpu"))
    ready = torch.randn(sizes.labels, 3, *network.input_size, device=bench.device)
    targets = torch.rand(sizes.labels, len(PERSON_17), *network.heatmap_size, device=bench.device)
    weights, alone = torch.ones(sizes.labels, len(PERSON_17), device=bench.device), bench.bare(network)

    def bare() -> None:
        network.train()
        optimiser = optimiser_of(recipe, network)
        for _ in range(sizes.epochs):
            with bench.compute.autocast():
                maps = alone(bench.compute.layout(ready))
            optimiser.zero_grad(set_to_none=True)
            network.loss(cast(Maps, maps), targets, weights).backward()
            optimiser.step()

    ratio = bench.ratio(lambda: trainer.fit(network, labelled, recipe), bare)
    return {
        "retraining / bare steps": (ratio, 1.15),
        "steps a second, bare": (sizes.epochs / bench.seconds(bare), None),
    }


def everything(bench: Bench, pictures: Crops) -> Labelled:
    """All of a video, labelled in the middle of each box."""
    boxes = pictures.video.instances.boxes.to(bench.device)
    points = (boxes[:, None, :2] + boxes[:, None, 2:] / 2).expand(-1, len(PERSON_17), -1).contiguous()
    count = len(boxes)
    known = torch.ones(count, len(PERSON_17), dtype=torch.bool, device=bench.device)
    index, zeros = torch.arange(count, device=bench.device), torch.zeros(count, device=bench.device)
    return Labelled(index, points, known, zeros, known[:, 0], pictures=pictures)


def scoring(bench: Bench, folder: Path) -> Figures:
    """Each criterion of the pass against one read of the heatmaps that it needs, by the device's own bandwidth."""
    count, (height, width) = bench.sizes.pool, (bench.sizes.input_size[0] // 4, bench.sizes.input_size[1] // 4)
    maps = [torch.rand(count, len(PERSON_17), height, width, device=bench.device) for _ in range(3)]
    bandwidth = 2 * maps[0].nbytes / bench.seconds(lambda: maps[0].clone())
    registry, found = discover(), Figures()
    for name in registry.names("criterion"):
        needs = build(registry, "criterion", name, {}).needs
        if needs & {"pool", "network", "extra"}:
            continue
        criterion, window = bench.criteria(name)[name], a_window(bench, maps, count)
        criterion.score(window)
        read = (
            maps[0].nbytes * (3 if "neighbours" in needs else 1 if "heatmaps" in needs else 0)
            or window.keypoints.nbytes
        )
        found[f"{name} / one read"] = (bench.seconds(lambda: criterion.score(window)) / (read / bandwidth), 5)  # noqa: B023
    return found


def a_window(bench: Bench, maps: list[torch.Tensor], count: int) -> Window:
    """Everybody at once."""
    device, keypoints = bench.device, len(PERSON_17)
    flags = torch.ones(count, dtype=torch.bool, device=device)
    boxes = torch.tensor([[0.0, 0, 60, 90]], device=device).expand(count, 4)
    frame = torch.arange(count, device=device)
    return Window(
        index=frame, skeleton=PERSON_17, boxes=boxes, crops=boxes, heatmaps=maps[0], previous=maps[1], next=maps[2],
        has_previous=flags, has_next=flags, frame=frame, track=torch.zeros_like(frame), time=frame.double(),
        keypoints=torch.rand(count, keypoints, 2, device=device), scores=torch.rand(count, keypoints, device=device),
        features=torch.rand(count, bench.sizes.features, device=device),
    )  # fmt: skip


def selecting(bench: Bench, folder: Path) -> Figures:
    """Each selector's query of a twentieth against reading the features once for each pick, by the bandwidth."""
    count, device = bench.sizes.pool, bench.device
    features = torch.rand(count, bench.sizes.features, device=device)
    bandwidth = 2 * features.nbytes / bench.seconds(lambda: features.clone())
    frame, boxes = torch.arange(count, device=device), torch.tensor([[0.0, 0, 60, 90]], device=device).expand(count, 4)
    beside = frame[None] + torch.tensor([[-1], [1]], device=device)
    registry, found, picks = discover(), Figures(), max(1, count // 20)
    for name in registry.names("selector"):
        selector = build(registry, "selector", name, {})
        if selector.watches:
            continue
        pool = Pool(
            scores=torch.rand(count, device=device), features=features, boxes=boxes, frame=frame,
            keypoints=torch.rand(count, 17, 2, device=device) * 60,
            keypoint_scores=torch.rand(count, 17, device=device),
            labelled=torch.zeros(count, dtype=torch.bool, device=device),
            track=torch.zeros_like(frame), time=frame.double(), previous=beside[0],
            next=torch.where(beside[1] < count, beside[1], -1), query_oks=0.5,
        )  # fmt: skip
        seconds = bench.seconds(lambda: selector.select(pool, picks, generator(0, "gpu")))  # noqa: B023
        found[f"{name} / one read a pick"] = (seconds / (picks * features.nbytes / bandwidth), 5)
    return found


def whole_run(bench: Bench, folder: Path) -> Figures:
    """A run by the published preset against its passes and steps, bare."""
    from tests.gpu.runs import carried_out, steps_of

    seconds, records = carried_out(bench, folder / "one", 1)
    network, sizes = bench.network(bench.sizes.learner), bench.sizes
    pictures = torch.randn(min(sizes.batch, sizes.instances), 3, *network.input_size, device=bench.device)

    def passes() -> None:
        with torch.inference_mode(), bench.compute.autocast():
            for part in pictures.repeat(-(-sizes.instances // len(pictures)), 1, 1, 1)[: sizes.instances].split(
                sizes.batch
            ):
                network(bench.compute.layout(part))

    passes()
    steps = steps_of(records[0])
    step = retraining(bench, folder)["steps a second, bare"][0]
    bare = (sizes.cycles + 1) * bench.seconds(passes) + steps / step
    return {"whole run / its bare passes and steps": (seconds / bare, 1.5), "seconds of a run": (seconds, None)}


def many(bench: Bench, folder: Path) -> Figures:
    """Four runs at a time on the device, and by them 169 videos."""
    from tests.gpu.runs import carried_out

    at_once = 4 if bench.device.type == "cuda" else 2
    seconds, _ = carried_out(bench, folder / "many", at_once)
    return {f"hours for 169 videos, {at_once} at a time": (seconds / at_once * 169 / 3600, 1.0)}


MEASURES: Final[dict[str, Callable[[Bench, Path], Figures]]] = {
    measure.__name__: measure
    for measure in (synchronisations, later_pass, retraining, first_pass, whole_run, many, scoring, selecting, decoders)
}
"""By worth: a run that is cut off has the first of them."""

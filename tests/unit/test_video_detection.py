"""The data set ``video`` with a detector: what is found, linked and kept, and the weights it is found with."""

from __future__ import annotations

import hashlib
import io
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import attrs
import cv2
import pytest
import torch
from torch import Tensor, nn

from vatl_core.compute import Compute
from vatl_core.errors import InputError
from vatl_core.progress import silent
from vatl_core.video import Video
from vatl_drawing import write_video
from vatl_video import detection
from vatl_video.dataset import AnyVideo
from vatl_video.detectors import DETECTORS, Detector
from vatl_video.footage import open_footage
from vatl_video.shelf import Shelf
from vatl_weights import Download, downloads

FRAMES, WIDTH, HEIGHT = 30, 160, 96
CPU = Compute(torch.device("cpu"))


def places(frame: int) -> list[tuple[int, int]]:
    """Corners of bright rectangles of 24 by 32 pixels: below one walks, above one stands that is away for a while."""
    return [(4 + 3 * frame, 56)] + [(100, 10)] * (frame < 10 or frame >= 24)


def picture(frame: int, hidden: frozenset[int] = frozenset()) -> Tensor:
    drawn = torch.full((3, HEIGHT, WIDTH), 20, dtype=torch.uint8)
    for x, y in places(frame)[1 if frame in hidden else 0 :]:
        drawn[:, y : y + 32, x : x + 24] = 240
    return drawn


@attrs.define(eq=False, slots=False)
class BrightRectangles(nn.Module):
    """A detector to which what is bright is a person, and the corner of every picture a small dog."""

    passes: list[int] = attrs.field(factory=list)
    box_score: float = 0.9

    def __attrs_pre_init__(self) -> None:
        super().__init__()

    def forward(self, pictures: list[Tensor]) -> list[dict[str, Tensor]]:
        self.passes.append(len(pictures))
        return [self._found(picture) for picture in pictures]

    def _found(self, picture: Tensor) -> dict[str, Tensor]:
        bright = (picture.mean(0) > 0.5).to(torch.uint8).numpy()
        _, _, stats, _ = cv2.connectedComponentsWithStats(bright)
        found = [(x, y, x + w, y + h) for x, y, w, h, _ in stats[1:].tolist()]
        boxes = torch.tensor([*found, (0, 0, 9, 9)], dtype=torch.float32)
        labels = torch.tensor([1] * len(found) + [18])
        return {"boxes": boxes, "labels": labels, "scores": torch.tensor([self.box_score] * len(found) + [0.95])}


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch) -> BrightRectangles:
    """The detector that every name stands for; its weights need not be had."""
    standing_in = BrightRectangles()
    monkeypatch.setattr(Detector, "build", lambda *_: standing_in)
    return standing_in


@pytest.fixture(scope="session")
def walk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("walk") / "walk.mp4"
    write_video(path, (picture(frame) for frame in range(FRAMES)))
    return path


@pytest.fixture
def options(tmp_path: Path) -> dict[str, Any]:
    return {"cache": tmp_path / "cache", "device": "cpu"}


def loaded(path: Path, **options: Any) -> Video:
    dataset = AnyVideo(path, **options)
    return dataset.load(*dataset.videos())


def tracks_of(video: Video) -> list[list[int]]:
    """The frames of each track."""
    frame, track = video.instances.frame, video.instances.track
    return sorted(frame[track == number].tolist() for number in track.unique())


def test_persons_are_found_on_every_frame_and_linked(
    walk: Path, network: BrightRectangles, options: dict[str, Any]
) -> None:
    video = loaded(walk, **options)
    assert tracks_of(video) == [list(range(FRAMES)), [*range(10), *range(24, FRAMES)]]
    assert video.name == "walk"
    assert not video.instances.has_truth
    assert video.dropped == {}
    walking = video.instances.boxes[video.instances.boxes[:, 1] > 40]
    expected = torch.tensor([[*places(f)[0], 24.0, 32.0] for f in range(FRAMES)])
    assert torch.allclose(walking, expected, atol=2)
    assert sum(network.passes) == FRAMES
    assert max(network.passes) == 4


def test_what_was_found_is_found_once(walk: Path, network: BrightRectangles, options: dict[str, Any]) -> None:
    first = loaded(walk, **options).instances
    passes = len(network.passes)
    again = loaded(walk, batch=7, **options | {"device": "auto"}).instances
    for column in ("frame", "track", "boxes", "previous", "next"):
        assert torch.equal(getattr(first, column), getattr(again, column))
    assert first.ids == again.ids
    assert len(network.passes) == passes
    loaded(walk, score=0.7, fill=2, **options)
    assert len(network.passes) == passes, "another setting of the tracker needs no second pass"
    loaded(walk, every=2, **options)
    assert len(network.passes) > passes


def test_a_copy_elsewhere_is_the_same_video_and_another_is_not(
    walk: Path, network: BrightRectangles, options: dict[str, Any], tmp_path: Path
) -> None:
    other = tmp_path / "walk.mp4"
    other.write_bytes(walk.read_bytes())
    assert open_footage(other).fingerprint() == open_footage(walk).fingerprint()
    write_video(other, (picture(frame) for frame in range(FRAMES - 1)))
    assert open_footage(other).fingerprint() != open_footage(walk).fingerprint()
    assert len(loaded(walk, **options).instances) == 46
    assert len(loaded(other, **options).instances) == 44


def test_between_frames_that_are_looked_at_boxes_lie_on_the_way(
    walk: Path, network: BrightRectangles, options: dict[str, Any]
) -> None:
    video = loaded(walk, every=4, shortest=1, **options)
    assert sum(network.passes) == 8
    assert tracks_of(video) == [list(range(29)), [*range(9), *range(24, 29)]]
    walking = video.instances.boxes[video.instances.boxes[:, 1] > 40]
    expected = torch.tensor([[*places(f)[0], 24.0, 32.0] for f in range(29)])
    assert torch.allclose(walking, expected, atol=2)


def test_short_gaps_are_filled_and_long_ones_only_if_asked(
    network: BrightRectangles, options: dict[str, Any], tmp_path: Path
) -> None:
    path = tmp_path / "gaps.mp4"
    write_video(path, (picture(frame, frozenset({5, 6, 7})) for frame in range(FRAMES)))
    standing = [*range(10), *range(24, FRAMES)]
    assert tracks_of(loaded(path, **options)) == [list(range(FRAMES)), standing]
    unfilled = loaded(path, fill=2, **options)
    assert tracks_of(unfilled) == sorted([[f for f in range(FRAMES) if f not in (5, 6, 7)], standing])
    assert tracks_of(loaded(path, fill=3, **options)) == [list(range(FRAMES)), standing]
    assert tracks_of(loaded(path, fill=14, **options)) == [list(range(FRAMES))] * 2
    parted = loaded(path, patience=3, **options)
    assert tracks_of(parted) == [list(range(10)), list(range(FRAMES)), list(range(24, FRAMES))]


def test_what_is_left_out_is_counted(walk: Path, network: BrightRectangles, options: dict[str, Any]) -> None:
    short = loaded(walk, patience=3, shortest=7, **options)
    assert short.dropped == {"of a track on fewer than 7 frames": 6}
    assert len(short.instances) == 40
    dogs = loaded(walk, classes=("dog",), smallest=5, **options)
    assert torch.equal(dogs.instances.boxes, torch.tensor([[0.0, 0, 9, 9]]).expand(FRAMES, 4))
    with pytest.raises(InputError, match=f"{FRAMES} dropped: smaller than 24 pixels"):
        loaded(walk, classes=("dog",), **options)


def test_things_found_as_two_classes_count_once(
    walk: Path, network: BrightRectangles, options: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = BrightRectangles._found

    def doubled(self: BrightRectangles, picture: Tensor) -> dict[str, Tensor]:
        found = plain(self, picture)
        as_horses = found | {"labels": torch.full_like(found["labels"], 19), "boxes": found["boxes"] + 1}
        return {name: torch.cat([found[name], as_horses[name]]) for name in found}

    monkeypatch.setattr(BrightRectangles, "_found", doubled)
    assert len(loaded(walk, classes=("person", "horse"), **options).instances) == 46
    assert len(loaded(walk, classes=("person", "horse"), smallest=0, **options).instances) == 46 + FRAMES


def test_nobody_found_says_what_to_do(walk: Path, network: BrightRectangles, options: dict[str, Any]) -> None:
    network.box_score = 0.5
    with pytest.raises(InputError) as caught:
        loaded(walk, **options)
    said = str(caught.value)
    assert "'fasterrcnn' found no person with a score of 0.6 or more" in said
    assert "lower it (-o dataset.score=0.3), or draw boxes (`vatl annotate" in said
    assert len(loaded(walk, score=0.3, **options).instances) == 46


def test_unsure_boxes_go_on_with_a_track_and_begin_none(
    walk: Path, network: BrightRectangles, options: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = BrightRectangles._found

    def fading(self: BrightRectangles, picture: Tensor) -> dict[str, Tensor]:
        found = plain(self, picture)
        unsure = (found["boxes"][:, 1] > 40) & (found["boxes"][:, 0] > 30) | (found["boxes"][:, 0] == 100)
        return found | {"scores": torch.where(unsure, 0.3, found["scores"])}

    monkeypatch.setattr(BrightRectangles, "_found", fading)
    assert tracks_of(loaded(walk, fill=0, **options)) == [list(range(FRAMES))]
    assert max(tracks_of(loaded(walk, fill=0, weak=0.4, **options))[0]) < 12


def test_nothing_is_left_of_a_pass_that_broke_off(
    walk: Path, network: BrightRectangles, options: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(BrightRectangles, "_found", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            loaded(walk, **options)
    assert [file for file in options["cache"].iterdir() if file.suffix != ".lock"] == []
    assert len(loaded(walk, **options).instances) == 46
    kept = next(options["cache"].glob("*.safetensors"))
    kept.write_bytes(kept.read_bytes()[:50])
    with pytest.raises(InputError, match=r"is damaged .* delete it"):
        loaded(walk, fill=3, **options)


def test_what_was_killed_while_it_wrote_into_the_cache_is_swept(tmp_path: Path) -> None:
    path = Shelf(tmp_path).kept("clip", ".json", [1], lambda path: path.touch())
    path.unlink()
    (tmp_path / f".{path.name}.0f1e.part.json").touch()
    (tmp_path / ".another.json.0f1e.part.json").touch()
    Shelf(tmp_path).kept("clip", ".json", [1], lambda path: path.touch())
    assert [left.name for left in tmp_path.glob(".*.part*")] == [".another.json.0f1e.part.json"]


def test_a_cache_that_cannot_be_written_to_is_told(walk: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match=r"give another folder as -o dataset.cache="):
        Shelf(tmp_path / "file" / "cache").kept("clip", ".json", [1], lambda path: path.touch())


def test_misspelt_names_are_told_with_the_nearest(walk: Path, options: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="did you mean 'horse'"):
        loaded(walk, classes=("hors",), **options)
    with pytest.raises(InputError, match="did you mean 'retinanet'"):
        AnyVideo(walk, detector="retinane")
    with pytest.raises(InputError, match="no class of detector 'fasterrcnn' is called 'N/A'"):
        loaded(walk, classes=("N/A",), **options)


@pytest.mark.parametrize("name", DETECTORS)
def test_every_detector_has_public_weights_that_tell_their_hash(name: str) -> None:
    download = Detector(name, ("person", "bear")).download()
    assert download.url.startswith("https://")
    assert len(download.sha256) == 8
    assert downloads.place(download).name.endswith(f"{download.sha256}.pth")
    assert Detector(name, ("person", "bear")).labels() == [1, 23]


@pytest.fixture(scope="session")
def weights() -> bytes:
    """A whole ssdlite of random weights, biased towards persons, as torchvision's files are."""
    from torchvision.models import get_model

    torch.manual_seed(0)
    network = get_model(DETECTORS["ssdlite"], weights=None, weights_backbone=None)
    with torch.no_grad():
        for part in network.head.classification_head.module_list:
            part[-1].bias.view(-1, 91)[:, 1] += 6
    file = io.BytesIO()
    torch.save(network.state_dict(), file)
    return file.getvalue()


@pytest.fixture
def published(weights: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of a server on this machine that publishes them."""
    folder = tmp_path / "server"
    folder.mkdir()
    digest = hashlib.sha256(weights).hexdigest()
    name = f"ssdlite-{digest[:8]}.pth"
    (folder / name).write_bytes(weights)
    monkeypatch.setattr(downloads, "folder", lambda: tmp_path / "weights")
    handler = partial(SimpleHTTPRequestHandler, directory=str(folder))
    monkeypatch.setattr(SimpleHTTPRequestHandler, "log_message", lambda *_: None)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        url = f"http://127.0.0.1:{server.server_port}/{name}"
        monkeypatch.setattr(Detector, "download", lambda _: Download(url, digest[:8]))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield folder / name
        server.shutdown()


def test_public_weights_are_fetched_once_and_detect(
    walk: Path, published: Path, options: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    asked = options | {"detector": "ssdlite", "every": 10, "shortest": 1}
    first = loaded(walk, **asked)
    assert len(first.instances)
    assert (first.instances.boxes[:, :2] >= 0).all()
    assert (first.instances.boxes[:, :2] + first.instances.boxes[:, 2:] <= torch.tensor([WIDTH, HEIGHT]) + 1e-3).all()
    shown = capsys.readouterr().err
    assert "download" in shown
    assert "detect" in shown
    published.unlink()
    assert len(loaded(walk, **asked | {"every": 15}).instances)


def test_weights_that_cannot_be_fetched_say_where_to_put_them(
    walk: Path, published: Path, options: dict[str, Any]
) -> None:
    published.unlink()
    with pytest.raises(InputError) as caught:
        loaded(walk, detector="ssdlite", **options)
    assert "detector 'ssdlite'" in str(caught.value)
    assert "to put it in place by hand, save it as" in str(caught.value)
    assert "vatl annotate" in str(caught.value)
    assert list(options["cache"].glob("*.json")) == []


@pytest.mark.parametrize("spoilt", ["truncated", "foreign", "other classes", "more"])
def test_weights_of_another_kind_are_refused(
    spoilt: str, walk: Path, weights: bytes, options: dict[str, Any], tmp_path: Path
) -> None:
    path = tmp_path / "own.pth"
    content = torch.load(io.BytesIO(weights), weights_only=True)
    if spoilt == "truncated":
        path.write_bytes(weights[: len(weights) // 2])
    elif spoilt == "foreign":
        torch.save({"conv.weight": torch.zeros(3)}, path)
    elif spoilt == "more":
        torch.save(content | {"conv.weight": torch.zeros(3)}, path)
    else:
        key = next(key for key in content if "classification_head" in key and key.endswith("1.bias"))
        torch.save(content | {key: content[key][:12]}, path)
    with pytest.raises(InputError) as caught:
        loaded(walk, detector="ssdlite", detector_weights=path, **options)
    assert ("damaged" if spoilt == "truncated" else "are not those of detector 'ssdlite'") in str(caught.value)
    assert "\n" not in str(caught.value)


def test_in_bfloat16_boxes_are_where_they_are_in_float32(weights: bytes, tmp_path: Path) -> None:
    (tmp_path / "own.pth").write_bytes(weights)
    detector = Detector("ssdlite", ("person",), tmp_path / "own.pth")
    footage = [picture(0)]

    class Pictures(list[Tensor]):
        def read_many(self, indices: range) -> Iterator[Tensor]:
            return (self[i] for i in indices)

    found = [
        detection.detect(
            detector.build(Compute(CPU.device, half), silent), Pictures(footage), range(1), [1], CPU.device, 1, silent
        )
        for half in (False, True)
    ]
    (exact, rough) = (columns["boxes"][columns["boxes"][:, 3] > 0] for columns in found)
    nearest = torch.cdist(exact, rough).amin(1)
    assert nearest.median() < 0.5
    assert not torch.equal(rough, rough.bfloat16().float())


def test_nothing_is_touched_through_a_link_in_the_cache(tmp_path: Path) -> None:
    (tmp_path / ".probe").symlink_to(tmp_path / "new")
    Shelf(tmp_path).kept("clip", ".json", [1], lambda path: path.touch())
    assert not (tmp_path / "new").exists()

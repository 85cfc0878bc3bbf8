"""Drawing a video's boxes in the browser, as a person does it: with the mouse, with keys, through a killed server."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from playwright.sync_api import Browser, Page, expect

from vatl_annotate.boxes.drawing import Drawing, beside
from vatl_annotate.boxes.footage import Footage
from vatl_annotate.boxes.interface import Interface, application
from vatl_annotate.boxes.reel import Reel
from vatl_annotate.boxes.session import next_command
from vatl_annotate.boxes.tracks import Key, Track
from vatl_annotate.private import lead
from vatl_annotate.serving import Served
from vatl_drawing import write_video
from vatl_video.dataset import AnyVideo

FRAMES, WIDTH, HEIGHT = 60, 320, 240
NEAR = 3.0
"""Pixels of the frame within which a box that was drawn with the mouse lies where it was meant."""
PATIENCE = 30_000


@pytest.fixture(scope="session")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two bright squares that walk towards each other."""

    def picture(frame: int) -> torch.Tensor:
        image = torch.full((3, HEIGHT, WIDTH), 50, dtype=torch.uint8)
        image[0, 80:140, 20 + 3 * frame : 50 + 3 * frame] = 230
        image[2, 90:160, 260 - 3 * frame : 290 - 3 * frame] = 230
        return image

    path = tmp_path_factory.mktemp("film") / "clip.mp4"
    write_video(path, map(picture, range(FRAMES)))
    return path


@pytest.fixture
def clip(film: Path, tmp_path: Path) -> Path:
    path = tmp_path / "clip.mp4"
    path.write_bytes(film.read_bytes())
    return path


@attrs.define
class Person:
    """Somebody at the page, who thinks in pixels of the frame."""

    page: Page

    def open(self, link: str) -> None:
        self.page.goto(link)
        self.arrive()

    def arrive(self) -> None:
        self.page.wait_for_selector("body[data-view=drawing]")
        self.page.wait_for_selector("#picture[data-frame]")

    def at(self, x: float, y: float) -> tuple[float, float]:
        """A place of the frame on the screen."""
        where = self.page.locator("#picture").bounding_box()
        assert where
        return where["x"] + x * where["width"] / WIDTH, where["y"] + y * where["height"] / HEIGHT

    def drag(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        mouse = self.page.mouse
        mouse.move(*self.at(*start))
        mouse.down()
        mouse.move(*self.at(*end), steps=5)
        mouse.up()

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def go_to(self, frame: int) -> None:
        self.press("Home", *["Shift+ArrowRight"] * (frame // 10), *["ArrowRight"] * (frame % 10))
        expect(self.page.locator("#picture")).to_have_attribute("data-frame", str(frame), timeout=PATIENCE)

    def box(self, track: int) -> list[float]:
        """Where the page shows a track's box, once what the last key or drag changed is on the screen."""
        self.page.evaluate("() => new Promise(drawn => requestAnimationFrame(() => requestAnimationFrame(drawn)))")
        shown = self.page.locator(f"[data-test=box-{track}]").get_attribute("data-box")
        assert shown
        return [float(value) for value in shown.split(",")]

    def wait_until_saved(self) -> None:
        expect(self.page.locator("#saved")).to_have_text("Saved in clip.boxes.json", timeout=PATIENCE)


@pytest.fixture
def person(chromium: Browser) -> Iterator[Person]:
    """At a window of a common size; nothing may go wrong in its console but what is away."""
    page = chromium.new_page(viewport={"width": 1280, "height": 800})
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda said: wrong.append(said.text) if "Content Security" in said.text else None)
    yield Person(page)
    page.close()
    assert wrong == []


@attrs.define
class Console:
    """``vatl annotate`` as it is typed."""

    clip: Path
    process: subprocess.Popen[str] | None = None

    def start(self) -> str:
        """Answers the link that it shows."""
        words = [sys.executable, "-m", "vatl_core.cli", "annotate", self.clip.name, "--no-open"]
        self.process = subprocess.Popen(
            words, cwd=self.clip.parent, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        assert self.process.stderr
        found = re.search(r"draw boxes at (\S+)", self.process.stderr.readline())
        assert found
        return found[1]

    def kill(self) -> None:
        assert self.process
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


@pytest.fixture
def console(clip: Path) -> Iterator[Console]:
    console = Console(clip)
    yield console
    if console.process and console.process.poll() is None:
        console.kill()


def near(found: list[float], expected: list[float]) -> bool:
    return all(abs(a - b) < NEAR for a, b in zip(found, expected, strict=True))


def test_two_tracks_by_mouse_and_one_by_keyboard_through_a_reload_and_a_killed_server(
    person: Person, console: Console, clip: Path
) -> None:
    link = console.start()
    person.open(link)

    # with the mouse: the first frame, then where the dashed boxes have gone to
    person.drag((20, 80), (50, 140))
    person.drag((260, 90), (290, 160))
    person.go_to(40)
    person.drag((35, 110), (155, 110))
    person.drag((275, 125), (155, 125))
    assert near(person.box(1), [140, 80, 30, 60])
    assert near(person.box(2), [140, 90, 30, 70])
    person.go_to(20)
    assert near(person.box(1), [80, 80, 30, 60])
    assert near(person.box(2), [200, 90, 30, 70])
    person.wait_until_saved()

    # with the keyboard alone: a box in the middle, moved and made smaller, ended ten frames later
    person.press("n", "Enter", *["Shift+ArrowLeft"] * 3, "Tab", *["Shift+ArrowUp"] * 2, "ArrowLeft")
    expect(person.page.locator("body")).to_have_attribute("data-mode", "adjust")
    x, y, width, height = person.box(3)
    person.press("Enter", "Shift+ArrowRight", "k", "e")
    person.wait_until_saved()

    person.page.reload()
    person.arrive()
    assert person.page.locator("#tracks > li").count() == 3

    # the server is killed; what is drawn meanwhile is kept, and saved when it is back
    console.kill()
    person.go_to(0)
    person.press("2")
    person.drag((275, 125), (275, 115))
    expect(person.page.locator("[data-test=link]")).to_be_visible(timeout=PATIENCE)
    assert person.page.locator("body").get_attribute("data-saved") == "saving"
    assert console.start() == link
    person.wait_until_saved()
    expect(person.page.locator("[data-test=link]")).to_be_hidden()

    person.press("d")
    expect(person.page.locator("[data-test=next]")).to_have_text(
        "vatl run --dataset video -o dataset.path=clip.mp4 --oracle browser"
    )
    person.page.click("[data-test=finish]")
    expect(person.page.locator("[data-test=finished]")).to_contain_text("3 tracks, 93 boxes")
    assert console.process
    said, _ = console.process.communicate(timeout=PATIENCE / 1000)
    assert console.process.returncode == 0
    assert "3 tracks, 93 boxes\nnext: vatl run --dataset video" in said

    dataset = AnyVideo(clip)
    instances = dataset.load(*dataset.videos()).instances
    frames = {track: instances.frame[instances.track == track].tolist() for track in (1, 2, 3)}
    assert frames == {1: list(range(41)), 2: list(range(41)), 3: list(range(20, 31))}
    first = {int(t): b.tolist() for t, b in zip(instances.track[:2], instances.boxes[:2], strict=True)}
    assert near(first[1], [20, 80, 30, 60])
    assert near(first[2], [260, 80, 30, 70])
    assert instances.boxes[instances.track == 3][5].tolist() == pytest.approx([x, y, width, height], abs=0.01)


# --------------------------------------------------------------------------------------------- within this process
Serving = Callable[..., str]


@pytest.fixture
def serving(clip: Path, tmp_path: Path) -> Iterator[Serving]:
    """Serves the clip's page; answers its link."""
    ends: list[Callable[[], None]] = []

    def serve(password: str = "", tracks: dict[int, Track] | None = None) -> str:
        footage = Footage.open(clip)
        drawing, _ = Drawing.open(footage, beside(footage), None, None)
        if tracks:
            drawing.change(drawing.revision, tracks)
        do = Interface(drawing, Reel(footage), next_command(drawing))
        served = Served.begin(
            "127.0.0.1", 0, tmp_path / "keys", password, lambda keys, hosts: application(do, keys, hosts)
        )
        ends.extend([do.reel.close, served.end])
        return served.link

    yield serve
    for end in ends:
        end()


def straight(number: int, *frames: int) -> Track:
    return Track(number, tuple(Key(frame, (10.0 + frame, 10.0, 20.0, 30.0)) for frame in frames))


def kept(clip: Path) -> dict[int, list[int]]:
    """The frames of each track in the file."""
    rows = json.loads(clip.with_name("clip.boxes.json").read_text())["annotations"]
    return {track: [r["image_id"] for r in rows if r["track_id"] == track] for track in {r["track_id"] for r in rows}}


def test_wrong_tracks_are_corrected_by_keys_and_every_step_can_be_undone(
    person: Person, serving: Serving, clip: Path
) -> None:
    person.open(serving(tracks={1: straight(1, 0, 20), 2: straight(2, 30, 40), 3: straight(3, 0, 59)}))
    every = {1: list(range(21)), 2: list(range(30, 41)), 3: list(range(60))}

    def after(*keys: str) -> dict[int, list[int]]:
        person.press(*keys)
        person.wait_until_saved()
        return kept(clip)

    assert kept(clip) == every
    assert after("1", "j", "2") == {1: [*range(21), *range(30, 41)], 3: every[3]}
    person.go_to(25)
    assert after("x") == {1: list(range(41)), 3: every[3]}
    assert after("x") == {1: [*range(25), *range(30, 41)], 3: every[3]}
    assert after("z", "z", "z") == every
    person.go_to(10)
    assert after("3", "x") == every | {3: [*range(10), 59]}
    assert after("z", "s") == every | {3: list(range(10)), 4: list(range(10, 60))}
    assert after("Shift+Delete") == every | {3: list(range(10))}
    assert after("z", "z", "3", "e") == every | {3: list(range(11))}
    assert after("Delete") == every | {3: [0]}
    assert after("z", "z", "Shift+Z") == every | {3: list(range(11))}
    person.press("j", "1")
    expect(person.page.locator("#message")).to_contain_text("Both have a box in the same frame")


def test_a_file_leads_to_the_page(person: Person, serving: Serving, tmp_path: Path) -> None:
    person.open(lead(serving(), tmp_path / ".a way & more.html"))
    person.drag((100, 100), (140, 160))
    person.wait_until_saved()


def test_what_two_windows_draw_at_once_is_kept(person: Person, serving: Serving, chromium: Browser, clip: Path) -> None:
    link = serving(tracks={1: straight(1, 0, 20)})
    person.open(link)
    other = Person(chromium.new_page(viewport={"width": 900, "height": 700}))
    other.open(link)
    other.drag((200, 100), (240, 160))
    other.wait_until_saved()
    other.page.close()
    person.go_to(5)
    person.drag((100, 150), (140, 220))  # another individual, of the same number
    expect(person.page.locator("#tracks > li")).to_have_count(3)
    person.wait_until_saved()
    assert kept(clip) == {1: list(range(21)), 2: [0], 3: [5]}
    assert person.page.locator("body").get_attribute("data-track") == "3"
    person.press("1", "Shift+ArrowRight", "e")
    person.wait_until_saved()
    assert kept(clip) == {1: list(range(16)), 2: [0], 3: [5]}


def test_what_was_not_saved_survives_a_reload(person: Person, serving: Serving, clip: Path) -> None:
    person.open(serving())
    person.page.on("dialog", lambda asks: asks.accept())
    person.page.route(
        "**/api/boxes", lambda route: route.abort() if route.request.method == "POST" else route.continue_()
    )
    person.drag((20, 80), (50, 140))
    expect(person.page.locator("[data-test=link]")).to_be_visible(timeout=PATIENCE)
    person.page.reload()
    person.arrive()
    assert near(person.box(1), [20, 80, 30, 60])
    assert not clip.with_name("clip.boxes.json").exists()
    person.page.unroute("**/api/boxes")
    person.wait_until_saved()
    assert kept(clip) == {1: [0]}


def test_a_server_that_goes_while_a_box_is_dragged_does_not_move_it(person: Person, serving: Serving) -> None:
    person.open(serving(tracks={1: Track(1, (Key(0, (20.0, 80.0, 30.0, 60.0)),))}))
    mouse, away = person.page.mouse, person.at(135, 110)
    mouse.move(*person.at(35, 110))
    mouse.down()
    person.page.route("**/api/**", lambda route: route.abort())
    mouse.move(*person.at(85, 110), steps=3)
    expect(person.page.locator("[data-test=link]")).to_be_visible(timeout=PATIENCE)
    mouse.move(*away, steps=3)
    mouse.up()
    assert near(person.box(1), [120, 80, 30, 60])
    person.page.unroute("**/api/**")
    person.wait_until_saved()


hundredths = st.integers(100, 9000).map(lambda n: n / 100)
keys = st.builds(Key, st.integers(0, 30), st.tuples(*[hundredths] * 4), st.booleans())
tracks = st.lists(keys, min_size=1, max_size=6, unique_by=lambda key: key.frame).map(
    lambda found: Track(1, tuple(sorted(found, key=lambda key: key.frame)))
)

SHOWN = """async (keys) => {
  const { boxAt, read, split, joined, stretches, written } = await import("/page/boxes/tracks.js");
  const track = read(1, keys);
  const frames = [...Array(32).keys()];
  const boxes = frames.map((frame) => boxAt(track, frame));
  const same = (other) => JSON.stringify(frames.map((frame) => boxAt(other, frame) !== null));
  const parts = frames.map((frame) => split(track, frame, 2)).filter((found) => found);
  const rejoined = parts.map(([a, b]) => joined(a, b)).every((whole) => whole && same(whole) === same(track));
  const inside = new Set(stretches(track).flatMap(([first, last]) => frames.filter((f) => f >= first && f <= last)));
  const stretched = frames.every((frame) => inside.has(frame) === (boxes[frame] !== null));
  return { boxes, rejoined, stretched, again: written(track) };
}"""


def test_the_page_shows_the_boxes_that_are_written(person: Person, serving: Serving) -> None:
    person.open(serving())

    @settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
    @given(tracks)
    def agree(track: Track) -> None:
        sent: list[Any] = [[key.frame, *key.box, key.leaves] for key in track.keys]
        shown = person.page.evaluate(SHOWN, sent)
        found = {frame: box for frame, box in enumerate(shown["boxes"]) if box}
        expected = track.boxes()
        assert found.keys() == expected.keys()
        assert all(found[frame] == pytest.approx(expected[frame], abs=0.0051) for frame in found)
        assert shown["rejoined"]
        assert shown["stretched"]
        assert shown["again"] == sent

    agree()


def test_a_password_lets_in(person: Person, serving: Serving) -> None:
    page = person.page
    page.goto(serving("correct horse"))
    page.fill("[data-test=password]", "battery staple")
    page.press("[data-test=password]", "Enter")
    expect(page.locator("[data-test=problem]")).to_have_text("This is not the password.")
    page.fill("[data-test=password]", "correct horse")
    page.click("[data-test=enter]")
    person.arrive()
    assert page.url.endswith("/")

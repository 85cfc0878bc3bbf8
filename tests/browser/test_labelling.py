"""The labelling page, used as a person uses it, in a real browser."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from tests.browser.run_under_test import Person, RunUnderTest

Visit = Callable[..., Person]


@pytest.fixture
def waiting(tmp_path: Path, environment: dict[str, str]) -> Iterator[RunUnderTest]:
    run = RunUnderTest(tmp_path, environment | {"OMP_NUM_THREADS": "1"})
    yield run
    run.kill()


@pytest.fixture
def visit(chromium: Browser) -> Iterator[Visit]:
    """Opens a link in a window of its own; whatever the page complains of fails the test."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def open_page(link: str, **settings: Any) -> Person:
        context = chromium.new_context(**{"viewport": {"width": 1280, "height": 800}} | settings)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda said: complaints.append(said.text) if _is_serious(said.text, said.type) else None)
        page.goto(link)
        return Person(page)

    yield open_page
    for context in contexts:
        context.close()
    assert not complaints


def _is_serious(text: str, kind: str) -> bool:
    """Errors, but for requests that a server that is away does not answer."""
    return kind == "error" and "ERR_CONNECTION" not in text and "Failed to load resource" not in text


def test_two_cycles_by_keyboard_alone(waiting: RunUnderTest, visit: Visit) -> None:
    person = visit(waiting.begin("--schedule", "2,4").link())
    first = person.wait_for_task()
    assert "token" not in person.page.url
    begun = person.place("nose")
    assert begun[2] == 2
    person.press("1", "ArrowRight", "ArrowRight", "Shift+ArrowDown")
    moved = person.place("nose")
    assert (moved[0] - begun[0], moved[1] - begun[1]) == (pytest.approx(2, abs=0.02), pytest.approx(10, abs=0.02))
    person.press("z")
    assert person.place("nose")[1] == pytest.approx(begun[1], abs=0.02), "one step is undone"
    person.press("Shift+Z")
    person.press("2", "v", "3", "x")
    assert person.place("left_eye")[2] == 1
    person.press("Enter")
    person.wait_for_other(first)
    second = person.wait_for_task()
    person.press("1", "ArrowRight", "Shift+Enter")  # as proposed, whatever was edited
    person.wait_for_other(second)
    third = person.wait_for_task()  # the next queue comes by itself
    person.press("s")
    person.wait_for_other(third)
    fourth = person.wait_for_task()
    person.press("Enter")
    person.wait_for_other(fourth)
    assert person.wait_for_task() == third, "what was skipped comes back at the end"
    person.press("Enter")
    assert waiting.end()["labelled"] == 4
    person.page.wait_for_selector("body[data-phase='finished']", timeout=20_000)
    edited, as_proposed, *_ = labels = waiting.labels()
    assert [str(label["instance"]) for label in labels] == [first, second, fourth, third]
    assert (edited["annotator"], edited["moved"], edited["seconds"] > 0) == ("ada", 2, True)
    assert as_proposed["moved"] == 0
    keypoints, visible, occluded = (json.loads(edited[c]) for c in ("keypoints", "visible", "occluded"))
    assert keypoints[0] == [pytest.approx(moved[0], abs=0.02), pytest.approx(moved[1], abs=0.02)]
    assert (visible[1], occluded[1], visible[2]) == (True, True, False)


def test_two_cycles_by_mouse_alone(waiting: RunUnderTest, visit: Visit) -> None:
    person = visit(waiting.begin("--schedule", "2,4").link())
    page = person.page
    first = person.wait_for_task()
    before = person.place("left_knee")
    x, y = person.centre("left_knee")
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 15, y - 10, steps=4)
    page.mouse.up()
    dragged = person.place("left_knee")
    assert dragged[0] > before[0] + 1
    assert dragged[1] < before[1] - 1
    page.click("[data-test=occluded]")
    assert person.place("left_knee")[2] == 1
    page.click("[data-test=undo]")
    assert person.place("left_knee")[2] == 2
    page.click("[data-test=accept]")
    person.wait_for_other(first)
    second = person.wait_for_task()
    page.click("[data-test=back]")
    person.wait_for_other(second)
    assert person.wait_for_task() == first
    assert person.place("left_knee")[0] == pytest.approx(dragged[0], abs=0.02), "the label, not the proposal"
    page.click("[data-test=not-visible]") if page.is_enabled("[data-test=not-visible]") else None
    page.click("[data-test=forward]")
    person.wait_for_other(first)
    person.wait_for_task()
    page.click("[data-test=as-proposed]")
    person.wait_for_other(first)
    for _ in range(2):
        shown = person.wait_for_task()
        assert re.fullmatch(r"expected mean OKS: 0\.\d+ \(90%: .*\)", page.inner_text("[data-test=cycle-figures]"))
        page.click("[data-test=as-proposed]")
        person.wait_for_other(shown)
    page.wait_for_selector("[data-test=finished]:visible")
    assert re.search(r"expected mean OKS\s+0\.\d{3}\s+90%: 0\.\d{3} to ", page.inner_text("#figures"), re.IGNORECASE)
    record = waiting.end()
    assert (record["labelled"], record["cycles"]) == (4, 2)
    assert len({label["instance"] for label in waiting.labels()}) == 4


def test_two_windows_share_a_queue_without_a_double_label(waiting: RunUnderTest, visit: Visit) -> None:
    link = waiting.begin("--schedule", "6").link()
    people = [visit(link), visit(link)]
    held = [person.wait_for_task() for person in people]
    assert held[0] != held[1]
    while any(person.page.get_attribute("body", "data-view") == "task" for person in people):
        for person in people:
            shown = person.instance
            if shown:
                person.press("Enter")
                person.wait_for_other(shown)
    assert waiting.end()["labelled"] == 6
    labels = [label["instance"] for label in waiting.labels()]
    assert len(labels) == len(set(labels)) == 6


def test_an_edit_survives_a_reload_and_the_death_of_the_server(waiting: RunUnderTest, visit: Visit) -> None:
    person = visit(waiting.begin("--schedule", "3").link())
    first = person.wait_for_task()
    person.press("1", "Shift+ArrowRight")
    edited = person.place("nose")
    person.page.reload()
    assert person.wait_for_task() == first
    assert person.place("nose")[0] == pytest.approx(edited[0], abs=0.02)
    person.press("Enter")
    person.wait_for_other(first)
    second = person.wait_for_task()
    person.press("1", "Shift+ArrowLeft")
    edited = person.place("nose")
    waiting.kill()
    person.press("Enter")  # nobody is there to take it
    person.page.wait_for_selector("[data-test=link]:visible", timeout=20_000)
    waiting.take_up().link()
    person.wait_for_other(second)
    third = person.wait_for_task()
    person.press("Enter")
    person.wait_for_other(third)
    assert waiting.end()["labelled"] == 3
    labels = waiting.labels()
    assert [str(label["instance"]) for label in labels] == [first, second, third]
    assert json.loads(labels[1]["keypoints"])[0][0] == pytest.approx(edited[0], abs=0.02)


def test_a_phone_labels_and_stops(waiting: RunUnderTest, visit: Visit) -> None:
    link = waiting.begin("--schedule", "4").link()
    phone = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
    person = visit(link, **phone)
    page = person.page
    first = person.wait_for_task()
    assert _width(page) <= 390, "nothing sticks out"
    page.tap("[data-test=accept]")
    person.wait_for_other(first)
    person.wait_for_task()
    page.tap("[data-test=run]")
    page.locator("[data-command=stop]:visible").first.tap()
    page.locator("[data-test=stop-dialog] button.primary, [data-test=stop-dialog] button.danger").first.tap()
    record = waiting.end()
    assert (record["labelled"], record["stopped_by"]) == (1, "annotator")


def test_a_wrong_box_is_redrawn_and_another_deleted(waiting: RunUnderTest, visit: Visit) -> None:
    person = visit(waiting.begin("--schedule", "3").link())
    page = person.page
    first = person.wait_for_task()
    page.fill("#annotator", "grace")
    page.keyboard.press("Enter")
    page.keyboard.press("Delete")
    page.keyboard.press("Delete")
    person.wait_for_other(first)
    second = person.wait_for_task()
    page.keyboard.press("m")
    page.keyboard.press("r")
    stage = page.locator("[data-test=stage]").bounding_box()
    assert stage is not None
    middle = stage["x"] + stage["width"] / 2, stage["y"] + stage["height"] / 2
    page.mouse.move(middle[0] - 60, middle[1] - 80)
    page.mouse.down()
    page.mouse.move(middle[0] + 60, middle[1] + 80, steps=4)
    page.mouse.up()
    page.keyboard.press("Enter")
    page.wait_for_selector("[data-test=stage][data-mode=pose]")
    assert person.wait_for_task() == second
    for _ in range(3):  # another is asked for in the deleted one's place
        shown = person.wait_for_task()
        page.keyboard.press("Enter")
        person.wait_for_other(shown)
    record = waiting.end()
    assert (record["instances"], record["labelled"]) == (15, 3), "nobody was there"
    assert int(first) not in {label["instance"] for label in waiting.labels()}
    for table in ("labels", "refusals", "boxes"):
        assert {row["annotator"] for row in waiting.rows(table)} == {"grace"}, table


def test_the_machine_waits_for_whoever_goes_back(waiting: RunUnderTest, visit: Visit) -> None:
    person = visit(waiting.begin("--schedule", "2").link())
    for _ in range(2):
        last = person.wait_for_task()
        person.press("Enter")
        person.wait_for_other(last)
    person.press("b")
    assert person.wait_for_task() == last
    begun = person.place("nose")
    for _ in range(10):  # several times as long as the pause
        person.page.wait_for_timeout(300)
        person.page.mouse.move(200, 200)
    person.press("1", "Shift+ArrowRight", "Enter")
    person.page.wait_for_selector("body[data-phase='finished']", timeout=60_000)
    assert waiting.end()["labelled"] == 2
    corrected = waiting.labels()[-1]
    assert str(corrected["instance"]) == last
    assert json.loads(corrected["keypoints"])[0][0] == pytest.approx(begun[0] + 10, abs=0.1)


def _width(page: Page) -> int:
    width: int = page.evaluate("document.documentElement.scrollWidth")
    return width


def test_a_finished_run_is_reviewed_learnt_from_and_its_identities_put_right(
    waiting: RunUnderTest, visit: Visit
) -> None:
    waiting.begin("--schedule", "4", "--oracle", "ground-truth").end()
    person = visit(waiting.review("--count", "2").link())
    page = person.page
    first = person.wait_for_task()
    assert page.inner_text("[data-test=reasons]")
    assert page.get_attribute("[data-test=learn]", "aria-disabled") == "true", "there is nothing to learn from yet"
    person.press("m")
    page.wait_for_selector("#stage[data-mode='frame']")
    shown = page.text_content("[data-test=box-own] text")
    page.click("[data-test=swap]")
    page.wait_for_selector("[data-test=take-back]:visible")
    assert page.text_content("[data-test=box-own] text") != shown
    person.press("m")
    for _ in range(2):
        instance = person.wait_for_task()
        person.press("Enter")
        person.wait_for_other(instance)
    page.click("[data-test=learn-next]")
    person.wait_for_task()
    assert page.inner_text("[data-test=unlearnt]") == "Nothing to learn from yet"
    page.click("[data-test=end-review]")
    page.wait_for_selector("body[data-phase='finished']", timeout=20_000)
    assert page.inner_text("[data-test=predict]").endswith("--with-labels")
    record = waiting.end()
    assert (record["labelled"], record["cycles"]) == (6, 2)
    (swap,) = json.loads((waiting.run / "identities.json").read_text())
    assert sorted(swap["tracks"]) == [0, 1]
    assert first in {str(label["instance"]) for label in waiting.labels()}

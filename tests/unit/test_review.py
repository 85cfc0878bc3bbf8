"""A finished run looked through: what is queued, what is kept, learning from it, and identities put right."""

from __future__ import annotations

import json
import re
import shutil
import time
import webbrowser
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote, urlsplit

import attrs
import pytest
import torch
from click.testing import CliRunner, Result

from tests.annotator import Annotator, enter
from tests.beginning import Beginning
from tests.conftest import Registered, configured
from tests.people import TRUTH, label
from vatl_annotate.command import command
from vatl_annotate.review.finished import Finished
from vatl_annotate.review.wishes import Wish
from vatl_annotate.scene import Scene
from vatl_annotate.state import state_of
from vatl_annotate.submission import RefusedError
from vatl_core.errors import InputError
from vatl_core.files import write_whole
from vatl_core.plugins import Registry
from vatl_core.run import PastRun, execute
from vatl_core.store import RunFolder
from vatl_predict.command import command as predict

SOON: Final = 60


@pytest.fixture
def registry(registered: Registered, monkeypatch: pytest.MonkeyPatch) -> Registry:
    """What every command of the test finds installed."""
    for module in ("past", "running"):
        monkeypatch.setattr(f"vatl_core.run.{module}.discover", registered)
    return registered()


@pytest.fixture
def run(registry: Registry, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that has ended with 8 of 24 labels, from the truth."""
    made = tmp_path_factory.getbasetemp() / "reviewed" / "run"
    if not made.exists():
        quick: dict[str, Any] = {"retrain": {"full": {"scratch_epochs": 1}}}
        parts = {"query": "thc", "select": "random", "retrain": "full", "weights": "none", "options": quick}
        execute(configured(registry, made.parent, oracle="ground-truth", **parts), registry)
    return Path(shutil.copytree(made, tmp_path / "run"))


@attrs.frozen
class Reviewing:
    """`vatl annotate` under way, and somebody at its page."""

    result: Future[Result]
    person: Annotator

    def end(self) -> Result:
        """What the command said."""
        result = self.result.result(SOON)
        if result.exception and not isinstance(result.exception, SystemExit | InputError):
            raise result.exception
        return result


@pytest.fixture
def reviewing(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Reviewing]]:
    """Begins `vatl annotate` with these words and opens its page."""
    links: list[Future[str]] = []

    def open_(url: str) -> bool:
        links[-1].set_result(re.findall(r'url=([^"]+)"', Path(unquote(urlsplit(url).path)).read_text())[0])
        return True

    monkeypatch.setattr(webbrowser, "open", open_)
    assert TRUTH.keypoints is not None
    truth = {name: [(x, y, 2) for x, y in pose] for name, pose in zip(TRUTH.ids, TRUTH.keypoints.tolist(), strict=True)}

    def begin(*words: object) -> Reviewing:
        links.append(Future())
        result = pool.submit(CliRunner().invoke, command, [*map(str, words)])
        result.add_done_callback(lambda done: links[-1].done() or links[-1].set_exception(AssertionError(str(done))))
        person = Annotator(enter(links[-1].result(SOON)), truth, wrong=0.0, noise=0.0)
        begun.append(Reviewing(result, person))
        while person.state()["phase"] == "starting":  # the page is there before there is something to ask
            time.sleep(0.01)
        return begun[-1]

    begun: list[Reviewing] = []
    with ThreadPoolExecutor(2) as pool:
        yield begin
        for left in (one for one in begun if not one.result.done()):  # where a test has failed
            left.person.wish("end")


def predicted(run: Path) -> dict[str, Any]:
    """The annotations of `vatl predict --with-labels`, by id."""
    told = CliRunner().invoke(predict, [str(run), "--with-labels", "--no-video"])
    assert told.exit_code == 0, told.output
    rows = json.loads((run / "predictions" / "poses.json").read_text())["annotations"]
    return {row["id"]: row for row in rows}


def refused(*words: object) -> str:
    """The line with which a command refuses."""
    result = CliRunner().invoke(command, [*map(str, words)], standalone_mode=False)
    assert result.exception is not None
    assert "\n" not in str(result.exception)
    return str(result.exception)


def test_corrections_are_labels_of_the_run_and_others_come_next(run: Path, reviewing: Callable[..., Reviewing]) -> None:
    before = PastRun.open(run)
    first = reviewing(run, "--review", "--count", 3)
    state = first.person.state()
    assert (state["phase"], state["queue"]["total"], state["review"]) == ("labelling", 3, {"unlearnt": 0})
    assert first.person.task()["reasons"], "each says why"
    assert first.person.work() == 3
    told = first.end()
    assert "the review has ended with 3 labels; 3 labels not learnt from yet" in told.output
    assert first.person.told["closing"]["next"]["predict"].endswith("--with-labels")
    kept = PastRun.open(run)
    assert (kept.cycles, kept.closing) == (before.cycles, before.closing), "the run is as finished as before"
    reviewed = {*first.person.given}
    assert not reviewed & {*before.standing.asked}
    rows = predicted(run)
    for instance in reviewed:
        assert rows[instance + 1]["labelled"]
        assert rows[instance + 1]["keypoints"][:2] == pytest.approx(first.person.given[instance][0][:2], abs=0.01)
    (given, *_) = (g for g in kept.folder.answers.history() if g.instance in reviewed)
    assert given.annotator == "scripted"
    assert given.proposal == kept.folder.estimates(2).keypoints[given.instance].tolist()  # type: ignore[union-attr]
    second = reviewing(run, "--review", "--count", 2)
    assert second.person.work() == 2
    second.end()
    assert not reviewed & {*second.person.given}


def test_what_was_accepted_before_a_kill_is_there(run: Path, reviewing: Callable[..., Reviewing]) -> None:
    begun = reviewing(run, "--review", "--count", 5)
    task = begun.person.task()
    assert task is not None
    begun.person.label(task).raise_for_status()
    killed = shutil.copytree(run, run.with_name("killed"))  # what a kill would leave, once the label is acknowledged
    assert predicted(killed)[task["instance"] + 1]["labelled"]
    assert task["instance"] not in Finished.open(killed, {}, False).queue(30, "track", ())
    begun.person.wish("end")
    begun.end()


def test_an_earlier_label_can_be_corrected(run: Path, reviewing: Callable[..., Reviewing]) -> None:
    earlier = PastRun.open(run).standing.asked[0]
    begun = reviewing(run, "--review", "--count", 1)
    person = begun.person
    task = person.client.get(f"/api/tasks/{earlier}", params={"tab": person.tab}).json()["task"]
    pose = [[x + 5, y, 1] for x, y, _ in task["label"]["keypoints"]]
    person.label(task, correction=True, keypoints=pose).raise_for_status()
    assert person.state()["review"] == {"unlearnt": 1}
    person.wish("learn").raise_for_status()
    person.work()
    assert begun.end().exit_code == 0
    record = PastRun.open(run).cycles[2]
    assert (record.query, record.corrected, record.closes) == ((), (earlier,), False)
    assert predicted(run)[earlier + 1]["keypoints"][:2] == pytest.approx(pose[0][:2], abs=0.01)


def test_it_learns_on_request_and_goes_on_with_the_new_estimates(
    run: Path, reviewing: Callable[..., Reviewing]
) -> None:
    begun = reviewing(run, "--review", "--count", 3)
    assert begun.person.wish("learn").status_code == 409, "there is nothing to learn from"
    begun.person.wishes = ["others", "learn", "end"]
    assert begun.person.work() == 9
    assert "the review has ended with 9 labels; 3 labels not learnt from yet" in begun.end().output
    past = PastRun.open(run)
    asked, reviewed, closing = past.cycles[1:]
    assert (asked.labelled_after, len(reviewed.query), closing.labelled) == (8, 6, 14)
    assert [*reviewed.query, *past.folder.answers.given_in(3)] == [*begun.person.given]
    assert (reviewed.stopped_by, closing.closes) == ("annotator", True)
    assert past.closing is not None
    assert (past.closing.labelled, past.closing.cycles) == (14, 3)
    assert (past.folder.weights(3).read_bytes()) != past.folder.weights(2).read_bytes()
    assert not torch.equal(past.folder.estimates(3).keypoints, past.folder.estimates(2).keypoints)  # type: ignore[union-attr]


def reviewed_before(run: Path, count: int) -> list[int]:
    """The instances that an earlier review labelled."""
    query = Finished.open(run, {}, False).queue(count, "suspicion", ())
    for instance in query:
        RunFolder(run).answers.save(2, label(instance))
    return query


def test_retrain_learns_from_an_earlier_review_at_once(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    query = reviewed_before(run, 2)
    monkeypatch.setattr(webbrowser, "open", lambda url: pytest.fail("nobody is asked"))
    told = CliRunner().invoke(command, [str(run), "--review", "--retrain"])
    assert told.exit_code == 0, told.output
    assert told.stdout == f"{run}: learnt from 2 labels of an earlier review\n"
    assert [*PastRun.open(run).cycles[2].query] == query


def test_retrain_learns_from_its_own_review_and_ends(run: Path, reviewing: Callable[..., Reviewing]) -> None:
    config = run / "config.toml"
    config.write_text(config.read_text() + "\n[oracle.browser]\npause = 0.0\n")
    begun = reviewing(run, "--review", "--count", 2, "--retrain")
    assert begun.person.work() == 2
    assert begun.end().stdout == f"{run}: the review has ended with 2 labels\n"
    assert {*PastRun.open(run).cycles[2].query} == {*begun.person.given}


FOLDER: Final = "vatl_core.store.folder"


class Killed(BaseException):
    """As if the process ended here."""


@contextmanager
def killed_at(monkeypatch: pytest.MonkeyPatch, where: str) -> Iterator[None]:
    def die(*_: object, **__: object) -> None:
        raise Killed

    def die_at(path: Path, data: str) -> None:
        write_whole(path, data) if path.name != where else die()

    with monkeypatch.context() as patch:
        patch.setattr(*((f"{FOLDER}.write_whole", die_at) if "json" in where else (where, die)))
        with pytest.raises(Killed):
            yield


@pytest.mark.parametrize(
    "where",
    ["query.json", "cycles.jsonl", "vatl_core.cycle.retraining.save_checkpoint", "vatl_core.cycle.step.close"],
)
def test_a_kill_while_it_learns_changes_nothing_of_what_comes_of_it(
    run: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    reviewed_before(run, 2)
    whole = shutil.copytree(run, run.with_name("whole"))
    assert CliRunner().invoke(command, [str(whole), "--review", "--retrain"]).exit_code == 0
    with killed_at(monkeypatch, where):
        finished = Finished.open(run, {}, False)
        finished.reopen()
        execute(run)
    if RunFolder.open(run).through() is None:
        assert "vatl resume" in refused(run, "--review")
        execute(run)  # by the oracle that it was begun with, which is asked for nothing
    if Finished.open(run, {}, False).unlearnt:
        assert CliRunner().invoke(command, [str(run), "--review", "--retrain"]).exit_code == 0
    one, other = PastRun.open(run), PastRun.open(whole)
    assert [c.query for c in one.cycles] == [c.query for c in other.cycles]
    assert one.folder.weights(3).read_bytes() == other.folder.weights(3).read_bytes()
    assert len(one.folder.answers.history()) == len(other.folder.answers.history())
    assert torch.equal(one.folder.estimates(3).keypoints, other.folder.estimates(3).keypoints)  # type: ignore[union-attr]


def test_a_queue_may_go_track_by_track(run: Path, reviewing: Callable[..., Reviewing]) -> None:
    begun = reviewing(run, "--review", "--count", 6, "--order", "track")
    places = []
    for task in begun.person.tasks():
        places.append((task["track"], task["frame"]))
        begun.person.label(task)
    begun.end()
    assert len(places) == 6
    assert places == sorted(places)


def test_identities_are_put_right_from_a_frame_on_and_taken_back(
    run: Path, reviewing: Callable[..., Reviewing]
) -> None:
    before = predicted(run)
    begun = reviewing(run, "--review")
    person = begun.person
    task = person.task()
    assert task is not None
    one, other = task["track"], task["others"][0]["track"]
    asked = {"instance": task["instance"], "annotator": "ada", "tab": person.tab}
    swap = asked | {"tracks": [one, other], "known": 0}
    shown = person.write("swap", swap).json()["task"]
    assert (shown["track"], shown["others"][0]["track"]) == (other, one)
    assert shown["swaps"] == [{"frame": task["frame"], "tracks": [one, other]}]
    assert person.write("swap", swap).status_code == 200, "sent again, it is made once"
    rows = predicted(run)
    for row in rows.values():
        was = before[row["id"]]["track_id"]
        assert row["track_id"] == (was if row["image_id"] < task["frame"] else one + other - was)
    for changes, said in (
        ({"tracks": [one, 99], "known": 1}, f"track 99 is not in frame {task['frame']}"),
        ({"tracks": [one, one], "known": 1}, "named twice"),
        ({"tracks": [one], "known": 1}, "two whole numbers"),
        ({"tracks": [one, "x"], "known": 1}, "two whole numbers"),
        ({"tracks": [one, other], "known": 7}, "in another window"),
        ({"tracks": [one, other], "known": 1, "instance": 10**6}, "was not asked for"),
    ):
        answer = person.write("swap", asked | changes)
        assert answer.status_code in (404, 409, 422)
        assert said in answer.json()["error"]
    assert person.write("swap/back", asked | {"known": 1}).json()["task"]["track"] == one
    assert person.write("swap/back", asked | {"known": 1}).status_code == 200, "sent again, it is undone once"
    assert person.write("swap/back", asked | {"known": 0}).status_code == 409
    assert predicted(run) == before
    person.wish("end")
    begun.end()


def test_what_cannot_be_reviewed_is_told_in_a_line(run: Path, tmp_path: Path) -> None:
    assert "is no run" in refused(tmp_path, "--review")
    assert "add --review" in refused(run, "--count", 3)
    assert "add --review" in refused(run, "--retrain")
    assert "0 is not in the range" in refused(run, "--review", "--count", 0)
    assert "'pose' is not one of" in refused(run, "--review", "--order", "pose")
    assert "leave out --boxes" in refused(run, "--review", "--boxes", "boxes.json")
    folder = RunFolder.open(run)
    folder.lock()
    assert "being worked on by another process" in refused(run, "--review")
    folder.unlock()
    estimates = folder.cycle_folder(2) / "estimates.npz"
    estimates.write_bytes(b"PK")
    assert "estimates.npz" in refused(run, "--review")
    estimates.unlink()
    assert "estimates.npz is not there" in refused(run, "--review")
    (run / "run.json").unlink()
    assert "has not finished: `vatl resume" in refused(run, "--review")


def test_a_label_of_an_instance_that_is_not_there_is_told(run: Path) -> None:
    RunFolder(run).answers.save(2, attrs.evolve(label(0), index=torch.tensor([999])))
    assert "labels.sqlite lacks instance 999" in refused(run, "--review")
    told = CliRunner().invoke(predict, [str(run), "--with-labels", "--no-video"])
    assert "labels.sqlite lacks instance 999" in str(told.exception)


def test_a_strangers_run_lets_nobody_in(run: Path) -> None:
    config = run / "config.toml"
    config.write_text(config.read_text() + '\n[oracle.browser]\nhost = "0.0.0.0"\n')
    assert "--trust" in refused(run, "--review")


def test_where_all_is_labelled_nothing_is_left(run: Path) -> None:
    assert len(reviewed_before(run, 100)) == 16
    assert "nothing is left to review" in refused(run, "--review")


def test_identities_and_wishes_are_of_finished_runs_alone(tmp_path: Path) -> None:
    run = Beginning(RunFolder(tmp_path))
    scene = Scene.of(run.desk, 0.35, "owner")
    run.ask([3])
    assert scene.task(3)["reasons"] == []
    assert state_of(run.desk)["review"] is None
    for attempt in (
        lambda: run.desk.wish(Wish.END, "ada"),
        lambda: scene.swap(3, (0, 1), "ada", 0),
        lambda: scene.take_back(3, 0),
    ):
        with pytest.raises(RefusedError) as told:
            attempt()
        assert told.value.status == 410
    run.desk.fail(KeyboardInterrupt())
    scene.room.close()

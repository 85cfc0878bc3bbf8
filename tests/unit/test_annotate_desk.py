"""The desk: what people hand in reaches the disk before they are told so, exactly once, or they are told why not."""

from __future__ import annotations

import errno
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

import attrs
import pytest

from tests.beginning import SOON, Beginning
from vatl_annotate.handing import Handed
from vatl_annotate.ledger import Ledger
from vatl_annotate.queue import Queue
from vatl_annotate.submission import RefusedError, Submission
from vatl_core.contracts import Answer
from vatl_core.store import Answers, RunFolder


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Beginning]:
    beginning = Beginning(RunFolder(tmp_path))
    yield beginning
    beginning.desk.fail(KeyboardInterrupt())


def made(instance: int, **changes: Any) -> Submission:
    """A label of five keypoints."""
    fields: dict[str, Any] = {
        "tab": "a",
        "submission": f"first of {instance}",
        "instance": instance,
        "cycle": 0,
        "keypoints": ((10.25, 20.5, 2), (30.1, 40.2, 2), (0, 0, 0), (11.0, 12.0, 1), (13.0, 14.0, 2)),
        "seconds": 2.5,
        "annotator": "ann",
        "correction": False,
    }
    return Submission(**(fields | changes))


def elsewhere(x: float) -> tuple[tuple[float, float, int], ...]:
    return ((x, x, 2),) * 5


def said(handed: Handed) -> str:
    return handed.kept.result(SOON)


def status(handed: Handed) -> int:
    error = handed.kept.exception(SOON)
    assert isinstance(error, RefusedError)
    return error.status


def timeless(ledger: Ledger) -> Ledger:
    """Without when each label was given, which is only nearly the same in memory and on disk."""
    given = [attrs.evolve(given, at=0.0) for given in ledger.given]
    return Ledger(given, {g.instance: g for g in given}, ledger.refused)


class TestKeeping:
    def test_a_label_is_told_to_be_saved_once_it_is_on_disk(
        self, run: Beginning, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        disk, save = threading.Event(), Answers.save

        def slow(self: Answers, cycle: int, answer: Answer) -> None:
            assert disk.wait(SOON)
            save(self, cycle, answer)

        monkeypatch.setattr(Answers, "save", slow)
        run.ask([3, 5])
        handed = run.desk.label(made(3))
        time.sleep(0.2)
        assert not handed.kept.done(), "the disk is slow, and nobody says otherwise"
        assert not run.desk.ledger.given
        disk.set()
        assert said(handed) == "saved"
        assert run.rows() == [(3, 0)]
        assert timeless(run.desk.ledger) == timeless(Ledger.of(run.folder.answers))

    def test_a_browser_that_goes_away_cannot_take_an_answer_back(self, run: Beginning) -> None:
        run.ask([3])
        handed = run.desk.label(made(3))
        assert not handed.kept.cancel()
        assert run.outcome.result(SOON) == [3]

    @pytest.mark.parametrize("what", ["label", "skip", "absent", "redraw", "stop"])
    def test_what_the_disk_refuses_is_told_and_open_again(
        self, run: Beginning, monkeypatch: pytest.MonkeyPatch, what: str
    ) -> None:
        def full(self: Answers, cycle: int, answer: Answer) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr(Answers, "save", full)
        run.ask([3, 5])
        run.desk.skip("a", 3, "ann")
        handed = {
            "label": lambda: run.desk.label(made(3)),
            "skip": lambda: run.desk.skip("a", 3, "ann"),
            "absent": lambda: run.desk.redraw("a", 3, None, "ann"),
            "redraw": lambda: run.desk.redraw("a", 3, (1.0, 2.0, 30.0, 40.0), "ann"),
            "stop": lambda: run.desk.stop("ann"),
        }[what]()
        assert handed is not None
        assert status(handed) == 503, "a page that is told this keeps its label and tries again"
        assert isinstance(run.outcome.exception(SOON), OSError)
        assert run.desk.queue.is_open(3)
        assert run.desk.phase == "failed"
        assert timeless(run.desk.ledger) == timeless(Ledger.of(run.folder.answers))
        assert not run.folder.answers.refused()

    def test_those_who_wait_behind_a_failure_are_told_too(
        self, run: Beginning, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        disk = threading.Event()

        def full(self: Answers, cycle: int, answer: Answer) -> None:
            disk.wait(SOON)
            raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr(Answers, "save", full)
        run.ask([3, 5, 7])
        waiting: list[Handed | None] = [run.desk.label(made(3)), run.desk.label(made(5)), run.desk.stop("ann")]
        disk.set()
        assert [status(handed) for handed in waiting if handed] == [503, 503, 503]
        with pytest.raises(RefusedError) as refused:
            run.desk.label(made(7))
        assert refused.value.status == 503, "the run may be taken up again"

    def test_what_is_remembered_is_what_is_on_disk(self, run: Beginning) -> None:
        run.ask([3, 5, 7, 9])
        answers = [
            run.desk.label(made(3)),
            run.desk.redraw("a", 5, None, "bob"),
            run.desk.label(made(3, submission="b", keypoints=elsewhere(5), correction=True, annotator="bob")),
            run.desk.label(made(5, submission="c", keypoints=elsewhere(6), correction=True)),
            run.desk.redraw("a", 7, (1.0, 2.0, 30.0, 40.0), "ann"),
            run.desk.redraw("a", 9, None, "ann"),
        ]
        assert [said(handed) for handed in answers] == ["saved"] * len(answers)
        assert timeless(run.desk.ledger) == timeless(Ledger.of(run.folder.answers))
        assert run.desk.ledger.refused == {9: True}
        assert run.desk.ledger.labelled == 2
        assert run.desk.ledger.absent == {9}
        assert run.desk.boxes[7].tolist() == [1, 2, 30, 40]
        assert run.video.instances.boxes[7].tolist() != [1, 2, 30, 40], "the present pass was made in the old one"

    def test_the_last_answer_counts_though_the_inbox_was_found_empty_just_before(self, run: Beginning) -> None:
        class Unlucky:
            """An inbox that is looked into an instant before the answer comes."""

            def __init__(self) -> None:
                self.kept: SimpleQueue[Handed] = SimpleQueue()
                self.put, self.empty = self.kept.put, self.kept.empty
                self.handed: Handed | None = None

            def get(self, timeout: float = 0) -> Handed:
                if self.handed is None and run.desk.phase == "labelling":
                    time.sleep(run.desk.pause + 0.05)
                    self.handed = run.desk.label(made(3))
                    raise Empty
                return self.kept.get(timeout=timeout)

        inbox = Unlucky()
        run.desk.tray.inbox = inbox  # type: ignore[assignment]
        run.ask([3])
        until = time.monotonic() + SOON
        while inbox.handed is None and time.monotonic() < until:
            time.sleep(0.01)
        assert inbox.handed is not None
        assert said(inbox.handed) == "saved"


class TestOnce:
    def test_a_submission_that_is_sent_again_is_the_same_label(self, run: Beginning) -> None:
        run.ask([3, 5])
        first = run.desk.label(made(3))
        again = run.desk.label(made(3))
        assert again is first
        assert said(first) == "saved"
        assert said(run.desk.label(made(3))) == "saved"
        assert run.rows() == [(3, 0)]

    def test_so_is_one_of_the_same_content(self, run: Beginning) -> None:
        run.ask([3, 5])
        said(run.desk.label(made(3)))
        assert said(run.desk.label(made(3, submission="another"))) == "already"
        assert run.rows() == [(3, 0)]

    def test_and_one_that_is_sent_again_to_a_run_that_was_killed(self, run: Beginning) -> None:
        run.ask([3, 5])
        said(run.desk.label(made(3)))
        later = Beginning(RunFolder(run.folder.path))
        assert said(later.desk.label(made(3))) == "already", "before the queue is open again"
        later.ask([3, 5])
        assert said(later.desk.label(made(3))) == "already"
        assert later.rows() == [(3, 0)]
        assert [i for i in (3, 5) if later.desk.queue.is_open(i)] == [5], "none is asked for twice"

    def test_somebody_elses_label_of_an_instance_that_is_answered_is_refused(self, run: Beginning) -> None:
        run.ask([3, 5])
        said(run.desk.label(made(3)))
        with pytest.raises(RefusedError, match="by ann") as refused:
            run.desk.label(made(3, tab="b", submission="b", annotator="bob"))
        assert refused.value.status == 409

    def test_two_at_the_same_instant_make_one_label(self, run: Beginning) -> None:
        run.ask([3, 5])
        barrier, outcomes = threading.Barrier(8), []

        def hand_in(number: int) -> None:
            barrier.wait(SOON)
            try:
                own = made(3, tab=str(number), submission=str(number), annotator=f"a{number}")
                outcomes.append(said(run.desk.label(own)))
            except RefusedError as error:
                outcomes.append(str(error.status))

        threads = [threading.Thread(target=hand_in, args=(n,)) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(SOON)
        assert sorted(outcomes) == ["409"] * 7 + ["saved"]
        assert run.rows() == [(3, 0)]


class TestGoingBack:
    def test_a_label_of_the_open_queue_is_replaced(self, run: Beginning) -> None:
        run.ask([3, 5])
        said(run.desk.label(made(3)))
        better = made(3, submission="b", keypoints=elsewhere(50), correction=True)
        assert said(run.desk.label(better)) == "saved"
        said(run.desk.label(made(5)))
        assert run.outcome.result(SOON) == [3, 5]
        assert run.labels([3]).keypoints[0, 0].tolist() == [50, 50]

    def test_one_of_an_earlier_cycle_is_a_new_label_of_this_one(self, run: Beginning) -> None:
        run.ask([3])
        said(run.desk.label(made(3)))
        run.outcome.result(SOON)
        run.next_cycle([3])
        run.ask([5])
        assert said(run.desk.label(made(3, submission="b", keypoints=elsewhere(50), correction=True))) == "saved"
        assert run.rows() == [(3, 0), (3, 1)]
        said(run.desk.label(made(5, cycle=1)))
        assert run.outcome.result(SOON) == [5]

    def test_the_pause_is_for_going_back_and_begins_anew_with_each_label(self, run: Beginning) -> None:
        run.desk.pause = 0.6
        run.ask([3])
        assert run.desk.left is None
        said(run.desk.label(made(3)))
        assert run.desk.left is not None
        assert 0 < run.desk.left <= 0.6
        time.sleep(0.4)
        said(run.desk.label(made(3, submission="b", keypoints=elsewhere(50), correction=True)))
        corrected = time.monotonic()
        assert run.outcome.result(SOON) == [3]
        assert time.monotonic() - corrected > 0.5
        assert run.desk.left is None

    def test_whoever_is_about_to_correct_is_waited_for(self, run: Beginning) -> None:
        run.desk.pause = 0.6
        run.ask([3])
        said(run.desk.label(made(3)))
        run.desk.look(3)
        for _ in range(4):
            time.sleep(0.3)
            run.desk.wait()
        assert not run.outcome.done()
        assert said(run.desk.label(made(3, submission="b", keypoints=elsewhere(50), correction=True))) == "saved"
        assert run.outcome.result(SOON) == [3]

    def test_a_refusal_begins_it_too(self, run: Beginning) -> None:
        run.desk.pause = 0.4
        run.ask([3, 5])
        said(run.desk.label(made(3)))
        time.sleep(0.5)
        said(run.desk.redraw("a", 5, None, "ann"))
        assert not run.outcome.done()
        assert run.outcome.result(SOON) == [3]


class TestStaleWindows:
    """Somebody who was away for so long that others went on with what they had."""

    @pytest.fixture
    def taken_over(self, run: Beginning) -> Beginning:
        """Window a got 3, and is not heard of; then window b gets it."""
        run.ask([3, 5])
        assert run.desk.claim("a") == 3
        run.desk.queue.places[3].until = time.monotonic()
        assert run.desk.claim("b") == 3
        return run

    @pytest.mark.parametrize("box", [None, (1.0, 2.0, 30.0, 40.0)])
    @pytest.mark.parametrize("answered", [False, True])
    def test_they_change_nothing_that_others_have_or_gave(
        self, taken_over: Beginning, answered: bool, box: tuple[float, float, float, float] | None
    ) -> None:
        desk = taken_over.desk
        if answered:
            said(desk.label(made(3, tab="b", annotator="bob")))
        with pytest.raises(RefusedError) as refused:
            desk.redraw("a", 3, box, "ann")
        assert refused.value.status == 409
        assert desk.ledger.labelled == answered
        assert not taken_over.folder.answers.boxes()
        assert desk.queue.is_open(3) != answered

    def test_a_deletion_that_is_sent_again_is_done_already(self, run: Beginning) -> None:
        run.ask([3, 5])
        assert said(run.desk.redraw("a", 3, None, "ann")) == "saved"
        assert said(run.desk.redraw("a", 3, None, "ann")) == "already"

    def test_what_is_refused_for_good_is_not_offered_for_correction(self, run: Beginning) -> None:
        run.ask([3, 5])
        said(run.desk.label(made(3)))
        assert run.desk.is_known(3)
        run.desk.ledger.refused[3] = True
        run.desk.queue = Queue.of(1, [7], [7])
        assert not run.desk.is_known(3)
        for attempt in (
            lambda: run.desk.look(3),
            lambda: run.desk.label(made(3, submission="z", cycle=1, correction=True)),
        ):
            with pytest.raises(RefusedError) as refused:
                attempt()
            assert refused.value.status == 404


class TestSkipping:
    def test_the_second_time_it_is_left_out(self, run: Beginning) -> None:
        run.ask([3, 5])
        assert run.desk.claim("a") == 3
        assert run.desk.skip("a", 3, "ann") is None
        assert run.desk.claim("a") == 5
        said(run.desk.label(made(5)))
        assert run.desk.claim("a") == 3
        handed = run.desk.skip("a", 3, "ann")
        assert handed is not None
        assert said(handed) == "saved"
        assert run.outcome.result(SOON) == [5]
        assert run.folder.answers.refused() == {3: False}

    def test_a_skip_that_is_sent_again_counts_once(self, run: Beginning) -> None:
        run.ask([3, 5])
        assert run.desk.claim("a") == 3
        assert run.desk.skip("a", 3, "ann") is None
        assert run.desk.claim("a") == 5
        assert run.desk.skip("a", 3, "ann") is None
        assert run.desk.queue.places[3].skipped == 1
        assert run.desk.claim("a") == 5, "and the window keeps what it has by now"

    def test_nobody_puts_aside_what_another_works_on(self, run: Beginning) -> None:
        run.ask([3, 5])
        assert run.desk.claim("a") == 3
        assert run.desk.skip("b", 3, "bob") is None
        assert run.desk.claim("b") == 5
        assert run.desk.queue.places[3].skipped == 0


class TestBeingClosed:
    def test_stopping_keeps_what_was_labelled_and_ends_the_queue(self, run: Beginning) -> None:
        run.ask([3, 5, 7])
        said(run.desk.label(made(5)))
        assert said(run.desk.stop("ann")) == "saved"
        assert run.outcome.result(SOON) == [5]
        assert run.folder.answers.ended(0) == "ann"

    @pytest.mark.parametrize("cycle", [0, 7])
    def test_a_queue_that_is_learnt_from_takes_nothing_more(self, run: Beginning, cycle: int) -> None:
        run.ask([3])
        said(run.desk.label(made(3)))
        run.outcome.result(SOON)
        assert run.desk.claim("a") is None
        late: list[Callable[[], object]] = [
            lambda: run.desk.label(made(3, submission="b", keypoints=elsewhere(5), correction=True, cycle=cycle)),
            lambda: run.desk.skip("a", 3, "ann"),
            lambda: run.desk.redraw("a", 3, None, "ann"),
            lambda: run.desk.stop("ann"),
        ]
        for attempt in late:
            with pytest.raises(RefusedError) as refused:
                attempt()
            assert refused.value.status == 410

    def test_a_label_for_the_queue_before_is_refused(self, run: Beginning) -> None:
        run.ask([3])
        said(run.desk.label(made(3)))
        run.outcome.result(SOON)
        run.next_cycle([3])
        run.ask([5])
        with pytest.raises(RefusedError) as refused:
            run.desk.label(made(3, submission="b", keypoints=elsewhere(5)))
        assert refused.value.status == 410

    def test_what_was_not_asked_for_is_unknown(self, run: Beginning) -> None:
        run.ask([3])
        for attempt in (lambda: run.desk.label(made(4)), lambda: run.desk.redraw("a", 2**52, None, "ann")):
            with pytest.raises(RefusedError) as refused:
                attempt()
            assert refused.value.status == 404

    def test_a_run_that_is_being_taken_up_asks_to_come_again(self, run: Beginning) -> None:
        """The queue that the label belongs to is not open yet; the page must not give it up."""
        run.ask([3, 5])
        said(run.desk.label(made(3)))
        later = Beginning(RunFolder(run.folder.path))
        early: list[Callable[[], object]] = [
            lambda: later.desk.label(made(5)),
            lambda: later.desk.skip("a", 5, "ann"),
            lambda: later.desk.redraw("a", 5, None, "ann"),
            lambda: later.desk.stop("ann"),
            lambda: later.desk.proposal(5),
        ]
        for attempt in early:
            with pytest.raises(RefusedError) as refused:
                attempt()
            assert refused.value.status == 503
        later.next_cycle([3, 5])
        with pytest.raises(RefusedError) as refused:
            later.desk.label(made(3, submission="b", keypoints=elsewhere(4)))
        assert refused.value.status == 410, "one of a cycle that is over does not wait"

    def test_an_interrupted_run_tells_everybody(self, run: Beginning) -> None:
        run.ask([3])
        run.desk.fail(KeyboardInterrupt())
        assert (run.desk.phase, run.desk.error) == ("failed", "the run was interrupted")
        with pytest.raises(RefusedError) as refused:
            run.desk.label(made(3))
        assert refused.value.status == 503


class TestLeaving:
    def test_a_run_that_is_left_is_paused_and_has_not_failed(self, run: Beginning) -> None:
        run.ask([3])
        run.desk.leave()
        assert (run.desk.phase, run.desk.error) == ("left", None)
        with pytest.raises(RefusedError) as refused:
            run.desk.label(made(3))
        assert refused.value.status == 503, "the run may be taken up again"

    def test_open_pages_are_given_the_time_to_fetch_the_end(self, run: Beginning) -> None:
        run.desk.hear("a")
        run.desk.phase = "finished"
        waiting = threading.Thread(target=run.desk.windows.wait)
        waiting.start()
        time.sleep(0.3)
        run.desk.hear("a")
        run.desk.tell("a", "retraining")
        time.sleep(0.3)
        assert waiting.is_alive(), "who asks for something else has not been told"
        run.desk.tell("a", "finished")
        waiting.join(SOON)
        assert not waiting.is_alive()

    def test_nobody_is_waited_for_where_nobody_is(self, run: Beginning) -> None:
        began = time.monotonic()
        run.desk.windows.wait()
        assert time.monotonic() - began < 1


def test_redrawn_and_refused_are_handed_on_as_they_are(run: Beginning) -> None:
    """Through the real asking of the core, which checks what it is answered."""
    run.ask([3, 5])
    assert said(run.desk.redraw("a", 3, (1.0, 2.0, 30.0, 40.0), "ann")) == "saved"
    assert said(run.desk.redraw("a", 5, None, "ann")) == "saved"
    said(run.desk.label(made(3)))
    assert run.outcome.result(SOON) == [3]
    assert run.folder.answers.boxes() == {3: (1, 2, 30, 40)}
    assert run.folder.answers.refused() == {5: True}


def test_a_label_costs_the_same_however_many_there_are(run: Beginning, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading all of them takes a tenth of a second with a thousand."""
    run.ask(list(range(8)))
    reads: list[str] = []
    for name in ("labels", "history"):
        monkeypatch.setattr(Answers, name, lambda *_, name=name, **__: reads.append(name))
    for instance in range(7):
        assert run.desk.claim("a") == instance
        assert said(run.desk.label(made(instance))) == "saved"
    assert not reads

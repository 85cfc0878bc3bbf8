"""labels.sqlite keeps everything that was answered, whoever else reads it, and whatever goes wrong."""

from __future__ import annotations

import errno
import sqlite3
import threading
import time
from pathlib import Path
from typing import Any

import attrs
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.people import label
from vatl_core.contracts import Enough, Redrawn, Refusal
from vatl_core.cycle import Standing
from vatl_core.errors import InputError
from vatl_core.records import CycleRecord
from vatl_core.store import Answers
from vatl_core.store import answers as store

BOX = (1.5, 2.0, 30.0, 40.0)


@pytest.fixture
def answers(tmp_path: Path) -> Answers:
    return Answers(tmp_path / "labels.sqlite")


class TestWhatWasGiven:
    def test_all_of_a_label_comes_back(self, answers: Answers) -> None:
        sent = label(3)
        answers.save(2, sent)
        back = answers.labels([3], 5)
        for field in attrs.fields(type(sent)):
            if isinstance(value := getattr(sent, field.name), torch.Tensor):
                torch.testing.assert_close(getattr(back, field.name), value, msg=field.name)
        assert back.annotator == "Ada"
        (given,) = answers.history()
        assert (given.instance, given.cycle, given.annotator, given.seconds, given.moved) == (3, 2, "Ada", 4.0, 2)
        assert given.values == [2, 2, 2, 2, 1]
        assert given.proposal is not None

    def test_nothing_given_is_forgotten_and_the_last_counts(self, answers: Answers) -> None:
        for cycle, off in enumerate((0, 5, 9)):
            answers.save(cycle, label(3, off, who=f"no. {cycle}"))
        assert [g.annotator for g in answers.history()] == ["no. 0", "no. 1", "no. 2"]
        assert answers.labels([3], 5).annotator == "no. 2"
        assert answers.labels([3], 5, before=2).annotator == "no. 1"
        assert len(answers.labels([3], 5, before=0).index) == 0

    def test_boxes_and_refusals_are_known_by_the_cycle(self, answers: Answers) -> None:
        answers.save(0, Redrawn(1, (0, 0, 5, 5), "Ada"))
        answers.save(1, Redrawn(1, BOX, "Bo"))
        answers.save(1, Refusal(4, "Ada", absent=True))
        answers.save(2, label(4))
        answers.save(3, Refusal(4, "Bo"))
        assert answers.boxes() == answers.boxes(before=2) == {1: BOX}
        assert answers.boxes(before=1) == {1: (0, 0, 5, 5)}
        assert [answers.refused(before=cycle) for cycle in range(5)] == [{}, {}, {4: True}, {}, {4: False}]
        assert answers.refusals()[4].annotator == "Bo"

    def test_who_ended_a_cycle(self, answers: Answers) -> None:
        answers.save(3, Enough(""))
        assert [answers.ended(cycle) for cycle in (2, 3)] == [None, ""]

    def test_reading_makes_no_file(self, answers: Answers) -> None:
        assert answers.labels([1], 5).keypoints.shape == (0, 5, 2)
        assert (answers.history(), answers.refused(), answers.boxes(), answers.seconds(0)) == ([], {}, {}, 0)
        assert not answers.path.exists()


class TestStanding:
    @given(
        st.lists(st.lists(st.integers(0, 9), max_size=4, unique=True), max_size=3),
        st.dictionaries(st.integers(0, 9), st.booleans()),
    )
    def test_every_instance_is_labelled_or_refused_or_left(self, queries: Any, refused: Any) -> None:
        class Some:
            def refused(self, before: int) -> dict[int, bool]:
                return refused

            def labelled(self) -> set[int]:
                return set(range(10))

        records = [CycleRecord(n, 10, 0, tuple(query)) for n, query in enumerate(queries)]
        standing = Standing.of(10, records, Some())  # type: ignore[arg-type]
        cpu = torch.device("cpu")
        labelled, settled, there = (f(cpu) for f in (standing.labelled, standing.settled, standing.there))
        assert int(there.sum()) == standing.instances
        assert not (labelled & ~there).any(), "nobody is labelled who is not there"
        assert set(torch.nonzero(settled & ~labelled).flatten().tolist()) == set(refused)
        assert set(torch.nonzero(labelled).flatten().tolist()) == set(standing.asked)
        assert torch.equal(standing.askable(cpu), ~settled)
        silent = torch.arange(10) % 3 == 0
        assert torch.equal(attrs.evolve(standing, answerable=~silent).askable(cpu), ~settled & ~silent)


def together(work: Any, count: int) -> None:
    """``work(n)`` in so many threads at once; its errors are this one's."""
    errors: list[BaseException] = []

    def one(n: int) -> None:
        try:
            work(n)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=one, args=(n,)) for n in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors


class TestTrouble:
    def test_readers_see_whole_answers_while_somebody_writes(self, answers: Answers) -> None:
        answers.save(0, label(0))

        def work(n: int) -> None:
            for i in range(8):
                if n:
                    labels = answers.labels(range(24), 5)
                    assert labels.keypoints.isfinite().all()
                    assert len(labels.index) >= 1
                else:
                    answers.save(0, label(i))

        together(work, 3)
        assert len(answers.history()) == 9

    def test_a_full_disk_is_told_as_such_and_loses_nothing(
        self, answers: Answers, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        answers.save(0, label(0))
        plain = sqlite3.connect

        def tight(*words: Any, **more: Any) -> sqlite3.Connection:
            connection = plain(*words, **more)
            (pages,) = connection.execute("pragma page_count").fetchone()
            connection.execute(f"pragma max_page_count = {pages}")
            return connection

        def fill() -> None:
            for i in range(1, 24):
                answers.save(0, label(i))

        monkeypatch.setattr(sqlite3, "connect", tight)
        with pytest.raises(OSError, match=r"labels\.sqlite") as error:
            fill()
        monkeypatch.undo()
        assert error.value.errno == errno.ENOSPC
        kept = [g.instance for g in answers.history()]
        assert kept == list(range(len(kept)))
        answers.save(0, label(23))
        assert answers.labels([23], 5).index.tolist() == [23]

    def test_a_damaged_file_is_named(self, answers: Answers) -> None:
        answers.path.write_bytes(b"no database at all" * 100)
        for work in (answers.history, lambda: answers.save(0, label(1))):
            with pytest.raises(InputError, match=r"labels\.sqlite cannot be used: file is not a database"):
                work()

    @pytest.mark.parametrize("version", [0, 99])
    def test_a_file_of_another_layout_is_left_alone(self, answers: Answers, version: int) -> None:
        answers.save(0, label(0))
        with sqlite3.connect(answers.path) as connection:
            connection.execute(f"pragma user_version = {version}")
        connection.close()
        before = answers.path.read_bytes()
        for work in (answers.history, lambda: answers.save(0, label(1))):
            with pytest.raises(InputError, match="another version of vatl"):
                work()
        assert answers.path.read_bytes() == before

    def test_it_is_made_once_by_several_at_a_time(self, answers: Answers, monkeypatch: pytest.MonkeyPatch) -> None:
        look = store._has_tables

        def slowly(*words: Any) -> bool:
            found = look(*words)
            time.sleep(0.1)  # for another to look, too, if nothing keeps it from doing so
            return found

        monkeypatch.setattr(store, "_has_tables", slowly)
        together(lambda n: answers.save(2, label(n)), 4)
        assert sorted(g.instance for g in answers.history()) == [0, 1, 2, 3]

    def test_breaking_off_at_the_first_answer_leaves_nothing(
        self, answers: Answers, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(store, "_write", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            answers.save(2, label(7))
        monkeypatch.undo()
        assert answers.history() == []
        answers.save(2, label(7))
        assert len(answers.history()) == 1


def test_a_folder_in_the_file_s_place_is_named(answers: Answers) -> None:
    answers.path.mkdir()
    with pytest.raises(InputError, match=r"labels\.sqlite cannot be used: unable to open"):
        answers.history()

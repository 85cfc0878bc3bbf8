"""The queue: whatever the windows do, nobody is given what another works on, and nothing is lost."""

from __future__ import annotations

import attrs
import hypothesis.strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from vatl_annotate.queue import CLAIM, Queue

TABS = ("a", "b", "c")


@attrs.define
class Window:
    """What a window believes it works on, and when it was heard of last."""

    instance: int | None = None
    heard: float = 0.0

    def has(self, instance: int, now: float) -> bool:
        return self.instance == instance and now < self.heard + CLAIM


class SeveralWindows(RuleBasedStateMachine):
    """Windows that claim, label, skip, leave and fall silent, in any order; a model beside the queue."""

    @initialize(count=st.integers(1, 7), answered=st.sets(st.integers(0, 6)))
    def begin(self, count: int, answered: set[int]) -> None:
        self.query = list(range(10, 10 + count))
        left = [i for n, i in enumerate(self.query) if n not in answered]
        self.queue = Queue.of(3, self.query, left)
        self.windows = {tab: Window() for tab in TABS}
        self.skips = dict.fromkeys(self.query, 0)
        self.open = set(left)
        self.now = 0.0

    @rule(tab=st.sampled_from(TABS))
    def claim(self, tab: str) -> None:
        window = self.windows[tab]
        others = {w.instance for t, w in self.windows.items() if t != tab and w.has(w.instance or -1, self.now)}
        got = self.queue.claim(tab, self.now)
        if got is None:
            assert self.open <= others, "an instance that nobody works on is given to whoever asks"
            window.instance = None
            return
        assert got in self.open
        assert got not in others, "two windows hold one instance"
        if window.instance in self.open and window.has(window.instance or -1, self.now):
            assert got == window.instance, "who asks again gets the same"
        else:
            fresh = [i for i in self.open - others if self.skips[i] < self.skips[got]]
            assert not fresh or got == window.instance, "what was put aside comes last"
        window.instance, window.heard = got, self.now

    @rule(tab=st.sampled_from(TABS))
    def label(self, tab: str) -> None:
        instance = self.windows[tab].instance
        if instance in self.open:
            self.queue.settle(instance)
            self.open.discard(instance)
        self.windows[tab].instance = None

    @rule(tab=st.sampled_from(TABS))
    def skip(self, tab: str) -> None:
        instance = self.windows[tab].instance
        if instance is None or not self.queue.is_with(instance, tab):
            return
        assert instance in self.open
        first = self.queue.put_aside(instance)
        assert first == (self.skips[instance] == 0), "the second time it is left out"
        self.skips[instance] += 1
        if not first:
            self.queue.settle(instance)
            self.open.discard(instance)
        self.windows[tab].instance = None

    @rule(tab=st.sampled_from(TABS))
    def release(self, tab: str) -> None:
        self.queue.release(tab)
        self.windows[tab].instance = None

    @rule(tab=st.sampled_from(TABS))
    def be_heard(self, tab: str) -> None:
        self.queue.hold(tab, self.now)
        if self.queue.places.get(self.windows[tab].instance or -1, None) is not None:
            held = self.queue.places[self.windows[tab].instance or -1].holder == tab
            self.windows[tab].heard = self.now if held else self.windows[tab].heard

    @rule(seconds=st.floats(0, 2 * CLAIM))
    def wait(self, seconds: float) -> None:
        self.now += seconds

    @rule(instance=st.integers(10, 16))
    def lose_an_answer(self, instance: int) -> None:
        if self.queue.holds(instance) and instance not in self.open:
            self.queue.reopen(instance)
            self.open.add(instance)

    @invariant()
    def nothing_is_lost(self) -> None:
        assert list(self.queue.places) == self.query, "the order is kept"
        assert {i for i in self.query if self.queue.is_open(i)} == self.open
        assert self.queue.left == len(self.open)

    @invariant()
    def nobody_holds_two(self) -> None:
        for tab in TABS:
            assert sum(place.holder == tab for place in self.queue.places.values()) <= 1


TestSeveralWindows = SeveralWindows.TestCase


def test_instances_come_in_the_order_of_asking_and_those_put_aside_last() -> None:
    queue = Queue.of(0, [4, 2, 9], [4, 2, 9])
    assert queue.claim("a", 0) == 4
    assert queue.put_aside(4)
    order = []
    while (got := queue.claim("a", 0)) is not None:
        order.append(got)
        queue.settle(got)
    assert order == [2, 9, 4]


def test_what_comes_next_is_what_is_shown_to_be_next() -> None:
    queue = Queue.of(0, range(6), range(6))
    assert queue.claim("b", 0) == 0
    assert queue.claim("a", 0) == 1
    ahead = queue.ahead("a", 0)
    assert ahead == [1, 2, 3, 4, 5]
    queue.settle(1)
    assert queue.claim("a", 0) == ahead[1]


def test_a_silent_window_loses_its_instance_and_one_that_is_heard_of_does_not() -> None:
    queue = Queue.of(0, [1, 2], [1, 2])
    assert queue.claim("a", 0) == 1
    queue.hold("a", CLAIM - 1)
    assert queue.claim("b", CLAIM + 1) == 2
    assert queue.claim("c", CLAIM + 1) is None
    assert queue.claim("c", 2 * CLAIM - 1) == 1
    assert queue.claim("b", CLAIM + 2) == 2


def test_only_who_works_on_an_instance_may_put_it_aside() -> None:
    """So that a request that is sent again does not leave out what its first sending put aside."""
    queue = Queue.of(0, [1, 2], [1, 2])
    assert queue.is_with(1, "a"), "after an interruption nobody is known to"
    assert queue.claim("a", 0) == 1
    assert queue.is_with(1, "a")
    assert not queue.is_with(1, "b")
    queue.put_aside(1)
    assert queue.claim("a", 0) == 2
    assert not queue.is_with(1, "a")
    queue.settle(2)
    assert not queue.is_with(2, "a")


def test_a_query_that_was_interrupted_goes_on_with_what_is_left() -> None:
    queue = Queue.of(5, [7, 8, 9], [9])
    assert (queue.left, queue.position(9), queue.position(1)) == (1, 2, 3)
    assert queue.claim("a", 0) == 9
    assert queue.holds(7)
    assert not queue.is_open(7)

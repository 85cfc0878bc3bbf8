"""vatl_kit catches what is wrong, and says in words what, and what to do."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pluggy
import pytest

from tests.unit import wrong_components as wrong
from vatl_core import hookspecs
from vatl_core.errors import InputError
from vatl_core.plugins import KINDS, Registry
from vatl_kit import CONTRACT_TESTS, BrokenContract, check, small_runs, watching
from vatl_kit.checking import flaws
from vatl_kit.small_parts import PARTS, First

WRONG = [
    (kind, words, component)
    for kind, cases in {
        "criterion": wrong.CRITERIA, "selector": wrong.SELECTORS, "stopping": wrong.STOPPING,
        "retraining": wrong.RETRAINING, "estimator": wrong.ESTIMATORS, "dataset": wrong.DATA_SETS,
        "oracle": wrong.ORACLES,
    }.items()
    for words, component in cases.items()
] + [("executor", words, wrong.mapping(run_all)) for run_all, words in wrong.EXECUTORS.values()]  # fmt: skip


@pytest.mark.parametrize(("kind", "words", "component"), WRONG, ids=[f"{kind}: {words}" for kind, words, _ in WRONG])
def test_what_is_wrong_is_caught_with_the_right_words(kind: str, words: str, component: Any) -> None:
    broken = [error for _, error in flaws(kind, component) if error]
    assert any(words in str(error) for error in broken), [str(error) for error in broken]
    for error in broken:
        assert error.promise.startswith(f"{kind} Wrong")
        assert error.expected
        assert error.came
        assert error.remedy


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_right_passes(kind: str) -> None:
    module = __import__("vatl_kit.small_parts", fromlist=[PARTS[kind]])
    component = getattr(module, PARTS[kind])()
    assert [str(error) for name, error in flaws(kind, component) if error and "explain" not in name] == []


@pytest.mark.parametrize("kind", ["criterion", "selector", "retraining", "stopping"])
def test_it_needs_nothing_but_vatl_core(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing() -> Registry:
        manager = pluggy.PluginManager("vatl")
        manager.add_hookspecs(hookspecs)
        return Registry(manager)

    for module in (small_runs, watching):
        monkeypatch.setattr(module, "discover", nothing)
    test_what_is_right_passes(kind)


def test_an_oracle_may_have_had_enough() -> None:
    check(wrong.QUITS)


def test_an_option_without_a_word_is_found() -> None:
    with pytest.raises(BrokenContract, match="nothing on haste: write one"):
        check(wrong.Undocumented())


def test_an_option_that_does_not_come_back_is_found() -> None:
    with pytest.raises(BrokenContract, match="its option epochs comes back from"):
        check(wrong.Forgetful())


def test_an_option_that_no_text_can_be_is_found() -> None:
    with pytest.raises(BrokenContract, match=r"its options can be given by the command line.* dict"):
        check(wrong.Tabled())


def test_what_keeps_a_check_from_its_point_is_told_in_words() -> None:
    (broken,) = [error for name, error in flaws("oracle", wrong.Unprintable()) if error and "command line" in name]
    assert "options come back from the command line: expected no error; came RuntimeError: a secret" in str(broken)


def test_what_is_no_component_is_refused() -> None:
    with pytest.raises(InputError, match="Bare is no component: it is to derive from one of Estimator"):
        check(wrong.Bare())


def test_a_class_may_be_checked_in_place_of_an_object() -> None:
    check(First)
    with pytest.raises(BrokenContract, match="nothing on haste: write one"):
        check(wrong.Undocumented)
    with pytest.raises(InputError, match="Bare is no component"):
        check(wrong.Bare)


def test_every_kind_has_its_tests() -> None:
    assert set(CONTRACT_TESTS) == set(KINDS)


STRANGER = """
import attrs
from vatl_core import Criterion
from vatl_kit import CriterionContract


@attrs.frozen
class Odd(Criterion):
    needs = frozenset({"poses"})

    def score(self, window):
        return window.scores


class TestOdd(CriterionContract):
    component = Odd()


@attrs.frozen
class Broken(Criterion):
    needs = frozenset({"poses"})

    def score(self, window):
        return {}["nothing"]


class TestBroken(CriterionContract):
    component = Broken()


class TestNothing(CriterionContract):
    pass
"""


def test_a_stranger_reads_words_and_no_traceback_of_ours(tmp_path: Path) -> None:
    (tmp_path / "test_odd.py").write_text(STRANGER)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 1
    assert "expected: shape (10,)\n  came:     shape (10, 5)\n  to do:    reduce over the keypoints" in done.stdout
    assert "TestNothing says what it tests" in done.stdout
    assert "vatl_core/" not in done.stdout
    assert 'return {}["nothing"]' in done.stdout, "where the component itself is wrong is shown"
    assert "KeyError: 'nothing'" in done.stdout
    assert "TestOdd::test_needs_are_known" not in done.stdout, "what is kept is not mentioned"

"""What strangers' plugins do wrong is told in one line that names them; everything else works."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import Outcome, Vatl
from tests.strangers import bringing, describing, install
from vatl_core.cli import main
from vatl_core.run import resume, start

OTHERS = ["run", "--dataset", "tests", "--estimator", "tests", "--retrain", "tests", "--weights", "none"]
QUICK = [*OTHERS, "--schedule", "2", "--device", "cpu", "--precision", "float32", "--json", "--runs", "runs"]

PLAIN = """
    from vatl_core import Component, hookimpl

    @hookimpl
    def vatl_components():
        parts = {"dataset": "Sticks", "estimator": "Small", "retraining": "OneEpoch"}
        return [Component(k, "tests", "small", "vatl_kit.small_parts:" + n) for k, n in parts.items()]
"""
SCORE = """
    import attrs, torch
    from vatl_core import Criterion

    @attrs.frozen
    class Odd(Criterion):
        needs = frozenset({{"poses"}})
        power: float = {default}

        def score(self, window):
            return {scores}
"""


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of distributions, with plain parts that make runs short."""
    folder = tmp_path / "site"
    install(folder, "vatl-plain", PLAIN)
    monkeypatch.syspath_prepend(str(folder))
    yield folder
    for name in [name for name in sys.modules if name.startswith(("vatl_odd", "vatl_plain"))]:
        del sys.modules[name]


@pytest.fixture
def vatl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Vatl:
    """`vatl` in this process, so that torch is imported once; nothing is drawn."""
    from vatl_report import plugin as report

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(report, "vatl_run_finished", lambda run, record: None)

    def call(*words: str) -> Outcome:
        importlib.invalidate_caches()
        try:
            code = main(list(words))
        except SystemExit as ended:
            code = int(ended.code or 0)
        said = capsys.readouterr()
        return Outcome(code, said.out, said.err)

    return call


def scoring(site: Path, scores: str, default: str = "1.0") -> None:
    """Install a criterion called odd."""
    source = SCORE.format(scores=scores, default=default)
    install(site, "vatl-odd", describing("criterion", "odd", "vatl_odd.odd:Odd"), odd=source)


def one_line(outcome: Outcome) -> str:
    """The single line by which a command failed."""
    (line,) = [line for line in outcome.err.splitlines() if line.startswith("vatl: ")]
    assert "Traceback" not in outcome.err
    return line


def others_work(vatl: Vatl) -> Outcome:
    """A run without the broken component, and the list."""
    ran = vatl(*QUICK, "--query", "lc", "--select", "top")
    assert ran.code == 0, ran.err
    assert ran.record["labelled"] == 2
    listed = vatl("plugins", "list")
    assert listed.code == 0
    assert " lc " in listed.out
    return ran


CRASHES = "raise RuntimeError('no licence key')"
EXITS = "raise SystemExit('bye')"
SKIPS = "class Skipped(BaseException):\n    pass\nraise Skipped('no such library')"
FUTURE = 'from vatl_core import SomethingNew\n\nvatl_contract = ">=99,<100"\n'
FUTURE_TYPED = FUTURE.replace("vatl_contract", "vatl_contract: str")
OUT_OF_RANGE = describing("criterion", "odd", "vatl_odd.odd:Odd", contract='">=99,<100"')


@pytest.mark.parametrize(
    ("module", "words"),
    [
        (CRASHES, ["RuntimeError: no licence key"]),
        (EXITS, ["SystemExit: bye"]),
        (SKIPS, ["Skipped: no such library"]),
        (bringing("vatl_components", "sys.exit('bye')"), ["SystemExit: bye"]),
        (bringing("vatl_commands", "{}['odd']"), ["KeyError: 'odd'"]),
        (bringing("vatl_presets", "{}['odd']"), ["KeyError: 'odd'"]),
        (OUT_OF_RANGE, [">=99,<100", "this vatl-core has 2.0"]),
        (FUTURE, [">=99,<100", "this vatl-core has 2.0"]),
        (FUTURE_TYPED, [">=99,<100", "this vatl-core has 2.0"]),
        ('vatl_contract = "soon"', ["'soon'", "no range of versions", ">=2.0,<3"]),
        (bringing("vatl_components", "'odd'"), ["has a str"]),
        (bringing("vatl_components", "Component('criterion', 1, '', 'a:B')"), ["'name'", "'str'", "got 1"]),
        (bringing("vatl_commands", "Command('odd', None, 'a:b')"), ["'help'", "'str'", "got None"]),
        (bringing("vatl_presets", "Preset(None, 'odd', {})"), ["'name'", "'str'", "got None"]),
        (bringing("vatl_commands", "Command('odd', '', 'a')"), ["'target'", "must match", "'a'"]),
    ],
)
def test_a_plugin_that_cannot_be_loaded_is_left_out_with_a_line(
    site: Path, vatl: Vatl, module: str, words: list[str]
) -> None:
    install(site, "vatl-odd", module)
    line = one_line(others_work(vatl))
    assert line.startswith("vatl: plugin vatl-odd 1.0 is left out: ")
    assert all(word in line for word in words)
    listed = vatl("plugins", "list", "--json")
    assert set(json.loads(listed.out)["broken"]) == {"vatl-odd 1.0"}
    checked = vatl("plugins", "check", "vatl-odd")
    assert checked.code == 1
    assert "WRONG  plugin vatl-odd 1.0: " in checked.out
    helped = vatl("--help")
    assert helped.code == 0
    assert "Commands:" in helped.out


@pytest.mark.parametrize(
    ("init", "word"),
    [
        (CRASHES, "RuntimeError: no licence key"),
        ("import os\nos.nothing", "AttributeError"),
        (EXITS, "SystemExit: bye"),
    ],
)
def test_a_package_that_cannot_be_imported_is_left_out_with_a_line(
    site: Path, vatl: Vatl, init: str, word: str
) -> None:
    install(site, "vatl-odd", "", init=init)
    line = one_line(others_work(vatl))
    assert line.startswith("vatl: plugin vatl-odd 1.0 is left out: ")
    assert word in line


def test_what_is_left_out_is_left_out_as_a_whole(site: Path, vatl: Vatl) -> None:
    fits = "from vatl_core import hookimpl\n@hookimpl\ndef vatl_cycle_started(run, cycle):\n    raise ValueError\n"
    install(site, "vatl-odd", fits + "@hookimpl\ndef vatl_run_started(rnu):\n    pass\n")
    assert "vatl-odd 1.0 is left out: " in one_line(others_work(vatl))
    assert "rnu" in json.loads(vatl("plugins", "list", "--json").out)["broken"]["vatl-odd 1.0"]


def test_a_script_is_warned_of_what_is_left_out(site: Path, tmp_path: Path) -> None:
    install(site, "vatl-odd", CRASHES)
    importlib.invalidate_caches()
    parts = dict.fromkeys(("dataset", "estimator", "retrain"), "tests")
    with pytest.warns(UserWarning, match="plugin vatl-odd 1.0 is left out: RuntimeError: no licence key") as warned:
        start(tmp_path / "run", weights="none", schedule=[2], device="cpu", **parts)  # type: ignore[arg-type]
    assert Path(warned[0].filename) == Path(__file__), "it points at the script"
    with pytest.warns(UserWarning, match="left out"):
        assert resume(tmp_path / "run").adapt().labelled == 2


def test_whoever_interrupts_an_import_is_heeded(site: Path, vatl: Vatl) -> None:
    install(site, "vatl-odd", "raise KeyboardInterrupt")
    assert vatl("plugins", "list").code == 130


def test_the_contract_is_found_in_a_package_that_cannot_be_imported(site: Path, vatl: Vatl) -> None:
    install(site, "vatl-odd", OUT_OF_RANGE, init=CRASHES)
    line = one_line(others_work(vatl))
    assert ">=99,<100" in line
    assert "this vatl-core has 2.0" in line


def test_whoever_takes_a_run_up_is_told_what_is_left_out(site: Path, vatl: Vatl) -> None:
    run = others_work(vatl).record["run"]
    install(site, "vatl-odd", CRASHES)
    resumed = vatl("resume", run)
    assert resumed.code == 0
    assert one_line(resumed) == "vatl: plugin vatl-odd 1.0 is left out: RuntimeError: no licence key"


def test_a_command_that_is_not_there_may_be_of_a_plugin_that_failed(site: Path, vatl: Vatl) -> None:
    install(site, "vatl-odd", bringing("vatl_commands", "{}['odd']"))
    called = vatl("odd")
    assert called.code == 2
    line = one_line(called)
    assert "no command is called 'odd'" in line
    assert line.endswith("plugins that failed to load (`vatl plugins list` says why): vatl-odd 1.0")


def test_a_command_that_two_plugins_claim_names_both(site: Path, vatl: Vatl) -> None:
    install(site, "vatl-odd", bringing("vatl_commands", "Command('annotate', 'mine', 'vatl_odd.odd:odd')"))
    claimed = vatl("annotate")
    assert claimed.code == 1
    line = one_line(claimed)
    assert line.startswith("vatl: command 'annotate' is claimed by vatl-annotate 0.1.0 and by vatl-odd 1.0: ")
    assert one_line(vatl("plugins", "show", "annotate")) == line
    helped = vatl("--help")
    assert helped.code == 0
    assert helped.out.count(" annotate ") == 1


@pytest.mark.parametrize(("kind", "flag"), [("dataset", "--dataset"), ("oracle", "--oracle")])
def test_two_defaults_of_a_kind_name_both(site: Path, vatl: Vatl, kind: str, flag: str) -> None:
    odd = f"Component('{kind}', 'odd', '', 'vatl_odd.odd:Odd', default=True)"
    install(site, "vatl-odd", bringing("vatl_components", odd))
    failed = vatl("run")
    assert failed.code == 1
    line = one_line(failed)
    assert "'odd' of vatl-odd 1.0" in line
    assert ("'synthetic' of vatl-synthetic 0.1.0" if kind == "dataset" else "'ground-truth' of vatl-oracles") in line
    assert f"{flag} NAME" in line
    named = vatl(*QUICK, "--query", "lc", "--select", "top", "--oracle", "ground-truth")
    assert named.code == 0, named.err


def test_a_name_that_is_taken_names_both(site: Path, vatl: Vatl) -> None:
    install(site, "vatl-odd", describing("criterion", "thc", "vatl_odd.odd:Odd"))
    others_work(vatl)
    claimed = vatl(*QUICK, "--query", "thc", "--select", "top")
    assert claimed.code == 1
    assert "criterion 'thc' is claimed by vatl-criteria 0.1.0 and by vatl-odd 1.0" in one_line(claimed)
    assert "clash: criterion 'thc' is claimed by" in vatl("plugins", "list").err
    checked = vatl("plugins", "check", "thc")
    assert checked.code == 1
    assert "WRONG  criterion thc: is claimed by vatl-criteria 0.1.0 and by vatl-odd 1.0" in checked.out


@pytest.mark.parametrize(
    ("source", "word"),
    [("import no_such_module", "No module named 'no_such_module'"), (EXITS, "SystemExit: bye"), (SKIPS, "Skipped: no")],
)
def test_a_component_that_does_not_import_is_named(site: Path, vatl: Vatl, source: str, word: str) -> None:
    install(site, "vatl-odd", describing("criterion", "odd", "vatl_odd.odd:Odd"), odd=source)
    others_work(vatl)
    line = one_line(vatl(*QUICK, "--query", "odd", "--select", "top"))
    assert "criterion 'odd' of vatl-odd 1.0" in line
    assert word in line


@pytest.mark.parametrize(
    ("scores", "words", "found"),
    [
        ("window.scores", ["gave scores of shape (16, 5): (16) is expected"], "one score for each instance"),
        ("window.scores[:, 0] * torch.nan", ["gave 16 of 16 scores that are NaN or infinite"], "NaN or infinite"),
        ("window.scores[:, 0].to('meta')", ["gave scores on meta", "they are to stay on cpu"], "came meta"),
        ("{}['heat']", ["unexpected KeyError: 'heat'", "in plugin vatl-odd 1.0", "odd.py"], "KeyError: 'heat'"),
    ],
)
def test_scores_that_are_none_name_criterion_and_plugin(
    site: Path, vatl: Vatl, scores: str, words: list[str], found: str
) -> None:
    scoring(site, scores)
    failed = vatl(*QUICK, "--query", "odd", "--select", "top")
    assert failed.code == 1
    line = one_line(failed)
    assert "vatl-odd 1.0" in line
    assert all(word in line for word in words)
    if "unexpected" not in line:
        assert "criterion 'odd'" in line
    checked = vatl("plugins", "check", "odd")
    assert checked.code == 1
    (wrong,) = [line for line in checked.out.splitlines() if line.startswith("WRONG")]
    assert wrong.startswith("WRONG  criterion odd: of vatl-odd 1.0: ")
    assert found in wrong
    others_work(vatl)


def test_options_that_refuse_their_defaults_are_the_plugins_fault(site: Path, vatl: Vatl) -> None:
    scoring(site, "window.scores[:, 0]", default="attrs.field(default=-1.0, validator=attrs.validators.gt(0))")
    failed = vatl(*QUICK, "--query", "odd", "--select", "top")
    assert failed.code == 1
    line = one_line(failed)
    assert "criterion 'odd'" in line
    assert "it refuses its own defaults, which vatl-odd 1.0 has to put right" in line
    others_work(vatl)
    given = vatl(*QUICK, "--query", "odd", "--select", "top", "-o", "odd.power=2")
    assert given.code == 0, given.err
    assert vatl(*QUICK, "--query", "odd", "--select", "top", "-o", "odd.power=-2").code == 2, "the user's own fault"


def test_a_selector_that_picks_rubbish_is_named(site: Path, vatl: Vatl) -> None:
    source = """
        import attrs
        from vatl_core import Selector

        @attrs.frozen
        class Odd(Selector):
            def select(self, pool, count, generator):
                return pool.scores[:count]
    """
    install(site, "vatl-odd", describing("selector", "odd", "vatl_odd.odd:Odd"), odd=source)
    failed = vatl(*QUICK, "--query", "lc", "--select", "odd")
    assert failed.code == 1
    assert "selector 'odd' must pick by indices" in one_line(failed)
    assert "(plugin vatl-odd 1.0)" in one_line(failed)


def test_another_vatl_core_than_a_plugin_needs_is_found(site: Path, vatl: Vatl) -> None:
    install(site, "vatl-odd", "vatl_contract = '>=2'", requires="vatl-core>=7")
    checked = vatl("plugins", "check", "vatl-odd")
    assert checked.code == 1
    assert "it needs vatl-core >=7, and" in checked.out


def test_a_hook_that_nobody_calls_is_found(site: Path, vatl: Vatl) -> None:
    module = "from vatl_core import hookimpl\n@hookimpl\ndef vatl_cycle_finnished(run, record):\n    pass\n"
    install(site, "vatl-odd", module)
    checked = vatl("plugins", "check", "vatl-odd")
    assert checked.code == 1
    assert "vatl_cycle_finnished is a hook that vatl does not have" in checked.out


def test_what_is_well_checks_well(site: Path, vatl: Vatl) -> None:
    scoring(site, "window.scores.mean(1)")
    checked = vatl("plugins", "check", "vatl-odd")
    assert checked.code == 0, checked.out
    assert "ok     criterion odd" in checked.out
    assert vatl("plugins", "check", "nothing-like-it").code == 2

"""`vatl plugins check` finds what is wrong with each thing that a plugin brings, and goes on after it."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.strangers import bringing, describing, install
from vatl_core.cli import COMMANDS
from vatl_core.discovery import discover
from vatl_core.errors import InputError
from vatl_kit.plugin_checks import Finding, check_plugins

Found = Callable[[str], dict[str, Finding]]

TWO = """
    import attrs
    from vatl_core import Criterion

    @attrs.frozen
    class Well(Criterion):
        needs = frozenset({{"poses"}})

        def score(self, window):
            return window.scores.mean(1)

    @attrs.frozen
    class Odd(Well):
        def __attrs_post_init__(self):
            {crash}
"""
COMMAND = "import click\n\n@click.command()\ndef odd():\n    pass\n"
EXTRA = 'vatl-core>=99; extra == "future"'
OTHER_PYTHON = 'vatl-core>=99; python_version < "3"'


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of distributions."""
    monkeypatch.syspath_prepend(str(tmp_path))
    yield tmp_path
    for name in [name for name in sys.modules if name.startswith("vatl_odd")]:
        del sys.modules[name]


@pytest.fixture
def found() -> Found:
    """What checking finds, by what was checked."""

    def check(name: str) -> dict[str, Finding]:
        importlib.invalidate_caches()
        findings = list(check_plugins(discover(), name, COMMANDS))
        by_name = {finding.what: finding for finding in findings}
        assert len(by_name) == len(findings), "each thing is judged once"
        return by_name

    return check


@pytest.mark.parametrize(
    ("crash", "said"),
    [
        ("raise RuntimeError('no model file')", "of vatl-odd 1.0: RuntimeError: no model file"),
        ("{}['odd']", "of vatl-odd 1.0: KeyError: 'odd'"),
        ("raise SystemExit('bye')", "of vatl-odd 1.0: SystemExit: bye"),
    ],
)
def test_a_component_that_cannot_be_made_does_not_end_the_check(
    site: Path, found: Found, crash: str, said: str
) -> None:
    described = [f"Component('criterion', '{name}', '', 'vatl_odd.odd:{name.title()}')" for name in ("odd", "well")]
    install(site, "vatl-odd", bringing("vatl_components", *described), odd=TWO.format(crash=crash))
    checked = found("vatl-odd")
    assert checked["criterion odd"].problem == said
    assert checked["criterion well"] == Finding("criterion well")
    assert checked["plugin vatl-odd 1.0"].problem == ""


def test_a_component_that_exits_while_it_is_tried_does_not_end_the_check(site: Path, found: Found) -> None:
    source = TWO.format(crash="pass").replace("return window.scores.mean(1)", "raise SystemExit('bye')")
    install(site, "vatl-odd", describing("criterion", "odd", "vatl_odd.odd:Well"), odd=source)
    assert found("odd")["criterion odd"].problem == "of vatl-odd 1.0: SystemExit: bye"


@pytest.mark.parametrize(
    ("name", "source", "said"),
    [
        ("odd", "import no_such_module", "No module named 'no_such_module'"),
        ("odd", "raise SystemExit('bye')", "SystemExit: bye"),
        ("odd", "odd = print", "is no click command"),
        ("run", COMMAND, "is never reached, since vatl has a command of that name itself"),
        ("odd", COMMAND, ""),
    ],
)
def test_commands_are_tried(site: Path, found: Found, name: str, source: str, said: str) -> None:
    install(site, "vatl-odd", bringing("vatl_commands", f"Command('{name}', 'mine', 'vatl_odd.odd:odd')"), odd=source)
    for checked in (found("vatl-odd"), found(name)):
        problem = checked[f"command {name}"].problem
        assert said in problem
        assert bool(said) == bool(problem)
        assert not problem or "vatl-odd 1.0" in problem


@pytest.mark.parametrize(
    ("tables", "said"),
    [
        ("{'run': {'no_setting': 1}}", "sets 'no_setting' of [run], which does not exist"),
        ("{'run': {'threshold': 7}}", "threshold"),
        ("{'run': {'query': 'lc'}, 'query': {'lc': {'no_option': 1}}}", "no_option"),
        ("{'run': 7}", "TypeError"),
        ("{'run': {'query': 'lc'}}", ""),
    ],
)
def test_presets_are_tried(site: Path, found: Found, tables: str, said: str) -> None:
    install(site, "vatl-odd", bringing("vatl_presets", f"Preset('odd', 'mine', {tables})"))
    for checked in (found("vatl-odd"), found("odd")):
        problem = checked["preset odd"].problem
        assert said in problem
        assert bool(said) == bool(problem)
        assert not problem or "vatl-odd 1.0" in problem


@pytest.mark.parametrize(
    ("options", "wrong"), [({"sigmas": "coco"}, False), ({"sigmata": "coco"}, True), ({"frames": "some"}, True)]
)
def test_a_preset_need_not_say_what_only_users_know(
    site: Path, found: Found, options: dict[str, str], wrong: bool
) -> None:
    datasets = {"jrdb-pose": {"dataset": {"jrdb-pose": options}}}
    install(site, "vatl-odd", bringing("vatl_presets", f"Preset('odd', 'mine', {{}}, {datasets})"))
    assert bool(found("odd")["preset odd"].problem) == wrong


def test_a_preset_of_parts_that_are_not_installed_is_not_wrong(site: Path, found: Found) -> None:
    install(site, "vatl-odd", bringing("vatl_presets", "Preset('odd', 'mine', {'run': {'query': 'nothing-like-it'}})"))
    finding = found("odd")["preset odd"]
    assert finding.problem == ""
    assert "'nothing-like-it', which is not installed" in finding.note


def test_presets_and_commands_that_are_well_check_well(found: Found) -> None:
    assert found("vatl4pose") == {"preset vatl4pose": Finding("preset vatl4pose")}
    assert found("annotate") == {"command annotate": Finding("command annotate")}
    with pytest.raises(InputError, match="no component, preset, command or plugin is called 'nothing-like-it'"):
        found("nothing-like-it")


def test_a_misspelt_name_is_likened_to_presets_and_commands_too(found: Found) -> None:
    with pytest.raises(InputError, match="did you mean 'vatl4pose'"):
        found("vatl4poes")


@pytest.mark.parametrize("hook", ["vatl_components", "vatl_presets", "vatl_commands"])
def test_a_plugin_that_fails_to_describe_what_it_brings_is_wrong(site: Path, found: Found, hook: str) -> None:
    install(site, "vatl-odd", bringing(hook, "{}['odd']"))
    assert found("vatl-odd")["plugin vatl-odd 1.0"].problem == "KeyError: 'odd'"


@pytest.mark.parametrize(
    ("hook", "described", "what"),
    [
        ("vatl_commands", "Command('annotate', 'mine', 'vatl_odd.odd:odd')", "command annotate"),
        ("vatl_presets", "Preset('lc', 'mine', {})", "preset lc"),
        ("vatl_components", "Component('criterion', 'lc', 'mine', 'vatl_odd.odd:Odd')", "criterion lc"),
    ],
)
def test_what_two_plugins_claim_is_told_once_and_not_tried(
    site: Path, found: Found, hook: str, described: str, what: str
) -> None:
    install(site, "vatl-odd", bringing(hook, described))
    finding = found("vatl-odd")[what]
    assert "is claimed by " in finding.problem
    assert "vatl-odd 1.0" in finding.problem


def test_two_defaults_of_a_kind_are_told(site: Path, found: Found) -> None:
    odd = "Component('oracle', 'odd', '', 'vatl_odd.odd:Odd', default=True)"
    install(site, "vatl-odd", bringing("vatl_components", odd))
    for name in ("vatl-odd", "vatl-oracles", "ground-truth"):
        problem = found(name)["default oracle"].problem
        assert "'odd' of vatl-odd 1.0" in problem
        assert "'ground-truth' of vatl-oracles 0.1.0" in problem
    assert "default oracle" not in found("lc")


@pytest.mark.parametrize(
    ("requires", "said"),
    [
        ("vatl_core>=99", "it needs vatl-core >=99"),
        ("Vatl.Core>=99", "it needs vatl-core >=99"),
        (EXTRA, ""),
        (OTHER_PYTHON, ""),
        ("vatl-core>=", "its requirement 'vatl-core>=' cannot be read"),
    ],
)
def test_requirements_are_read_as_installers_read_them(site: Path, found: Found, requires: str, said: str) -> None:
    install(site, "vatl-odd", "vatl_contract = '>=2'", requires=requires)
    problem = found("vatl-odd")["plugin vatl-odd 1.0"].problem
    assert problem.startswith(said)
    assert bool(problem) == bool(said)


def test_two_entry_points_of_a_distribution_are_two_plugins(site: Path, found: Found) -> None:
    second = describing("selector", "second", "vatl_odd.none:Second")
    install(site, "vatl-odd", describing("criterion", "odd", "vatl_odd.odd:Well"), further={"vatl-two": "second"},
            second=second, odd=TWO.format(crash="pass"))  # fmt: skip
    checked = found("vatl-odd")
    assert checked["plugin vatl-odd 1.0"] == Finding("plugin vatl-odd 1.0")
    assert checked["plugin vatl-odd 1.0 (vatl-two)"] == Finding("plugin vatl-odd 1.0 (vatl-two)")
    assert checked["criterion odd"].problem == ""
    assert "selector 'second' of vatl-odd 1.0 (vatl-two)" in checked["selector second"].problem


def test_of_two_entry_points_only_the_broken_one_is_wrong(site: Path, found: Found) -> None:
    install(site, "vatl-odd", describing("criterion", "odd", "vatl_odd.odd:Well"), further={"vatl-two": "second"},
            second="raise RuntimeError('no luck')", odd=TWO.format(crash="pass"))  # fmt: skip
    checked = found("vatl-odd")
    assert checked["plugin vatl-odd 1.0"].problem == ""
    assert checked["plugin vatl-odd 1.0 (vatl-two)"].problem == "RuntimeError: no luck"


def test_a_hook_that_is_not_marked_is_named(site: Path, found: Found) -> None:
    install(site, "vatl-odd", "vatl_contract = '>=2'\ndef vatl_cycle_finished(run, record):\n    pass\n")
    problem = found("vatl-odd")["plugin vatl-odd 1.0"].problem
    assert problem == "vatl_cycle_finished is never called: mark it with @hookimpl"


def test_what_is_only_called_like_a_hook_is_left_alone(site: Path, found: Found) -> None:
    module = "import sys as vatl_report\nvatl_contract = '>=2'\ndef vatl_components():\n    return []\n"
    install(site, "vatl-odd", module)
    assert found("vatl-odd")["plugin vatl-odd 1.0"].problem == ""

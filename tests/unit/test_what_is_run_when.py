"""Which commands run the modules of the plugins that are installed, as docs/plugins.md says."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conftest import Outcome
from tests.strangers import describing, install
from vatl_core.cli import main

TRACE = "\nfrom pathlib import Path\nPath({!r}).open('a').write('run\\n')\n"


@pytest.fixture
def stranger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A plugin of a stranger is installed whose modules note in a file, which is named, that they were run."""
    monkeypatch.chdir(tmp_path)
    noted = tmp_path / "noted"
    module = describing("criterion", "odd", "vatl_odd.odd:Odd") + TRACE.format(str(noted))
    install(tmp_path / "site", "vatl-odd", module, odd=TRACE.format(str(tmp_path / "component")))
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    yield noted
    for name in [name for name in sys.modules if name.startswith("vatl_odd")]:
        del sys.modules[name]


@pytest.fixture
def vatl(capsys: pytest.CaptureFixture[str]) -> Callable[..., Outcome]:
    def call(*words: str) -> Outcome:
        try:
            code = main(list(words))
        except SystemExit as ended:
            code = int(ended.code or 0)
        return Outcome(code, *capsys.readouterr())

    return call


@pytest.mark.parametrize(
    "words",
    [
        ["--version"],
        ["run", "--help"],
        ["resume", "--help"],
        ["run", "absent.mp4"],
        ["plugins", "list", "--help"],
        ["plugins", "list", "--distributions"],
        ["plugins", "list", "--distributions", "--json"],
    ],
)
def test_what_metadata_tells_runs_no_plugin(stranger: Path, vatl: Callable[..., Outcome], words: list[str]) -> None:
    vatl(*words)
    assert not stranger.exists()


@pytest.mark.parametrize("words", [["--help"], ["plugins", "--help"], ["plugins", "list"], ["datasets", "--help"]])
def test_a_module_that_describes_is_run_once_and_no_component_is(
    stranger: Path, vatl: Callable[..., Outcome], words: list[str]
) -> None:
    assert vatl(*words).code == 0
    assert stranger.read_text() == "run\n"
    assert not (stranger.parent / "component").exists()


def test_distributions_are_listed_with_their_versions_and_modules(stranger: Path, vatl: Callable[..., Outcome]) -> None:
    assert "vatl-odd 1.0  vatl_odd.plugin" in vatl("plugins", "list", "--distributions").out.splitlines()
    listed = json.loads(vatl("plugins", "list", "--distributions", "--json").out)
    assert {"plugin": "vatl-odd 1.0", "module": "vatl_odd.plugin"} in listed

"""A run's folder may be a stranger's: it lets nobody in and fetches nothing unless whoever takes it up says so."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import tomli_w
from click.testing import CliRunner

import vatl_core
from tests.conftest import Registered, configured, once
from tests.unit.test_cycle import InterruptedRunError, Interrupter
from vatl_annotate.browser import Browser
from vatl_annotate.command import command as annotate
from vatl_core.cli.resume import command as resume
from vatl_core.config_files import tables_of
from vatl_core.errors import InputError
from vatl_core.run import PastRun, execute
from vatl_weights import sources

ADDRESS = "http://127.0.0.1:9/weights.safetensors#sha256=0123456789abcdef"
OPEN = {"host": "0.0.0.0", "password_file": "secret.txt"}


@pytest.fixture(autouse=True)
def _nothing_is_fetched_or_served(monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(what: str) -> Any:
        def call(*_: object, **__: object) -> None:
            raise AssertionError(what)

        return call

    monkeypatch.setattr(sources, "fetch", forbidden("fetched"))
    monkeypatch.setattr(Browser, "attend", forbidden("served"))


@pytest.fixture
def run(registered: Registered, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of a run that was killed in its first cycle."""

    def make(folder: Path) -> None:
        registry = registered(plugins=(Interrupter(3),))
        with pytest.raises(InterruptedRunError):
            execute(configured(registry, folder, stop=["none"]), registry)

    made = once(tmp_path_factory, "begun", make)
    (tmp_path / "secret.txt").write_text("their password\n")
    return shutil.copytree(made / "run", tmp_path / "run")


def says(run: Path, **settings: Any) -> None:
    """Has a run's file say something else."""
    tables = tables_of(run / "config.toml")
    oracle = settings.pop("browser", None)
    tables["run"] |= settings | ({"oracle": "browser"} if oracle else {})
    tables |= {"oracle": {"browser": {"open": False} | oracle}} if oracle else {}
    (run / "config.toml").write_text(tomli_w.dumps(tables))


def unbegun(run: Path) -> None:
    shutil.rmtree(run / "cycles")
    (run / "labels.sqlite").unlink(missing_ok=True)


def test_a_run_that_has_not_begun_fetches_nothing_unasked(run: Path, registered: Registered) -> None:
    says(run, weights=ADDRESS)
    unbegun(run)
    with pytest.raises(InputError, match=r"config\.toml wants to fetch http://127.*--trust"):
        execute(run, registered())
    with pytest.raises(AssertionError, match="fetched"):
        execute(run, registered(), trust=True)


def test_one_that_has_begun_has_its_weights_in_its_folder(run: Path, registered: Registered) -> None:
    says(run, weights=ADDRESS)
    PastRun.open(run, registered()).at(0)
    assert execute(run, registered()).stopped_by == "schedule"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (OPEN, "listen at 0.0.0.0 and to take its password from secret.txt"),
        ({"host": "::"}, "listen at ::"),
        ({"host": "example.org"}, "listen at example.org"),
        ({"password_file": "secret.txt"}, "take its password from secret.txt"),
        ({"behind_proxy": True}, "believe a proxy"),
    ],
)
def test_a_run_lets_nobody_in_unasked(
    options: dict[str, Any], words: str, run: Path, registered: Registered, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(run.parent)
    monkeypatch.setenv("VATL_PASSWORD", "our own password")
    says(run, browser=options)
    with pytest.raises(InputError, match=rf"config\.toml wants to {words}: .*--trust"):
        execute(run, registered())
    PastRun.open(run, registered()).at(0)  # looking back serves nothing
    with pytest.raises(AssertionError, match="served"):
        execute(run, registered(), trust=True)


def test_a_page_for_this_machine_alone_needs_no_word(run: Path, registered: Registered) -> None:
    says(run, browser={"host": "localhost", "port": 0})
    with pytest.raises(AssertionError, match="served"):
        execute(run, registered())


def test_what_is_typed_now_is_not_the_folders(
    run: Path, registered: Registered, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(run.parent)
    says(run, browser=OPEN)
    with pytest.raises(InputError, match=r"wants to take its password from secret\.txt:"):
        execute(run, registered(), oracle=("browser", {"host": "0.0.0.0"}))
    for host in ("127.0.0.1", "0.0.0.0"):
        with pytest.raises(AssertionError, match="served"):
            execute(run, registered(), oracle=("browser", {"host": host, "password_file": "secret.txt"}))


def test_who_gives_a_configuration_knows_it(run: Path, registered: Registered, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(run.parent)
    registry = registered()
    config = configured(registry, run.parent, oracle="browser", options={"oracle": {"browser": OPEN}})
    says(run, browser=OPEN)
    with pytest.raises(AssertionError, match="served"):
        execute(config, registry)


def test_the_commands_and_python_ask_for_the_same_word(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(run.parent)
    says(run, browser=OPEN, dataset="synthetic", video="")
    for words in (
        lambda: vatl_core.resume(run),
        lambda: CliRunner().invoke(resume, [str(run)], catch_exceptions=False),
    ):
        with pytest.raises(InputError, match="--trust"):
            words()
    with pytest.raises(InputError, match=r"take its password .*--trust"):
        CliRunner().invoke(annotate, [str(run), "--host", "0.0.0.0"], catch_exceptions=False)
    for command in (resume, annotate):
        with pytest.raises((InputError, AssertionError)) as told:
            CliRunner().invoke(command, [str(run), "--trust"], catch_exceptions=False)
        assert "trust" not in str(told.value)

"""What is shipped runs on every system that Python runs on: nothing is used that only Unix has, or that forks."""

from __future__ import annotations

import ast
import io
import multiprocessing
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from safetensors.torch import save

from tests.structure.portable import unportable
from tests.windows import as_on_windows, bad_names
from tests.work import small_run_in
from vatl_core.cli import main, vatl
from vatl_core.config_files import configure
from vatl_core.discovery import discover
from vatl_core.errors import InputError
from vatl_core.files import append_line, discard, temporary_folder, write_whole
from vatl_core.run import running
from vatl_core.store import RunFolder
from vatl_core.weights import read_checkpoint
from vatl_executors.local import Local
from vatl_oracles.files.folder import _whole_folder
from vatl_sweep.folder import SweepFolder
from vatl_train import team

ROOT = Path(__file__).parents[2]
LOOKED_AT = {("plugins/vatl-doctor/vatl_doctor/graphics.py", "/sys/bus/pci/devices")}
"""Places of one system that are looked at where they are there."""


@pytest.mark.parametrize("folder", ["vatl_core", "plugins", "adapters", "docs/examples"])
def test_nothing_that_one_system_has_is_used(folder: str) -> None:
    files = [file for file in (ROOT / folder).rglob("*.py") if "templates" not in file.parts]
    assert len(files) > 5
    found = [
        (file.relative_to(ROOT).as_posix(), line, what)
        for file in files
        if "build" not in file.parts
        for line, what in unportable(ast.parse(file.read_bytes()))
    ]
    assert [each for each in found if (each[0], each[2]) not in LOOKED_AT] == []


@pytest.mark.parametrize(
    "source",
    [
        "import fcntl",
        "def f():\n    import pwd",
        "from resource import getrusage",
        "from os import fork",
        "os.fork()",
        "os.geteuid() == 0",
        "os.sync()",
        "signal.signal(signal.SIGHUP, f)",
        "os.kill(1, signal.SIGKILL)",
        "loop.add_signal_handler(2, f)",
        "Path('/proc/meminfo')",
        "open('/dev/shm/x', 'wb')",
        "os.sysconf('SC_OPEN_MAX') if hasattr(os, 'sched_getaffinity') else 1",
        "path.read_text()",
        "path.write_text('ä')",
        "path.open()",
        "path.open('a', buffering=1)",
        "open(path)",
        "open(path, 'w')",
        "open(path, mode='r')",
        "subprocess.run(words, text=True)",
        "subprocess.run('ls', shell=True)",
        "os.system('ls')",
        "multiprocessing.get_context()",
        "multiprocessing.get_context('fork')",
        "get_context(method)",
        "multiprocessing.Pool(2)",
        "ProcessPoolExecutor(2)",
    ],
)
def test_what_is_not_the_same_everywhere_is_seen(source: str) -> None:
    assert len(unportable(ast.parse(source))) >= 1


@pytest.mark.parametrize(
    "source",
    [
        "import signal\nsignal.signal(signal.SIGTERM, f)",
        "os.sysconf('SC_OPEN_MAX') if hasattr(os, 'sysconf') else -1",
        "flags | getattr(os, 'O_NOFOLLOW', 0)",
        "if sys.platform != 'win32':\n    os.sync()",
        "hasattr(os, 'sync') and os.sync()",
        "try:\n    import pwd\nexcept ImportError:\n    pwd = None",
        "path.read_text('utf-8')",
        "path.read_text(encoding='utf-8-sig')",
        "path.write_text(text, 'utf-8')",
        "path.open('rb')",
        "path.open('a', 1, 'utf-8')",
        "open(path, 'wb')",
        "open(path, 'w', encoding='utf-8')",
        "RunFolder.open(path)",
        "Image.open(path)",
        "subprocess.run(words, encoding='utf-8')",
        "multiprocessing.get_context('spawn')",
        "ProcessPoolExecutor(2, mp_context=context)",
        "found.group(1)",
    ],
)
def test_what_is_the_same_everywhere_or_asked_for_is_not(source: str) -> None:
    assert unportable(ast.parse(source)) == []


# ------------------------------------------------------------------------------------------------- as Windows has it
@pytest.fixture
def windows(monkeypatch: pytest.MonkeyPatch) -> None:
    as_on_windows(monkeypatch)


def test_the_rules_are_those_of_windows(windows: None, tmp_path: Path) -> None:
    with (tmp_path / "a").open("wb"), pytest.raises(PermissionError):
        (tmp_path / "a").unlink()
    (tmp_path / "b").write_text("")
    with pytest.raises(FileExistsError):
        (tmp_path / "a").rename(tmp_path / "b")
    with (tmp_path / "a").open("rb") as file, pytest.raises(OSError, match="only read"):
        os.fsync(file.fileno())
    (tmp_path / "a:b").write_text("")
    assert bad_names(tmp_path) == ["a:b"]


def test_files_are_written(windows: None, tmp_path: Path) -> None:
    write_whole(tmp_path / "new" / "a.txt", "ä\n")
    append_line(tmp_path / "new" / "a.txt", "→")
    with _whole_folder(tmp_path / "task") as folder:
        write_whole(folder / "inner" / "b", b"\r\n")
    assert (tmp_path / "new" / "a.txt").read_bytes() == "ä\n→\n".encode()
    assert (tmp_path / "task" / "inner" / "b").read_bytes() == b"\r\n"
    assert len(list(tmp_path.rglob("*"))) == 5


def test_weights_are_replaced_while_they_are_in_use(windows: None, tmp_path: Path) -> None:
    file = tmp_path / "tiny.safetensors"
    write_whole(file, save({"weight": torch.arange(4.0)}))
    tensors = read_checkpoint(file).tensors
    write_whole(file, save({"weight": torch.zeros(4)}))
    assert tensors["weight"].tolist() == [0, 1, 2, 3]


def test_what_nobody_works_on_is_deleted_with_its_lock(
    windows: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    (tmp_path / "vatl-killed" / "kept").mkdir(parents=True)
    (tmp_path / "vatl-killed" / ".lock").touch()
    with temporary_folder() as folder:
        assert list(tmp_path.iterdir()) == [folder]
    with SweepFolder(tmp_path / "sweep").locked():
        pass
    run = RunFolder.create(tmp_path / "run", {})
    run.lock()
    discard(run.path, run.unlock)
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_left_of_a_run_that_cannot_begin(
    windows: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise InputError("no such weights")

    monkeypatch.setattr(running, "_keep_beginning", refuse)
    monkeypatch.setattr(running, "prepare", lambda config, registry: Unprepared())
    with pytest.raises(InputError, match="no such weights"):
        running.begin(configure(discover(), {"runs": tmp_path, "name": "run"}), discover())
    assert list(tmp_path.iterdir()) == []


class Unprepared:
    """What a run is made of, as far as its folder goes."""

    class compute:  # noqa: N801
        describe = staticmethod(dict)

    class crops:  # noqa: N801
        class video:  # noqa: N801
            class frames:  # noqa: N801
                decoder = ""


def test_a_team_without_nccl_talks_by_gloo(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.distributed, "is_nccl_available", lambda: True)
    assert (team.backend("cuda:1"), team.backend("cpu")) == ("nccl", "gloo")
    monkeypatch.setattr(torch.distributed, "is_nccl_available", lambda: False)
    assert team.backend("cuda:1") == "gloo"


@pytest.fixture
def spawning() -> Iterator[None]:
    """Processes are begun afresh, whatever the system would do."""
    before = multiprocessing.get_start_method(allow_none=True)
    multiprocessing.set_start_method("spawn", force=True)
    yield
    multiprocessing.set_start_method(before, force=True)


def test_runs_go_side_by_side_in_processes_begun_afresh(windows: None, spawning: None, tmp_path: Path) -> None:
    places = [str(tmp_path / name) for name in ("left", "right")]
    both = [outcome.get() for outcome in Local(2).map(small_run_in, places)]
    assert both[0] == both[1]
    assert len(both[0]) > 1
    assert bad_names(tmp_path) == []


@pytest.mark.parametrize("encoding", ["cp1252", "iso8859-15"])
def test_what_a_pipe_cannot_take_is_escaped(monkeypatch: pytest.MonkeyPatch, encoding: str) -> None:
    pipe = io.TextIOWrapper(io.BytesIO(), encoding)
    monkeypatch.setattr(sys, "stdout", pipe)
    monkeypatch.setattr(vatl, "help", "0.39 → 0.94, Ωmega")
    main(["--help"])
    pipe.seek(0)
    assert "0.39 \\u2192 0.94, \\u03a9mega" in pipe.read()

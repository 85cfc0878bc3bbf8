"""`vatl doctor` tells what is there, what is not, and what to do, whatever is broken."""

from __future__ import annotations

import json
import subprocess
import sys
import webbrowser
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner, Result

from tests.strangers import bringing, describing, install
from vatl_core.cli import main
from vatl_core.discovery import discover
from vatl_doctor import Finding, advice, aside, examination, fine, graphics, installed, machine, media, wrong
from vatl_doctor.command import command
from vatl_doctor.findings import findings

SMI = "NVIDIA-SMI 535.104.05   Driver Version: 535.104.05   CUDA Version: {} |"


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    """The checks that would be done in a process beside are done here."""

    def done(names: list[str]) -> Iterator[tuple[str, Finding]]:
        return ((name, finding) for name in names for finding in findings(aside.CHECKS[name]))

    monkeypatch.setattr(examination, "aside", done)


def doctor(*words: str) -> Result:
    return CliRunner().invoke(command, list(words))


@pytest.mark.parametrize(("finding", "code"), [(fine("9"), 0), (advice("9", "10"), 0), (wrong("8", "9"), 1)])
def test_the_exit_code_is_that_of_the_command_line(
    monkeypatch: pytest.MonkeyPatch, finding: Finding, code: int
) -> None:
    monkeypatch.setattr("vatl_doctor.command.examine", lambda *_: iter([("lens", finding)]))
    ended = 0
    try:
        main(["doctor"])
    except SystemExit as error:
        ended = int(error.code or 0)
    assert ended == code


def told(result: Result) -> dict[str, dict[str, str]]:
    """What each check found; of one that found several things, the last."""
    return {row["check"]: row for row in json.loads(result.stdout)["findings"]}


# ------------------------------------------------------------------------------------------------------- the command
def test_what_is_needed_is_there(here: None, tmp_path: Path) -> None:
    result = doctor("--runs", str(tmp_path / "new" / "runs"))
    lines = result.stdout.splitlines()
    assert result.exit_code == 0, result.stdout
    assert lines[-1] == "all that is needed is there"
    assert {line.split()[0] for line in lines[:-1]} <= {"ok", "advice"}
    names = [line.split()[1] for line in lines[:-1]]
    assert set(names) == {
        *aside.CHECKS,
        "python",
        "vatl",
        "plugins",
        "libraries",
        "browser",
        "caches",
        "runs",
        "memory",
    }
    assert list(tmp_path.iterdir()) == [], "it only looks"


def test_it_is_told_as_json(here: None, tmp_path: Path) -> None:
    result = doctor("--json", "--runs", str(tmp_path))
    whole = json.loads(result.stdout)
    assert whole["ok"] is True
    assert {"check", "state", "found", "remedy"} == set().union(*whole["findings"])


@pytest.mark.parametrize(
    "error", [ImportError("no such thing"), OSError("[WinError 126] a DLL is missing"), SystemExit(3)]
)
def test_it_works_where_torch_does_not(
    here: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    class Broken:
        def find_spec(self, name: str, *_: Any) -> None:
            if name.partition(".")[0] == "torch":
                raise error

    monkeypatch.setattr(sys, "meta_path", [Broken(), *sys.meta_path])
    for name in [name for name in sys.modules if name.partition(".")[0] in ("torch", "torchvision")]:
        monkeypatch.delitem(sys.modules, name)
    result = doctor("--json", "--runs", str(tmp_path))
    rows = told(result)
    assert result.exit_code == 1
    assert rows["torch"]["state"] == rows["torchvision"]["state"] == "wrong"
    assert str(error) in rows["torch"]["found"]
    assert rows["torch"]["remedy"] == "pip install --force-reinstall torch"
    assert rows["decoder"]["state"] == rows["opencv"]["state"] == "ok"


def test_what_crashes_is_told_of_and_the_rest_is_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "torch.py").write_text("print('a word of its own', end='', flush=True)\nimport os\nos.abort()\n")
    (tmp_path / "cv2.py").write_text("__version__ = '9'\nprint('a word\\nof its own')\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=":")
    found = dict(aside.aside(["torch", "opencv"]))
    assert found["torch"].state == "wrong"
    assert "SIGABRT" in found["torch"].found
    assert found["opencv"] == fine("9")


def test_what_hangs_is_told_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "cv2.py").write_text("import time\ntime.sleep(60)\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=":")
    monkeypatch.setattr(aside, "_PATIENCE", 1.5)
    ((name, found),) = aside.aside(["opencv"])
    assert (name, found.state) == ("opencv", "wrong")
    assert "hangs" in found.found


def test_a_plugin_that_is_left_out_is_wrong(here: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path / "site", "vatl-broken", "raise ImportError('needs\\nsomething else')")
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    result = doctor("--runs", str(tmp_path))
    (line,) = [line for line in result.stdout.splitlines() if "vatl-broken 1.0 is left out" in line]
    assert line.startswith("wrong   plugins")
    assert "ImportError: needs something else" in line
    assert line.endswith("pip uninstall vatl-broken")
    assert result.exit_code == 1


def test_a_name_that_two_claim_is_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("vatl-left", "vatl-right"):
        install(tmp_path / name, name, describing("criterion", "same", "vatl_odd.odd:Odd"))
        monkeypatch.syspath_prepend(str(tmp_path / name))
    (found,) = [found for found in installed.plugins(discover()) if "'same'" in found.found]
    assert found.state == "wrong"
    assert "'same' is claimed by vatl-left 1.0 and by vatl-right 1.0" in found.found


@pytest.mark.parametrize(
    ("body", "state", "said"),
    [
        ("{'lens': lambda: [Finding('advice', 'dusty', 'wipe it')]}", "advice", "dusty — wipe it"),
        ("{'lens': lambda: 1 / 0}", "wrong", "ZeroDivisionError"),
        ("{'lens': lambda: ['fine']}", "wrong", "it has a str"),
        ("[1, 2]", "wrong", "TypeError"),
    ],
)
def test_a_plugin_may_bring_checks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, here: None, body: str, state: str, said: str
) -> None:
    name = f"vatl-lens-{len(body)}"  # none was imported before
    module = (
        "from vatl_doctor import Finding\n" + bringing("vatl_commands") + f"\ndef vatl_checks():\n    return {body}\n"
    )
    install(tmp_path / "site", name, module)
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    result = doctor("--runs", str(tmp_path))
    (line,) = [line for line in result.stdout.splitlines() if name in line and "besides" not in line]
    assert line.startswith(state)
    assert said in line


# ---------------------------------------------------------------------------------------------------------- metadata
@pytest.mark.parametrize(
    ("requires", "said", "remedy"),
    [
        ("numpy<1", "vatl-odd needs numpy<1, and numpy ", "pip install 'numpy<1'"),
        ("nowhere-to-be-had>=2", "vatl-odd needs nowhere-to-be-had>=2, which is not installed", "nowhere-to-be-had>=2"),
        ("nowhere[all]>=2,<3 ; python_version > '3'", "vatl-odd needs nowhere", "pip install 'nowhere<3,>=2'"),
    ],
)
def test_what_a_plugin_asks_for_and_has_not_is_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, requires: str, said: str, remedy: str
) -> None:
    install(tmp_path, "vatl-odd", "", requires=requires)
    monkeypatch.syspath_prepend(str(tmp_path))
    (found,) = installed.libraries()
    assert found.state == "wrong"
    assert said in found.found
    assert remedy in found.remedy


@pytest.mark.parametrize("requires", ["nowhere; extra == 'all'", "nowhere; sys_platform == 'plan9'", "numpy"])
def test_what_nobody_asked_for_is_not_missed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, requires: str) -> None:
    install(tmp_path, "vatl-odd", "", requires=requires)
    monkeypatch.syspath_prepend(str(tmp_path))
    assert [found.state for found in installed.libraries()] == ["ok"]


def test_plugins_of_others_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, "mice", "", version="3.1")
    monkeypatch.syspath_prepend(str(tmp_path))
    (found,) = installed.versions()
    assert "besides: mice 3.1" in found.found


def test_python_of_32_bit_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    assert installed.python()[0].state == "ok"
    monkeypatch.setattr(sys, "maxsize", 2**31 - 1)
    assert installed.python()[0].state == "wrong"


# --------------------------------------------------------------------------------------------------------------- GPU
class Build(ModuleType):
    """A torch as far as the doctor looks at it.

    Args:
        cuda: that it was built for.
        gpus: their names.
        refuses: what is said where one computes.
        mps: whether Apple's GPU is there.
        start: what is said where CUDA is begun with.
    """

    __version__ = "2.15.0"

    def __init__(
        self, cuda: str | None = None, gpus: tuple[str, ...] = (), refuses: str = "", mps: bool = False
    ) -> None:
        super().__init__("torch")
        self.refuses = refuses
        self.version = SimpleNamespace(cuda=cuda, hip=None)
        self.cuda = SimpleNamespace(
            is_available=lambda: bool(gpus),
            device_count=lambda: len(gpus),
            get_device_properties=lambda i: SimpleNamespace(name=gpus[i], total_memory=24 * 2**30),
            get_arch_list=lambda: ["sm_80", "sm_90"],
            init=self._begin,
        )
        self.backends = SimpleNamespace(mps=SimpleNamespace(is_available=lambda: mps, is_built=lambda: mps))

    def ones(self, count: int, device: str) -> Any:
        import numpy as np

        if self.refuses:
            raise RuntimeError(f"{self.refuses}\nand much more")
        return np.ones(count)

    def _begin(self) -> None:
        raise RuntimeError(self.refuses or "no CUDA-capable device is detected")


@pytest.fixture
def smi(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Set what NVIDIA's program answers; None where it is not installed."""
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr(graphics, "_PCI", Path("/nowhere"))

    def answers(said: str | BaseException | None, code: int = 0) -> None:
        def run(*_: Any, **__: Any) -> subprocess.CompletedProcess[str]:
            if isinstance(said, BaseException):
                raise said
            return subprocess.CompletedProcess([], code, str(said), "")

        monkeypatch.setattr(graphics.shutil, "which", lambda name: None if said is None else f"/bin/{name}")
        monkeypatch.setattr(graphics.subprocess, "run", run)

    answers(None)
    return answers


def gpu(monkeypatch: pytest.MonkeyPatch, torch: ModuleType | None) -> list[Finding]:
    monkeypatch.setitem(sys.modules, "torch", torch)
    return graphics.gpu()


def test_gpus_are_named_and_tried(monkeypatch: pytest.MonkeyPatch, smi: Callable[..., None]) -> None:
    found = gpu(monkeypatch, Build("13.2", ("A4000", "L4")))
    assert found == [fine("0: A4000, 24 GiB"), fine("1: L4, 24 GiB")]


def test_a_gpu_that_torch_was_not_built_for_is_wrong(monkeypatch: pytest.MonkeyPatch, smi: Callable[..., None]) -> None:
    (found,) = gpu(monkeypatch, Build("13.2", ("K80",), "CUDA error: no kernel image is available"))
    assert found.state == "wrong", "runs would take it and fail"
    assert (
        "K80, 24 GiB, cannot be used (CUDA error: no kernel image is available; torch was built for sm_80 sm_90)"
        in (found.found)
    )
    assert "--device cpu" in found.remedy


@pytest.mark.parametrize(
    ("torch", "answer", "code", "found", "remedy"),
    [
        (Build(), SMI.format("12.2"), 0, "torch is built for the CPU alone", "build of torch and torchvision for CUDA"),
        (Build("13.2"), SMI.format("12.2"), 0, "driver 535.104.05 is too old: it knows CUDA 12.2", "for CUDA 12"),
        (Build("13.2"), "CUDA Version: 11.8", 0, "NVIDIA's driver is too old: it knows CUDA 11.8", "update the driver"),
        (Build("12.1"), SMI.format("13.0"), 0, "no CUDA-capable device is detected", "restart"),
        (Build("12.1"), "", 0, "no CUDA-capable device is detected", "restart"),
        (
            Build("12.1", refuses="the driver is too old\nat"),
            "odd",
            0,
            "cannot use it: the driver is too old",
            "update",
        ),
        (Build("12.1"), "couldn't communicate\nwith it", 9, "does not answer: couldn't communicate", "reinstall"),
        (Build("12.1"), "", 255, "does not answer: exit code 255", "reinstall"),
        (Build("12.1"), subprocess.TimeoutExpired("nvidia-smi", 20), 0, "nvidia-smi does not answer", "restart"),
        (Build("12.1"), PermissionError(13, "not allowed"), 0, "not allowed", "reinstall"),
    ],
)
def test_why_there_is_no_gpu(
    monkeypatch: pytest.MonkeyPatch,
    smi: Callable[..., None],
    torch: Build,
    answer: str | BaseException,
    code: int,
    found: str,
    remedy: str,
) -> None:
    smi(answer, code)
    (told,) = gpu(monkeypatch, torch)
    assert told.state == "advice", "the CPU will do"
    assert found in told.found
    assert remedy in told.remedy


@pytest.mark.parametrize("value", ["", "-1", " "])
def test_gpus_that_are_hidden(monkeypatch: pytest.MonkeyPatch, smi: Callable[..., None], value: str) -> None:
    smi(SMI.format("13.2"))
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", value)
    (told,) = gpu(monkeypatch, Build("13.2"))
    assert "hidden by CUDA_VISIBLE_DEVICES" in told.found


def test_a_gpu_without_a_driver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, smi: Callable[..., None]) -> None:
    for number, (vendor, kind) in enumerate([("0x10de", "0x040300"), ("0x1002", "0x030000")]):
        (tmp_path / str(number)).mkdir()
        (tmp_path / str(number) / "vendor").write_text(f"{vendor}\n")
        (tmp_path / str(number) / "class").write_text(f"{kind}\n")
    monkeypatch.setattr(graphics, "_PCI", tmp_path)
    assert gpu(monkeypatch, Build("13.2"))[0].state == "ok", "its sound, and another maker's GPU"
    (tmp_path / "0" / "class").write_text("0x030200\n")
    assert "has no driver" in gpu(monkeypatch, Build("13.2"))[0].found


def test_other_machines(monkeypatch: pytest.MonkeyPatch, smi: Callable[..., None]) -> None:
    assert gpu(monkeypatch, Build(mps=True)) == [fine("Apple's: --device mps uses it")]
    assert gpu(monkeypatch, Build())[0].state == "ok", "no GPU at all"
    assert gpu(monkeypatch, None)[0].found == "unknown: torch cannot be imported"


@pytest.mark.parametrize(
    ("torch", "torchvision", "state"),
    [
        ("2.15.0+cu132", "0.29.2+cu132", "ok"),
        ("2.15.0+cu132", "0.29.2", "ok"),
        ("2.15.0+cu132", "0.29.2+cpu", "wrong"),
        ("2.15.0+cpu", "0.29.2+cu132", "wrong"),
    ],
)
def test_torchvision_is_of_torchs_build(torch: str, torchvision: str, state: str) -> None:
    assert graphics._of_one_build(torch, torchvision).state == state


def test_torchvision_for_another_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(graphics, "requires", lambda _: ["torch==2.14.0", "numpy"])
    found = graphics._of_one_build("2.15.0", "0.28")
    assert found.state == "wrong"
    assert "is for torch==2.14.0, and torch is 2.15.0" in found.found


# ------------------------------------------------------------------------------------------------ pictures and folders
def test_a_decoder_that_loses_frames_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(media, "_FRAMES", 4)
    monkeypatch.setattr(
        media, "_write", lambda file, write=media._write: (monkeypatch.setattr(media, "_FRAMES", 3), write(file))
    )
    assert media.decoder()[0].state == "ok"
    monkeypatch.setitem(sys.modules, "av", None)
    (found,) = media.decoder()
    assert found.state == "wrong"
    assert "reinstall av" in found.remedy


def test_opencv_that_lacks_a_library_of_the_system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "cv2")
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "cv2.py").write_text("raise ImportError('libGL.so.1: cannot open shared object file')")
    (found,) = media.opencv()
    assert found.state == "wrong"
    assert "libgl1" in found.remedy


def test_a_browser_is_found_or_not(monkeypatch: pytest.MonkeyPatch) -> None:
    def none() -> None:
        raise webbrowser.Error("could not locate runnable browser")

    monkeypatch.setattr(webbrowser, "get", lambda: SimpleNamespace(name="firefox"))
    assert media.browser() == [fine("firefox: the labelling page is opened in it")]
    monkeypatch.setattr(webbrowser, "get", none)
    monkeypatch.setattr(media.shutil, "which", lambda name: name if name == "chromium" else None)
    assert "no display" in media.browser()[0].found
    monkeypatch.setattr(media.shutil, "which", lambda name: None)
    (found,) = media.browser()
    assert (found.state, found.found) == ("advice", "none")


def test_folders_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for place in (tmp_path / "file", tmp_path / "file" / "runs"):
        (found,) = machine.runs(place)
        assert found.state == "wrong"
        assert f"{place} cannot be written" in found.found
        assert "--runs" in found.remedy


@pytest.mark.parametrize(("free", "state"), [(2**40, "ok"), (2**30, "advice"), (2**20, "wrong")])
def test_how_much_fits_into_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: int, state: str) -> None:
    monkeypatch.setattr(machine.shutil, "disk_usage", lambda _: SimpleNamespace(free=free))
    monkeypatch.setattr(machine.psutil, "virtual_memory", lambda: SimpleNamespace(available=free, total=2**40))
    assert machine.room(tmp_path, "").state == state
    assert machine.memory()[0].state == ("ok" if state == "ok" else "advice")

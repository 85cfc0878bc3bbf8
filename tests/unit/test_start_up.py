"""`vatl --help` and `vatl plugins list` answer at once, however many plugins are installed."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.strangers import describing, install

PLUGINS = 50
HEAVY = {"torch", "numpy", "cv2", "scipy", "sklearn", "matplotlib", "PIL", "av", "ray", "starlette", "rich", "pytest"}


@pytest.fixture(scope="module")
def crowded(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment with fifty more plugins, whose components would take forever to import."""
    site = tmp_path_factory.mktemp("site")
    for number in range(PLUGINS):
        name = f"odd{number}"
        module = describing("criterion", name, f"vatl_{name}.slow:Slow")
        install(site, f"vatl-{name}", module, slow="import time\ntime.sleep(60)")
    return os.environ | {"PYTHONPATH": str(site), "COLUMNS": "200"}


def least_seconds(words: list[str], environment: dict[str, str]) -> tuple[float, float]:
    """The least processor time of three calls, and the least wall-clock: what else the machine does adds to both."""
    busy, spent = [], []
    for _ in range(3):
        started, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(words, env=environment, capture_output=True, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        busy.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
        spent.append(time.perf_counter() - started)
    return min(busy), min(spent)


@pytest.mark.parametrize("words", [["--help"], ["plugins", "list"]])
def test_the_command_line_answers_at_once(
    crowded: dict[str, str], words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    bare = least_seconds([sys.executable, "-c", "import click, pluggy, attrs, importlib.metadata"], crowded)
    ours = least_seconds([str(Path(sys.executable).with_name("vatl")), *words], crowded)
    with capsys.disabled():
        print(f"\nvatl {' '.join(words)}, {PLUGINS} more plugins: {ours[0]:.2f} s of processor, {ours[1]:.2f} s in all")
        print(f"Python with click, pluggy and attrs alone: {bare[0]:.2f} s of processor, {bare[1]:.2f} s in all")
    assert ours[0] < 4 * bare[0] + 0.1


@pytest.mark.parametrize("words", [["--help"], ["plugins", "list"], ["plugins", "--help"]])
def test_nothing_heavy_is_imported_for_it(crowded: dict[str, str], words: list[str]) -> None:
    code = f"""
import sys
from vatl_core.cli import main
try:
    main({words!r})
except SystemExit:
    pass
print("modules:", *sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], env=crowded, capture_output=True, text=True, check=True)
    *said, modules = done.stdout.splitlines()
    assert not HEAVY & set(modules.split())
    if words == ["plugins", "list"]:
        assert sum(f" odd{number} " in line for number in range(PLUGINS) for line in said) == PLUGINS


def test_pytest_starts_without_torch(tmp_path: Path) -> None:
    (tmp_path / "test_nothing.py").write_text(
        "def test_nothing():\n    import sys\n    assert 'torch' not in sys.modules\n"
    )
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    listed = subprocess.run([*command, "--fixtures"], cwd=tmp_path, capture_output=True, text=True)
    assert "vatl_run" in listed.stdout, "the fixture is there without a conftest"

"""A plugin that `vatl plugins new` writes installs, runs, keeps its contract and is clean, as it is."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.conftest import Vatl
from vatl_core.contract_version import VERSION, written_for
from vatl_core.discovery import discover
from vatl_core.errors import InputError
from vatl_kit.scaffold.kinds import ALL, LIFECYCLE
from vatl_kit.scaffold.writing import write_package

ROOT = Path(__file__).parents[2]
TOOLS = Path(sys.executable).parent


@pytest.fixture(scope="session")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a package of every kind, each as if it were installed: `site` is on PYTHONPATH."""
    folder = tmp_path_factory.mktemp("plugins")
    (folder / "site").mkdir()
    registry = discover()
    for kind in ALL:
        package = write_package(registry, kind, f"my-{kind}", folder / f"vatl-my-{kind}", author='Ann "O" Néill')
        _install(package, folder / "site")
    return folder


def _install(package: Path, site: Path) -> None:
    """What pip's editable install would do, without its minute."""
    project = tomllib.loads((package / "pyproject.toml").read_text())["project"]
    module = project["name"].replace("-", "_")
    about = site / f"{module}-{project['version']}.dist-info"
    about.mkdir()
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n")
    points = project["entry-points"]["vatl"]
    (about / "entry_points.txt").write_text("[vatl]\n" + "".join(f"{k} = {v}\n" for k, v in points.items()))
    (site / module).symlink_to(package / module)


def in_there(written: Path, *command: str | Path, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": str(written / "site"), "MYPYPATH": str(written / "site")}
    return subprocess.run(list(map(str, command)), cwd=cwd or written, env=environment, capture_output=True, text=True)


def test_their_tests_pass(written: Path) -> None:
    packages = sorted(written.glob("vatl-my-*"))
    done = in_there(
        written, sys.executable, "-m", "pytest", "-q", "--import-mode=importlib", "-p", "no:cacheprovider", *packages
    )
    assert done.returncode == 0, done.stdout
    assert len(packages) == len(ALL)


@pytest.mark.parametrize("length", [1, 20])
def test_they_are_clean_whatever_their_name(tmp_path: Path, length: int) -> None:
    for number, kind in enumerate(ALL):
        write_package(discover(), kind, chr(ord("a") + number) * length, tmp_path / f"vatl-{kind}", "Ann")
    for command in (["check"], ["format", "--check"]):
        done = subprocess.run([TOOLS / "ruff", *command, tmp_path], capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr


def test_they_are_typed(written: Path) -> None:
    modules = [f"vatl_my_{kind}" for kind in ALL]
    packages = [word for module in modules for word in ("-p", module)]
    done = in_there(written, TOOLS / "mypy", *packages, cwd=ROOT)  # whose settings and cache are those of `make lint`
    assert done.returncode == 0, done.stdout


CHECK = """
import sys
from vatl_core.discovery import discover
from vatl_kit.plugin_checks import check_plugins

registry = discover()
for name in sys.argv[1:]:
    for finding in check_plugins(registry, name):
        print(finding.what, finding.problem or finding.note, sep="|")
"""


def test_they_check_well_and_are_listed(written: Path) -> None:
    listed = in_there(written, TOOLS / "vatl", "plugins", "list").stdout
    assert all(f" my-{kind} " in listed for kind in ALL if kind != LIFECYCLE)
    checked = in_there(written, sys.executable, "-c", CHECK, *(f"vatl-my-{kind}" for kind in ALL))
    assert checked.returncode == 0, checked.stderr
    lines = checked.stdout.splitlines()
    assert len(lines) == 2 * len(ALL) - 1, "each plugin, and each component"
    assert [line for line in lines if not line.endswith("|")] == []


def test_a_run_of_the_command_line_is_made_of_them(written: Path, tmp_path: Path) -> None:
    roles = {"query": "criterion", "select": "selector", "stop": "stopping", "retrain": "retraining"}
    roles |= {kind: kind for kind in ("estimator", "dataset", "oracle", "executor")}
    words = [word for role, kind in roles.items() for word in (f"--{role}", f"my-{kind}")]
    small = ("estimator.width=4", "estimator.input_size=64,48", "retraining.epochs=1", "dataset.frames=6")
    words += [word for option in small for word in ("-o", f"my-{option}")]
    words += ["--schedule", "3,6", "--weights", "none", "--device", "cpu", "--json"]
    done = in_there(written, TOOLS / "vatl", "run", *words, "--runs", tmp_path, "--name", "mine")
    assert done.returncode == 0, done.stderr
    rows = (tmp_path / "mine" / "my-lifecycle.csv").read_text().splitlines()
    assert len(rows) == 4, "three cycles, of which the last closes the run"


def test_it_installs_by_pip(written: Path, tmp_path: Path) -> None:
    package = written / "vatl-my-criterion"
    words = ["-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", str(tmp_path), str(package)]
    done = subprocess.run([sys.executable, *words], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert [wheel.name for wheel in tmp_path.glob("*.whl")] == ["vatl_my_criterion-0.1.0-py3-none-any.whl"]


def test_what_it_is_written_for_is_this_contract(written: Path) -> None:
    source = (written / "vatl-my-oracle" / "vatl_my_oracle" / "plugin.py").read_text()
    assert f'vatl_contract = "{written_for()}"' in source
    assert written_for().startswith(f">={VERSION},<")
    assert 'Ann "O" Néill' in (written / "vatl-my-oracle" / "LICENSE").read_text()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("criterion", "thc"), "criterion 'thc' is taken, by vatl-criteria 0.1.0: choose another name"),
        (("criterion", "My Idea"), "'My Idea' cannot be a criterion's name"),
        (("criterion", "My Idea"), "'my-idea' would do"),
        (("criterion", "vatl-idea"), "without vatl- before it; 'idea' would do"),
        (("criterion", "criteria"), "vatl-criteria 0.1.0 is installed: choose another name"),
        (("criterium", "idea"), "did you mean 'criterion'?"),
        (("criterion", "idea", "--out", "there"), "there exists, and is left as it is"),
        (("criterion", "idea", "--out", "no/where"), "is not there: make it first"),
    ],
)
def test_what_cannot_be_written_is_told_in_a_line(
    vatl_here: Vatl, tmp_path: Path, words: tuple[str, ...], message: str
) -> None:
    (tmp_path / "there").mkdir()
    outcome = vatl_here("plugins", "new", *words)
    assert outcome.code == 2
    assert message in outcome.err
    assert len(outcome.err.splitlines()) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["there"], "nothing is written"
    assert not list((tmp_path / "there").iterdir())


@pytest.mark.parametrize("name", ["none", "criterion", "window", "int", "a-b-9"])
def test_awkward_names_make_valid_classes(tmp_path: Path, name: str) -> None:
    package = write_package(discover(), "criterion", name, tmp_path / "p", "Ann")
    done = subprocess.run([TOOLS / "ruff", "check", package], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    (component,) = package.glob("*/criterion.py")
    (described,) = [line for line in (component.parent / "plugin.py").read_text().splitlines() if "target=" in line]
    name_of_class = described.rpartition(":")[2].split('"')[0]
    assert f"class {name_of_class}(Criterion):" in component.read_text()
    assert name_of_class not in ("None", "Criterion", "Window")


def test_a_folder_that_cannot_be_written_to_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(InputError, match="cannot be written"):
        write_package(discover(), "criterion", "idea", tmp_path / "p", "Ann")
    assert not list(tmp_path.iterdir())

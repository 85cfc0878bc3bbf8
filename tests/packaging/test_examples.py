"""The example plugins of the documentation: small, clean, and packages like any stranger's."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
import tokenize
import venv
from pathlib import Path

import attrs
import pytest
from PIL import Image

from tests.conftest import stick_video
from tests.packaging.distributions import ROOT, Source, build, closure, link, sources, unpack

EXAMPLES = [Source(folder) for folder in sorted((ROOT / "docs" / "examples").glob("vatl-*"))]
OURS = (
    "vatl-core", "vatl-estimators", "vatl-criteria", "vatl-retraining", "vatl-refinement", "vatl-stopping",
    "vatl-oracles", "vatl-executors", "vatl-synthetic", "vatl-presets", "vatl-formats", "vatl-frames", "vatl-drawing",
    "vatl-weights", "vatl-augmentation", "vatl-kit",
)  # fmt: skip
SPACE = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
def test_it_is_a_small_package(example: Source) -> None:
    assert sum(_lines(file) for file in example.package.rglob("*.py")) < 60
    assert {"LICENSE", "README.md", "pyproject.toml", "tests"} <= {path.name for path in example.folder.iterdir()}
    assert (example.folder / "LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()
    needed = {*example.dependencies, *example.optional}
    assert {"vatl-core"} <= needed


def _lines(file: Path) -> int:
    """The lines of a file with more on them than comments; docstrings count."""
    with file.open("rb") as readline:
        tokens = [token for token in tokenize.tokenize(readline.readline) if token.type not in SPACE]
    return len({n for token in tokens[1:] for n in range(token.start[0], token.end[0] + 1)})


def test_they_are_formatted_and_free_of_lint() -> None:
    files = sorted(str(file) for example in EXAMPLES for file in example.folder.rglob("*.py"))
    assert len(files) >= 12
    own = f"src = {[str(example.folder) for example in EXAMPLES]}"  # vatl is somebody else's to them
    for words in (["check", "--config", own], ["format", "--check"]):
        done = subprocess.run([_beside("ruff"), *words, *files], cwd=ROOT, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout


def _beside(name: str) -> str:
    return str(Path(sys.executable).with_name(name))


@attrs.frozen
class Environment:
    """A fresh environment with vatl's wheels and what they declare, into which pip installs."""

    folder: Path

    @property
    def python(self) -> str:
        return str(self.folder / "bin" / "python")

    def run(self, *words: str | Path, cwd: Path, code: int = 0) -> subprocess.CompletedProcess[str]:
        around = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "PYTHONHOME")}
        around |= {"OMP_NUM_THREADS": "1", "COLUMNS": "200", "XDG_CACHE_HOME": str(self.folder / "cache")}
        command = [self.python, *map(str, words)]
        done = subprocess.run(command, cwd=cwd, env=around, capture_output=True, text=True, timeout=280)
        assert done.returncode == code, done.stdout[-3000:] + done.stderr[-3000:]
        return done

    def pip(self, *words: str | Path) -> None:
        command = [
            sys.executable,
            "-m",
            "pip",
            "--python",
            self.python,
            "--disable-pip-version-check",
            *map(str, words),
        ]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr[-3000:]


@pytest.fixture(scope="module")
def environment(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """Made without pip: what is declared is linked in from here, vatl's own wheels are unpacked."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=False, symlinks=True)
    (site,) = folder.glob("lib/python3*/site-packages")
    needed = {name for source in sources() if source.name in OURS for name in source.dependencies}
    link(closure([name for name in needed if name not in OURS] + ["pytest"]), site)
    for name in OURS:
        (wheel,) = built.glob(f"{name.replace('-', '_')}-*.whl")
        unpack(wheel, site)
    return Environment(folder)


@pytest.fixture(scope="module")
def installed(environment: Environment, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """With the examples' wheels in it, installed by pip as a user would."""
    out = build([example.folder for example in EXAMPLES], tmp_path_factory.mktemp("examples"))
    environment.pip("install", "--no-index", "--no-deps", *sorted(out.glob("*.whl")))
    return environment


@pytest.fixture
def flies(tmp_path: Path) -> Path:
    """Frames and a CSV of points of the stick figures."""
    video, folder = stick_video(8), tmp_path / "flies"
    folder.mkdir()
    for number in range(len(video.frames)):
        Image.fromarray(video.frames.read(number).permute(1, 2, 0).numpy()).save(folder / f"{number:03d}.png")
    points = video.instances.keypoints
    assert points is not None
    with (folder / "points.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["frame", "track", *(f"{k}_{axis}" for k in video.skeleton.keypoints for axis in "xy")])
        for frame, track, pose in zip(video.instances.frame, video.instances.track, points, strict=True):
            table.writerow([f"{int(frame):03d}.png", int(track), *pose.flatten().tolist()])
    return folder


def test_their_own_tests_pass_where_they_are_installed(installed: Environment, tmp_path: Path) -> None:
    tests = [example.folder / "tests" for example in EXAMPLES]
    (tmp_path / "pytest.ini").touch()
    done = installed.run("-m", "pytest", "-c", "pytest.ini", "-p", "no:cacheprovider", *tests, cwd=tmp_path)
    assert " passed" in done.stdout
    assert "skipped" not in done.stdout


def test_a_run_is_made_of_all_three_and_they_can_go_again(installed: Environment, flies: Path, tmp_path: Path) -> None:
    words = (
        "-m", "vatl_core.cli", "run", "--dataset", "csv", "-o", f"dataset.folder={flies}", "--query", "tta",
        "--stop", "plateau", "-o", "plateau.patience=1", "-o", "plateau.rise=1", "--schedule", "3,6,9",
        "--device", "cpu", "--estimator", "tiny", "-o", "tiny.input_size=64,64", "-o", "tiny.width=8",
        "-o", "few-labels.steps=1", "-o", "few-labels.epochs=1", "--weights", "none", "--json",
    )  # fmt: skip
    record = json.loads(installed.run(*words, cwd=tmp_path).stdout.strip().splitlines()[-1])
    assert (record["dataset"], record["video"], record["instances"]) == ("csv", "flies", 16)
    assert (record["stopped_by"], record["labelled"], record["cycles"]) == ("plateau", 6, 2)
    installed.pip("uninstall", "--yes", *(example.name for example in EXAMPLES))
    listed = installed.run("-m", "vatl_core.cli", "plugins", "list", cwd=tmp_path).stdout
    assert "vatl-criteria" in listed
    assert not [example.name for example in EXAMPLES if example.name in listed]
    refused = installed.run(*words, cwd=tmp_path, code=2).stderr
    assert refused.startswith("vatl: no dataset is called 'csv'")
    assert refused.count("\n") == 1
    assert not [file for e in EXAMPLES for file in installed.folder.rglob(f"{e.package.name}*")]

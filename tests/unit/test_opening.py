"""``vatl run PATH``: which data set opens what is named by its path alone, and what is said where none does."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Outcome
from tests.unit.test_video_detection import FRAMES, BrightRectangles, picture
from tests.unit.test_video_run import Diligent
from vatl_annotate import plugin as annotate
from vatl_annotate.browser import Browser
from vatl_core.cli import main
from vatl_core.discovery import discover
from vatl_core.errors import InputError
from vatl_core.plugins import Component, Registry, option_fields
from vatl_drawing import write_video
from vatl_report import plugin as report
from vatl_video.detectors import Detector

Call = Callable[..., Outcome]
SMALL = ("--estimator", "simplebaseline", "-o", "estimator.backbone=resnet18", "-o", "estimator.input_size=64,64",
         "--weights", "none", "--query", "thc", "--retrain", "none", "--device", "cpu")  # fmt: skip


@pytest.fixture(scope="module")
def registry() -> Registry:
    return discover()


@pytest.fixture
def vatl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    """``vatl`` in this process, in an empty folder; nothing is drawn."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(report, "vatl_run_finished", lambda run, record: None)

    def call(*words: str) -> Outcome:
        try:
            code = main(list(words))
        except SystemExit as ended:
            code = int(ended.code or 0)
        return Outcome(code, *capsys.readouterr())

    return call


def refused(outcome: Outcome) -> str:
    """The one line by which a command was refused."""
    assert outcome.code == 2, outcome.err
    (line,) = outcome.err.splitlines()
    return line


def write_clip(path: Path) -> None:
    write_video(path, (picture(frame) for frame in range(FRAMES)))


def test_a_video_is_detected_and_a_person_is_asked(vatl: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_clip(tmp_path / "my clip.mp4")
    monkeypatch.setattr(Detector, "build", lambda *_: BrightRectangles())
    monkeypatch.setattr(annotate, "vatl_run_started", lambda run: None)
    monkeypatch.setattr(Browser, "annotate", lambda self, request: Diligent().annotate(request))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    outcome = vatl("run", "my clip.mp4", "--schedule", "3", "--name", "one", "--json", *SMALL)
    assert outcome.code == 0, outcome.err
    assert (outcome.record["labelled"], outcome.record["video"]) == (3, "my clip")
    config = tomllib.loads((tmp_path / "runs/one/config.toml").read_text())
    assert (config["run"]["dataset"], config["run"]["oracle"]) == ("video", "browser")
    assert config["dataset"]["video"]["path"].endswith("my clip.mp4")


@pytest.mark.parametrize(
    ("name", "opened"),
    [
        ("clip.mp4", ("video", "path")),
        ("CLIP.MOV", ("video", "path")),
        ("a.b.mkv", ("video", "path")),
        ("pictures/0.png", ("video", "path")),
        ("videos/0.mp4", ("video", "path")),
        ("poses.json", ("coco", "annotations")),
        ("labels.v001.slp", ("sleap-io", "labels")),
        ("CollectedData_me.csv", ("sleap-io", "labels")),
        ("CollectedData_me.h5", ("sleap-io", "labels")),
    ],
)
def test_a_path_is_opened_by_how_it_ends(
    name: str, opened: tuple[str, str], tmp_path: Path, registry: Registry
) -> None:
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.touch()
    named = path if path.parent == tmp_path else path.parent
    assert registry.opening(named) == opened
    assert registry.opening(named, opened[0]) == opened


def test_pictures_beside_their_annotations_are_not_taken_without_them(
    tmp_path: Path, registry: Registry, vatl: Call
) -> None:
    for name in ("img001.png", "img002.png", "CollectedData_me.csv"):
        (tmp_path / name).touch()
    line = refused(vatl("run", str(tmp_path)))
    assert "'sleap-io' and 'video' open it, or a file in it: add --dataset, or give the file" in line
    assert registry.opening(tmp_path, "video") == ("video", "path")
    with pytest.raises(InputError, match=r"ends in \.csv"):
        registry.opening(tmp_path, "sleap-io")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["run", "absent.mp4"], "'absent.mp4' does not exist"),
        (["run", "frames.zip"], "frames.zip: by itself a file opens that ends in .3gp, .avi"),
        (["run", "weights.pth"], "weights.pth: by itself a file opens that ends in"),
        (["run", "my clip.mp4", "--dataset", "coco"], "my clip.mp4: by itself a file opens that ends in .json, .txt"),
        (["run", "my clip.mp4", "--dataset", "cocoo"], "did you mean 'coco'"),
        (["my clip.mp4"], "no command is called 'my clip.mp4': did you mean `vatl run 'my clip.mp4'`?"),
        (["absent.mp4"], "did you mean `vatl run absent.mp4`?"),
        (["resumee", "runs/x"], "did you mean 'resume'?"),
        (["run", "--dataset", "my clip.mp4"], "did you mean `vatl run 'my clip.mp4'`?"),
        (["run", "--video", "my clip.mp4"], "did you mean `vatl run 'my clip.mp4'`?"),
        (["run", "my clip.mp4", "--schedule", "60,30"], "--schedule: '30' is less than '60' before it"),
    ],
)
def test_what_cannot_be_opened_says_what_to_type(vatl: Call, tmp_path: Path, words: list[str], said: str) -> None:
    for name in ("my clip.mp4", "frames.zip", "weights.pth"):
        (tmp_path / name).touch()
    assert said in refused(vatl(*words))
    assert not (tmp_path / "runs").exists()


def test_the_folder_of_a_run_is_not_taken_for_pictures(vatl: Call, tmp_path: Path) -> None:
    (tmp_path / "runs" / "my run").mkdir(parents=True)
    (tmp_path / "runs" / "my run" / "config.toml").touch()
    assert "`vatl resume 'runs/my run'`" in refused(vatl("run", "runs/my run"))


@pytest.mark.parametrize("folder", ["vatl_core", "plugins", "adapters"])
def test_paths_in_commands_that_are_suggested_are_quoted_and_known(folder: str) -> None:
    for file in (Path(__file__).parents[2] / folder).rglob("*.py"):
        for line in file.read_text(encoding="utf-8").splitlines():
            assert not re.search(r"f\".*[`(]vatl [a-z]+ (\{(?!shlex\.quote)|RUN\b)", line), f"{file}: {line.strip()}"


def test_what_data_sets_say_that_they_open_is_an_option_of_theirs(registry: Registry) -> None:
    opening = [component for component in registry.described("dataset").values() if component.opens]
    assert len(opening) >= 3
    for component in opening:
        assert set(component.opens.values()) <= set(option_fields(component.load())), component.name
        assert all(re.fullmatch(r"/|\.[a-z0-9]+", ending) for ending in component.opens), component.name


def test_a_run_of_this_name_is_told_by_a_command_that_can_be_typed(vatl: Call, tmp_path: Path) -> None:
    folder = tmp_path / "my runs" / "one"
    folder.mkdir(parents=True)
    (folder / "config.toml").touch()
    line = refused(vatl("run", "--runs", "my runs", "--name", "one"))
    assert "`vatl resume 'my runs/one'`" in line


@pytest.mark.parametrize("begun", [True, False])
@pytest.mark.parametrize(("error", "code"), [(KeyboardInterrupt(), 130), (OSError(28, "no space"), 1)])
def test_what_ends_a_run_names_the_run(
    vatl: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, begun: bool, error: BaseException, code: int
) -> None:
    def ends(*_: Any, **__: Any) -> None:
        if begun:
            (tmp_path / "runs/a run").mkdir(parents=True)
            (tmp_path / "runs/a run/config.toml").touch()
        raise error

    monkeypatch.setattr("vatl_core.run.execute", ends)
    outcome = vatl("run", "--name", "a run") if code == 130 else vatl("resume", "runs/a run")
    assert outcome.code == code
    said = outcome.err.splitlines()[-1]
    assert ("`vatl resume 'runs/a run'`" in said) == begun
    assert "RUN" not in said


def test_a_plugin_whose_endings_are_no_mapping_is_told_apart() -> None:
    with pytest.raises(TypeError, match="opens"):
        Component("dataset", "odd", "", "odd:Odd", opens=("mp4",))  # type: ignore[arg-type]

"""A run goes on with the data it began with, wherever it is taken up from, or says what is another."""

from __future__ import annotations

import json
import shutil
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import tomli_w

from tests.unit.test_coco import FRAMES, HEIGHT, WIDTH, document, save
from vatl_core.cli import main
from vatl_core.config import ROLES
from vatl_core.errors import InputError
from vatl_core.run import PastRun

SHORT = (
    "--estimator", "tiny", "-o", "estimator.input_size=64,64", "-o", "estimator.width=8", "--weights", "none",
    "--schedule", "4,8", "--query", "lc", "--device", "cpu", "--precision", "float32", "--name", "run",
    "-o", "retrain.scratch_epochs=1", "--retrain", "continual",
)  # fmt: skip
Document = dict[str, Any]
Change = Callable[[Document, Path], None]


def pictures(folder: Path, shade: int = 90, size: tuple[int, int] = (HEIGHT, WIDTH)) -> None:
    """Six pictures that can be told from each other."""
    folder.mkdir(parents=True, exist_ok=True)
    for frame in range(FRAMES):
        picture = np.full((*size, 3), shade, np.uint8)
        picture[4 * frame : 4 * frame + 8] = 250 - shade
        cv2.imwrite(str(folder / f"{frame:03d}.png"), picture)


def vatl(*words: str | Path) -> int:
    with pytest.raises(SystemExit) as ended:
        raise SystemExit(main(list(map(str, words))))
    return int(ended.value.code or 0)


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with data and a run on it that was left in its second cycle; all paths were typed from within it."""
    folder = tmp_path_factory.mktemp("project")
    pictures(folder / "data")
    save(folder / "data", document())
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.chdir(folder)
        assert vatl("run", "--dataset", "coco", "-o", "dataset.annotations=data/annotations.json", *SHORT) == 0
    run = folder / "runs" / "run"
    shutil.rmtree(run / "report")
    (run / "run.json").unlink()
    records = run / "cycles.jsonl"
    records.write_text(records.read_text().splitlines()[0] + "\n")
    for part in run.glob("cycles/00[12]"):
        for file in part.glob("[eq]*"):
            file.unlink()
    return folder


@pytest.fixture
def project(template: Path, tmp_path: Path) -> Path:
    """A copy of it, which stands for the folder that it was begun in."""
    shutil.copytree(template, tmp_path / "project")
    file = tmp_path / "project" / "runs" / "run" / "config.toml"
    file.write_text(file.read_text().replace(str(template), str(tmp_path / "project")))
    return tmp_path / "project"


def reversed_annotations(content: Document, _: Path) -> None:
    content["annotations"].reverse()


def renumbered(content: Document, _: Path) -> None:
    for number, annotation in enumerate(reversed(content["annotations"])):
        annotation["id"] = number


def one_more(content: Document, _: Path) -> None:
    content["annotations"].append(content["annotations"][-1] | {"id": 999, "track_id": 5})


def one_fewer(content: Document, _: Path) -> None:
    del content["annotations"][3]


def other_box(content: Document, _: Path) -> None:
    content["annotations"][5]["bbox"][0] += 3


def other_track(content: Document, _: Path) -> None:
    for annotation in content["annotations"]:
        annotation["track_id"] = 1 - annotation["track_id"]


def other_frame(content: Document, _: Path) -> None:
    first, second = content["annotations"][0], content["annotations"][2]
    first["image_id"], second["image_id"] = second["image_id"], first["image_id"]


def other_keypoints(content: Document, _: Path) -> None:
    content["categories"][0]["keypoints"][1:] = ["wingR", "wingL"]


def larger_pictures(content: Document, folder: Path) -> None:
    pictures(folder, size=(2 * HEIGHT, 2 * WIDTH))
    for image in content["images"]:
        image |= {"width": 2 * WIDTH, "height": 2 * HEIGHT}


def other_pictures(_: Document, folder: Path) -> None:
    pictures(folder, shade=170)


def one_frame_more(content: Document, folder: Path) -> None:
    shutil.copy(folder / "005.png", folder / "006.png")
    content["images"].append(content["images"][-1] | {"id": 99, "file_name": "006.png"})


CHANGES: list[tuple[Change, str]] = [
    (reversed_annotations, "instance 0 called 101 "),
    (renumbered, "instance 0 called 11"),
    (one_more, "instance 12 called 999"),
    (one_fewer, "instance 3 called 104"),
    (other_box, "instance 5 called 105 frame 2 track 1 box 29.0"),
    (other_track, "instance 0 called 100 frame 0 track"),
    (other_frame, "instance 0 called 101 frame 0"),
    (other_keypoints, "keypoint 1 wingR"),
    (larger_pictures, "size of frame 0 128 96"),
    (other_pictures, "colours"),
    (one_frame_more, "frames 7"),
]


def change(project: Path, how: Change) -> None:
    content = document()
    how(content, project / "data")
    save(project / "data", content)


@pytest.mark.parametrize(("how", "difference"), CHANGES, ids=[how.__name__ for how, _ in CHANGES])
def test_what_has_changed_is_named_and_nothing_goes_on(
    project: Path, how: Change, difference: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project)
    change(project, how)
    before = sorted((file, file.read_bytes()) for file in (project / "runs").rglob("*") if file.is_file())
    assert vatl("resume", "runs/run") == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert line.startswith("vatl: runs/run was begun with other data: there is '")
    assert difference in line.partition("' where there was")[0]
    now = sorted((file, file.read_bytes()) for file in (project / "runs").rglob("*") if file.is_file())
    assert [entry for entry in now if entry[0].name != ".lock"] == [e for e in before if e[0].name != ".lock"]


@pytest.mark.parametrize("words", [("predict", "--no-video"), ("report",), ("visualize",), ("annotate", "--no-open")])
def test_every_command_on_a_run_refuses_other_data(
    project: Path, words: tuple[str, ...], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project)
    change(project, reversed_annotations)
    assert vatl(words[0], "runs/run", *words[1:]) == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert "was begun with other data: there is 'instance 0 called 101 " in line


def test_a_run_is_taken_up_with_its_own_data_from_another_folder(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "other"
    pictures(other / "data", shade=10)
    save(other / "data", document())
    monkeypatch.chdir(other)
    assert vatl("resume", "../project/runs/run") == 0
    past = PastRun.open(project / "runs" / "run")
    assert len(past.labels().index) == 8


def test_moved_data_is_found_where_it_is_said_to_be(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project)
    (tmp_path / "elsewhere" / "disk").mkdir(parents=True)
    (project / "data").rename(tmp_path / "elsewhere" / "disk" / "data")
    assert vatl("resume", "runs/run") == 2
    assert "--data-root" in capsys.readouterr().err
    assert vatl("resume", "runs/run", "--data-root", tmp_path / "other") == 2
    assert "annotations.json is not there, nor below" in capsys.readouterr().err
    pictures(tmp_path / "wrong" / "data", shade=10)
    save(tmp_path / "wrong" / "data", document())
    assert vatl("resume", "runs/run", "--data-root", tmp_path / "wrong") == 2
    assert "colours" in capsys.readouterr().err
    assert vatl("predict", "runs/run", "--no-video", "--data-root", "../elsewhere/disk") == 0
    assert vatl("resume", "runs/run") == 0  # and is known from then on


def test_labels_of_a_run_may_be_told_more_boxes_than_it_had(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A detector on another machine is a fraction of a pixel off, and that is the same data."""
    monkeypatch.chdir(project)
    content = document()
    content["annotations"][0]["bbox"][0] += 0.25
    save(project / "data", content)
    assert vatl("resume", "runs/run") == 0


@pytest.mark.parametrize("text", ["", "{", "[3]", "null", "{}", '"x"', "[]"])
def test_a_damaged_record_of_the_data_is_named(
    project: Path, text: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project)
    (project / "runs" / "run" / "data.json").write_text(text)
    assert vatl("resume", "runs/run") == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert "data.json cannot be read" in line or "there is 'keypoint 0 head' where there was" in line


def test_a_run_whose_record_of_its_data_is_gone_does_not_go_on(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project)
    (project / "runs" / "run" / "data.json").unlink()
    change(project, reversed_annotations)
    assert vatl("resume", "runs/run") == 2
    assert "data.json cannot be read" in capsys.readouterr().err


def test_what_is_kept_can_be_read_by_people(project: Path) -> None:
    rows = json.loads((project / "runs" / "run" / "data.json").read_text())
    assert ["frames", FRAMES] in rows
    assert ["picture", 3, "003.png"] in rows
    assert ["size of frame", 3, WIDTH, HEIGHT] in rows


@pytest.mark.parametrize(
    ("line", "lacks"),
    [('query = "lc"', "[run] lacks query"), ("seed = 0", "[run] lacks seed"), ("scratch_epochs", "scratch_epochs"),
     ("input_size", "input_size"), ("annotations", "annotations"), ('schedule = ', "[run] lacks schedule")],
)  # fmt: skip
def test_what_a_configuration_has_lost_is_not_made_up(
    project: Path, line: str, lacks: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project)
    file = project / "runs" / "run" / "config.toml"
    tables = tomllib.loads(file.read_text())
    key = line.partition(" =")[0]
    for table in (tables["run"], *(own for role in ROLES for own in tables.get(role, {}).values())):
        table.pop(key, None)
    file.write_text(tomli_w.dumps(tables))
    assert vatl("resume", "runs/run") == 2
    (said,) = capsys.readouterr().err.strip().splitlines()
    assert "config.toml" in said
    assert lacks in said


def test_a_run_of_a_version_without_a_setting_goes_on_as_it_began(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project)
    file = project / "runs" / "run" / "config.toml"
    tables = tomllib.loads(file.read_text())
    del tables["run"]["decoder"]
    file.write_text(tomli_w.dumps(tables))
    assert vatl("resume", "runs/run") == 0


def test_a_query_asks_for_nobody_twice(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = project / "runs" / "run" / "cycles" / "001"
    folder.mkdir(exist_ok=True)
    (folder / "query.json").write_text('{"instances": [11, 11]}')
    assert vatl("resume", project / "runs" / "run") == 2
    assert "query.json asks twice" in capsys.readouterr().err


def test_poses_of_another_kind_of_number_are_not_taken(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project)
    file = project / "runs" / "run" / "cycles" / "000" / "estimates.npz"
    with np.load(file) as kept:
        columns = {name: kept[name].astype(np.int64) for name in kept.files}
    np.savez(file, **columns)
    past = PastRun.open(project / "runs" / "run")
    with pytest.raises(InputError, match=r"estimates\.npz cannot be read"):
        past.folder.estimates(0)


@pytest.mark.parametrize("key", ["query", "corrected", "fired", "evaluation", "mean_scores"])
def test_what_a_cycle_has_lost_is_not_made_up(
    project: Path, key: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project)
    file = project / "runs" / "run" / "cycles.jsonl"
    record = json.loads(file.read_text())
    del record[key]
    file.write_text(json.dumps(record) + "\n")
    assert vatl("resume", "runs/run") == 2
    (said,) = capsys.readouterr().err.strip().splitlines()
    assert "cycles.jsonl" in said


def test_a_number_of_too_many_digits_is_none(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    record = json.loads((project / "runs" / "run" / "cycles.jsonl").read_text())
    (project / "runs" / "run" / "cycles.jsonl").write_text(json.dumps(record | {"instances": 10**400}) + "\n")
    assert vatl("report", project / "runs" / "run") == 2
    assert "cycles.jsonl cannot be read" in capsys.readouterr().err

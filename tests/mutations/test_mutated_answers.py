"""Labelled files that come back to the oracle ``files`` from COCO tools, CVAT and Label Studio, mutated."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import attrs
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import stick_video
from tests.labelling_tools import ANSWERS, TASKS, labelled
from tests.mutations.answer_readings import READINGS, Pose, Said
from tests.mutations.examples import mutated
from tests.mutations.files import mutate_file
from tests.mutations.json_trees import mutated_trees
from tests.mutations.reading import close
from tests.mutations.xml_trees import mutated_xml
from vatl_core.contracts import Answer, Labels, Refusal, Request
from vatl_core.errors import VatlError
from vatl_oracles.files.folder import handed_over
from vatl_oracles.files.oracle import FORMATS, Files
from vatl_oracles.files.task import Task


@attrs.frozen
class Asked:
    """A task that was handed over.

    Attributes:
        request: of the run.
        task: as it was written.
        format: of its files.
        path: where the answer is expected.
        text: of a sound answer.
    """

    request: Request
    task: Task
    format: str
    path: Path
    text: str


@pytest.fixture(scope="module", params=FORMATS)
def asked(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Asked:
    """Three of the stick figures, two of them in one frame, labelled two pixels beside the proposals."""
    video, index = stick_video(), torch.tensor([0, 1, 5])
    assert video.instances.keypoints is not None
    none = Labels(index[:0], torch.zeros(0, 5, 2), torch.zeros(0, 5) > 0, "", torch.zeros(0))
    cycle = tmp_path_factory.mktemp("runs") / "run" / "cycles" / "000"
    proposals = video.instances.keypoints[index]
    told = Request(video, 0, index, index, proposals, torch.ones(3, 5), none, cycle)
    folder, task = handed_over(told, request.param, Files(format=request.param)._layout())
    poses = {item.name: [(x + 2, y + 2, 1 + k % 2) for k, (x, y) in enumerate(item.proposal)] for item in task.items}
    text = labelled(request.param, (folder / TASKS[request.param]).read_text(), poses, {})
    return Asked(told, task, request.param, folder / ANSWERS[request.param], text)


def assert_refused_or_said(path: Path, asked: Asked) -> None:
    answers, said = _answers(path, asked)
    if said is not None:
        assert path.name in said
        assert "\n" not in said
        return
    assert_says(READINGS[asked.format](path, asked.task), answers, asked.task)


def _answers(path: Path, asked: Asked) -> tuple[list[Answer], str | None]:
    """The answers, or why there are none."""
    try:
        return list(Files(format=asked.format, answer=path, wait=0).annotate(asked.request)), None
    except VatlError as error:
        return [], str(error)


def assert_says(said: Said, answers: list[Answer], task: Task) -> None:
    """Make sure that answers are those that the file holds."""
    names = {item.index: item.name for item in task.items}
    got: dict[str, Any] = {}
    for answer in answers:
        if isinstance(answer, Labels):
            got[names[int(answer.index[0])]] = _pose(answer, task)
        elif isinstance(answer, Refusal):
            got[names[answer.index]] = "nobody is here" if answer.absent else "skipped"
    assert set(got) == set(said)
    for name, answer in said.items():
        if isinstance(answer, str):
            assert got[name] == answer
            continue
        assert set(got[name]) == set(answer), f"{name} is read with {got[name]}, not {answer}"
        assert all(close(answer[part], got[name][part]) for part in answer)


def _pose(labels: Labels, task: Task) -> Pose:
    columns = zip(task.keypoints, labels.keypoints[0].tolist(), labels.visible[0], labels.occluded[0], strict=True)
    return {name: (x, y, 1 if hidden else 2) for name, (x, y), there, hidden in columns if there}


def _mutated_text(asked: Asked) -> st.SearchStrategy[str]:
    return mutated_xml(asked.text) if asked.format == "cvat" else mutated_trees(json.loads(asked.text))


def _save(asked: Asked, text: str) -> None:
    """The answer, and nothing of what a mutation left in its place."""
    for left in asked.path.parent.glob(f"*{asked.path.name}"):
        left.rmdir() if left.is_dir() and not left.is_symlink() else left.unlink()
    asked.path.write_text(text, encoding="utf-8")


def test_a_mutated_answer_is_refused_or_read_as_it_says(asked: Asked) -> None:
    @mutated(8)
    @given(_mutated_text(asked))
    def holds(text: str) -> None:
        _save(asked, text)
        assert_refused_or_said(asked.path, asked)

    holds()


def test_a_mutated_file_is_refused_or_read_as_it_says(asked: Asked) -> None:
    @mutated(4)
    @given(st.data())
    def holds(data: st.DataObject) -> None:
        _save(asked, asked.text)
        mutate_file(data.draw, asked.path)
        assert_refused_or_said(asked.path, asked)

    holds()


def _refused(asked: Asked, change: Callable[[Any], object], words: str) -> None:
    content = json.loads(asked.text)
    change(content)
    _save(asked, json.dumps(content))
    with pytest.raises(VatlError, match=words):
        list(Files(format=asked.format, answer=asked.path, wait=0).annotate(asked.request))


@pytest.mark.parametrize("asked", ["label-studio"], indirect=True)
def test_a_region_of_another_type_than_its_value_is_not_left_out(asked: Asked) -> None:
    for position, held in ((1, "keypointlabels"), (0, "rectanglelabels"), (-1, "choices")):
        change = partial(_retype_region, position)
        _refused(asked, change, f"has a region of type 'relation' that holds {held}: correct its type")


def _retype_region(position: int, content: Any) -> None:
    content[0]["annotations"][0]["result"][position]["type"] = "relation"


@pytest.mark.parametrize("asked", ["coco"], indirect=True)
def test_a_picture_that_is_no_name_is_not_taken_for_none(asked: Asked) -> None:
    _refused(asked, lambda content: content["images"][0].update(file_name=False), "is on picture 'False'")

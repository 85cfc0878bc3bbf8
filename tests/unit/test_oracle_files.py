"""The oracle `files`: what is written for a labelling tool comes back unchanged, and nothing else is taken for it."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import attrs
import cv2
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import Tensor

from tests.conftest import stick_video
from tests.labelling_tools import ANSWERS, TASKS, Box, Triples, instance_of, labelled, zipped
from vatl_coco.dataset import Coco as CocoDataset
from vatl_core.contracts import Answer, Labels, Redrawn, Refusal, Request
from vatl_core.errors import InputError, VatlError
from vatl_core.video import Frames, Instances, Skeleton, Video
from vatl_oracles.files.folder import handed_over
from vatl_oracles.files.names import clean, listed, told_apart
from vatl_oracles.files.oracle import FORMATS, Files
from vatl_oracles.files.replies import answers
from vatl_oracles.files.task import Task

QUICK = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


@attrs.frozen
class Grey(Frames):
    """Frames of one size."""

    count: int
    width: int
    height: int

    def __len__(self) -> int:
        return self.count

    def read(self, index: int) -> Tensor:
        return torch.full((3, self.height, self.width), 90, dtype=torch.uint8)


def request_of(video: Video, proposals: Tensor, folder: Path, index: list[int] | None = None) -> Request:
    indices = torch.tensor(list(range(len(video.instances))) if index is None else index)
    keypoints = len(video.skeleton)
    none = Labels(
        indices[:0], torch.zeros(0, keypoints, 2), torch.zeros(0, keypoints) > 0, "", torch.zeros(0)
    )  # fmt: skip
    scores = torch.ones(len(indices), keypoints)
    return Request(video, 0, indices, indices, proposals[indices], scores, none, folder)


@pytest.fixture
def request_here(tmp_path: Path) -> Request:
    """Four of the stick figures, two of them in one frame, with the truth as proposals."""
    video = stick_video()
    assert video.instances.keypoints is not None
    return request_of(video, video.instances.keypoints, tmp_path / "runs" / "run" / "cycles" / "000", [0, 1, 5, 8])


def written(request: Request, format: str, **options: Any) -> tuple[Path, Task]:
    return handed_over(request, format, Files(format=format, **options)._layout())


def answered(request: Request, format: str, path: Path) -> list[Answer]:
    """What the oracle makes of a labelled file that is there already."""
    return list(Files(format=format, answer=path, wait=0).annotate(request))


# ---------------------------------------------------------------------------------------------------------- round trips
texts = st.text(st.characters(exclude_categories=[]), max_size=12) | st.sampled_from(
    ["a b", "<&>\"'", "näse", "骨/左", "../x", "", " ", "a", "x\ny", "\x00", "{0}", "%41", "1"]
)
inside = st.floats(0, 1, width=32)


@st.composite
def cases(draw: st.DrawFn) -> tuple[Video, Tensor, list[Triples], dict[int, Box]]:
    """A video of any skeleton and ids, proposals that may lie outside of the picture, poses, and redrawn boxes."""
    names = draw(st.lists(texts, min_size=1, max_size=5, unique=True))
    count, width, height = len(names), draw(st.integers(8, 700)), draw(st.integers(8, 700))
    edges = [(a, b) for a in range(count) for b in range(a) if draw(st.booleans())]
    n = draw(st.integers(1, 5))
    size = torch.tensor([width, height], dtype=torch.float32)
    low = torch.tensor(draw(st.lists(st.tuples(inside, inside), min_size=n, max_size=n))) * size * 0.9
    boxes = torch.cat([low, torch.full((n, 2), 4.25)], 1)
    frame = torch.tensor(draw(st.lists(st.integers(0, 2), min_size=n, max_size=n)))
    ids = tuple(draw(st.lists(texts, min_size=n, max_size=n)))
    video = Video(
        "v", Skeleton(draw(texts), tuple(names), edges), Grey(3, width, height),
        Instances.of(frame, torch.arange(n) % 2, boxes, ids),
    )  # fmt: skip
    wild = st.floats(-500, 1500, width=32)
    proposals = draw(st.lists(wild, min_size=n * count * 2, max_size=n * count * 2))
    poses = []
    for _ in range(n):
        values = draw(st.lists(st.sampled_from([0, 1, 2]), min_size=count, max_size=count).filter(any))
        places = torch.tensor(draw(st.lists(st.tuples(inside, inside), min_size=count, max_size=count))) * size
        poses.append([(x, y, v) for (x, y), v in zip(places.tolist(), values, strict=True)])
    redrawn = {i: (1.5, 2.25, 5.0, 3.0 + i) for i in range(n) if draw(st.booleans())}
    return video, torch.tensor(proposals).view(n, count, 2), poses, redrawn


@pytest.mark.parametrize("format", FORMATS)
@QUICK
@given(case=cases())
def test_labels_come_back_as_they_were_given(
    tmp_path_factory: pytest.TempPathFactory, format: str, case: tuple[Video, Tensor, list[Triples], dict[int, Box]]
) -> None:
    video, proposals, poses, redrawn = case
    folder = Path("runs/run/cycles/000")
    frames = dict.fromkeys(range(3), (video.frames.width, video.frames.height))  # type: ignore[attr-defined]
    task = Task.of(request_of(video, proposals, folder), format, folder / "tasks", frames)
    layout = Files(format=format)._layout()
    names = [item.name for item in task.items]
    text = labelled(
        format,
        layout.files(task)[TASKS[format]],
        dict(zip(names, poses, strict=True)),
        {names[i]: box for i, box in redrawn.items()},
    )
    path = tmp_path_factory.mktemp("answers") / ANSWERS[format]
    path.write_text(text, encoding="utf-8")
    found = layout.read(path, task)
    assert [item.index for item, _ in found] == list(range(len(video.instances)))
    for (item, reply), pose in zip(found, poses, strict=True):
        *boxes, label = answers(item, reply, "somebody")
        assert isinstance(label, Labels)
        expected = torch.tensor(pose)
        assert label.visible[0].tolist() == [v > 0 for _, _, v in pose]
        assert label.occluded[0].tolist() == [v == 1 for _, _, v in pose]
        seen = label.visible[0]
        assert torch.equal(label.keypoints[0][seen], expected[seen][:, :2].float()), "exactly, in each of the formats"
        assert len(boxes) == (item.index in redrawn)
        for box in boxes:
            assert isinstance(box, Redrawn)
            assert box.box == pytest.approx(redrawn[item.index], abs=1e-6)
        size = torch.tensor(item.size)
        begun = proposals[item.index].clamp(torch.zeros(2), size.float())
        assert torch.equal(label.proposals[0], begun)
        away = ((label.keypoints[0] - begun).abs().amax(1) > 0.5) | ~seen
        assert int(label.moved) == int(away.sum())


@QUICK
@given(st.lists(texts, max_size=8))
def test_names_are_told_apart_and_stay_what_they_are(given: list[str]) -> None:
    names = told_apart(given)
    assert len(set(names)) == len(given)
    assert [clean(name) for name in names] == list(names)
    root = ElementTree.Element("x", {"a": "\n".join(names)})
    root.text = "|".join(names)
    assert ElementTree.fromstring(ElementTree.tostring(root)).text == ("|".join(names) or None)


def test_no_more_than_a_handful_is_named() -> None:
    assert listed([str(i) for i in range(9)]) == "'0', '1', '2', '3', '4' and 4 more"


# ------------------------------------------------------------------------------------------------------ what is written
@pytest.mark.parametrize("format", FORMATS)
def test_a_task_is_a_folder_that_can_be_handed_over(request_here: Request, format: str) -> None:
    folder, task = written(request_here, format)
    assert folder == request_here.folder / "tasks"
    pictures = sorted(path.name for path in (folder / "pictures").iterdir())
    assert pictures == ["000000.jpg", "000002.jpg", "000004.jpg"], "one a frame, shared by its instances"
    picture = cv2.cvtColor(cv2.imread(str(folder / "pictures" / "000002.jpg")), cv2.COLOR_BGR2RGB)
    frame = request_here.video.frames.read(2).permute(1, 2, 0).numpy()
    assert picture.shape == frame.shape
    assert abs(picture.astype(float) - frame).mean() < 12, "the frame itself, but for JPEG's losses"
    assert "4 instances in 3 pictures" in (folder / "README.txt").read_text()
    assert [item.name for item in task.items] == ["0", "1", "5", "8"]


@pytest.mark.parametrize("format", FORMATS)
def test_a_task_is_written_once_or_not_at_all(request_here: Request, format: str, monkeypatch: Any) -> None:
    layout = Files(format=format)._layout()
    with monkeypatch.context() as patch:
        patch.setattr(type(layout), "files", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            handed_over(request_here, format, layout)
    assert not list(request_here.folder.iterdir())
    folder, task = handed_over(request_here, format, layout)
    (folder / TASKS[format]).write_text("the annotator's notes")
    fewer = attrs.evolve(request_here, indices=request_here.indices[2:], proposals=request_here.proposals[2:])
    assert handed_over(fewer, format, layout) == (folder, task), "some of it was answered in between"
    assert (folder / TASKS[format]).read_text() == "the annotator's notes"


def test_another_query_or_format_gets_a_folder_of_its_own(request_here: Request) -> None:
    first, _ = written(request_here, "cvat")
    other = attrs.evolve(request_here, query=request_here.query.flip(0))
    second, _ = written(other, "cvat")
    third, _ = written(other, "coco")
    assert [path.name for path in (first, second, third)] == ["tasks", "tasks-2", "tasks-3"]
    assert written(request_here, "cvat")[0] == first


def test_label_studio_gets_an_address_for_each_picture(request_here: Request) -> None:
    folder, _ = written(attrs.evolve(request_here, folder=request_here.folder.parents[2] / "a b&c/cycles/000"),
                        "label-studio")  # fmt: skip
    address = json.loads((folder / "label-studio.json").read_text())[2]["data"]["image"]
    assert address == "/data/local-files/?d=a%20b%26c/cycles/000/tasks/pictures/000002.jpg"
    other, _ = written(request_here, "label-studio", address="http://127.0.0.1:8000/")
    address = json.loads((other / "label-studio.json").read_text())[0]["data"]["image"]
    assert address == "http://127.0.0.1:8000/run/cycles/000/tasks/pictures/000000.jpg"


def test_label_studio_gets_a_configuration_that_fits_its_predictions(request_here: Request) -> None:
    folder, task = written(request_here, "label-studio")
    view = ElementTree.fromstring((folder / "labelling-configuration.xml").read_text())
    tags = {tag.get("name"): tag for tag in view if tag.get("toName") == "image"}
    colours = {label.get("value"): label.get("background") for label in tags["keypoints"]}
    assert list(colours) == list(task.keypoints)
    assert colours["handL"] == colours["footL"] != colours["handR"] == colours["footR"]
    kinds = {"KeyPointLabels": "keypointlabels", "RectangleLabels": "rectanglelabels"}
    for row in json.loads((folder / "label-studio.json").read_text()):
        assert row["data"]["who"].startswith(f"Instance {row['data']['instance']}, frame")
        result = row["predictions"][0]["result"]
        assert len(result) == 6
        for region in result:
            control = tags[region["from_name"]]
            assert kinds[control.tag] == region["type"]
            (label,) = region["value"][region["type"]]
            assert label in [part.get("value") for part in control]


def test_cvat_gets_labels_that_fit_its_shapes(request_here: Request) -> None:
    folder, task = written(request_here, "cvat")
    skeleton, box = json.loads((folder / "labels.json").read_text())
    root = ElementTree.fromstring((folder / "annotations.xml").read_text())
    assert [part["name"] for part in skeleton["sublabels"]] == list(task.keypoints)
    nodes = ElementTree.fromstring(f"<svg>{skeleton['svg']}</svg>")
    assert [node.get("data-label-name") for node in nodes.iter("circle")] == list(task.keypoints)
    assert len(list(nodes.iter("line"))) == len(task.edges)
    assert [image.get("name") for image in root.iter("image")] == ["000000.jpg", "000002.jpg", "000004.jpg"]
    for image in root.iter("image"):
        for shape in image:
            label = skeleton if shape.tag == "skeleton" else box
            assert shape.get("label") == label["name"]
            assert [part.get("name") for part in shape.findall("attribute")] == [a["name"] for a in label["attributes"]]
    assert len(list(root.iter("skeleton"))) == len(list(root.iter("box"))) == 4


def test_the_coco_task_is_a_data_set(request_here: Request) -> None:
    folder, _ = written(request_here, "coco")
    dataset = CocoDataset(annotations=folder / "coco.json", frames=folder / "pictures")
    video = dataset.load(dataset.videos()[0])
    assert video.skeleton.keypoints == request_here.video.skeleton.keypoints
    torch.testing.assert_close(video.instances.keypoints, request_here.proposals)
    torch.testing.assert_close(video.instances.boxes, request_here.video.instances.boxes[request_here.indices])


# ------------------------------------------------------------------------------------------------ other kinds of answer
def edited_json(edit: Callable[[Any], Any]) -> Callable[[str], str]:
    def change(text: str) -> str:
        content = json.loads(text)
        changed = edit(content)
        return json.dumps(content if changed is None else changed)

    return change


def edited_xml(edit: Callable[[ElementTree.Element], None]) -> Callable[[str], str]:
    def change(text: str) -> str:
        root = ElementTree.fromstring(text)
        edit(root)
        return ElementTree.tostring(root, encoding="unicode")

    return change


def skeletons(root: ElementTree.Element) -> list[ElementTree.Element]:
    return list(root.iter("skeleton"))


def set_attribute(shape: ElementTree.Element, name: str, value: str) -> None:
    next(part for part in shape.findall("attribute") if part.get("name") == name).text = value


def said(root: ElementTree.Element, position: int, value: str) -> None:
    set_attribute(skeletons(root)[position], "answer", value)


def presence(result: list[Any]) -> None:
    choice = {"choices": ["nobody is here"]}
    result.append({"id": "p", "from_name": "presence", "to_name": "image", "type": "choices", "value": choice})


DECLINED: dict[str, Callable[[str], str]] = {
    "label-studio": edited_json(
        lambda tasks: (
            presence(tasks[0]["annotations"][0]["result"]),
            tasks[1]["annotations"][0].update(was_cancelled=True, result=[]),
            None,
        )[-1]
    ),
    "cvat": edited_xml(lambda root: (said(root, 0, "nobody is here"), said(root, 1, "skipped"), None)[-1]),
    "coco": edited_json(
        lambda content: (
            content["annotations"][0]["attributes"].update(answer="nobody is here"),
            content["annotations"][1]["attributes"].update(answer="skipped"),
            None,
        )[-1]
    ),
}


def answer_file(request: Request, format: str, change: Callable[[str], str] = str) -> Path:
    """The task as the tool gives it back when nothing was moved, then changed."""
    folder, _ = written(request, format)
    path = folder / ANSWERS[format]
    path.write_text(change(labelled(format, (folder / TASKS[format]).read_text(), {}, {})))
    return path


@pytest.mark.parametrize("format", FORMATS)
def test_nobody_and_skipped_are_refusals(request_here: Request, format: str) -> None:
    path = answer_file(request_here, format, DECLINED[format])
    first, second, *rest = answered(request_here, format, path)
    assert isinstance(first, Refusal)
    assert isinstance(second, Refusal)
    assert (first.index, first.absent) == (0, True)
    assert (second.index, second.absent) == (1, False)
    assert all(isinstance(label, Labels) for label in rest)
    assert [int(label.index) for label in rest if isinstance(label, Labels)] == [5, 8]
    who = {"label-studio": "ada@example.org", "cvat": "ada", "coco": "annotator"}[format]
    assert {first.annotator, second.annotator} | {a.annotator for a in rest} == {who}


@pytest.mark.parametrize("format", FORMATS)
def test_what_nobody_touched_is_not_moved(request_here: Request, format: str) -> None:
    labels = answered(request_here, format, answer_file(request_here, format))
    assert [type(label) for label in labels] == [Labels] * 4, "and no box is redrawn"
    truth = request_here.proposals
    for label, pose in zip(labels, truth, strict=True):
        assert isinstance(label, Labels)
        assert int(label.moved) == 0
        assert torch.equal(label.keypoints[0], pose)
        assert float(label.seconds) == (12.5 if format == "label-studio" else 0)


def test_only_what_is_not_answered_yet_is_answered(request_here: Request) -> None:
    path = answer_file(request_here, "cvat")
    left = attrs.evolve(request_here, indices=request_here.indices[2:], proposals=request_here.proposals[2:])
    assert [int(label.index) for label in answered(left, "cvat", path) if isinstance(label, Labels)] == [5, 8]


def test_cvat_s_archive_is_taken(request_here: Request) -> None:
    text = answer_file(request_here, "cvat").read_text()
    folder, _ = written(request_here, "cvat")
    (folder / "answer.xml").unlink()
    zipped(text, folder / "answer.zip")
    assert len(list(Files(format="cvat", wait=0).annotate(request_here))) == 4


def test_cvat_rounds_to_hundredths(request_here: Request) -> None:
    """As its exporter does; a box that nobody drew again stays."""

    def rounded(root: ElementTree.Element) -> None:
        for point in root.iter("points"):
            point.set("points", ",".join(f"{float(v):.2f}" for v in point.get("points", "").split(",")))
        for box in root.iter("box"):
            box.attrib |= {side: f"{float(box.get(side, '')):.2f}" for side in ("xtl", "ytl", "xbr", "ybr")}

    moved = attrs.evolve(request_here, proposals=request_here.proposals + 0.3337)
    labels = answered(moved, "cvat", answer_file(moved, "cvat", edited_xml(rounded)))
    assert len(labels) == 4
    for label, pose in zip(labels, moved.proposals, strict=True):
        assert isinstance(label, Labels)
        assert int(label.moved) == 0
        assert float((label.keypoints[0] - pose).abs().max()) <= 0.00501


def test_label_studio_s_latest_annotation_counts(request_here: Request) -> None:
    def twice(tasks: Any) -> None:
        (first,) = tasks[0]["annotations"]
        later = json.loads(json.dumps(first)) | {"updated_at": "2026-03-02T10:00:00Z", "completed_by": 3}
        later["result"] = [r for r in later["result"] if r.get("value", {}).get("keypointlabels") != ["head"]]
        skipped = first | {"was_cancelled": True, "updated_at": "2026-03-03T10:00:00Z"}
        tasks[0]["annotations"] = [later, first, skipped]

    label = answered(request_here, "label-studio", answer_file(request_here, "label-studio", edited_json(twice)))[0]
    assert isinstance(label, Labels)
    assert label.visible[0].tolist() == [False, True, True, True, True]
    assert label.annotator == "Label Studio user 3"


def test_coco_keypoints_may_stand_in_another_order_and_attributes_be_lost(request_here: Request) -> None:
    def another_tool(content: Any) -> None:
        content["categories"][0]["keypoints"].reverse()
        for row in content["annotations"]:
            del row["attributes"]
            row["keypoints"] = [v for k in reversed(range(5)) for v in row["keypoints"][3 * k : 3 * k + 3]]

    labels = answered(request_here, "coco", answer_file(request_here, "coco", edited_json(another_tool)))
    for label, pose in zip(labels, request_here.proposals, strict=True):
        assert isinstance(label, Labels)
        assert torch.equal(label.keypoints[0], pose)


@pytest.mark.parametrize("named", [True, False])
def test_coco_ids_may_be_text_and_lists_empty(request_here: Request, named: bool) -> None:
    def another_tool(content: Any) -> None:
        for image in content["images"]:
            image["id"] = str(image["id"])
        for row in content["annotations"]:
            row |= {"id": str(row["id"]), "bbox": []}
        content["annotations"][1]["attributes"]["answer"] = "skipped"
        content["annotations"][1] |= {"keypoints": []}
        for row in content["annotations"]:
            row["attributes"].pop(None if named else "instance", None)

    first, second, *rest = answered(request_here, "coco", answer_file(request_here, "coco", edited_json(another_tool)))
    assert isinstance(second, Refusal)
    assert [int(label.index) for label in (first, *rest) if isinstance(label, Labels)] == [0, 5, 8]


def renumbered(*numbers: int, without: tuple[str, ...] = ("attributes",)) -> Callable[[str], str]:
    """What a tool makes of the file that loses attributes, writes annotations in its own order and numbers them."""

    def change(content: Any) -> None:
        for row, number in zip(content["annotations"], numbers, strict=True):
            row["id"] = number
            for field in without:
                del row[field]

    return edited_json(change)


@pytest.mark.parametrize("without", [("attributes",), ("attributes", "bbox")])
def test_ids_given_anew_do_not_exchange_two_of_a_picture(tmp_path: Path, without: tuple[str, ...]) -> None:
    video = stick_video()
    assert video.instances.keypoints is not None
    pair = [i for i in range(len(video.instances)) if video.instances.frame[i] == 2][:2]
    request = request_of(video, video.instances.keypoints, tmp_path / "runs/run/cycles/000", pair)
    path = answer_file(request, "coco", renumbered(2, 1, without=without))
    with pytest.raises(VatlError) as error:
        answered(request, "coco", path)
    message = str(error.value)
    a, b = (video.instances.ids[i] for i in pair)
    assert message.startswith(f"{path}: instance '{a}' has the box ")
    assert f"which fits instance '{b}' of its picture better" in message
    assert "\n" not in message
    kept = answer_file(request, "coco", renumbered(1, 2, without=without))
    assert [int(a.index) for a in answered(request, "coco", kept) if isinstance(a, Labels)] == pair
    named = answer_file(request, "coco", renumbered(2, 1, without=without[1:]))
    assert [int(a.index) for a in answered(request, "coco", named) if isinstance(a, Labels)] == pair


# ------------------------------------------------------------------------------------------------------ what is refused
def regions(tasks: Any, position: int = 0) -> Any:
    return tasks[position]["annotations"][0]["result"]


def rows(content: Any) -> Any:
    return content["annotations"]


def first_point(root: ElementTree.Element) -> ElementTree.Element:
    return skeletons(root)[0].findall("points")[0]


def remove_all(root: ElementTree.Element, name: str) -> None:
    for image in root.iter("image"):
        for shape in [s for s in image if s.tag in ("skeleton", "box") and instance_of(s) == name]:
            image.remove(shape)


def rename(root: ElementTree.Element, name: str, other: str) -> None:
    for image in root.iter("image"):
        for shape in [s for s in image if s.tag in ("skeleton", "box") and instance_of(s) == name]:
            set_attribute(shape, "instance", other)


def do(*_: object) -> None:
    """Lets a lambda do several things."""


BOMB = '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "bbbb"><!ENTITY c "&b;&b;&b;&b;">]><annotations>&c;</annotations>'
OUTSIDE = '<?xml version="1.0"?><!DOCTYPE a SYSTEM "file:///etc/hostname"><annotations/>'

REFUSED: list[tuple[str, Callable[[str], str], str]] = [
    ("label-studio", edited_json(lambda t: do(t.pop(1))), "1 missing ('1')"),
    ("label-studio", edited_json(lambda t: do(t[3]["data"].update(instance="80"))),
     "1 missing ('8'); 1 not asked for ('80'); was '8' renamed to '80'?"),
    ("label-studio", edited_json(lambda t: [*t, t[0]]), "1 there more than once ('0')"),
    ("label-studio", edited_json(lambda t: [*t, {**t[0], "data": {"instance": "x <y>"}}]), "1 not asked for ('x <y>')"),
    ("label-studio", edited_json(lambda t: do(t[0].pop("data"))), "no. 1 of the file, which names no instance"),
    ("label-studio", edited_json(lambda t: do(t[0].update(annotations=[]))), "instance '0' has no annotation"),
    ("label-studio", edited_json(lambda t: do(t[0].update(annotations=None))), "annotations that are no list"),
    ("label-studio", edited_json(lambda t: do(regions(t)[1]["value"].update(keypointlabels=["haed"]))),
     "instance '0' has a keypoint 'haed', which is none of the skeleton's: did you mean 'head'?"),
    ("label-studio", edited_json(lambda t: do(regions(t)[1]["value"].update(x=float("nan")))), "nan as x of 'head'"),
    ("label-studio", edited_json(lambda t: do(regions(t)[1]["value"].update(x="12"))), "'12' as x of 'head'"),
    ("label-studio", edited_json(lambda t: do(regions(t)[1]["value"].update(y=100.2))),
     "instance '0' has y = 100.2 % at 'head': it must be 0 to 100"),
    ("label-studio", edited_json(lambda t: do(regions(t)[1]["value"].pop("y"))), "None as y of 'head'"),
    ("label-studio", edited_json(lambda t: do(regions(t).append(regions(t)[1]))), "'head' twice"),
    ("label-studio", edited_json(lambda t: do(regions(t).append(regions(t)[0]))), "has 2 boxes"),
    ("label-studio", edited_json(lambda t: do(regions(t)[0]["value"].update(rotation=4))), "turned box"),
    ("label-studio", edited_json(lambda t: do(regions(t)[0]["value"].update(width=0))), "box without area"),
    ("label-studio", edited_json(lambda t: do(regions(t)[1].update(original_width=320))),
     "labelled on a picture 320 pixels wide, but '000000.jpg' is 160"),
    ("label-studio", edited_json(lambda t: do(t[2]["data"].update(picture="000000.jpg"))),
     "instance '5' is on picture '000000.jpg', but belongs on '000002.jpg'"),
    ("label-studio", edited_json(lambda t: do(regions(t).clear())), "instance '0' has no keypoint"),
    ("label-studio", edited_json(lambda t: do(regions(t)[1].update(value=3))), "region without a value"),
    ("label-studio", edited_json(lambda t: do(t[0]["annotations"][0].update(lead_time="long"))), "'long' as lead_time"),
    ("label-studio", edited_json(lambda t: [{"id": 1, "annotation_id": 2, "instance": "0"}]), "is JSON-MIN"),
    ("label-studio", edited_json(lambda t: {"tasks": t}), "is no JSON export of Label Studio"),
    ("label-studio", lambda text: text[: len(text) // 2], "ends in the middle"),
    ("label-studio", lambda text: "", "is empty"),
    ("label-studio", lambda text: "<a/>", "is not JSON"),
    ("cvat", edited_xml(lambda r: remove_all(r, "1")), "1 missing ('1')"),
    ("cvat", edited_xml(lambda r: rename(r, "8", "80")), "1 missing ('8'); 1 not asked for ('80'); was '8' renamed"),
    ("cvat", edited_xml(lambda r: rename(r, "5", " ")), "('a skeleton on '000002.jpg' without instance')"),
    ("cvat", edited_xml(lambda r: rename(r, "5", "8")), "1 missing ('5'); 1 there more than once ('8')"),
    ("cvat", edited_xml(lambda r: set_attribute(next(iter(r.iter("box"))), "instance", "7")), "a box is of '7'"),
    ("cvat", edited_xml(lambda r: set_attribute(next(iter(r.iter("box"))), "instance", "1")), "'1' has two boxes"),
    ("cvat", edited_xml(lambda r: next(iter(r.iter("box"))).set("rotation", "3.00")), "'0' has a turned box"),
    ("cvat", edited_xml(lambda r: next(iter(r.iter("box"))).set("xbr", "0")), "'0' has a box without area"),
    ("cvat", edited_xml(lambda r: next(iter(r.iter("box"))).set("xbr", "wide")), "'wide' as a side of its box"),
    ("cvat", edited_xml(lambda r: first_point(r).set("label", "heads")), "did you mean 'head'?"),
    ("cvat", edited_xml(lambda r: first_point(r).set("label", "handL")), "'handL' twice"),
    ("cvat", edited_xml(lambda r: first_point(r).set("points", "nan,3")), "'0' has nan as a coordinate of 'head'"),
    ("cvat", edited_xml(lambda r: first_point(r).set("points", "1,2;3,4")), "has the points '1,2;3,4' at 'head'"),
    ("cvat", edited_xml(lambda r: said(r, 0, "perhaps")), "'0' is answered 'perhaps'"),
    ("cvat", edited_xml(lambda r: next(r.iter("image")).set("width", "80")), "a picture 80.0 pixels wide"),
    ("cvat", edited_xml(lambda r: next(r.iter("image")).set("name", "x.jpg")), "'0' is on picture 'x.jpg'"),
    ("cvat", edited_xml(lambda r: do(*[p.set("outside", "1") for p in skeletons(r)[2].findall("points")])),
     "instance '5' has no keypoint"),
    ("cvat", lambda text: "<annotations><track id='0'/></annotations>", "export it from CVAT as 'CVAT for images 1.1'"),
    ("cvat", lambda text: text[: len(text) // 2], "is not XML"),
    ("cvat", lambda text: "", "is not XML"),
    ("cvat", lambda text: BOMB, "declares entities or a document type"),
    ("cvat", lambda text: OUTSIDE, "declares entities or a document type"),
    ("coco", edited_json(lambda c: do(rows(c).pop(1))), "1 missing ('1')"),
    ("coco", edited_json(lambda c: do(rows(c)[3]["attributes"].update(instance="80"))), "was '8' renamed to '80'?"),
    ("coco", edited_json(lambda c: do(rows(c).append(rows(c)[0]))), "1 there more than once ('0')"),
    ("coco", edited_json(lambda c: do(rows(c).append({"id": 9, "image_id": 1}))), "1 not asked for ('annotation 9')"),
    ("coco", edited_json(lambda c: do(rows(c)[0]["keypoints"].pop())), "has keypoints with 14 numbers"),
    ("coco", edited_json(lambda c: do(rows(c)[0].pop("keypoints"))), "instance '0' has no keypoints"),
    ("coco", edited_json(lambda c: do(rows(c)[0].update(keypoints=[]))), "instance '0' has no keypoints"),
    ("coco", edited_json(lambda c: do(rows(c)[0]["keypoints"].__setitem__(0, float("nan")))), "no number of pixels"),
    ("coco", edited_json(lambda c: do(rows(c)[0]["keypoints"].__setitem__(2, 3))), "v = 3.0 at 'head'"),
    ("coco", edited_json(lambda c: do(rows(c)[0].update(keypoints=[0] * 15))), "instance '0' has no keypoint"),
    ("coco", edited_json(lambda c: do(rows(c)[0].update(bbox=[1, 2, 0, 4]))), "box without area"),
    ("coco", edited_json(lambda c: do(rows(c)[0].update(bbox=[1, 2, 1e-7, 4]))), "box without area, 1, 2, 1e-07, 4"),
    ("coco", edited_json(lambda c: do(rows(c)[0].update(bbox=[5000, 5000, 9, 9]))),
     "instance '0' has the box 5000, 5000, 9, 9, which is not in its picture: positions are pixels"),
    ("coco", edited_json(lambda c: do(rows(c)[0]["keypoints"].__setitem__(slice(0, 3), [-90000, 1e6, 2]))),
     "instance '0' has 'head' at -90000, 1e+06, far outside of its picture: positions are pixels"),
    ("cvat", edited_xml(lambda r: first_point(r).set("points", "3,-130")), "'0' has 'head' at 3, -130, far outside"),
    ("cvat", edited_xml(lambda r: first_point(r).set("outside", "4")), "has outside='4' at 'head': it must be 0 or 1"),
    ("coco", edited_json(lambda c: do(rows(c)[0].update(image_id=3))), "is on picture '000004.jpg'"),
    ("coco", edited_json(lambda c: do(rows(c)[0].update(image_id=77))), "image 77, which is not among images"),
    ("coco", edited_json(lambda c: do(rows(c)[0]["attributes"].update(answer=1))), "is answered '1'"),
    ("coco", edited_json(lambda c: do(c["images"][0].update(height=60))), "a picture 60 pixels high"),
    ("coco", edited_json(lambda c: do(c["categories"][0]["keypoints"].__setitem__(0, "haed"))), "did you mean 'head'?"),
    ("coco", edited_json(lambda c: do(c["categories"][0]["keypoints"].pop())), "lacks the keypoints 'footR'"),
    ("coco", edited_json(lambda c: do(c["categories"][0].update(keypoints=3))), "must have a list of names"),
    ("coco", edited_json(lambda c: [c]), "is no COCO keypoints file"),
    ("coco", lambda text: "{", "ends in the middle"),
]  # fmt: skip


@pytest.mark.parametrize(("format", "change", "words"), REFUSED, ids=[f"{f}-{w[:40]}" for f, _, w in REFUSED])
def test_an_answer_that_is_none_is_refused_in_one_line_that_names_file_and_item(
    request_here: Request, format: str, change: Callable[[str], str], words: str
) -> None:
    path = answer_file(request_here, format, change)
    with pytest.raises(VatlError) as error:
        answered(request_here, format, path)
    message = str(error.value)
    assert words in message
    assert message.startswith(str(path))
    assert message.endswith(f"then `vatl resume {request_here.folder.parents[1]}`")
    assert "\n" not in message
    assert not isinstance(error.value, InputError), "an InputError would remove a run that has just begun"


def test_many_missing_are_counted_and_a_handful_named(tmp_path: Path) -> None:
    video = stick_video()
    assert video.instances.keypoints is not None
    request = request_of(video, video.instances.keypoints, tmp_path / "runs/run/cycles/000")
    path = answer_file(request, "coco", edited_json(lambda content: do(rows(content).clear())))
    with pytest.raises(VatlError, match=r"24 missing \('0', '1', '2', '3', '4' and 19 more\)"):
        answered(request, "coco", path)


def archive(*names: str, data: bytes = b"<annotations/>") -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as made:
        for name in names:
            made.writestr(name, data)
    return file.getvalue()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (archive("other.xml"), "holds 0 files called annotations.xml"),
        (archive("a/annotations.xml", "b/annotations.xml"), "holds 2 files called annotations.xml"),
        (archive("annotations.xml")[:-30], "is not XML"),
        (
            archive("annotations.xml").replace(b"\x1f", b"\x00")[:20] + archive("annotations.xml")[20:],
            "annotated images",
        ),
        (b"\xff\xfe\x00", "is not XML"),
    ],
)
def test_a_damaged_archive_is_refused(request_here: Request, data: bytes, words: str) -> None:
    folder, _ = written(request_here, "cvat")
    (folder / "answer.zip").write_bytes(data)
    with pytest.raises(VatlError, match=r"answer\.zip") as error:
        list(Files(format="cvat", wait=0).annotate(request_here))
    assert words in str(error.value)


def test_an_archive_that_would_fill_the_memory_is_not_unpacked(request_here: Request, monkeypatch: Any) -> None:
    monkeypatch.setattr("vatl_oracles.files.cvat_export._LARGEST", 1000)
    folder, _ = written(request_here, "cvat")
    (folder / "answer.zip").write_bytes(archive("annotations.xml", data=b" " * 1001))
    with pytest.raises(VatlError, match="1001 bytes of XML, more than the 1000"):
        list(Files(format="cvat", wait=0).annotate(request_here))


junk: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)


def places(content: Any) -> list[tuple[Any, Any]]:
    """Every place in a JSON document: what holds it, and its key there."""
    found, todo = [], [content]
    while todo:
        part = todo.pop()
        keys = list(part) if isinstance(part, dict) else list(range(len(part)))
        found += [(part, key) for key in keys]
        todo += [part[key] for key in keys if isinstance(part[key], dict | list)]
    return found


def read_or_refused(path: Path, task: Task) -> None:
    """An answer is taken as a whole, or refused by an error that names the file."""
    message = ""
    try:
        found = Files(format=task.format)._layout().read(path, task)
        assert [item for item, _ in found] == list(task.items)
    except InputError as error:
        message = str(error)
    assert not message or str(path) in message


@pytest.mark.parametrize("format", ["label-studio", "coco"])
@QUICK
@given(data=st.data())
def test_whatever_stands_in_a_json_file_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, format: str, data: st.DataObject
) -> None:
    video = stick_video(frames=1)
    assert video.instances.keypoints is not None
    folder = Path("runs/run/cycles/000")
    task = Task.of(request_of(video, video.instances.keypoints, folder), format, folder / "tasks", {0: (160, 120)})
    layout = Files(format=format)._layout()
    content = json.loads(labelled(format, layout.files(task)[TASKS[format]], {}, {}))
    for _ in range(data.draw(st.integers(1, 2))):
        spots = places(content)
        holder, key = spots[data.draw(st.integers(0, len(spots) - 1))]
        holder[key] = data.draw(junk)
    path = tmp_path_factory.mktemp("junk") / "answer.json"
    path.write_text(json.dumps(content))
    read_or_refused(path, task)


@QUICK
@given(data=st.data())
def test_whatever_stands_in_an_xml_file_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    video = stick_video(frames=1)
    assert video.instances.keypoints is not None
    folder = Path("runs/run/cycles/000")
    task = Task.of(request_of(video, video.instances.keypoints, folder), "cvat", folder / "tasks", {0: (160, 120)})
    layout = Files(format="cvat")._layout()
    root = ElementTree.fromstring(labelled("cvat", layout.files(task)[TASKS["cvat"]], {}, {}))
    for _ in range(data.draw(st.integers(1, 2))):
        elements = list(root.iter())[1:]
        element = elements[data.draw(st.integers(0, len(elements) - 1))]
        names = [None, *element.attrib]
        name = names[data.draw(st.integers(0, len(names) - 1))]
        value = data.draw(st.sampled_from(["", "x", "nan", "inf", "1e999", "-1", "1,2,3", "0x1", "1_0"]))
        if name is None:
            element.text, element.tag = value, data.draw(st.sampled_from([element.tag, "attribute", "points", "box"]))
        elif data.draw(st.booleans()):
            element.set(name, value)
        else:
            del element.attrib[name]
    path = tmp_path_factory.mktemp("junk") / "answer.xml"
    path.write_text(ElementTree.tostring(root, encoding="unicode"))
    read_or_refused(path, task)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"format": "cvta"}, "no value of 'format' is called 'cvta': did you mean 'cvat'?"),
        ({"wait": -1}, "wait = -1 is to be minutes"),
        ({"wait": float("inf")}, "wait = inf is to be minutes"),
    ],
)
def test_options_that_make_no_sense_are_refused(options: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=r"value of|minutes") as error:
        Files(**options)
    assert words in str(error.value)

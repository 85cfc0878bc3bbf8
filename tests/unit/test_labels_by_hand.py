"""Projects of SLEAP and COCO files with a few labels by hand among predictions: which are which, and a run on them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs
import cv2
import numpy as np
import pytest
import sleap_io
import torch
from click.testing import CliRunner

from tests.unit.test_coco import FRAMES, HEIGHT, WIDTH, document
from tests.unit.test_coco import load as load_coco
from tests.unit.test_sleap_io import corrected, load, picture, project, save
from vatl_core.cli.resume import command as resume
from vatl_core.cli.run import command as run
from vatl_core.errors import InputError, VatlError
from vatl_core.run import PastRun
from vatl_core.video import Video
from vatl_drawing import write_video
from vatl_formats import without_broken
from vatl_predict.command import command as predict

SMALL = (
    "--estimator", "tiny", "--weights", "none", "--query", "lc", "--select", "top", "--refine", "none",
    "-o", "estimator.input_size=32,32", "-o", "estimator.width=8", "-o", "retrain.steps=2", "-o", "retrain.epochs=1",
    "--device", "cpu", "--stop", "none", "--name", "run", "--json",
)  # fmt: skip


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("flies") / "clip.mp4"
    write_video(path, (picture(f) for f in range(8)))
    return path


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    for frame in range(FRAMES):
        cv2.imwrite(str(tmp_path / f"{frame:03d}.png"), np.full((HEIGHT, WIDTH, 3), 30 * frame, np.uint8))
    return tmp_path


# ------------------------------------------------------------------------------------------------------------- sleap-io
def test_what_users_of_a_project_labelled_is_given(clip: Path, tmp_path: Path) -> None:
    video = load(save(corrected(clip), tmp_path))
    assert video.labelled_by == dict.fromkeys([3, 4, 5], "flies.slp")
    assert load(save(corrected(clip), tmp_path), predicted="truth").labelled_by == video.labelled_by
    assert load(save(project(clip, sleap_io.PredictedInstance), tmp_path)).labelled_by == {}
    assert load(save(project(clip), tmp_path)).labelled_by == dict.fromkeys(range(16), "flies.slp")


def apart(clip: Path, tracks: bool, shift: float) -> sleap_io.Labels:
    """All predicted; in frame 3 a user labelled Ann anew, linked to no prediction."""
    labels = project(clip, sleap_io.PredictedInstance)
    old = labels.labeled_frames[3].instances[0]
    mine = sleap_io.Instance.from_numpy(old.numpy() + shift, skeleton=old.skeleton, track=old.track if tracks else None)
    labels.labeled_frames[3].instances.append(mine)
    for frame in labels.labeled_frames:
        for instance in frame.instances:
            instance.track = instance.track if tracks else None
    return labels


@pytest.mark.parametrize(("tracks", "shift", "replaced"), [(True, 30.0, 1), (False, 1.0, 1), (False, 40.0, 0)])
def test_a_prediction_of_whom_a_user_labelled_is_not_there_twice(
    clip: Path, tmp_path: Path, tracks: bool, shift: float, replaced: int
) -> None:
    """By track; where there is none, by how far boxes overlap."""
    video = load(save(apart(clip, tracks, shift), tmp_path))
    assert video.dropped.get("predicted, and labelled by a user too", 0) == replaced
    assert len(video.instances) == 17 - replaced


def test_an_instance_that_users_labelled_twice_is_refused(clip: Path, tmp_path: Path) -> None:
    labels = apart(clip, False, 1.0)
    frame = labels.labeled_frames[3]
    again = sleap_io.Instance.from_numpy(frame.instances[-1].numpy() + 0.5, skeleton=labels.skeletons[0])
    frame.instances.append(again)
    with pytest.raises(InputError, match=r"flies.slp: users labelled one instance of frame 3 twice: delete one"):
        load(save(labels, tmp_path))


def test_frames_that_cannot_be_read_take_their_labels_along(clip: Path, tmp_path: Path) -> None:
    video = load(save(corrected(clip), tmp_path))
    assert without_broken(video, {0, 1}).labelled_by == dict.fromkeys([0, 1], "flies.slp")
    assert without_broken(attrs.evolve(video, labelled_by=None), {0}).labelled_by is None


# ----------------------------------------------------------------------------------------------------------------- coco
def marked(change: Callable[[int, dict[str, Any]], dict[str, Any]]) -> dict[str, Any]:
    content = document()
    content["annotations"] = [row | change(n, row) for n, row in enumerate(content["annotations"])]
    return content


SCORED = {"score": 0.8}
MARKS: dict[str, tuple[Callable[[int, dict[str, Any]], dict[str, Any]], dict[int, str] | None, int]] = {
    "nothing": (lambda n, row: {}, None, 12),
    "labelled": (lambda n, row: {"labelled": n in (2, 5)}, {2: "annotations.json", 5: "annotations.json"}, 2),
    "our own": (
        lambda n, row: {"labelled": n == 4, "score": 1.0, "keypoint_scores": [1.0, 1, 1]}, {4: "annotations.json"}, 1,
    ),
    "an annotator": (lambda n, row: {"annotator": "anna"} if n == 7 else SCORED, {7: "anna"}, 1),
    "a number": (lambda n, row: {"annotator": 3} if n == 7 else SCORED, {7: "3"}, 1),
    "an attribute": (lambda n, row: {"attributes": {"annotator": "ben"}} if n == 0 else SCORED, {0: "ben"}, 1),
    "scores of others": (
        lambda n, row: {} if n < 2 else {"keypoint_scores": [0.5] * 3}, dict.fromkeys([0, 1], "annotations.json"), 2,
    ),
    "an annotator alone": (lambda n, row: {"annotator": "anna"} if n == 7 else {}, {7: "anna"}, 12),
    "all predicted": (lambda n, row: SCORED, {}, 12),
    "none labelled": (lambda n, row: {"labelled": False}, {}, 12),
    "reviewed": (lambda n, row: SCORED | ({"annotator": "anna"} if n == 1 else {}), {1: "anna"}, 1),
}  # fmt: skip
"""How annotations say who made them; who labelled which; of how many the truth is known."""


@pytest.mark.parametrize(("change", "by", "known"), MARKS.values(), ids=MARKS)
def test_annotations_say_who_made_them(pictures: Path, change: Any, by: dict[int, str] | None, known: int) -> None:
    plain, video = load_coco(pictures, document()), load_coco(pictures, marked(change))
    assert video.labelled_by == by
    assert int(video.instances.known.sum()) == known
    assert torch.equal(plain.instances.boxes, video.instances.boxes)
    if by:
        assert all(video.instances.annotated[i] for i in by)


def test_predictions_beside_labels_count_or_go_if_asked(pictures: Path) -> None:
    content = marked(MARKS["labelled"][0])
    trusted = load_coco(pictures, content, predicted="truth")
    assert (trusted.instances.known.all(), len(trusted.labelled_by or ())) == (True, 2)
    without = load_coco(pictures, content, predicted="none")
    assert (len(without.instances), without.labelled_by) == (2, dict.fromkeys([0, 1], "annotations.json"))
    assert without.dropped == {"predicted, not by hand": 10}


def test_boxes_of_predictions_follow_from_their_poses(pictures: Path) -> None:
    def boxless(n: int, row: dict[str, Any]) -> dict[str, Any]:
        return {"bbox": None} | ({} if n == 3 else SCORED)

    video, plain = load_coco(pictures, marked(boxless)), load_coco(pictures, marked(lambda n, row: {"bbox": None}))
    assert torch.equal(video.instances.boxes, plain.instances.boxes)
    assert video.instances.annotated.tolist() == [i == 3 for i in range(12)]


@pytest.mark.parametrize("tracks", [True, False])
def test_a_prediction_of_whom_somebody_labelled_goes(pictures: Path, tracks: bool) -> None:
    """First come the predictions; a label is of the same track, or else of the same place, as the first of them."""
    content = marked(lambda n, row: SCORED)
    mine = content["annotations"][0] | {"id": 900, "score": None, "bbox": [5, 7.5, 20, 15]}
    content["annotations"].append(mine)
    if not tracks:
        for row in content["annotations"]:
            del row["track_id"]
    video = load_coco(pictures, content)
    assert video.dropped == {"predicted, and by hand too": 1}
    assert video.labelled_by == {1: "annotations.json"}
    assert video.instances.ids[1] == "900"
    content["annotations"][-1] |= {"bbox": content["annotations"][0]["bbox"]}  # a prediction that was left as it was
    if not tracks:
        assert load_coco(pictures, content).instances.ids[1] == "900"


def twice(row: dict[str, Any]) -> list[dict[str, Any]]:
    one = row | {"score": None, "track_id": None, "annotator": "anna"}
    return [one, one | {"id": 901, "annotator": "ben", "keypoints": [9, 9, 2, 11, 12, 2, 14, 19, 2]}]


BAD: dict[str, tuple[Callable[[list[dict[str, Any]]], list[dict[str, Any]]], str]] = {
    "two labels": (
        lambda rows: [*rows[1:], *twice(rows[0])],
        r"annotation 901 is by hand, of whom annotation 100 is by hand, too: delete one of them, or give each a",
    ),
    "two labels of a track": (
        lambda rows: [rows[0] | {"score": None}, rows[0] | {"score": None, "id": 900, "bbox": [9, 6, 20, 15]}, rows[1]],
        "annotation 900 is by hand, of whom annotation 100 is by hand, too",
    ),
    "no yes or no": (
        lambda rows: [rows[0] | {"labelled": "by anna"}], "annotation 100 has labelled 'by anna': it must be 0 or 1"
    ),
    "nobody's name": (
        lambda rows: [rows[0] | {"annotator": ["anna"]}],
        r"annotation 100 has annotator \['anna'\]: it must be a whole number or a string",
    ),
    "on no picture": (
        lambda rows: [rows[0] | {"labelled": True, "image_id": 77}], "annotation 100 is on image 77, which is not"
    ),
}  # fmt: skip


@pytest.mark.parametrize(("change", "said"), BAD.values(), ids=BAD)
def test_labels_that_cannot_be_are_refused(pictures: Path, change: Any, said: str) -> None:
    content = marked(lambda n, row: SCORED)
    content["annotations"] = change(content["annotations"])
    with pytest.raises(InputError, match=said):
        load_coco(pictures, content)


def test_what_is_to_train_on_is_not_asked_who_made_it(pictures: Path) -> None:
    from vatl_coco.dataset import Coco

    (pictures / "train.json").write_text(json.dumps(marked(MARKS["labelled"][0])))
    (name,) = (data := Coco(train=pictures / "train.json")).sources()
    video = data.load(name)
    assert (video.labelled_by, video.instances.known.all()) == (None, True)


# ------------------------------------------------------------------------------------------------------ whole commands
def typed(command: Any, *words: str | Path) -> dict[str, Any]:
    done = CliRunner().invoke(command, [str(word) for word in words])
    assert done.exception is None, (done.output, done.exception)
    record: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1]) if "--json" in words else {}
    return record


def test_a_project_with_labels_and_predictions(clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """People answer by files; what users labelled in the project they are not asked for."""
    monkeypatch.chdir(tmp_path)
    save(corrected(clip), tmp_path)
    asking = ("--schedule", "2", "--oracle", "files", "-o", "files.format=coco", "-o", "files.wait=0")
    with pytest.raises(VatlError, match=r"answer\.json"):
        CliRunner().invoke(run, ["flies.slp", *SMALL, *asking], catch_exceptions=False)
    past = PastRun.open(Path("runs/run"))
    assert [record.query for record in past.cycles] == [(3, 4, 5)]
    assert not Path("runs/run/cycles/000/tasks").exists()
    assert past.labels().index.tolist() == [3, 4, 5]
    typed(predict, "runs/run", "--no-video", "--with-labels")
    told = json.loads(Path("runs/run/predictions/poses.json").read_text())["annotations"]
    assert [n for n, row in enumerate(told) if row["labelled"]] == [3, 4, 5]
    tasks = Path("runs/run/cycles/001/tasks")
    shutil.copy(tasks / "coco.json", tasks / "answer.json")
    record = typed(resume, "runs/run", "--json")
    assert (record["labelled"], record["given"], record["asked"], record["cycles"]) == (5, 3, 2, 1)
    history = PastRun.open(Path("runs/run")).folder.answers.history()
    assert [(g.instance, g.annotator) for g in history][:3] == [(i, "flies.slp") for i in (3, 4, 5)]
    assert not {3, 4, 5} & {g.instance for g in history[3:]}
    assert "3 of them given with the data" in Path("runs/run/report/index.html").read_text()
    typed(predict, "runs/run", "--no-video", "--with-labels")
    goes_on(Path("runs/run/predictions/poses.json"), clip)


def test_a_project_of_predictions_alone_says_so_and_asks(
    clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    save(project(clip, sleap_io.PredictedInstance), tmp_path)
    words = ("flies.slp", *SMALL, "--schedule", "2", "--oracle", "files", "-o", "files.wait=0", "--start-with-labels")
    done = CliRunner().invoke(run, list(words))
    assert "2 instances to label in" in str(done.exception)
    assert "warning: no label in the data is by hand: the run starts without any" in done.output
    assert PastRun.open(Path("runs/run")).folder.given == []


def goes_on(poses: Path, clip: Path) -> None:
    """What it predicted with its labels is a project to begin with, too."""
    from vatl_coco.dataset import Coco

    data = Coco(poses, clip)
    video: Video = data.load(*data.videos())
    assert len(video.labelled_by or ()) == 5
    assert set((video.labelled_by or {}).values()) == {"poses.json"}
    assert int(video.instances.known.sum()) == 5


@pytest.mark.parametrize(("flag", "given", "asked"), [((), 3, 2), (("--no-start-with-labels",), 0, 2)])
def test_in_an_experiment_others_are_known_too(
    clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, flag: tuple[str, ...], given: int, asked: int
) -> None:
    monkeypatch.chdir(tmp_path)
    save(corrected(clip), tmp_path)
    record = typed(run, "flies.slp", *SMALL, *flag, "--schedule", "2", "-o", "dataset.predicted=truth")
    assert (record["given"], record["asked"], record["measured"]) == (given, asked, 16)

"""``vatl predict`` of other videos, by a run's estimator or one's own weights; bad input is told in a line."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from click.testing import CliRunner, Result

from tests.conftest import STICK, configured, stick_video
from tests.footage import sticks_on_disk
from vatl_core.discovery import discover
from vatl_core.errors import InputError
from vatl_core.plugins import Registry
from vatl_core.run import execute
from vatl_drawing import write_video
from vatl_oracles.ground_truth import GroundTruth
from vatl_predict.command import command

Predict = Callable[..., Result]
TINY = ["-o", "tiny.input_size=64,64", "-o", "tiny.width=8", "--precision", "float32"]


@pytest.fixture(scope="module")
def registry() -> Registry:
    registry = discover()
    for name in ("vatl-report", "vatl-console"):
        registry.manager.unregister(name=next(n for n, _ in registry.manager.list_name_plugin() if n.startswith(name)))
    return registry


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, registry: Registry) -> Path:
    """Runs on sticks, one finished and one left before it learnt anything, and clips with boxes beside them."""
    folder = tmp_path_factory.mktemp("made")
    (folder / "data").mkdir()
    truth, _ = sticks_on_disk(folder / "data")
    coco = {"coco": {"annotations": str(truth), "frames": str(folder / "data")}}
    settings = {"dataset": "coco", "options": {"dataset": coco}, "query": "lc", "weights": "none", "schedule": ["4"]}
    execute(configured(registry, folder, name="done", **settings), registry)
    begun = configured(registry, folder, name="begun", refine="tracks", **settings)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(GroundTruth, "annotate", _leave)
        with pytest.raises(KeyboardInterrupt):
            execute(begun, registry)
    (folder / "clips").mkdir()
    for number, name in enumerate(("clip10", "clip9"), 1):
        film(folder / "clips" / f"{name}.mp4", number)
    return folder


def _leave(*_: object) -> None:
    raise KeyboardInterrupt


def film(path: Path, seed: int) -> Path:
    """Sticks as a video file, with boxes beside it; nobody is on frame 3."""
    video = stick_video(6, 2, seed)
    write_video(path, video.frames.read_many(range(6)))
    who = video.instances
    rows = [i for i in range(len(who)) if int(who.frame[i]) != 3]
    annotations = [
        {"id": i, "image_id": int(who.frame[i]), "category_id": 1, "track_id": int(who.track[i]),
         "bbox": who.boxes[i].tolist()} for i in rows
    ]  # fmt: skip
    images = [{"id": i, "frame_index": i} for i in range(6)]
    content = {"images": images, "annotations": annotations, "categories": [{"id": 1, "name": "thing"}]}
    path.with_suffix(".boxes.json").write_text(json.dumps(content))
    return path


@pytest.fixture
def predict(made: Path, registry: Registry, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Predict:
    """Calls the command without an overlay, in an empty folder; nothing but what it tells of may be left there."""
    for place in ("vatl_core.run.past.discover", "vatl_core.discovery.discover"):
        monkeypatch.setattr(place, lambda: registry)
    monkeypatch.chdir(tmp_path)

    def call(*words: object) -> Result:
        return CliRunner().invoke(command, ["--no-video", *map(str, words)])

    return call


def files(done: Result) -> list[Path]:
    if done.exception:
        raise done.exception
    return [Path(line) for line in done.stdout.splitlines()]


def content(done: Result) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(files(done)[0].read_text())
    return loaded


def refusal(done: Result) -> str:
    """The line that the command was refused with."""
    assert isinstance(done.exception, InputError), done.exception or done.output
    assert "\n" not in str(done.exception)
    return str(done.exception)


# ------------------------------------------------------------------------------------------------------------- by a run
@pytest.mark.parametrize("run", ["done", "begun"])
def test_the_same_pictures_have_the_poses_that_the_run_found(made: Path, predict: Predict, run: str) -> None:
    """``begun`` has no labels that a refinement could hold to: both are refined by what was found alone."""
    own = content(predict(made / run, "--out", "own"))
    data = [f"dataset.annotations={made / 'data' / 'boxes.json'}", f"dataset.frames={made / 'data'}"]
    there = predict(made / run, "--dataset", "coco", "-o", data[0], "-o", data[1], "--out", "there")
    other = content(there)
    assert [a["bbox"] for a in own["annotations"]] == [a["bbox"] for a in other["annotations"]]
    for name in ("keypoints", "keypoint_scores"):
        ours, theirs = (np.array([a[name] for a in found["annotations"]]) for found in (own, other))
        np.testing.assert_allclose(ours, theirs, atol=0.011)
    assert other["categories"] == own["categories"]
    assert ("has learnt nothing yet: these are poses of the weights it began with (random)" in there.stderr) is (
        run == "begun"
    )


def test_videos_and_folders_of_them_have_files_of_their_own(made: Path, predict: Predict) -> None:
    film(Path("other.mp4"), 3)
    done = predict(made / "done", made / "clips", "other.mp4", "--format", "csv", "--format", "slp")
    out = made / "done" / "predictions"
    names = [f"{name}.poses.{kind}" for name in ("clip9", "clip10", "other") for kind in ("csv", "slp")]
    assert files(done) == [out / name for name in names]
    for name in names:
        assert (out / name).stat().st_size > 0
    assert [line.split(" ")[0] for line in done.stderr.splitlines()] == ["clip9:", "clip10:", "other:"], "a bar each"
    with (out / "clip9.poses.csv").open() as table:
        rows = list(csv.DictReader(table))
    assert len(rows) == 10 * 5
    assert [row["keypoint"] for row in rows[:5]] == list(STICK.keypoints), "of the run's skeleton, which it knows"
    shutil.rmtree(out)


def test_the_run_s_skeleton_has_its_edges_while_its_data_is_there(made: Path, predict: Predict, tmp_path: Path) -> None:
    clip = made / "clips" / "clip9.mp4"
    category = content(predict(made / "done", clip, "--out", "a"))["categories"][0]
    assert category["skeleton"] == [[1, 2], [1, 3], [1, 4], [1, 5]]
    assert len(category["flip_pairs"]) == 2
    moved = shutil.copytree(made / "done", tmp_path / "moved")
    text = (moved / "config.toml").read_text().replace(str(made / "data"), str(tmp_path / "gone"))
    (moved / "config.toml").write_text(text)
    category = content(predict(moved, clip, "--out", "b"))["categories"][0]
    assert (category["keypoints"], category["skeleton"]) == (list(STICK.keypoints), [])
    assert len(category["flip_pairs"]) == 2, "which the names tell"


def test_one_of_several_videos_of_a_data_set(made: Path, predict: Predict) -> None:
    options = ["-o", f"dataset.annotations={made / 'data' / 'boxes.json'}", "-o", f"dataset.frames={made / 'data'}"]
    options += ["--dataset", "coco", "--out", "x"]
    done = predict(made / "done", *options, "--only", "data-boxes")
    assert files(done) == [Path("x/data-boxes.poses.json"), Path("x/data-boxes.poses.csv")]
    wrong = predict(made / "done", *options, "--only", "data-bokses")
    assert refusal(wrong).startswith("no video is called 'data-bokses': did you mean 'data-boxes'?")


def test_a_path_given_twice_counts_once(made: Path, predict: Predict) -> None:
    clip = made / "clips" / "clip9.mp4"
    assert len(files(predict(made / "done", clip, clip.parent / ".." / "clips" / "clip9.mp4", "--out", "x"))) == 2


def test_labels_stand_in_a_project_as_a_user_s(made: Path, predict: Predict) -> None:
    import sleap_io

    (file,) = files(predict(made / "done", "--with-labels", "--format", "slp", "--out", "x"))
    labels = sleap_io.load_file(str(file))
    assert (labels.n_user_instances, labels.n_pred_instances) == (4, 20)


# ------------------------------------------------------------------------------------------------- by one's own weights
def test_weights_that_name_their_keypoints_need_no_skeleton(made: Path, predict: Predict) -> None:
    weights, clip = made / "done" / "cycles" / "001" / "weights.safetensors", made / "clips" / "clip9.mp4"
    one = content(predict("--estimator", "tiny", "--weights", weights, *TINY, "--refine", "none", clip))
    two = content(predict(made / "done", clip, "--out", "by-run"))
    assert one["categories"][0]["keypoints"] == list(STICK.keypoints)
    assert [a["keypoints"] for a in one["annotations"]] == [a["keypoints"] for a in two["annotations"]]
    assert Path("predictions/clip9.poses.json").is_file()


def test_weights_that_name_none_are_told_what_they_are_for(made: Path, predict: Predict) -> None:
    from vatl_core.weights import read_checkpoint

    weights, clip = made / "done" / "cycles" / "001" / "weights.safetensors", made / "clips" / "clip9.mp4"
    torch.save(read_checkpoint(weights).tensors, "plain.pth")
    words = ["--estimator", "tiny", "--weights", "plain.pth", *TINY, clip]
    told = content(predict(*words, "--weights-keypoints", ",".join(STICK.keypoints)))
    assert told["categories"][0]["keypoints"] == list(STICK.keypoints)
    shutil.rmtree("predictions")
    assert refusal(predict(*words)).startswith("weights plain.pth do not know these keypoints of the video: nose, ")
    assert not Path("predictions").exists()


# -------------------------------------------------------------------------------------------------------------- refus
def coco(path: Path, frames: Path, keypoints: list[str], truth: bool = True) -> list[str]:
    """Options of a data set of the same pictures with other keypoints."""
    document = json.loads((frames / "truth.json").read_text())
    document["categories"][0] |= {"name": "fly", "keypoints": keypoints, "skeleton": []}
    for annotation in document["annotations"]:
        annotation["keypoints"] = annotation["keypoints"][: 3 * len(keypoints)]
        if not truth:
            del annotation["keypoints"]
    path.write_text(json.dumps(document))
    return ["--dataset", "coco", "-o", f"dataset.annotations={path}", "-o", f"dataset.frames={frames}"]


@pytest.mark.parametrize("truth", [True, False])
@pytest.mark.parametrize(
    ("keypoints", "said"),
    [
        (["head", "wing"], "it lacks handL, handR, footL, footR and the weights do not know wing"),
        (["head", "handL", "handR"], "it lacks footL, footR; give"),
        ([*reversed(STICK.keypoints)], "the same keypoints are in another order"),
    ],
)
def test_a_video_of_another_skeleton(
    made: Path, predict: Predict, keypoints: list[str], said: str, truth: bool
) -> None:
    data = coco(Path("fly.json"), made / "data", keypoints, truth)
    told = refusal(predict(made / "done", *data, "--out", "x"))
    assert f"fly' is of another skeleton, 'fly', than the weights of {made / 'done'}: {said}" in told
    weights = made / "done" / "cycles" / "001" / "weights.safetensors"
    own = refusal(predict("--estimator", "tiny", "--weights", weights, *TINY, *data, "--out", "x"))
    assert f"fly' is of another skeleton, 'fly', than weights {weights}: {said}" in own
    assert not Path("x").exists()


def test_an_explicit_skeleton_is_not_overruled(made: Path, predict: Predict) -> None:
    Path("fly.json").write_text(json.dumps({"name": "fly", "keypoints": ["a", "b"], "skeleton": []}))
    told = refusal(predict(made / "done", made / "clips" / "clip9.mp4", "-o", "dataset.skeleton=fly.json"))
    assert "video 'clip9' is of another skeleton, 'fly', than the weights of" in told


def bad_places(made: Path) -> Iterator[tuple[list[object], str]]:
    """Words behind the run, and how the line begins that refuses them."""
    Path("empty").mkdir()
    Path("notes").mkdir()
    Path("notes/readme.txt").write_text("nothing")
    Path("notes/._clip.mp4").write_text("of a file system that hides it")
    shutil.copytree(made / "clips", "both")
    shutil.copy(made / "data" / "000.png", "both/poster.png")
    Path("broken.mp4").write_bytes(b"no video at all" * 100)
    whole = (made / "clips" / "clip9.mp4").read_bytes()
    Path("half.mp4").write_bytes(whole[: len(whole) // 2])
    Path("clip.xyz").write_bytes(b"?")
    yield ["nowhere.mp4"], "nowhere.mp4 does not exist: give a video, a folder, or a file of annotations"
    yield ["empty"], "empty has neither a video ("
    yield ["notes"], "notes has neither a video ("
    yield ["both"], "both has 2 videos and 1 pictures: give the videos one by one, or the pictures in a folder"
    yield ["broken.mp4"], "broken.mp4"
    yield ["half.mp4"], "half.mp4"
    yield [made / "clips" / "clip9.mp4", "broken.mp4"], "broken.mp4"
    yield ["clip.xyz"], "clip.xyz: by itself a file opens that ends in "
    yield [made / "begun"], f"{made / 'begun'} is a run: it stands first, alone"
    yield ["--dataset", "vidio"], "no dataset is called 'vidio': did you mean 'video'?"
    yield ["--dataset", "video"], "dataset 'video' needs a value for: path"


def test_what_is_no_video(made: Path, predict: Predict) -> None:
    for words, begins in bad_places(made):
        told = refusal(predict(made / "done", *words, "--out", "x"))
        assert told.startswith(begins), (words, told)
        assert not Path("x").exists(), words


def bad_words(made: Path) -> Iterator[tuple[list[object], str]]:
    run, clip, clips = made / "done", made / "clips" / "clip9.mp4", made / "clips"
    yield [], "give the directory of a run; without one, say by which weights: --estimator NAME --weights FILE"
    yield [clip], f"{clip} is no run: it has no config.toml; without one, say by which weights"
    yield [run, clip, "--weights", "x.pth"], f"{run} is a run, which has its own: give --weights without a run"
    yield [run, clip, "--refine", "none"], f"{run} is a run, which has its own: give --refine without a run"
    yield [run, "-o", "video.path=x.mp4"], "-o is about other videos than the run's own"
    yield [run, "--only", "x"], "--only is about other videos than the run's own"
    yield [run, "--device", "cpu"], "--device is about other videos than the run's own"
    yield [run, clip, "--with-labels"], "--with-labels is about the video of a run"
    yield [run, clip, "-o", "tiny.width=9"], "-o tiny.…: the run's parts are as they were; options here are of: "
    yield [run, clip, "-o", "lc.x=9"], "-o lc.…: the run's parts are as they were"
    yield [run, clip, "-o", "dataset.colour=red"], "no option of dataset 'video' is called 'colour'"
    yield [run, clip, "--batch", "0"], "[run]: 'batch' must be >= 1: 0"
    yield [run, clip, "--device", "tpu"], "device 'tpu'"
    yield [run, clips, "-o", "dataset.boxes=b.json"], "-o dataset.boxes=b.json: boxes are one video's, and there are 2"
    yield [run, clips, "--only", "clip9"], "--only clip9: 2 paths are given"
    yield ["--weights", "none", "--estimator", "tiny", clip], "poses of random weights say nothing: give --weights FILE"
    yield ["--weights", "gone.pth", "--estimator", "tiny", clip], "weights gone.pth: there is no such file"
    yield ["--estimator", "tiny"], "there is nothing to predict: give a PATH, a folder or a --dataset"
    yield ["--estimator", "tinny", clip], "no estimator is called 'tinny': did you mean 'tiny'?"
    yield ["--data-root", ".", "--estimator", "tiny", clip], "--data-root is about the video of a run"


def test_words_that_do_not_go_together(made: Path, predict: Predict) -> None:
    for words, begins in bad_words(made):
        told = refusal(predict(*words, "--out", "x"))
        assert told.startswith(begins), (words, told)
        assert not Path("x").exists(), words


def test_a_run_that_lost_its_weights(made: Path, predict: Predict, tmp_path: Path) -> None:
    lost = shutil.copytree(made / "done", tmp_path / "lost")
    for file in lost.rglob("weights.safetensors"):
        file.unlink()
    told = refusal(predict(lost, made / "clips" / "clip9.mp4"))
    assert told.startswith(f"{lost / 'cycles' / '001' / 'weights.safetensors'} is not there: without weights")


@pytest.mark.parametrize("where", ["own", "other"])
def test_places_that_cannot_be_written_to(made: Path, predict: Predict, where: str) -> None:
    words = [made / "done", *([made / "clips" / "clip9.mp4"] if where == "other" else [])]
    name = "poses.csv" if where == "own" else "clip9.poses.csv"
    (Path("folder") / name).mkdir(parents=True)
    Path("kept").mkdir()
    (Path("kept") / name).write_text("mine")
    (Path("kept") / name).chmod(0o444)
    Path("file").write_text("mine")
    for out, said in (
        ("folder", f"folder/{name} is to be written and is a folder: remove it, or give another --out"),
        ("kept", f"kept/{name} is to be written and is write-protected: give another --out"),
        ("file", "file cannot be written to (Not a directory): give another folder as --out"),
        ("file/below", "file/below cannot be written to (Not a directory): give another folder as --out"),
    ):
        assert refusal(predict(*words, "--out", out)) == said
    assert [path.name for path in (*Path("folder").iterdir(), *Path("kept").iterdir())] == [name, name]
    assert (Path("kept") / name).read_text() == "mine"


def test_what_one_format_cannot_hold_keeps_the_others_from_being_written(made: Path, predict: Predict) -> None:
    shutil.copy(made / "clips" / "clip9.mp4", "clip.mp4")
    document = json.loads((made / "clips" / "clip9.boxes.json").read_text())
    for number, annotation in enumerate(document["annotations"]):
        annotation["track_id"] = number
    Path("clip.boxes.json").write_text(json.dumps(document))
    told = refusal(predict(made / "done", "clip.mp4", "--format", "coco", "--format", "dlc-csv", "--out", "x"))
    assert "in video 'clip' nothing says who is who from frame to frame: choose a format" in told
    assert not Path("x").exists()


def test_frames_that_nobody_is_on_may_be_damaged(made: Path, predict: Predict) -> None:
    shutil.copytree(made / "data", "shots")
    Path("shots/003.png").write_bytes(b"no picture")
    document = json.loads(Path("shots/boxes.json").read_text())
    document["annotations"] = [row for row in document["annotations"] if row["image_id"] != 3]
    Path("shots/boxes.json").write_text(json.dumps(document))
    data = ["--dataset", "coco", "-o", "dataset.annotations=shots/boxes.json", "-o", "dataset.frames=shots"]
    done = predict(made / "done", *data, "--out", "x", "--format", "slp", "--video")
    assert files(done) == [Path("x/shots-boxes.poses.slp"), Path("x/shots-boxes.overlay.mp4")]
    assert Path("x/shots-boxes.overlay.mp4").stat().st_size > 1000
    assert "003.png is damaged or no picture" in done.stderr
    assert "; the overlay shows what was there before on 1 of 12 frames" in done.stderr

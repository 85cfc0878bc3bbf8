"""OKS constants as an option of every data set: by name, by position, as numbers, and others for OSPA."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import attrs
import numpy as np
import pytest
import torch
from click.testing import CliRunner

from tests import trees
from tests.footage import sticks_on_disk
from vatl_coco.dataset import Coco
from vatl_core.cli import main
from vatl_core.config_files import configure
from vatl_core.contracts import Dataset
from vatl_core.discovery import discover
from vatl_core.errors import InputError
from vatl_core.metrics import Accuracy, PosesInFrames
from vatl_core.plugins import build
from vatl_core.video import PERSON_17, Skeleton
from vatl_formats import SIGMA_SETS, ospa_sigmas_of, sigmas_of, with_sigmas
from vatl_jrdb_pose import skeleton as jrdb
from vatl_jrdb_pose.dataset import JrdbPose
from vatl_posetrack21 import skeleton as posetrack
from vatl_posetrack21.dataset import PoseTrack21
from vatl_report.commands.evaluate import command as evaluate
from vatl_report.ospa import ospa
from vatl_synthetic.dataset import Synthetic
from vatl_video.dataset import AnyVideo

COCO, JRDB = PERSON_17.sigmas, jrdb.SKELETON.sigmas
ARM = Skeleton("arm", ("left_wrist", "left_elbow", "nose"))


class TestSets:
    def test_each_has_the_keypoints_of_its_data_set(self) -> None:
        assert tuple(SIGMA_SETS["coco"]) == PERSON_17.keypoints
        assert tuple(SIGMA_SETS["jrdb-pose"]) == jrdb.SKELETON.keypoints
        assert tuple(SIGMA_SETS["posetrack21"]) == posetrack.SKELETON.keypoints

    def test_numbers_are_those_of_the_evaluations(self) -> None:
        # COCOeval's, and those of JRDB's toolkit
        assert tuple(round(10 * sigma, 2) for sigma in SIGMA_SETS["coco"].values()) == (
            .26, .25, .25, .35, .35, .79, .79, .72, .72, .62, .62, 1.07, 1.07, .87, .87, .89, .89,
        )  # fmt: skip
        assert tuple(round(10 * sigma, 2) for sigma in SIGMA_SETS["jrdb-pose"].values()) == (
            .79, .25, .25, .79, .26, .79, .72, .72, 1.07, .62, 1.07, 1.07, .62, .87, .87, .89, .89,
        )  # fmt: skip
        assert posetrack.SKELETON.sigmas == COCO


class TestResolving:
    def test_a_set_is_taken_by_name_in_any_order_and_where_there_are_fewer(self) -> None:
        assert with_sigmas(ARM, "coco").sigmas == (0.062, 0.072, 0.026)

    def test_by_position_names_do_not_matter(self) -> None:
        assert with_sigmas(jrdb.SKELETON, "coco:by-position").sigmas == COCO
        assert with_sigmas(PERSON_17, "jrdb-pose:by-position").sigmas == JRDB

    def test_numbers_are_taken_as_they_are_and_none_changes_nothing(self) -> None:
        assert with_sigmas(ARM, (0.1, 0.2, 0.3)).sigmas == (0.1, 0.2, 0.3)
        assert with_sigmas(ARM, None) == ARM

    def test_all_else_of_the_skeleton_stays(self) -> None:
        found = with_sigmas(jrdb.SKELETON, "coco:by-position", "jrdb-pose")
        assert ospa_sigmas_of(found) != found.sigmas
        assert attrs.evolve(jrdb.SKELETON, sigmas=COCO) == Skeleton(
            found.name, found.keypoints, found.edges, found.flip_pairs, found.sigmas
        )

    def test_ospa_has_those_of_oks_unless_told(self) -> None:
        assert ospa_sigmas_of(with_sigmas(ARM, "coco")) == (0.062, 0.072, 0.026)
        both = with_sigmas(ARM, "coco", (0.1, 0.2, 0.3))
        assert (both.sigmas, ospa_sigmas_of(both)) == ((0.062, 0.072, 0.026), (0.1, 0.2, 0.3))

    @pytest.mark.parametrize(
        ("given", "said"),
        [
            (
                "cocoo",
                "no set of OKS sigmas is called 'cocoo': did you mean 'coco'? there are: coco, jrdb-pose, posetr",
            ),
            ("0.1,x", "no set of OKS sigmas is called '0.1,x'"),
            (":by-position", "no set of OKS sigmas is called ''"),
            ((0.1, -0.2, 0.3), "give one positive number for each keypoint, from 0.000001 to 1"),
            ((0.1, 0.0, 0.3), "give one positive number"),
            ((0.1, 2.0, 0.3), "a fraction of the instance's size"),
            ((0.1, 1e-9, 0.3), "give one positive number"),
            ((0.1, float("inf"), 0.3), "give one positive number"),
            ((0.1, float("nan"), 0.3), "give one positive number"),
            ((), "give one positive number"),
            ((0.1, 0.2), "there are 2 for the 3 keypoints of skeleton 'arm': give one for each, or the name of a set"),
            ((0.1,) * 4, "there are 4 for the 3 keypoints"),
            ("coco:by-position", "there are 17 in 'coco:by-position' for the 3 keypoints of skeleton 'arm'"),
            ("jrdb-pose", "'jrdb-pose' has none for keypoint 'nose' of skeleton 'arm': give jrdb-pose:by-position for"),
        ],
    )
    def test_what_cannot_be_used_is_one_line(self, given: Any, said: str) -> None:
        for option in ("sigmas", "ospa_sigmas"):
            with pytest.raises(InputError, match=re.escape(said)) as error:
                with_sigmas(ARM, None, **{}) if given is None else with_sigmas(
                    ARM, **{"sigmas": None, option: sigmas_of(given)}
                )
            assert "\n" not in str(error.value)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """Options by which each data set can be read."""
    folder = tmp_path_factory.mktemp("data")
    (folder / "sticks").mkdir()
    truth, boxes = sticks_on_disk(folder / "sticks")
    return {
        "coco": {"annotations": truth},
        "video": {"path": folder / "sticks", "boxes": boxes},
        "posetrack21": {"root": trees.posetrack21(folder / "posetrack21")},
        "jrdb-pose": {"root": trees.jrdb_pose(folder / "jrdb")},
        "synthetic": {"frames": 2, "cache": folder / "cache"},
    }


class TestDataSets:
    @pytest.mark.parametrize(
        ("name", "kind"),
        [
            ("posetrack21", PoseTrack21),
            ("jrdb-pose", JrdbPose),
            ("synthetic", Synthetic),
            ("coco", Coco),
            ("video", AnyVideo),
        ],
    )
    def test_videos_and_poses_have_them(self, data: dict[str, dict[str, Any]], name: str, kind: type[Dataset]) -> None:
        own = kind(**data[name])
        skeleton = own.load(own.videos()[0]).skeleton
        numbers = tuple(0.01 * (number + 1) for number in range(len(skeleton)))
        given: Dataset = build(
            discover(),
            "dataset",
            name,
            data[name] | {"sigmas": ",".join(map(str, numbers)), "ospa_sigmas": [0.5] * len(skeleton)},
        )
        found = given.load(given.videos()[0]).skeleton
        assert found.sigmas == pytest.approx(numbers)
        assert ospa_sigmas_of(found) == (0.5,) * len(skeleton)
        assert (found.keypoints, found.edges, found.flip_pairs) == (
            skeleton.keypoints,
            skeleton.edges,
            skeleton.flip_pairs,
        )
        of_poses, _ = next(iter(given.split_poses("test" if "test" in given.splits() else "val")), (found, None))
        assert of_poses == found

    def test_what_is_asked_for_on_the_data_sets_of_the_papers_can_be_had(self, data: dict[str, dict[str, Any]]) -> None:
        skeleton = JrdbPose(**data["jrdb-pose"], sigmas="coco:by-position").load("forbes-cafe-2019-01-22_0").skeleton
        assert skeleton.sigmas == COCO
        with pytest.raises(InputError, match="'coco' has none for keypoint 'head' of skeleton 'jrdb-pose'"):
            JrdbPose(**data["jrdb-pose"], sigmas="coco")


class TestMeasuring:
    def test_ospa_is_measured_by_its_own_and_all_else_by_the_others(self) -> None:
        random = np.random.default_rng(4)
        points = torch.from_numpy(random.uniform(0, 90, (6, 17, 2)))
        boxes = torch.tensor([[0.0, 0, 90, 90]]).double().repeat(6, 1)
        frame, seen = torch.arange(6), torch.ones(6, 17).double()
        truth = PosesInFrames(frame, boxes, points, seen)
        off = PosesInFrames(frame, boxes, points + torch.from_numpy(random.normal(0, 9, (6, 17, 2))), seen)
        hook = discover().manager.hook
        plain = Accuracy.of(truth, off, PERSON_17, hook)
        found = Accuracy.of(truth, off, with_sigmas(PERSON_17, None, "jrdb-pose:by-position"), hook)
        assert found.further["OSPA"] == pytest.approx(ospa(truth, off, JRDB))
        assert plain.further["OSPA"] == pytest.approx(ospa(truth, off, COCO))
        assert found.further["OSPA"] != pytest.approx(plain.further["OSPA"])
        assert found.oks.tolist() == plain.oks.tolist()
        assert found.precision == plain.precision

    def test_evaluate_measures_by_the_options(self, data: dict[str, dict[str, Any]]) -> None:
        def told(*options: str) -> dict[str, Any]:
            cache = data["synthetic"]["cache"]
            words = ["--video", "dance", "--estimator", "tiny", "--weights", "none", "--device", "cpu", "--json"]
            words += ["-o", "synthetic.frames=2", "-o", f"synthetic.cache={cache}", *options]
            outcome = CliRunner().invoke(evaluate, words)
            assert outcome.exit_code == 0, outcome.output
            found: dict[str, Any] = json.loads(outcome.stdout)["together"]
            return found

        plain, other = told(), told("-o", "dataset.ospa_sigmas=" + ",".join(["0.5"] * 17))
        assert other["further"]["OSPA"] < plain["further"]["OSPA"]
        assert other["mean_oks"] == plain["mean_oks"]
        assert told("-o", "synthetic.sigmas=" + ",".join(["0.5"] * 17))["mean_oks"] > plain["mean_oks"]


RUN = (
    "run", "--estimator", "tiny", "-o", "estimator.input_size=64,64", "-o", "estimator.width=8", "--weights", "none",
    "--schedule", "2", "--query", "lc", "--select", "top", "--device", "cpu", "--precision", "float32", "--name", "one",
    "-o", "retrain.scratch_epochs=1", "--retrain", "continual", "--stop", "none", "-o", "dataset.frames=2",
)  # fmt: skip


class TestRuns:
    @pytest.mark.parametrize("given", ["cocco", "0.1,0.2", "0.1,-0.2", "posetrack21"])
    def test_what_cannot_be_used_leaves_nothing(
        self, given: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.chdir(tmp_path)
        for option in ("sigmas", "ospa_sigmas"):
            with pytest.raises(SystemExit) as ended:
                main([*RUN, "-o", f"dataset.{option}={given}"])
            assert ended.value.code == 2
            (line,) = capsys.readouterr().err.strip().splitlines()
            assert "sigmas" in line
        assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("preset", ["vatl4pose", "random"])
@pytest.mark.parametrize("dataset", ["posetrack21", "jrdb-pose"])
def test_the_published_presets_measure_as_the_published_code_does(
    preset: str, dataset: str, data: dict[str, dict[str, Any]]
) -> None:
    config = configure(discover(), {"preset": preset, "dataset": dataset})
    made: Dataset = build(discover(), "dataset", dataset, data[dataset] | config.of("dataset", dataset))
    skeleton = made.load(made.videos()[0]).skeleton
    assert (skeleton.sigmas, ospa_sigmas_of(skeleton)) == (COCO, JRDB)
    mine = configure(discover(), {"preset": preset, "dataset": dataset}, options=[f"{dataset}.sigmas={dataset}"])
    assert mine.of("dataset", dataset) == config.of("dataset", dataset) | {"sigmas": dataset}
    assert not configure(discover(), {"preset": preset, "dataset": "synthetic"}).of("dataset", "synthetic")

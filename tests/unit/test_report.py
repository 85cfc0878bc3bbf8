"""The report says what the records say, shows what was asked, and needs nothing beside itself."""

from __future__ import annotations

import csv
import re
import subprocess
import sys
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import attrs
import cv2
import numpy as np
import pytest
import torch

from vatl_core.config import RunConfig
from vatl_core.contracts import Criterion, Labels, Stopping
from vatl_core.errors import InputError, VatlError
from vatl_core.estimation import Estimates
from vatl_core.metrics import oks
from vatl_core.records import CycleRecord, Evaluation, History, RunRecord
from vatl_core.run import PastRun
from vatl_core.store import RunFolder
from vatl_core.video import PERSON_17, Frames, Instances, Video
from vatl_predict.command import command as predict
from vatl_report import before_after, queries
from vatl_report.commands.report import command as report
from vatl_report.commands.visualize import command as visualize
from vatl_report.comparison import run_names, write_comparison
from vatl_report.curves import accuracy_curves
from vatl_report.drawing import ESTIMATE, View, draw_pose
from vatl_report.gallery import Pose, Shot, take
from vatl_report.measure import Measure
from vatl_report.remaining import worst
from vatl_report.report import write_report
from vatl_report.run_page import write_run_page
from vatl_report.stops import actual_finish, stops
from vatl_report.wording import UNKNOWN, accuracy, percent, verdict

FRAMES, TRACKS = 12, 2
N = FRAMES * TRACKS
ASKED = {3, 14, 7, 20, 21}
BODY = torch.tensor(
    [
        (0.5, 0.08), (0.54, 0.06), (0.46, 0.06), (0.58, 0.08), (0.42, 0.08), (0.66, 0.22), (0.34, 0.22), (0.78, 0.36),
        (0.22, 0.36), (0.84, 0.5), (0.16, 0.5), (0.6, 0.52), (0.4, 0.52), (0.64, 0.74), (0.36, 0.74), (0.66, 0.96),
        (0.34, 0.96),
    ]
)  # fmt: skip
"""A person's keypoints as fractions of the box."""


@attrs.define
class Scene(Frames):
    """Stick people before a gradient; notes which frames are read."""

    width: int = 480
    height: int = 270
    reads: list[int] = attrs.field(factory=list)
    broken: bool = False

    def __len__(self) -> int:
        return FRAMES

    def read(self, index: int) -> torch.Tensor:
        self.reads.append(index)
        if self.broken:
            raise InputError(f"frame {index} is missing: <gone>.jpg is no file")
        across = np.linspace(90, 190, self.width, dtype=np.uint8)
        picture = np.repeat(np.tile(across, (self.height, 1))[..., None], 3, axis=2)
        picture[..., 2] = np.linspace(200, 120, self.height, dtype=np.uint8)[:, None]
        for track in range(TRACKS):
            points = pose(index, track, self.width, self.height).numpy().astype(int)
            for a, b in PERSON_17.edges:
                cv2.line(picture, points[a].tolist(), points[b].tolist(), (70, 50 + 60 * track, 60), 9)
        return torch.from_numpy(picture).permute(2, 0, 1)


def box(frame: int, track: int, width: int = 480, height: int = 270) -> torch.Tensor:
    """x, y, w, h of one person."""
    x = width * (0.08 + 0.45 * track + 0.005 * frame)
    return torch.tensor([x, height * 0.15, width * 0.17, height * 0.72])


def pose(frame: int, track: int, width: int = 480, height: int = 270) -> torch.Tensor:
    """(17, 2) the true keypoints of one person, whose limbs swing."""
    b = box(frame, track, width, height)
    body = BODY.clone()
    swing = 0.12 * np.sin(frame * 0.9 + track)
    body[[9, 14, 16], 0] += swing
    body[[10, 13, 15], 0] -= swing
    return b[:2] + body * b[2:]


def made_up_video(truth: bool = True, name: str = "walk", frames: Scene | None = None) -> Video:
    scene = frames or Scene()
    who = [(f, t) for f in range(FRAMES) for t in range(TRACKS)]
    keypoints = torch.stack([pose(f, t, scene.width, scene.height) for f, t in who])
    instances = Instances.of(
        frame=torch.tensor([f for f, _ in who]),
        track=torch.tensor([t for _, t in who]),
        boxes=torch.stack([box(f, t, scene.width, scene.height) for f, t in who]),
        keypoints=keypoints if truth else None,
        visible=torch.ones(N, 17, dtype=torch.bool) if truth else None,
    )
    return Video(name, PERSON_17, scene, instances)


def evaluation(mean: float, unlabelled: float, ap: float, correct: bool, labelled: int) -> Evaluation:
    wrong = 0 if correct else 5
    return Evaluation(
        measured=N,
        mean_oks=mean,
        mean_oks_unlabelled=unlabelled,
        mean_oks_with_labels=min(1.0, mean + 0.05),
        ap=ap,
        ap_with_labels=min(1.0, ap + 0.111),
        ap_at={"0.5": ap, "0.75": ap / 2},
        ap_medium=-1.0,
        ap_large=ap,
        ar=ap,
        all_correct=correct,
        counts={
            "labelled correct": labelled,
            "labelled wrong": 0,
            "unlabelled correct": N - labelled - wrong,
            "unlabelled wrong": wrong,
        },
        further={"PCK": ap / 3, "PCK.nose": ap, "PCK.left_wrist": ap / 2, "OSPA": 0.273 + ap / 10},
        further_with_labels={"PCK": 1.0, "OSPA": 0.05},
        rank_correlation={"wpu": 0.25 - ap},
    )


def made_up_run(
    path: Path, video: Video | None = None, seed: int = 0, lift: float = 0.0, closed: bool = True, **config: object
) -> PastRun:
    """A run of two queries and a closing pass, its directory written as a real one's is."""
    video = video or made_up_video()
    truth = video.instances.has_truth
    who = zip(video.instances.frame.tolist(), video.instances.track.tolist(), strict=True)
    answers = torch.stack([pose(f, t) for f, t in who])
    chosen = RunConfig(
        **{
            "dataset": "made-up", "estimator": "tiny", "query": "wpu", "select": "duw", "retrain": "continual",
            "refine": "none",
            "stop": ("sc-correct",), "oracle": "truth", "executor": "local", "seed": seed, "video": video.name,
            **config,
        }  # type: ignore[arg-type]
    )  # fmt: skip
    folder = RunFolder.create(path, chosen.to_toml())
    generator = torch.Generator().manual_seed(seed)
    asked: list[int] = []
    plan = [([3, 14], 0.412, 0.223, 14.0), ([7, 20, 21], 0.651, 0.487, 6.0), ([], 0.884, 0.731, 2.0)]
    for cycle, (query, mean, ap, noise) in enumerate(plan):
        guessed = answers + torch.randn(answers.shape, generator=generator) * noise
        criteria = {"wpu": torch.rand(N, generator=generator) * noise, "thc": torch.rand(N, generator=generator)}
        folder.save_estimates(
            cycle, Estimates(guessed, torch.rand(N, 17, generator=generator), torch.zeros(N, 0), criteria)
        )
        visible = torch.ones(N, 17, dtype=torch.bool)
        similarity = oks(guessed, answers, visible, video.instances.boxes, PERSON_17.sigmas)
        record = CycleRecord(
            cycle=cycle,
            instances=N,
            labelled=len(asked),
            query=tuple(query),
            query_oks=tuple(similarity[query].tolist()),
            labelled_oks=tuple(similarity[asked + query].tolist()) if query else (),
            mean_scores={"wpu": noise / 2, "thc": 0.5},
            annotation_seconds=41.0 if query else 0.0,
            seconds={"estimate": 1.5, "select": 0.25, "label": 41.0, "retrain": 12.0} if query else {"estimate": 1.5},
            fired={"sc-thc": "THC settled", "sc-correct": "all correct"} if cycle == 1 else {},
            stopped_by="sc-correct" if cycle == 1 else None,
            evaluation=evaluation(float(similarity.mean()), mean - 0.01, ap + lift, cycle == 2, len(asked))
            if truth
            else None,
        )
        folder.append(record)
        if query:
            index = torch.tensor(query)
            folder.answers.save(cycle, Labels(index, answers[index], visible[index], "truth", torch.zeros(len(query))))
        asked += query
    if closed:
        with folder.close(closing(path, video, folder.cycles()[-1].evaluation)):
            pass
    past = PastRun(folder, chosen, folder.cycles(), folder.closing(), registry())
    past.__dict__["video"] = video
    return past


@attrs.frozen
class Plain(Criterion):
    """One without options, and no sum of any."""


@attrs.frozen
class Patient(Stopping):
    """One that costs nothing to ask."""

    def decide(self, history: History) -> str | None:
        return None


def registry() -> Any:
    """One in which no criterion has a share of a sum."""
    stopping = ["none", "sc-correct", "sc-min-error", "sc-thc"]
    parts = {"criterion": Plain, "stopping": Patient}
    return SimpleNamespace(
        names=lambda kind: {"stopping": stopping}[kind],
        find=lambda kind, name: SimpleNamespace(load=lambda: parts.get(kind, Plain), origin=None),
        objects={},
        manager=SimpleNamespace(hook=SimpleNamespace(vatl_report_section=lambda **_: [])),
    )


def closing(path: Path, video: Video, last: Evaluation | None) -> RunRecord:
    return RunRecord(
        run=str(path),
        dataset="made-up",
        video=video.name,
        instances=N,
        labelled=5,
        measured=N if last else 0,
        cycles=2,
        stopped_by="sc-correct",
        reason="every labelled instance is correct",
        mean_oks=last.mean_oks if last else None,
        mean_oks_unlabelled=last.mean_oks_unlabelled if last else None,
        mean_oks_with_labels=last.mean_oks_with_labels if last else None,
        ap=last.ap if last else None,
        ap_with_labels=last.ap_with_labels if last else None,
        alc=0.101 if last else None,
        alc_with_labels=0.123 if last else None,
        seconds=97.5,
        weights="random",
        warnings=("The weights are random ones.",),
    )


def means(past: PastRun) -> list[str]:
    """Each cycle's mean OKS as a page writes it."""
    return [f"{record.evaluation.mean_oks:.3f}" for record in past.cycles if record.evaluation]


class Page(HTMLParser):
    """A page taken apart: its tables' rows, its addresses, its text."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.addresses: list[str] = []
        self.tags: list[str] = []
        self.text = ""
        self._cell = False
        self.feed(path.read_text())

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.addresses += [v for k, v in attributes if k in ("src", "href", "xlink:href", "poster", "data") and v]
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")
            self._cell = True

    def handle_endtag(self, tag: str) -> None:
        if tag in ("td", "th"):
            self._cell = False

    def handle_data(self, data: str) -> None:
        self.text += data
        if self._cell:
            self.rows[-1][-1] += data.strip()

    def row(self, first: str) -> list[str]:
        return next(row for row in self.rows if row and row[0] == first)


@pytest.fixture(scope="module")
def reported(tmp_path_factory: pytest.TempPathFactory) -> tuple[PastRun, Page, Path]:
    folder = tmp_path_factory.mktemp("run")
    past = made_up_run(folder / "walk-run")
    path = write_run_page(past, folder / "walk-run" / "report")
    return past, Page(path), path


@pytest.fixture(scope="module")
def untold(tmp_path_factory: pytest.TempPathFactory) -> tuple[Page, Path]:
    """The page of a run on a video without truth."""
    folder = tmp_path_factory.mktemp("untold")
    path = write_run_page(made_up_run(folder / "a", made_up_video(truth=False)), folder / "report")
    return Page(path), path


# ------------------------------------------------------------------------------------------------- what a page says
def test_the_verdict_has_the_labels_and_the_gain(reported: tuple[PastRun, Page, Path]) -> None:
    past, page, _ = reported
    text, (first, _, last) = page.text, means(past)
    assert "With 5 of 24 instances labelled (20.8 %)" in text
    assert f"mean OKS rose from {first} to {last} and AP rose from 0.223 to 0.731" in text
    assert "AP is 0.842" in text
    assert "The weights are random ones." in text


def test_every_cycle_has_its_figures(reported: tuple[PastRun, Page, Path]) -> None:
    past, page, _ = reported
    m = f"{past.cycles[1].query_mean_oks:.3f}"
    assert page.row("1") == [
        "1", "2", "3", m, means(past)[1], "0.641", "0.487", "0.598", "0.162", "1.000", "0.322",
        "0.050", "3", "0.5", "−0.24", "2", "0", "17", "5", "0.7", "1.5", "0.2", "41.0", "12.0",
    ]  # fmt: skip
    assert page.row("2")[2:4] == ["0", UNKNOWN], "nothing was asked in the closing pass"


def test_measures_beyond_ap_are_shown_where_they_were_taken(
    reported: tuple[PastRun, Page, Path], tmp_path: Path
) -> None:
    row = reported[1].row("1")
    assert "0.322" in row
    assert "−0.24" in row
    assert "rank correlation with the error" in reported[1].text
    past = made_up_run(tmp_path / "a")
    new = {"further": {}, "further_with_labels": {}, "rank_correlation": {}}
    past.cycles[:] = [attrs.evolve(r, evaluation=attrs.evolve(r.evaluation, **new)) for r in past.cycles]
    old = Page(write_run_page(past, tmp_path / "report"))
    assert not {"PCK", "OSPA", "rank correlation with the error"} & {cell for row in old.rows for cell in row}
    assert old.row("1")[4] == row[4]


def test_stopping_criteria_are_told_with_the_accuracy_where_they_fired(reported: tuple[PastRun, Page, Path]) -> None:
    past, page, _ = reported
    assert page.row("sc-thc")[1:7] == ["1", "5 (20.8 %)", means(past)[1], "0.641", "0.487", "0.598"]
    assert "ended this run" in page.row("sc-correct")[-1]
    assert "ended this run" not in page.row("sc-thc")[-1]
    assert page.row("sc-min-error")[1:7] == [UNKNOWN] * 6, "it never fired"
    assert page.row("actual-finish")[1:4] == ["2", "5 (20.8 %)", means(past)[2]]
    assert not any(row and row[0] == "none" for row in page.rows)


def test_a_criterion_counts_from_the_first_cycle_it_fired_in(tmp_path: Path) -> None:
    past = made_up_run(tmp_path / "a")
    again = [attrs.evolve(record, fired={"sc-thc": str(record.cycle)}) for record in past.cycles]
    assert [(s.cycle, s.labelled) for s in stops(again, [])] == [(0, 2)]


def test_actual_finish_takes_truth(tmp_path: Path) -> None:
    past = made_up_run(tmp_path / "a", made_up_video(truth=False))
    assert (actual_finish(past.cycles).cycle, actual_finish(past.cycles).reason) == (None, "needs ground truth")


def test_without_truth_no_accuracy_is_made_up(untold: tuple[Page, Path]) -> None:
    page, path = untold
    assert page.row("cycle") == [
        "cycle", "before", "queried", "query", "wpu", "thc", "minutes", "estimate", "select", "label", "retrain",
    ]  # fmt: skip
    assert page.row("sc-thc")[:4] == ["sc-thc", "1", "5 (20.8 %)", "THC settled"]
    assert not any(row and row[0] == "actual-finish" for row in page.rows)
    assert not {"AP", "ALC", "OSPA", "0.000"} & {word.strip(".,:;“”") for word in page.text.split()}
    assert "no ground truth" in page.text
    row = next(csv.DictReader((path.parent / "cycles.csv").open()))
    assert row["queried"] == "2"
    assert not [name for name in row if "ap" in name.split("_") or "correct" in name.split("_") or name == "mean_oks"]


def test_without_truth_the_most_uncertain_are_shown_first(tmp_path: Path) -> None:
    past = made_up_run(tmp_path / "a", made_up_video(truth=False))
    remaining, estimates = worst(past), past.folder.estimates(2)
    assert remaining is not None
    assert estimates is not None
    shown = [float(tile.caption.removeprefix("wpu ")) for tile in remaining.tiles]
    rest = [float(v) for i, v in enumerate(estimates.criteria["wpu"]) if i not in ASKED]
    assert shown[0] == pytest.approx(max(rest), rel=1e-3)
    assert shown == sorted(shown, reverse=True)
    assert not remaining.truth
    assert remaining.unlabelled == N - len(ASKED)


def test_the_worst_unlabelled_instances_come_first(reported: tuple[PastRun, Page, Path]) -> None:
    past, page, _ = reported
    remaining = worst(past)
    assert remaining is not None
    shown = [float(tile.caption.removeprefix("OKS ")) for tile in remaining.tiles]
    truth, estimates = past.video.instances, past.folder.estimates(2)
    assert truth.keypoints is not None
    assert truth.visible is not None
    assert estimates is not None
    values = oks(estimates.keypoints, truth.keypoints, truth.visible, truth.boxes, PERSON_17.sigmas)
    assert shown[0] == pytest.approx(min(float(v) for i, v in enumerate(values) if i not in ASKED), abs=6e-4)
    assert shown == sorted(shown)
    assert all(tile.place in page.text for tile in remaining.tiles)


def test_what_remains_is_not_one_mistake_shown_over_and_over(reported: tuple[PastRun, Page, Path]) -> None:
    remaining = worst(reported[0])
    assert remaining is not None
    places = [tuple(map(int, re.findall(r"\d+", tile.place))) for tile in remaining.tiles]
    assert len(places) >= TRACKS
    for track in range(TRACKS):
        frames = sorted(frame for frame, t in places if t == track)
        assert all(b - a > 5 for a, b in pairwise(frames))


def test_ap_of_nothing_is_unknown() -> None:
    assert accuracy(-1.0) == accuracy(None) == UNKNOWN
    assert accuracy(0.0) == "0.000"
    assert (percent(34, 168), percent(42, 168)) == ("20.2 %", "25 %")


def test_a_fall_is_not_called_a_rise(tmp_path: Path) -> None:
    past = made_up_run(tmp_path / "a", closed=False)
    backward = list(reversed(past.cycles))
    assert f"mean OKS fell from {means(past)[2]} to {means(past)[0]}" in verdict(backward, None)
    assert "has not ended" in verdict(backward, None)


def test_a_run_without_cycles_has_a_page(tmp_path: Path) -> None:
    config = RunConfig("d", "e", "q", "s", "r", "f", ("none",), "o", "x")
    folder = RunFolder.create(tmp_path / "a", config.to_toml())
    past = PastRun(folder, config, [], None, registry())
    past.__dict__["video"] = made_up_video()
    assert "nothing to report" in Page(write_run_page(past, tmp_path / "report")).text


# ---------------------------------------------------------------------------------------------- what a page is made of
def test_a_page_needs_nothing_beside_itself(reported: tuple[PastRun, Page, Path]) -> None:
    _, page, path = reported
    assert page.addresses
    assert all(address.startswith(("data:", "#")) for address in page.addresses)
    assert "video" in page.tags
    assert "@import" not in path.read_text()
    assert path.stat().st_size < 6e6
    assert sorted(p.name for p in path.parent.iterdir()) == [
        "cycles.csv", "index.html", "learning_curve.png", "learning_curve.svg",
    ]  # fmt: skip


def test_a_large_video_stays_beside_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(before_after, "_EMBEDDED", 100)
    page = Page(write_run_page(made_up_run(tmp_path / "a"), tmp_path / "report"))
    assert [a for a in page.addresses if not a.startswith(("data:", "#"))] == ["before_after.mp4"]
    assert (tmp_path / "report" / "before_after.mp4").stat().st_size > 100


def test_names_are_text_and_never_markup(tmp_path: Path) -> None:
    video = made_up_video(name="<script>alert(1)</script>")
    past = made_up_run(tmp_path / "<i>run", video, query="wpu")
    path = write_run_page(past, tmp_path / "report")
    page = Page(path)
    assert "script" not in page.tags
    assert "i" not in page.tags
    assert "<script>alert(1)</script>" in page.text


def test_unreadable_frames_still_give_a_page(tmp_path: Path) -> None:
    past = made_up_run(tmp_path / "a", made_up_video(frames=Scene(broken=True)))
    path = write_run_page(past, tmp_path / "report")
    page = Page(path)
    assert page.text.count("<gone>.jpg is no file") == 3
    assert "gone" not in page.tags
    assert page.row("1")[4] == means(past)[1]
    assert not list(path.parent.glob("*.mp4*"))


def test_no_picture_is_drawn_over_another_video_than_the_runs(tmp_path: Path) -> None:
    past = made_up_run(tmp_path / "a")
    truth = past.video.instances.keypoints
    assert truth is not None
    instances = attrs.evolve(past.video.instances, keypoints=truth + 30)
    past.__dict__["video"] = attrs.evolve(past.video, instances=instances)
    page = Page(write_run_page(past, tmp_path / "moved"))
    assert page.text.count("the data set has changed since the run") == 3
    assert "img" not in page.tags
    fewer = Instances.of(instances.frame[:9], instances.track[:9], instances.boxes[:9])
    past.__dict__["video"] = attrs.evolve(past.video, instances=fewer)
    page = Page(write_run_page(past, tmp_path / "fewer"))
    assert page.text.count("has 9 instances for this video now, and the run had 24") == 3


def test_each_section_reads_each_frame_once_and_forward(tmp_path: Path) -> None:
    scene = Scene()
    past = made_up_run(tmp_path / "a", made_up_video(frames=scene))
    queries.query_rows(past)
    assert scene.reads == sorted({i // TRACKS for i in ASKED})


def test_of_many_cycles_a_few_are_shown() -> None:
    records = [CycleRecord(cycle=c, instances=100, labelled=c, query=(c,)) for c in range(50)]
    shown = [record.cycle for record in queries.spread(records, 12)]
    assert (len(shown), shown[0], shown[-1]) == (12, 0, 49)
    assert shown == sorted(set(shown))


# -------------------------------------------------------------------------------------------------------- drawing
def test_a_pose_is_drawn_where_it_is() -> None:
    view = View.around(torch.tensor([[100.0, 50.0, 40.0, 80.0]]), 1.0, 0.5, 160)
    assert view.size == (80, 160)
    assert view.place(torch.tensor([[120.0, 90.0]])).tolist() == [[40.0, 80.0]]
    picture = view.show(np.zeros((200, 300, 3), np.uint8))
    draw_pose(picture, np.array([[40.0, 80.0]] * 17), np.ones(17, bool), PERSON_17, ESTIMATE, 60)
    assert tuple(picture[80, 40]) == ESTIMATE.colour
    assert not picture[20:60].any()


def test_keypoints_that_nobody_gave_are_not_drawn() -> None:
    picture = np.zeros((50, 50, 3), np.uint8)
    points = np.full((17, 2), 25.0)
    draw_pose(picture, points, np.zeros(17, bool), PERSON_17, ESTIMATE, 60)
    draw_pose(picture, points * np.nan, np.ones(17, bool), PERSON_17, ESTIMATE, 60)
    assert not picture.any()


def test_a_box_beyond_the_frame_is_grey_there() -> None:
    white = np.full((100, 100, 3), 255, np.uint8)
    assert (View.around(torch.tensor([[300.0, 300.0, 50.0, 50.0]]), 1, 1, 50).show(white) == 128).all()
    half = View.around(torch.tensor([[-50.0, 0.0, 100.0, 100.0]]), 1, 1, 100).show(white)
    assert half[50, 20].tolist() == [128] * 3
    assert half[50, 80].tolist() == [255] * 3


def test_a_view_stays_within_its_frame() -> None:
    frame = np.zeros((90, 160, 3), np.uint8)
    corner = View.around(torch.tensor([[140.0, 70.0, 20.0, 20.0]]), 2, 16 / 9, 160).inside(frame)
    assert (corner.left + corner.width, corner.top + corner.height) == (160, 90)
    everything = View.around(torch.tensor([[0.0, 0.0, 160.0, 90.0]]), 3, 16 / 9, 160).inside(frame)
    assert (everything.left, everything.top, everything.width, everything.height) == (0, 0, 160, 90)


def test_crops_keep_the_order_asked_for() -> None:
    shots = [Shot(i, (Pose.estimate(pose(0, 0)),), f"number {i}") for i in (20, 3, 14)]
    tiles = take(made_up_video(), shots)
    assert [(t.caption, t.place) for t in tiles] == [
        ("number 20", "frame 10, track 0"), ("number 3", "frame 1, track 1"), ("number 14", "frame 7, track 0"),
    ]  # fmt: skip


# ---------------------------------------------------------------------------------------------- curves and files
def test_the_curve_begins_with_the_source_estimator_and_ends_with_the_last_label(tmp_path: Path) -> None:
    past = made_up_run(tmp_path / "a")
    ap = accuracy_curves(past.cycles, past.closing, [Measure("ap")])["ap"]
    assert ap.percent == pytest.approx((0, 100 * 2 / N, 100 * 5 / N))
    assert ap.values == pytest.approx((0.223, 0.487, 0.731))
    early = accuracy_curves(past.cycles[:2], past.closing, [Measure("ap")])["ap"]
    assert early == ap, "the closing record stands in for a closing pass"


def test_the_csv_has_every_figure(reported: tuple[PastRun, Page, Path]) -> None:
    rows = list(csv.DictReader((reported[2].parent / "cycles.csv").open()))
    assert [row["labelled"] for row in rows] == ["0", "2", "5"]
    assert float(rows[1]["ap_with_labels"]) == pytest.approx(0.598)
    assert rows[1]["ap_medium"] == "", "there is no instance of that size"
    assert rows[1]["fired"] == "sc-thc sc-correct"
    assert (float(rows[1]["ospa"]), rows[1]["ospa_with_labels"]) == (pytest.approx(0.3217), "0.05")
    assert float(rows[1]["rank_correlation_wpu"]) == pytest.approx(0.25 - 0.487)
    assert (rows[0]["mean_wpu"], rows[0]["label_seconds"], rows[2]["label_seconds"]) == ("7.0", "41.0", "")


def test_a_name_that_no_font_can_write_is_no_trouble(tmp_path: Path, recwarn: pytest.WarningsRecorder) -> None:
    runs = [made_up_run(tmp_path / "a", preset="走る"), made_up_run(tmp_path / "b")]
    write_comparison(runs, tmp_path / "both")
    assert "走る" in (tmp_path / "both" / "learning_curves.svg").read_text()
    assert not [str(w.message) for w in recwarn if "Glyph" in str(w.message)]


def test_the_curve_names_its_axes_and_the_stops(reported: tuple[PastRun, Page, Path]) -> None:
    svg = (reported[2].parent / "learning_curve.svg").read_text()
    for words in (
        "labelled instances (% of the video",
        "AP, mean OKS (0–1)",
        "sc-thc, sc-correct",
        "labels counted in",
    ):
        assert words in svg


# ------------------------------------------------------------------------------------------------------ comparison
def test_two_runs_share_one_picture_and_one_table(tmp_path: Path) -> None:
    odd = "_$x_1$ & <b>"
    runs = [made_up_run(tmp_path / "plain"), made_up_run(tmp_path / odd, seed=1, lift=0.05, preset=odd)]
    path = write_comparison(runs, tmp_path / "both")
    svg = (path.parent / "learning_curves.svg").read_text()
    assert ">wpu, duw<" in svg
    assert ">_$x_1$ &amp; &lt;b&gt;<" in svg
    page = Page(path)
    assert page.tags.count("svg") == len(list(path.parent.glob("*.svg"))), "every figure is in the page"
    assert not page.text.count("<b>") - page.text.count(odd), "names are no markup"
    assert all(address.startswith(("data:", "#")) for address in page.addresses)
    assert "data set made-up, video walk, estimator tiny, query wpu" in page.text
    row = [row for row in page.rows if row and row[0] == odd][-1]
    assert row[1] == "1", "the seed is what sets the two apart"
    assert "5 of 24 (20.8 %)" in row
    assert means(runs[1])[2] in row
    assert "0.781" in row
    rows = list(csv.DictReader((path.parent / "runs.csv").open()))
    assert [(r["run"], r["seed"], r["alc"]) for r in rows] == [("plain", "0", "0.101"), (odd, "1", "0.101")]
    assert (path.parent / "learning_curves.png").read_bytes()[:4] == b"\x89PNG"


def test_runs_without_truth_are_compared_by_their_queries(tmp_path: Path) -> None:
    runs = [made_up_run(tmp_path / name, made_up_video(truth=False), seed=n) for n, name in enumerate("ab")]
    page = Page(write_comparison(runs, tmp_path / "both"))
    assert "mean OKS of the query" in (tmp_path / "both" / "learning_curves.svg").read_text()
    assert "0.000" not in page.text
    assert page.row("run") == ["run", "seed", "labels", "time", "stopped by"]
    with (tmp_path / "both" / "runs.csv").open() as file:
        assert not {"ap", "alc", "mean_oks"} & set(next(csv.DictReader(file)))
    with (tmp_path / "both" / "stopping_points.csv").open() as file:
        assert next(csv.reader(file)) == ["criterion", "method", "fired in runs", "labelled (%)", "saved (%)"]
    written = {path.stem for path in (tmp_path / "both").iterdir()}
    assert written == {
        "index", "runs", "learning_curves", "cost_curves", "cost_by_run", "stopping", "stopping_points", "time",
    }  # fmt: skip


def test_runs_without_truth_beside_one_with_it_are_named(tmp_path: Path) -> None:
    quiet = made_up_video(truth=False, name="quiet")
    runs = [
        made_up_run(tmp_path / "told"),
        made_up_run(tmp_path / "untold", quiet),
        made_up_run(tmp_path / "going", seed=4, closed=False),
    ]
    page = Page(write_comparison(runs, tmp_path / "both"))
    assert "For want of figures: untold" in page.text
    assert "going: not finished" in page.text


def test_runs_of_one_name_are_told_apart() -> None:
    assert run_names([Path("/a/x"), Path("/b/x"), Path("/b/y")]) == ["a/x", "b/x", "y"]
    assert len(set(run_names([Path("/a/x"), Path("/a/x")]))) == 2


# ---------------------------------------------------------------------------------------------------------- plugin
def test_the_plugin_is_light() -> None:
    heavy = ("torch", "numpy", "matplotlib", "cv2", "jinja2")
    code = f"import sys, vatl_report.plugin; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_finished_run_is_reported_in_its_own_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from vatl_report import plugin

    past = made_up_run(tmp_path / "a")
    opened = {tmp_path / "a": past}
    monkeypatch.setattr(PastRun, "open", classmethod(lambda _, path, registry: opened[path]))
    assert past.closing is not None
    plugin.vatl_run_finished(SimpleNamespace(folder=past.folder), past.closing)  # type: ignore[arg-type]
    assert (tmp_path / "a" / "report" / "index.html").is_file()


@pytest.mark.parametrize("dangling", [False, True])
def test_nothing_is_written_through_a_link(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dangling: bool) -> None:
    from vatl_report import plugin

    past = made_up_run(tmp_path / "a")
    monkeypatch.setattr(PastRun, "open", classmethod(lambda *_: past))
    elsewhere = tmp_path / "elsewhere"
    if not dangling:
        elsewhere.mkdir()
    for name in ("a/report", "comparison", "a/predictions", "a/visualize"):
        (tmp_path / name).symlink_to(elsewhere)
    words = rf"a/report is a symbolic link to {elsewhere}: nothing is written through it; remove it, or give another"
    with pytest.raises(InputError, match=words):
        write_report([tmp_path / "a"], tmp_path / "a" / "report")
    with pytest.raises(VatlError, match=f"the run is complete, but its report cannot be written .*{words}"):
        plugin.vatl_run_finished(SimpleNamespace(folder=past.folder), past.closing)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="comparison is a symbolic link"):
        report.main([f"{tmp_path}/a", f"{tmp_path}/a/../a"], standalone_mode=False)
    with pytest.raises(InputError, match="predictions is a symbolic link"):
        predict.main([f"{tmp_path}/a", "--no-video"], standalone_mode=False)
    with pytest.raises(InputError, match="visualize is a symbolic link"):
        visualize.main([f"{tmp_path}/a"], standalone_mode=False)
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "001").symlink_to(elsewhere)
    with pytest.raises(InputError, match="b/001 is a symbolic link"):
        visualize.main([f"{tmp_path}/a", "--out", f"{tmp_path}/b", "--cycle", "1"], standalone_mode=False)
    assert not dangling or not elsewhere.exists()
    assert dangling or not list(elsewhere.iterdir())


def test_no_runs_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="name at least one"):
        write_report([], tmp_path)

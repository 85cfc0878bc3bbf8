"""Runs composed in Python: the same as `vatl run`, step by step, with objects in place of names."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar

import attrs
import numpy as np
import pytest
import torch
from torch import Tensor

import vatl_core
from tests.conftest import Registered, configured, stick_video
from tests.unit.test_cycle import Spy, SpyingCriterion, SpyingRetraining, SpyingSelector, SpyingStopping
from vatl_core import Criterion, Cycle, Enough, InputError, Labels, Oracle, PastRun, Request, Run, Stopping, Window
from vatl_core.cli import main
from vatl_core.errors import PluginError
from vatl_core.hookspecs import hookimpl
from vatl_core.plugins import Component, build
from vatl_core.records import History
from vatl_core.run import execute
from vatl_core.run.running import begin
from vatl_core.store import Answers
from vatl_criteria.uncertainty.continuity import HeatmapContinuity
from vatl_estimators.tiny import Tiny
from vatl_frames import opened
from vatl_kit.small_runs import PlainParts, small_run
from vatl_oracles.ground_truth import GroundTruth
from vatl_report.remaining import shares
from vatl_retraining.policies import Continual


@attrs.frozen
class Spread(Criterion):
    """How far apart the keypoints' scores lie."""

    needs: ClassVar[frozenset[str]] = frozenset({"poses"})
    power: float = 1.0

    def score(self, window: Window) -> Tensor:
        return (window.scores.clamp(min=0) ** self.power).std(1)


@attrs.frozen
class Twice(Stopping):
    """Stops after the second cycle."""

    def decide(self, history: History) -> str | None:
        return "that was the second" if len(history.cycles) == 2 else None


def tiny() -> Tiny:
    return Tiny(input_size=(64, 64), width=8)


def begun(folder: Path | None = None, **parts: Any) -> Run:
    """A short run of objects on the sticks, in float32."""
    settings: dict[str, Any] = {
        "video": stick_video(), "estimator": tiny(), "query": "thc", "retrain": Continual(scratch_epochs=2),
        "select": "duw", "refine": "none", "stop": "none", "schedule": [4, 8], "device": "cpu", "precision": "float32",
    }  # fmt: skip
    return vatl_core.start(folder, **(settings | parts))


def columns(folder: Path) -> dict[str, Any]:
    """Everything that a run's cycles came to: picks, poses, scores, weights, labels."""
    found: dict[str, Any] = {}
    for file in sorted((folder / "cycles").rglob("*.*")):
        name = str(file.relative_to(folder))
        if file.suffix == ".npz":
            with np.load(file, allow_pickle=False) as kept:
                found |= {f"{name}:{column}": kept[column].tobytes() for column in kept.files}
        elif file.parent.name != "000" or file.suffix != ".safetensors":  # those of the beginning say whence they came
            found[name] = file.read_bytes()
    found["labels"] = [attrs.evolve(given, at=0.0) for given in Answers(folder / "labels.sqlite").history()]
    return found


@pytest.fixture(scope="module")
def by_names(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Path:
    """The folder of the run that `vatl run` makes of these parts."""
    from tests.conftest import SticksPlugin
    from vatl_core.discovery import discover

    folder, registry = tmp_path_factory.mktemp("names"), discover()
    for name, plugin in registry.manager.list_name_plugin():
        if name.startswith(("vatl-report", "vatl-console")):
            registry.manager.unregister(plugin)
    registry.manager.register(SticksPlugin(), name="tests")
    execute(configured(registry, folder, query="thc", stop=["none"]), registry)
    return folder / "run"


# ------------------------------------------------------------------------------------------------- the same as vatl run
def test_objects_in_place_of_names_change_nothing(by_names: Path, tmp_path: Path) -> None:
    run = begun(tmp_path / "run", query=HeatmapContinuity(), oracle=GroundTruth())
    record = run.adapt()
    assert columns(tmp_path / "run") == columns(by_names)
    assert record.cycles == 2
    assert record.labelled == 8


def test_another_seed_is_another_run(by_names: Path, tmp_path: Path) -> None:
    begun(tmp_path / "run", seed=1).adapt()
    ours, theirs = columns(tmp_path / "run"), columns(by_names)
    assert ours.keys() == theirs.keys()
    assert len([name for name in ours if ours[name] != theirs[name]]) > 8


def test_stepping_by_hand_changes_nothing(by_names: Path, tmp_path: Path) -> None:
    run, seen = begun(tmp_path / "run"), []
    for cycle in run:
        assert cycle.scores.shape == cycle.criteria["thc"].shape == (24,)
        seen.append(cycle.choose())
        if not cycle.query:
            continue
        best = cycle.scores[torch.tensor(cycle.query)]
        assert (best > 0).all()
        assert cycle.label().index.tolist() == cycle.query
        assert (cycle.labels.keypoints == run.video.instances.keypoints[torch.tensor(cycle.query)]).all()
        record = cycle.retrain()
        assert record == run.records[-1]
        assert record.query == tuple(seen[-1])
    assert seen[2] == []
    assert run.closing is not None
    assert run.closing.labelled == 8
    assert columns(tmp_path / "run") == columns(by_names)


def test_a_function_may_be_the_oracle(by_names: Path, tmp_path: Path) -> None:
    def annotator(request: Request) -> Tensor:
        truth = request.video.instances.keypoints
        assert truth is not None
        return truth[request.indices]

    begun(tmp_path / "run", oracle=annotator).adapt()
    ours, theirs = columns(tmp_path / "run"), columns(by_names)
    given = [attrs.evolve(label, annotator="ground-truth") for label in ours["labels"]]
    assert {label.annotator for label in ours["labels"]} == {"annotator"}
    assert given == theirs["labels"]
    assert {k: v for k, v in ours.items() if k != "labels"} == {k: v for k, v in theirs.items() if k != "labels"}


def test_in_a_thread_and_without_a_folder_it_is_the_same(by_names: Path) -> None:
    found: dict[str, Any] = {}

    def work() -> None:
        run = begun()
        run.adapt()
        found.update(columns(run.folder.path))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert found == columns(by_names)


# ------------------------------------------------------------------------------------------------------------- stepping
def test_a_query_by_hand_is_asked_and_told_of(tmp_path: Path) -> None:
    run = begun(tmp_path / "run")
    for cycle in run:
        if cycle.number == 0:
            cycle.query = [3, 17]
            assert cycle.query == [3, 17]
    assert run.records[0].query == (3, 17)
    assert [record.labelled_after for record in run.records] == [2, 4, 8, 8]  # the schedule counts them too
    assert run.closing is not None
    assert "the query was chosen by hand in cycle 1" in run.closing.warnings
    assert PastRun.open(tmp_path / "run").closing == run.closing


@pytest.mark.parametrize(
    ("query", "says"),
    [([], "name at least one"), ([1, 2, 1], "1 is there twice"), ([24], "no instance 24, only 0 to 23"),
     ([-1], "no instance -1"), ([5], "5 is labelled or refused already")],
)  # fmt: skip
def test_a_query_that_cannot_be_asked_changes_nothing(query: list[int], says: str) -> None:
    cycles = iter(begun())
    next(cycles).query = [5]
    cycle = next(cycles)
    before = cycle.choose()
    with pytest.raises(InputError, match=says):
        cycle.query = query
    assert cycle.query == before


def test_labels_by_hand_count_and_the_oracle_gives_the_rest() -> None:
    asked: list[list[int]] = []

    def rest(request: Request) -> Tensor:
        asked.append(request.indices.tolist())
        return torch.zeros(len(request), 5, 2)

    run = begun(oracle=rest)
    cycle = next(iter(run))
    first, *others = cycle.choose()
    own = torch.full((1, 5, 2), 7.0)
    own[0, 2] = float("nan")
    labels = cycle.label(Labels(torch.tensor([first]), own, own.isfinite().all(2), "me", torch.ones(1)))
    assert labels.index.tolist() == [first]
    assert labels.visible[0].tolist() == [True, True, False, True, True]
    with pytest.raises(InputError, match="labels of its query are given"):
        cycle.query = [0]
    cycle.label()
    assert asked == [others]
    assert cycle.labels.annotator == "me, rest"
    with pytest.raises(InputError, match="takes no labels any more"):
        cycle.label()


def test_all_keypoints_of_a_query_by_hand_need_no_oracle(tmp_path: Path) -> None:
    run = begun(tmp_path / "run", oracle=lambda request: pytest.fail("nobody is to be asked"), stop=Twice())
    truth = run.video.instances.keypoints
    assert truth is not None
    for cycle in run:
        if cycle.choose():
            cycle.label(truth[torch.tensor(cycle.query)].numpy())
    assert run.closing is not None
    assert (run.closing.stopped_by, run.closing.reason) == ("twice", "that was the second")


def test_answers_that_do_not_fit_are_refused_in_a_line() -> None:
    cycle = next(iter(begun()))
    with pytest.raises(InputError, match=r"4 instances were asked for: keypoints \(3, 5, 2\) do not fit"):
        cycle.label(torch.zeros(3, 5, 2))
    with pytest.raises(InputError, match="cycle 0: you gave labels with keypoints of shape"):
        cycle.label(torch.zeros(4, 6, 2))
    strange = next(i for i in range(24) if i not in cycle.choose())
    with pytest.raises(InputError, match="labelled instance"):
        cycle.label(Labels(torch.tensor([strange]), torch.zeros(1, 5, 2), torch.ones(1, 5) > 0, "me", torch.zeros(1)))
    assert not len(cycle.labels.index)


def test_enough_ends_the_run() -> None:
    run = begun()
    for cycle in run:
        if cycle.number == 1:
            cycle.label(Enough("me"))
    assert run.closing is not None
    assert (run.closing.labelled, run.closing.stopped_by) == (4, "annotator")


def test_whoever_leaves_the_loop_finds_the_cycle_again(by_names: Path, tmp_path: Path) -> None:
    run = begun(tmp_path / "run")
    left: Cycle | None = None
    for cycle in run:
        if cycle.number == 1:
            cycle.label()
            left = cycle
            break
    again = next(iter(run))
    assert again is left
    assert again.labelled
    run.adapt()
    assert columns(tmp_path / "run") == columns(by_names)


def test_a_cycle_that_is_over_shows_what_was_kept_and_takes_nothing() -> None:
    run = begun()
    cycles = iter(run)
    first = next(cycles)
    scores, query = first.scores.clone(), first.choose()
    second = next(cycles)
    assert first.finished
    assert torch.equal(first.scores, scores)
    assert first.query == query != second.choose()
    with pytest.raises(InputError, match="cycle 0 is finished"):
        first.retrain()


# ----------------------------------------------------------------------------------------------------- kept and resumed
def test_a_run_of_objects_is_taken_up_with_them(by_names: Path, tmp_path: Path) -> None:
    for cycle in begun(tmp_path / "run"):
        if cycle.number == 1:
            assert cycle.choose()
            break
    run = vatl_core.resume(tmp_path / "run", video=stick_video(), estimator=tiny(), retrain=Continual(scratch_epochs=2))
    assert run.cycle == 1
    run.adapt()
    assert columns(tmp_path / "run") == columns(by_names)
    again = vatl_core.resume(
        tmp_path / "run", video=stick_video(), estimator=tiny(), retrain=Continual(scratch_epochs=2)
    )
    assert again.closing == run.closing
    assert list(again) == []


def test_without_its_objects_it_says_what_is_missing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    next(iter(begun(tmp_path / "run", query=["thc", Spread()])))
    says = r"composed in Python of objects: .*resume\('.*', video=…, estimator=Tiny, query=Spread, retrain=Continual\)"
    with pytest.raises(InputError, match=says):
        vatl_core.resume(tmp_path / "run", query=["thc", Spread()])
    for words in (["resume", str(tmp_path / "run")], ["run", "--config", str(tmp_path / "run" / "config.toml")]):
        with pytest.raises(SystemExit) as stopped:
            main(words)
        assert stopped.value.code == 2
        told = capsys.readouterr().err
        assert told.count("\n") == 1
        assert "composed in Python of objects" in told


def test_other_objects_than_it_began_with_are_refused(tmp_path: Path) -> None:
    next(iter(begun(tmp_path / "run", query=["thc", Spread(2.0)])))
    kept: dict[str, Any] = {"video": stick_video(), "estimator": tiny(), "retrain": Continual(scratch_epochs=2)}
    with pytest.raises(InputError, match=r"run was begun with query=Spread, and Odd is given$"):
        vatl_core.resume(tmp_path / "run", query=Odd(1.0), **kept)
    with pytest.raises(InputError, match=r"begun with query=Spread, and Odd is given$"):
        vatl_core.resume(tmp_path / "run", query={"spread": Odd(1.0)}, **kept)
    with pytest.raises(InputError, match=r"begun with no object as its stop, and Twice is given$"):
        vatl_core.resume(tmp_path / "run", query=Spread(2.0), stop=Twice(), **kept)
    assert vatl_core.resume(tmp_path / "run", query=Spread(2.0), **kept).config.criteria == ["thc", "spread"]


def test_a_past_run_of_objects_can_be_looked_at(tmp_path: Path) -> None:
    run = begun(tmp_path / "run", query=["thc", Spread()])
    run.adapt()
    past = PastRun.open(tmp_path / "run")
    assert past.cycles == run.records
    assert shares(past) == {"thc": None, "spread": None}
    with pytest.raises(InputError, match="composed in Python"):
        _ = past.video


def test_two_do_not_work_on_one_run(tmp_path: Path) -> None:
    run = begun(tmp_path / "run")
    kept: dict[str, Any] = {"video": stick_video(), "estimator": tiny(), "retrain": Continual(scratch_epochs=2)}
    cycles = iter(run)
    next(cycles)
    with pytest.raises(InputError, match="worked on by another process"):
        vatl_core.resume(tmp_path / "run", **kept)
    del cycles
    vatl_core.resume(tmp_path / "run", **kept).adapt()
    with pytest.raises(InputError, match="taken up elsewhere since"):
        run.adapt()


def test_a_trial_leaves_nothing_behind() -> None:
    run = begun()
    path = run.folder.path
    next(iter(run)).label()
    assert (path / "labels.sqlite").exists()
    del run
    gc.collect()
    assert not path.parent.exists()


def test_what_cannot_be_begun_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no fraction|neither a fraction"):
        begun(tmp_path / "run", schedule=["many"])
    assert not (tmp_path / "run").exists()


# -------------------------------------------------------------------------------------------------------- what is heard
def test_it_is_quiet_unless_a_display_is_asked_for(capfd: pytest.CaptureFixture[str]) -> None:
    begun(schedule=[4]).adapt()
    assert capfd.readouterr() == ("", "")
    shown = begun(schedule=[4], display=True)
    for cycle in shown:
        cycle.label()
        break
    assert "cycle 1: asking for 4 instances" in capfd.readouterr().err


def test_no_part_of_a_run_reaches_the_truth(tmp_path: Path) -> None:
    Spy.found, Spy.asked = set(), 0
    run = begun(query=SpyingCriterion(), select=SpyingSelector(), stop=SpyingStopping(), retrain=SpyingRetraining())
    run.adapt()
    labelled = {i for record in run.records for i in record.query}
    assert Spy.asked > 10
    assert Spy.found <= labelled


def raising(hook: str) -> ModuleType:
    """A plugin whose hook raises."""

    @hookimpl
    def listen(run: Any) -> None:
        raise KeyError("no display")

    plugin = ModuleType("raising")
    setattr(plugin, hook, listen)
    return plugin


@pytest.mark.parametrize(
    ("hook", "left"), [("vatl_cycle_started", 0), ("vatl_labelled", 0), ("vatl_cycle_finished", 1)]
)
def test_a_hook_that_raises_ends_the_run_and_it_can_be_execute(
    hook: str, left: int, registered: Registered, tmp_path: Path
) -> None:
    with pytest.raises(KeyError, match="no display"):
        small_run(tmp_path, listening=[raising(hook)])
    without = registered(plugins=(PlainParts(),))
    assert len(PastRun.open(tmp_path / "run", without).cycles) == left
    record = execute(tmp_path / "run", without)
    assert (record.labelled, record.stopped_by) == (8, "schedule")


class Endings:
    """A lifecycle plugin that writes down how runs end."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    @hookimpl
    def vatl_run_left(self, run: object) -> None:
        self.heard.append("left")

    @hookimpl
    def vatl_run_failed(self, run: object, error: BaseException) -> None:
        self.heard.append(f"failed: {error!r}")

    @hookimpl
    def vatl_run_finished(self, run: object) -> None:
        self.heard.append("finished")


def test_leaving_the_loop_is_no_failure(tmp_path: Path, registered: Registered) -> None:
    ends = Endings()
    registry = registered(plugins=(ends,))
    run = begin(configured(registry, tmp_path), registry)
    for _ in run:
        break
    assert ends.heard == ["left"]
    run.adapt()
    assert ends.heard == ["left", "finished"]


def test_where_the_last_hook_raises_the_run_is_finished(registered: Registered, tmp_path: Path) -> None:
    with pytest.raises(KeyError, match="no display"):
        small_run(tmp_path, listening=[raising("vatl_run_finished")])
    closing = PastRun.open(tmp_path / "run", registered(plugins=(PlainParts(),))).closing
    assert closing is not None
    assert closing.labelled == 8


# ---------------------------------------------------------------------------------------------------------------- parts
@pytest.mark.parametrize(
    ("parts", "says"),
    [
        ({"query": Spread}, "query: a name or a Criterion is expected, and the class Spread was given: make an object"),
        ({"estimator": torch.nn.Linear(1, 1)}, "estimator: a name or an Estimator is expected, and a Linear was given"),
        ({"stop": [Twice(), 3]}, "stop: a name or a Stopping is expected, and a int was given"),
        ({"dataset": "synthetic"}, "a Video, or a data set and the name of one"),
        ({"select": ["duw", "top"]}, "select: one is expected, and 2 were given"),
        ({"query": {"a+b": Spread()}}, "'a\\+b' is no name"),
        ({"query": "thcc"}, "did you mean 'thc'"),
        ({"query": Spread(), "options": {"spread": {"power": 2}}}, "given as an object: set power on the object"),
        ({"device": "abacus"}, "device 'abacus'"),
    ],
)
def test_parts_that_do_not_fit_are_named(tmp_path: Path, parts: dict[str, Any], says: str) -> None:
    with pytest.raises(InputError, match=says):
        begun(tmp_path / "run", **parts)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"sed": 4}, "no setting is called 'sed': did you mean 'seed'"),
        ({"schedul": "4"}, "no setting is called 'schedul': did you mean 'schedule'"),
        ({"schedule": [{}]}, r"schedule = \[{}\] does not fit"),
        ({"seed": "many"}, "seed = 'many' does not fit: int is expected"),
    ],
)
def test_settings_that_there_are_not_are_named(tmp_path: Path, settings: dict[str, Any], says: str) -> None:
    with pytest.raises(InputError, match=says):
        begun(tmp_path / "run", **settings)
    assert not (tmp_path / "run").exists()


def test_parts_that_there_are_not_are_named_when_a_run_is_execute(tmp_path: Path) -> None:
    begun(tmp_path / "run")
    with pytest.raises(InputError, match="no part of a run is called 'querry': did you mean 'query'"):
        vatl_core.resume(tmp_path / "run", querry="thc")  # type: ignore[call-arg]


@pytest.mark.parametrize(
    ("schedule", "kept"),
    [(4, ("4",)), (0.5, ("0.5",)), ("2,4", ("2", "4")), ("one-by-one", ("one-by-one",)), ((2, 0.5), ("2", "0.5"))],
)
def test_a_schedule_may_be_one_entry_or_text(schedule: Any, kept: tuple[str, ...]) -> None:
    assert begun(schedule=schedule).config.schedule == kept


@attrs.frozen
class Odd(Criterion):
    """Its default is not what its validator allows, and it has a table that no text can be.

    Attributes:
        power: no number below 0 will do.
        other: any.
        table: by name.
    """

    power: float = attrs.field(default=-1.0, validator=attrs.validators.gt(0))
    other: int = 1
    table: dict[str, float] = attrs.field(factory=dict)

    def score(self, window: Window) -> Tensor:
        return window.scores.mean(1)


def test_a_default_that_is_refused_is_the_plugins_fault_whatever_else_is_given(registered: Registered) -> None:
    registry = registered(Component("criterion", "odd", "Odd", "tests.unit.test_library:Odd"))
    for given in ({}, {"other": 2}, {"table": {"a": 1.0}}):
        with pytest.raises(PluginError, match=r"'power' must be > 0: -1\.0: it refuses its own defaults, which tests"):
            build(registry, "criterion", "odd", given)
    with pytest.raises(InputError, match=r"'power' must be > 0: -3\.0$"):
        build(registry, "criterion", "odd", {"power": -3, "other": 2})
    assert build(registry, "criterion", "odd", {"power": 2, "table": {"a": "3"}}) == Odd(2.0, 1, {"a": 3.0})


def test_a_value_of_a_strange_form_is_an_input_error(registered: Registered) -> None:
    registry = registered(Component("criterion", "odd", "Odd", "tests.unit.test_library:Odd"))
    for value in ("a=1", 3):
        with pytest.raises(InputError, match=r"criterion 'odd': table = .* does not fit: dict"):
            build(registry, "criterion", "odd", {"power": 2, "table": value})


def test_objects_have_the_names_that_users_would_type() -> None:
    run = begun(query=["thc", Spread(), Spread(2.0)], stop=[Twice(), "none"])
    assert run.config.criteria == ["thc", "spread", "spread-2"]
    assert run.config.stop == ("twice", "none")
    assert (run.config.estimator, run.config.retrain) == ("tiny", "continual")
    assert begun(query={"mine": Spread()}).config.query == "mine"


def test_an_estimator_with_layers_keeps_its_weights() -> None:
    own = tiny()
    own.build(stick_video().skeleton)
    before = {name: tensor.clone() for name, tensor in own.state_dict().items()}
    run = begun(estimator=own)
    assert run.weights == "its own"
    assert all(torch.equal(tensor.cpu(), before[name]) for name, tensor in run.estimator.state_dict().items())
    afresh = begun(estimator=own, weights="none")
    assert afresh.weights == "random"
    assert not all(torch.equal(tensor.cpu(), before[n]) for n, tensor in afresh.estimator.state_dict().items())


def test_an_estimator_with_layers_for_another_skeleton_is_refused() -> None:
    own = tiny()
    own.build(vatl_core.PERSON_17)
    with pytest.raises(InputError, match="made for 17 keypoints, and 'stick' has 5"):
        begun(estimator=own)


@attrs.frozen
class Silent(Oracle):
    def annotate(self, request: Request) -> Iterable[Labels]:
        return []


def test_an_oracle_that_breaks_its_contract_is_named() -> None:
    with pytest.raises(vatl_core.PluginError, match="oracle 'silent' left 4 of 4"):
        begun(oracle=Silent()).adapt()


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_on_cuda_it_is_the_same_as_by_names(registered: Registered, tmp_path: Path) -> None:
    registry = registered()
    execute(configured(registry, tmp_path, query="thc", stop=["none"], device="cuda"), registry)
    run = begun(device="cuda")
    for cycle in run:
        assert cycle.scores.device.type == "cuda"
    assert [record.query for record in run.records] == [
        c.query for c in PastRun.open(tmp_path / "run", registry).cycles
    ]


def test_looking_at_a_query_changes_nothing_and_choosing_does() -> None:
    cycle = next(iter(begun()))
    assert cycle.query == []
    assert not (cycle.run.folder.cycle_folder(0) / "query.json").exists()
    assert cycle.choose() == cycle.query != []


def test_a_folder_s_pictures_come_by_the_numbers_in_their_names(tmp_path: Path) -> None:
    for name in ("img10.png", "img2.png", "img1.png", "._img1.png", "notes.txt"):
        (tmp_path / name).touch()
    video = vatl_core.Video.of(opened(tmp_path), [[0, 0, 9, 9]] * 3)
    assert [video.frames.name(i) for i in range(3)] == ["img1.png", "img2.png", "img10.png"]


def test_files_are_to_be_opened_before_they_are_a_video(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"a str holds no frames: give pictures, or vatl_frames\.opened"):
        vatl_core.Video.of("clip.mp4", [[0, 0, 9, 9]])
    (tmp_path / "1.png").touch()
    with pytest.raises(InputError, match=r"1 of 2 pictures are missing: .*2\.png is no file"):
        opened([tmp_path / "1.png", tmp_path / "2.png"])
    with pytest.raises(InputError, match="no pictures were given"):
        opened([])
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=r"empty holds no pictures \(\.bmp, "):
        opened(tmp_path / "empty")

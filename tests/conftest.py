"""What the tests share: small videos with known truth, and a way to call the command line as a user does."""

from __future__ import annotations

import gc
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest
import torch
from filelock import FileLock
from hypothesis import HealthCheck, settings
from torch import Tensor

from tests.processes import Command
from vatl_core.cli import main
from vatl_core.config import RunConfig
from vatl_core.config_files import configure
from vatl_core.contracts import Dataset
from vatl_core.discovery import discover
from vatl_core.hookspecs import hookimpl
from vatl_core.plugins import Component, Registry
from vatl_core.video import Frames, Instances, Skeleton, Video

BUSY: dict[str, Any] = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
settings.register_profile("same examples", derandomize=True, **BUSY)
settings.register_profile("new examples", **BUSY)  # for `make explore`: landing is no matter of luck
settings.load_profile("same examples")


def pytest_collection_finish() -> None:
    """What is imported by now stays: the tests that collect garbage need not look through it each time."""
    gc.freeze()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """One more than there are cores: many tests wait, for browsers, servers and clusters, more than they work."""
    return (os.cpu_count() or 1) + 1


STICK = Skeleton(
    "stick", ("head", "handL", "handR", "footL", "footR"), ((0, 1), (0, 2), (0, 3), (0, 4)), ((1, 2), (3, 4))
)


@attrs.define
class Squares(Frames):
    """Frames in which each keypoint is a square of its own colour: something a network can learn in seconds."""

    pictures: Tensor

    def __len__(self) -> int:
        return len(self.pictures)

    def read(self, index: int) -> Tensor:
        return self.pictures[index]


def stick_video(frames: int = 12, tracks: int = 2, seed: int = 0) -> Video:
    """Stick figures of five keypoints that drift over noise, with their truth."""
    generator = torch.Generator().manual_seed(seed)
    shape = torch.tensor([[0, -24], [-14, -4], [14, -4], [-8, 22], [8, 22]], dtype=torch.float32)
    centre = torch.tensor([[40.0 + 60 * t, 60.0] for t in range(tracks)])
    colours = torch.tensor([[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 0], [0, 255, 255]], dtype=torch.uint8)
    pictures = torch.randint(40, 90, (frames, 3, 120, 40 + 60 * tracks), generator=generator, dtype=torch.uint8)
    keypoints = torch.empty(frames, tracks, 5, 2)
    for f in range(frames):
        wiggle = torch.randn(tracks, 5, 2, generator=generator) * 3
        keypoints[f] = (centre[:, None] + shape + wiggle).round()
        for t in range(tracks):
            for (x, y), colour in zip(keypoints[f, t].int().tolist(), colours, strict=True):
                pictures[f, :, y - 3 : y + 4, x - 3 : x + 4] = colour[:, None, None]
    flat = keypoints.flatten(0, 1)
    low, high = flat.amin(1) - 6, flat.amax(1) + 6
    frame = torch.arange(frames).repeat_interleave(tracks)
    instances = Instances.of(
        frame,
        torch.arange(tracks).repeat(frames),
        torch.cat([low, high - low], 1),
        None,
        flat,
        torch.ones(len(flat), 5) > 0,
    )
    return Video("sticks", STICK, Squares(pictures), instances)


LONGEST = (
    "end_to_end/test_ray.py", "browser/test_labelling.py", "docs/test_blocks.py", "unit/test_conformance.py",
    "unit/test_combinations.py", "end_to_end/test_annotate.py", "end_to_end/test_commands.py",
    "unit/test_source_training.py", "unit/test_scaffold.py", "unit/test_visualize.py", "unit/test_testing_kit.py",
    "packaging/test_distributions.py", "unit/test_export.py", "unit/test_campaign.py", "unit/test_compiling.py",
    "unit/test_gpu_command.py", "unit/test_sweep.py", "unit/test_weights.py", "unit/test_sweep_of_data_sets.py",
    "unit/test_tune.py",
)  # fmt: skip
"""The files that take longest, the longest first: begun last, one would leave the other workers idle."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    places = {Path(__file__).parent / name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(item.path, len(LONGEST)))


@pytest.fixture
def video() -> Video:
    return stick_video()


def shared(tmp_path_factory: pytest.TempPathFactory, name: str) -> Path:
    """A folder that this session's workers have in common."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / f"shared-{name}"
    folder.mkdir(exist_ok=True)
    return folder


def once(tmp_path_factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """A folder that the first worker to come fills for all of them."""
    folder = shared(tmp_path_factory, name)
    made = folder.with_suffix(".made")
    with FileLock(folder.with_suffix(".lock")):
        if not made.exists():
            make(folder)
            made.touch()
    return folder


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder of made videos for the whole session: they appear there whole, whoever makes them."""
    return shared(tmp_path_factory, "cache")


@attrs.frozen
class Outcome:
    """What a command did."""

    code: int
    out: str
    err: str

    @property
    def record(self) -> dict[str, Any]:
        """The JSON object on the last line of standard output."""
        record: dict[str, Any] = json.loads(self.out.strip().splitlines()[-1])
        return record


Vatl = Callable[..., Outcome]


@pytest.fixture(scope="session", autouse=True)
def _empty_data_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keeps what a developer's own `vatl fit` wrote out of every test."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_DATA_HOME", str(tmp_path_factory.mktemp("data")))
        yield


@pytest.fixture(scope="session", autouse=True)
def _forced_precision() -> Iterator[None]:
    """VATL_TEST_PRECISION is what the automatic precision comes to in this process, in place of what is faster here.

    Runs the tests as on another processor; commands in processes of their own are not concerned.
    """
    with pytest.MonkeyPatch.context() as patch:
        if forced := os.environ.get("VATL_TEST_PRECISION"):
            _force(patch, forced)
        yield


@pytest.fixture(params=["float32", "bfloat16"])
def automatic_precision(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """What the automatic precision comes to in this process: either in turn, on every processor."""
    _force(monkeypatch, request.param)
    return str(request.param)


def _force(patch: pytest.MonkeyPatch, precision: str) -> None:
    gains = {"float32": False, "bfloat16": True}[precision]
    patch.setattr("vatl_core.compute.gains_from_bfloat16", lambda device: gains)


@pytest.fixture
def environment(cache: Path) -> dict[str, str]:
    """This process's, with caches in the session's folder and one thread, so that runs beside each other agree.

    No server but this machine's can be reached.
    """
    nowhere = {"http_proxy": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9", "no_proxy": "127.0.0.1"}
    return os.environ | {"XDG_CACHE_HOME": str(cache), "COLUMNS": "200"} | nowhere


@pytest.fixture
def vatl(tmp_path: Path, environment: dict[str, str]) -> Vatl:
    """Calls ``vatl`` in a process of its own, in an empty folder."""

    def call(*words: str | Path, timeout: float = 300) -> Outcome:
        command = Command(words, tmp_path, environment)
        out, err = command.communicate(timeout)
        return Outcome(command.wait(), out, err)

    return call


@pytest.fixture
def vatl_here(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Vatl:
    """``vatl`` in this process, in an empty folder: for words of which a process of its own would say the same."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))

    def call(*words: str | Path) -> Outcome:
        try:
            code = main(list(map(str, words)))
        except SystemExit as ended:
            code = int(ended.code or 0)
        said = capsys.readouterr()
        return Outcome(code, said.out, said.err)

    return call


@attrs.frozen
class Sticks(Dataset):
    """The stick figures as a data set."""

    frames: int = 12
    tracks: int = 2

    def videos(self) -> list[str]:
        return ["sticks"]

    def load(self, name: str) -> Video:
        return stick_video(self.frames, self.tracks)


class SticksPlugin:
    """What a stranger's plugin would be: components, and hooks that note what happens."""

    def __init__(self, *components: Component) -> None:
        self.components = [Component("dataset", "sticks", "Stick figures", "tests.conftest:Sticks"), *components]

    @hookimpl
    def vatl_components(self) -> list[Component]:
        return self.components


Registered = Callable[..., Registry]


@pytest.fixture
def registered() -> Registered:
    """The installed plugins with the sticks' and further components, and further plugins for their hooks."""

    def register(*components: Component, plugins: tuple[object, ...] = ()) -> Registry:
        registry = discover()
        for name in ("vatl-report", "vatl-console"):  # pictures and bars are not what these tests are about
            registry.manager.unregister(
                name=next(n for n, _ in registry.manager.list_name_plugin() if n.startswith(name))
            )
        registry.manager.register(SticksPlugin(*components), name="tests")
        for plugin in plugins:
            registry.manager.register(plugin)
        return registry

    return register


def configured(registry: Registry, folder: Path, **settings: Any) -> RunConfig:
    """A short run on the sticks, in float32 so that every machine does the same."""
    options = {"estimator": {"tiny": {"input_size": [64, 64], "width": 8}}, "dataset": {}, "retrain": {}}
    options["query"] = {"wpu": {"pretrain_epochs": 2}}  # else 800 steps a cycle: longer than all the rest
    options["retrain"] = {name: {"scratch_epochs": 2} for name in ("continual", "full")}
    for role, tables in settings.pop("options", {}).items():
        options[role] = options.get(role, {}) | tables
    defaults = {
        "dataset": "sticks",
        "estimator": "tiny",
        "query": "thc+wpu",
        "select": "duw",
        "retrain": "continual",
        "refine": "none",
        "stop": ["none"],
        "schedule": ["4", "8"],
        "device": "cpu",
        "precision": "float32",
    }
    return configure(registry, defaults | {"runs": folder, "name": "run"} | settings, options)

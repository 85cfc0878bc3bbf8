"""A run composed in Python: names and objects side by side, with or without a folder to keep it in."""

from __future__ import annotations

import shutil
import tempfile
import warnings
import weakref
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias, TypedDict, TypeVar, Unpack

from vatl_core.config import assemble
from vatl_core.config_files import beneath, find_preset, place
from vatl_core.contracts import (
    Answer,
    Criterion,
    Dataset,
    Estimator,
    Oracle,
    Refinement,
    Request,
    Retraining,
    Selector,
    Stopping,
)
from vatl_core.cycle import Run
from vatl_core.discovery import discover
from vatl_core.errors import InputError, unknown
from vatl_core.plugins import Composed, Options, Registry
from vatl_core.run.objects import OBJECTS, Objects, components, named, recorded, reunited, tell_only_bringers
from vatl_core.run.running import begin, take_up
from vatl_core.store import RunFolder
from vatl_core.video import Video

T = TypeVar("T")
Several: TypeAlias = str | T | Sequence[str | T] | Mapping[str, T]
"""A name, a sum of names, an object, a sequence of names and objects, or objects by name."""
Answering = Oracle | Callable[[Request], Answer | Iterable[Answer] | Any]
"""An oracle, or a function of the request that returns answers, one answer, or keypoints (m, K, 2), NaN = unknown."""


class Parts(TypedDict, total=False):
    """The parts of a run; each may be a name or an object, and what is left out is what ``vatl run`` would take."""

    video: Video | str
    dataset: Dataset | str
    estimator: Estimator | str
    query: Several[Criterion]
    select: Selector | str
    retrain: Retraining | str
    refine: Refinement | str
    stop: Several[Stopping]
    oracle: Answering | str


class Settings(Parts, total=False):
    """Parts, and the other settings of a run, as in :class:`vatl_core.config.RunConfig`."""

    advise: Sequence[str]
    weights: str | Path
    weights_keypoints: Sequence[str]
    schedule: Sequence[str | float | int] | str | float
    query_weights: str
    threshold: float
    seed: int
    device: str
    precision: str
    channels_last: bool | None
    batch: int
    cache_mb: int


def start(
    folder: str | Path | None = None,
    *,
    options: Mapping[str, Mapping[str, Any]] | None = None,
    preset: str = "",
    display: bool = False,
    **settings: Unpack[Settings],
) -> Run:
    """Compose a run and begin it: iterate over its cycles, or let it :meth:`~vatl_core.Run.adapt` to the end.

    Of installed plugins that cannot be used it warns (:class:`UserWarning`), and does without them.

    Args:
        folder: where it is kept, such as ``runs/first``; in a temporary folder, for as long as the run lives, if not
            given.
        options: of named components, ``{"wpu": {"z_dim": 4}}``; by the part's name (``"estimator"``) or their own.
        preset: settings of a publication, beneath all others.
        display: show progress and write the report as ``vatl run`` does; only the plugins that bring a part of the run
            hear of it if not.
        settings: parts and other settings; what is left out is what ``vatl run`` would take. Objects are worked on
            themselves, not copied. An estimator that has its layers already begins with the weights it has.

    Raises:
        InputError: something it is made of cannot be used; then nothing is left of it.
    """
    _known("setting", settings, Settings)
    return compose(_installed(), dict(settings), options or {}, folder, preset, display)


def compose(
    installed: Registry,
    settings: dict[str, Any],
    options: Mapping[str, Mapping[str, Any]],
    folder: str | Path | None = None,
    preset: str = "",
    display: bool = False,
) -> Run:
    """:func:`start` with what is installed given, for who has components beside those.

    Raises:
        InputError: as :func:`start`.
    """
    values, objects = _separated(installed, settings)
    registry = Composed.of(installed, components(objects))
    path, temporary = _place(folder)
    tables: Options = {}
    if preset:
        values, tables = beneath(find_preset(registry, preset), registry, values, tables)
    values |= {"runs": path.parent, "name": path.name}
    config = assemble(registry, values, tables)
    for part, chosen in options.items():
        role, name = place(part, config, registry)
        tables.setdefault(role, {}).setdefault(name, {}).update(chosen)
    config = assemble(registry, values, tables)
    if not display:
        tell_only_bringers(registry, config)
    try:
        run = begin(config, registry, recorded(objects))
    except BaseException:
        if temporary:
            shutil.rmtree(path.parent, ignore_errors=True)
        raise
    run.folder.unlock()  # locked again while it is worked on, so that it can be left and taken up
    if temporary:
        weakref.finalize(run, shutil.rmtree, path.parent, ignore_errors=True)
    return run


def resume(folder: str | Path, *, display: bool = False, **objects: Unpack[Parts]) -> Run:
    """Take up a run that was left or killed: it goes on from the cycle it was in, to the same end.

    Args:
        folder: of the run.
        display: as for :func:`start`.
        objects: those that it was composed of, given again; names need not be.

    Raises:
        InputError: it is no run, another process works on it, or objects are missing or are not those it began with.
    """
    _known("part of a run", objects, Parts)
    kept = RunFolder.open(Path(folder))
    installed = _installed()
    table = kept.config.get(OBJECTS, {})
    registry = reunited(installed, _separated(installed, dict(objects))[1], table, kept.path)
    kept.lock()
    try:
        run = take_up(kept, registry)
        if not display:
            tell_only_bringers(registry, run.config)
        return run
    finally:
        kept.unlock()


def _installed() -> Registry:
    """Every plugin; of those that have to be left out the caller is warned."""
    registry = discover()
    for plugin, cause in registry.failures().items():
        warnings.warn(f"plugin {plugin} is left out: {cause}", stacklevel=3)
    return registry


def _separated(installed: Registry, settings: dict[str, Any]) -> tuple[dict[str, Any], Objects]:
    """Settings with names in place of objects, and the objects."""
    if isinstance(video := settings.get("video"), Video):
        if settings.get("dataset"):
            raise InputError("give a Video, or a data set and the name of one of its videos: not both")
        settings |= {"dataset": video, "video": video.name}
    objects: Objects = {}
    for role in ("dataset", "estimator", "query", "select", "retrain", "refine", "stop", "oracle"):
        if settings.get(role) is None:
            continue
        names, found = named(installed, role, settings[role])
        objects |= found
        if role not in ("query", "stop") and len(names) != 1:
            raise InputError(f"{role}: one is expected, and {len(names)} were given")
        settings[role] = names if role == "stop" else "+".join(names)
    if "schedule" in settings:
        settings["schedule"] = _entries(settings["schedule"])
    return settings, objects


def _known(what: str, given: Mapping[str, Any], choices: Any) -> None:
    """Hold the arguments to those that there are, of which a type checker would have known.

    Raises:
        InputError: one that there is not.
    """
    for name in given:
        if name not in choices.__annotations__:
            raise unknown(what, name, choices.__annotations__)


def _entries(schedule: Sequence[str | float | int] | str | float) -> list[str]:
    """A schedule's entries as text: of several, of one, or of text with commas as on the command line."""
    if isinstance(schedule, str):
        return [entry.strip() for entry in schedule.split(",")]
    return [str(entry) for entry in ([schedule] if isinstance(schedule, int | float) else schedule)]


def _place(folder: str | Path | None) -> tuple[Path, bool]:
    """Where the run is kept, and whether it is only for as long as the run lives."""
    if folder is None:
        return Path(tempfile.mkdtemp(prefix="vatl-")) / "run", True
    path = Path(folder).expanduser()
    if path.name in ("", "..") or not path.name:
        raise InputError(f"'{folder}' is no name for the folder of a run: give one such as runs/first")
    return path, False

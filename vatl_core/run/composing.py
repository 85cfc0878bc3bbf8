"""A run composed in Python: names and objects side by side, with or without a folder to keep it in."""

from __future__ import annotations

import warnings
import weakref
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, TypeAlias, TypedDict, TypeVar, Unpack

from vatl_core.config import ROLES, RunConfig, chosen
from vatl_core.config_files import configure

from vatl_core.contracts import (  # isort: skip
    Answer, Criterion, Dataset, Estimator, Oracle, Refinement, Request, Retraining, Selector, Stopping,
)  # fmt: skip
from vatl_core.cycle import Run
from vatl_core.discovery import discover
from vatl_core.errors import InputError, unknown
from vatl_core.files import temporary_folder
from vatl_core.plugins import Registry
from vatl_core.run.objects import separated, with_objects
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
    rounding: str
    start_with_labels: bool | None
    query_weights: str
    threshold: float
    seed: int
    device: str
    precision: str
    channels_last: bool | None
    batch: int | None
    decoder: str
    cache_mb: int


def start(
    folder: str | Path | None = None,
    *,
    options: Mapping[str, Mapping[str, Any]] | None = None,
    preset: str = "",
    display: bool = False,
    registry: Registry | None = None,
    **settings: Unpack[Settings],
) -> Run:
    """Compose a run and begin it: iterate over its cycles, or let it :meth:`~vatl_core.Run.adapt` to the end.

    Of installed plugins that cannot be used it warns (:class:`UserWarning`), and does without them.

    Args:
        folder: where it is kept, such as ``runs/first``; if not given in a temporary one, for as long as the run lives.
        options: of named components, ``{"wpu": {"z_dim": 4}}``; by the part's name (``"estimator"``) or their own.
        preset: settings of a publication, beneath all others.
        display: show progress and write the report as ``vatl run`` does; only the plugins that bring a part of the run
            hear of it if not.
        registry: of components; everything that is installed if not given.
        settings: parts and other settings; what is left out is what ``vatl run`` would take. Objects are worked on
            themselves, not copied. An estimator that has its layers already begins with the weights it has.

    Raises:
        InputError: something it is made of cannot be used; then nothing is left of it.
    """
    _check_known("setting", settings, Settings)
    registry = registry or _installed()
    values, objects = separated(registry, settings)
    registry = registry.with_objects(objects)
    temporary = ExitStack()
    path = Path(folder or temporary.enter_context(temporary_folder()) / "run").expanduser()
    if path.name in ("", ".."):
        raise InputError(f"'{folder}' is no name for the folder of a run: give one such as runs/first")
    try:
        values |= {"preset": preset, "runs": path.parent, "name": path.name}
        config = configure(registry, values, options=options or {})
        if not display:
            _tell_only_bringers(registry, config)
        run = begin(config, registry)
    except BaseException:
        temporary.close()
        raise
    run.folder.unlock()  # locked again while it is worked on, so that it can be left and taken up
    weakref.finalize(run, temporary.close)
    return run


def resume(folder: str | Path, *, display: bool = False, trust: bool = False, **objects: Unpack[Parts]) -> Run:
    """Take up a run that was left or killed: it goes on from the cycle it was in, to the same end.

    Args:
        folder: of the run.
        display: as for :func:`start`.
        trust: whether its file may let others in, or have something fetched: a folder may be a stranger's.
        objects: those that it was composed of, given again; names need not be.

    Raises:
        InputError: it is no run, another process works on it, or objects are missing or are not those it began with.
    """
    _check_known("part of a run", objects, Parts)
    kept, installed = RunFolder.open(Path(folder)), _installed()
    registry = with_objects(installed, kept, separated(installed, objects)[1])
    kept.lock()
    try:
        run = take_up(kept, registry, trust=trust)
        if not display:
            _tell_only_bringers(registry, run.config)
        return run
    finally:
        kept.unlock()


def _installed() -> Registry:
    """Every plugin; of those that have to be left out the caller is warned."""
    registry = discover()
    for plugin, cause in registry.failures().items():
        warnings.warn(f"plugin {plugin} is left out: {cause}", stacklevel=3)
    return registry


def _check_known(what: str, given: Mapping[str, Any], choices: Any) -> None:
    """Hold the arguments to those that there are, of which a type checker would have known."""
    if strange := [name for name in given if name not in choices.__annotations__]:
        raise unknown(what, strange[0], choices.__annotations__)


def _tell_only_bringers(registry: Registry, config: RunConfig) -> None:
    """Let only those plugins hear of a run that bring something of it: no display, no report."""
    bringing = {registry.find(kind, name).origin for role, kind in ROLES.items() for name in chosen(config, role)}
    asked = ("vatl_source_weights", "vatl_pretrained")  # what a run begins with, rather than what happens in it
    for name, plugin in registry.manager.list_name_plugin():
        if name not in bringing and not any(hasattr(plugin, hook) for hook in asked):
            registry.manager.unregister(plugin)

"""What the methods of an experiment are called, and what its videos are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import attrs

from vatl_core.config import RunConfig
from vatl_core.errors import VatlError
from vatl_report.wording import listed

if TYPE_CHECKING:
    from vatl_core.run import PastRun

_NO_METHOD: Final = frozenset(
    ("preset", "dataset", "video", "seed", "name", "runs", "device", "precision", "channels_last", "batch", "cache_mb",
     "executor", "options")
)  # fmt: skip
"""Settings that do not change what a run's method is."""


def video_names(runs: Sequence[PastRun]) -> list[str]:
    """What each run's video is called: videos of one name from several data sets are told apart."""
    keys = [_video(run) for run in runs]
    called: dict[tuple[str, str, str], str] = {}
    for key in dict.fromkeys(keys):
        name, dataset, _ = key
        choices = [name, f"{dataset}/{name}", *(f"{dataset}/{name} ({n})" for n in range(2, len(keys) + 2))]
        rivals = sum(other[0] == name for other in set(keys))
        called[key] = next(c for c in choices[rivals > 1 :] if c not in called.values())
    return [called[key] for key in keys]


def _video(run: PastRun) -> tuple[str, str, str]:
    """Its name, data set and that one's options."""
    config = run.config
    name = config.video or (run.closing.video if run.closing else "") or config.dataset
    return name, config.dataset, str(sorted(config.of("dataset", config.dataset).items()))


def method_names(runs: Sequence[PastRun], videos: Sequence[str]) -> list[str]:
    """What each run's method is called: its preset, or query and selector.

    Where runs of one such name on one video differ in other settings too, these are added: they are not one method.
    """
    short = [_short(run) for run in runs]
    all_settings = [_settings(run.config) for run in runs]
    telling: dict[str, dict[str, None]] = {}
    first: dict[tuple[str, str], dict[str, str]] = {}
    for name, video, settings in zip(short, videos, all_settings, strict=True):
        other = first.setdefault((name, video), settings)
        differing = [key for key in {**other, **settings} if other.get(key) != settings.get(key)]
        telling.setdefault(name, {}).update(dict.fromkeys(differing))
    return [
        ", ".join([name, *(f"{key.split('.')[-1]} {settings.get(key, 'by default')}" for key in telling[name])])
        for name, settings in zip(short, all_settings, strict=True)
    ]


def _short(run: PastRun) -> str:
    config = run.config
    if config.preset:
        return config.preset
    try:
        scored = getattr(run.registry.find("selector", config.select).load(), "uses_scores", True)
    except VatlError:
        scored = True
    if not scored or config.query == config.select:
        return config.select
    return f"{config.query}, {config.select}"


def _settings(config: RunConfig) -> dict[str, str]:
    """What makes a method, setting by setting and option by option."""
    own = {f.name: listed(getattr(config, f.name)) for f in attrs.fields(RunConfig) if f.name not in _NO_METHOD}
    for role, components in config.options.items():
        if role not in ("dataset", "executor"):
            own |= {
                f"{role}.{name}.{option}": listed(value)
                for name, options in components.items()
                for option, value in options.items()
            }
    return own

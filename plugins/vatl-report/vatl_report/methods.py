"""What the methods of an experiment are called, and what its videos are."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
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


def method_names(runs: Sequence[PastRun], videos: Sequence[str], besides: Collection[str] = frozenset()) -> list[str]:
    """What each run's method is called: its preset, or query and selector.

    Where runs of one such name on one video differ in other settings too, these are added: they are not one method.
    ``besides`` these settings, and options of components in these roles.
    """
    settings = [_settings(run.config, lambda key: key not in besides) for run in runs]
    return _told_apart([_short(run) for run in runs], settings, videos)


def part_names(runs: Sequence[PastRun], videos: Sequence[str], part: str, settings: Collection[str]) -> list[str]:
    """What one part of each run is called, such as its estimator, whose ``settings`` these are."""
    chosen = [str(getattr(run.config, part)) for run in runs]
    return _told_apart(chosen, [_settings(run.config, lambda key: key in settings) for run in runs], videos)


def _told_apart(short: Sequence[str], settings: Sequence[dict[str, str]], videos: Sequence[str]) -> list[str]:
    """The names with the settings behind them in which runs of one name on one video differ.

    Options tell runs apart that chose the same component for its role; of others the component's name says enough.
    """
    roles = {key.partition(".")[0] for own in settings for key in own if "." in key}
    telling: dict[str, dict[str, None]] = {name: {} for name in short}
    first: dict[tuple[str, ...], dict[str, str]] = {}
    for name, video, own in zip(short, videos, settings, strict=True):
        parts: dict[str, dict[str, str]] = {role: {} for role in ("", *sorted(roles))}
        for key, value in own.items():
            parts[key.partition(".")[0] if "." in key else ""][key] = value
        for role, part in parts.items():
            other = first.setdefault((name, video, role, own.get(role, "")), part)
            telling[name] |= dict.fromkeys(key for key in {**other, **part} if other.get(key) != part.get(key))
    return [
        ", ".join([name, *(told for key in telling[name] if (told := _told(key, own)))])
        for name, own in zip(short, settings, strict=True)
    ]


def _told(key: str, own: dict[str, str]) -> str:
    """A setting, or an option of a component that a run may not have."""
    role, _, option = key.partition(".")
    component, _, option = option.rpartition(".")
    if key not in own and option and component not in own.get(role, "").replace("+", ", ").split(", "):
        return ""
    return f"{key.split('.')[-1]} {own.get(key, 'by default')}"


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


def _settings(config: RunConfig, counts: Callable[[str], bool]) -> dict[str, str]:
    """What makes a method, setting by setting and option by option: of those settings and roles that count."""
    names = [f.name for f in attrs.fields(RunConfig) if f.name not in _NO_METHOD and counts(f.name)]
    own = {name: listed(getattr(config, name)) for name in names}
    for role, components in config.options.items():
        if role not in ("dataset", "executor") and counts(role):
            own |= {
                f"{role}.{name}.{option}": listed(value)
                for name, options in components.items()
                for option, value in options.items()
            }
    return own

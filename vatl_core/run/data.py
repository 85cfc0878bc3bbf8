"""Where a run's data is, and what it was when the run began, so that no label goes to another instance than its own."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import Any, Final

import attrs
from torch.nn.functional import adaptive_avg_pool2d

from vatl_core.config import ROLES, RunConfig, chosen
from vatl_core.errors import ChangedDataError, InputError
from vatl_core.files import exists, reading, write_whole
from vatl_core.plugins import Registry, is_path, laid_over
from vatl_core.promises import checked_pictures
from vatl_core.store import RunFolder
from vatl_core.video import Video

SAMPLED: Final = 16
"""Pictures whose size is compared, evenly spread: each header has to be read."""
TOLERANCE: Final = {"instance": 1.0, "colours": 8.0}
"""How far numbers with a point may lie apart, in pixels and shades: detectors and decoders differ between machines."""


def facts_of(video: Video) -> Iterator[list[Any]]:
    """What a video must have in common with the one that labels were given for, a row each, as JSON's types."""
    frames, who, shown = video.frames, video.instances, video.instances.frame.unique().tolist()
    (picture,) = checked_pictures(frames, shown[:1])
    yield from (["keypoint", *named] for named in enumerate(video.skeleton.keypoints))
    yield ["frames", len(frames)]
    columns = (column.tolist() for column in (who.frame, who.track, who.boxes))
    for number, (name, frame, track, box) in enumerate(zip(who.ids, *columns, strict=True)):
        yield ["instance", number, "called", str(name), "frame", frame, "track", track, "box", *box]
    names = [frames.name(frame) for frame in shown]
    if len({*names}) > 1:  # of a video file it is the file's, which may be called otherwise
        yield from (["picture", *named] for named in zip(shown, names, strict=True))
    yield from (["size of frame", frame, *frames.size(frame)] for frame in shown[:: len(shown) // SAMPLED + 1])
    yield ["colours", *adaptive_avg_pool2d(picture.float(), 4).flatten().tolist()]


def keep_data(folder: RunFolder, video: Video) -> None:
    """Keep what a run's data is as it begins.

    Raises:
        InputError: a picture cannot be read.
    """
    write_whole(folder.path / "data.json", json.dumps(list(facts_of(video))))


def check_data(folder: RunFolder, video: Video) -> None:
    """Make sure that a run's data is what it was when the run began, redrawn boxes apart.

    Raises:
        ChangedDataError: it is not; the first difference is named.
        InputError: a picture cannot be read, or what was kept is damaged.
    """
    file = folder.path / "data.json"
    if not file.exists() and "folder" not in folder.config.get("made_with", {}):  # of a run that kept none
        return
    with reading(file, "what the run began with cannot be told"):
        then = [list(row) for row in json.loads(file.read_text(encoding="utf-8"))]
    pairs = zip_longest(then, facts_of(video), fillvalue=["nothing"])
    if different := next((pair for pair in pairs if not _alike(*pair)), None):
        was, now = (" ".join(map(str, row[:12])) for row in different)
        told = f"{folder.path} was begun with other data: there is '{now}' where there was '{was}'"
        raise ChangedDataError(f"{told}; put the data back, say where it is by --data-root DIR, or begin another run")


def _alike(then: Sequence[Any], now: Sequence[Any]) -> bool:
    """Whether two rows say the same, but for what differs between machines."""
    near = TOLERANCE.get(str(now[0]), 0.0)
    return len(then) == len(now) and all(
        abs(a - b) <= near if isinstance(a, float) and isinstance(b, float) else a == b
        for a, b in zip(then, now, strict=True)
    )


def paths_of(config: RunConfig, registry: Registry) -> dict[str, Any]:
    """For the record of a run: the folder that its relative paths begin at, and its options, with which are paths."""
    options = {
        f"{role}.{name}.{option}": is_path(registry.find(ROLES[role], name).load(), option, value)
        for role in ROLES
        for name in chosen(config, role)
        if (ROLES[role], name) not in registry.objects and role != "executor"
        for option, value in config.of(role, name).items()
    }
    return {"folder": str(Path.cwd()), "options": options}


def from_where_begun(config: RunConfig, folder: RunFolder, root: Path | None = None) -> RunConfig:
    """What a run is made of with whole paths, wherever it is taken up; those of its data below ``root``, if given.

    Raises:
        InputError: its ``config.toml`` is damaged, or some of its data is not there.
    """
    made_with, options = folder.config.get("made_with", {}), config.options
    try:
        for key, holds_path in made_with.get("options", {}).items():
            role, *names, option = key.split(".")
            path = Path(made_with["folder"], Path(str(options[role][name := ".".join(names)][option])).expanduser())
            if holds_path:
                whole = str(_found(path, root) if role == "dataset" else path)
                options = laid_over({role: {name: {option: whole}}}, options)
    except (KeyError, TypeError, ValueError, AttributeError, RuntimeError) as error:
        raise InputError(f"{folder.path / 'config.toml'} lacks {error}, or is damaged: put the file back") from error
    return attrs.evolve(config, options=options)


def _found(path: Path, root: Path | None) -> Path:
    """Where a path leads now: below ``root``, if given, with as many of its folders as are there."""
    parts = path.relative_to(path.anchor).parts
    places = [root.absolute().joinpath(*parts[skipped:]) for skipped in range(len(parts))] if root else [path]
    if found := next((place for place in places if exists(place)), None):
        return found
    raise InputError(f"{path} is not there{f', nor below {root}' if root else ''}: say where it is by --data-root DIR")

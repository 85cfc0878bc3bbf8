"""Which videos there are to predict: those of a data set, or what lies at paths."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs

from vatl_core.config import RunConfig
from vatl_core.config_files import configure
from vatl_core.contracts import Dataset
from vatl_core.errors import InputError
from vatl_core.files import exists
from vatl_core.plugins import Registry, build
from vatl_core.promises import checked_names, checked_video
from vatl_core.video import Video
from vatl_frames import natural, pictures_in


@attrs.frozen(eq=False)
class Source:
    """A data set with videos to predict.

    Attributes:
        config: which names it, with its options.
        dataset: itself.
        names: of the videos.
    """

    config: RunConfig
    dataset: Dataset
    names: Sequence[str]

    def load(self) -> list[Video]:
        """The videos, whose pictures are read later.

        Raises:
            InputError: one cannot be used.
        """
        return [checked_video(self.dataset, name) for name in self.names]


def sources(
    registry: Registry, settings: Mapping[str, Any], paths: Sequence[Path], only: Sequence[str], options: Sequence[str]
) -> list[Source]:
    """The data set that is named, or a data set for each path: the one that opens it.

    Args:
        registry: of components.
        settings: of a run; ``dataset`` among them.
        paths: of videos, of folders of videos or of pictures, and of files of annotations.
        only: names of the videos that are wanted; all if empty.
        options: ``PART.OPTION=VALUE``.

    Raises:
        InputError: something is not there, or cannot be told apart.
    """
    if not paths:
        return [_source(registry, configure(registry, settings, options=options), only)]
    named = settings.get("dataset")
    every = [file for path in paths for file in found_at(path, registry, named)]
    files = list({file.resolve(): file for file in every}.values())
    _refuse_shared(files, only, options)
    made = []
    for file in files:
        dataset, option = registry.opening(file, named)
        opened = (f"dataset.{option}={file}", *options)
        made.append(_source(registry, configure(registry, {**settings, "dataset": dataset}, options=opened), only))
    return made


def _source(registry: Registry, config: RunConfig, only: Sequence[str]) -> Source:
    dataset: Dataset = build(registry, "dataset", config.dataset, config.of("dataset", config.dataset))
    names = only or checked_names(dataset)
    if not names:
        raise InputError(f"data set '{config.dataset}' has no video: its options say where one is (-o dataset.…)")
    return Source(config, dataset, list(dict.fromkeys(names)))


def _refuse_shared(files: Sequence[Path], only: Sequence[str], options: Sequence[str]) -> None:
    """Refuse what is about one video where there are several."""
    if len(files) < 2:
        return
    if only:
        raise InputError(f"--only {only[0]}: {len(files)} paths are given, of which each has its own: give one of them")
    if boxes := [option for option in options if option.partition("=")[0].strip().endswith(".boxes")]:
        lay = f"lay {files[0].stem}.boxes.json beside {files[0].name}, and so on, or predict one by one"
        raise InputError(f"-o {boxes[0]}: boxes are one video's, and there are {len(files)}: {lay}")


def found_at(path: Path, registry: Registry, dataset: str | None) -> list[Path]:
    """A file, or the videos in a folder; a folder of pictures is one video.

    Raises:
        InputError: there is nothing, or it may be either.
    """
    if not exists(path):
        raise InputError(f"{path} does not exist: give a video, a folder, or a file of annotations")
    if (path / "config.toml").is_file():
        raise InputError(f"{path} is a run: it stands first, alone, and what follows it are videos")
    endings = _endings(registry, dataset) if path.is_dir() else set()
    if not endings:
        return [path]
    videos, pictures = _videos_in(path, endings), pictures_in(path)
    if videos and pictures:
        both = f"{len(videos)} videos and {len(pictures)} pictures"
        raise InputError(f"{path} has {both}: give the videos one by one, or the pictures in a folder of their own")
    if not videos and not pictures:
        known = ", ".join(sorted(endings))
        raise InputError(f"{path} has neither a video ({known}) nor a picture in it: give another folder")
    return videos or [path]


def _endings(registry: Registry, dataset: str | None) -> set[str]:
    """How the names of videos end that the data set opens which opens folders; none where none does."""
    known = [registry.find("dataset", dataset)] if dataset else registry.described("dataset").values()
    return {ending for component in known if "/" in component.opens for ending in component.opens} - {"/"}


def _videos_in(folder: Path, endings: set[str]) -> list[Path]:
    files = [f for f in folder.iterdir() if f.suffix.lower() in endings and f.is_file() and not f.name.startswith(".")]
    return sorted(files, key=lambda file: natural(file.name))

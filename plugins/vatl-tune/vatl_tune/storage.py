"""Where a search is kept: Optuna's journal of its trials, in the search's own folder."""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import optuna
from optuna.pruners import MedianPruner
from optuna.samplers import TPESampler
from optuna.storages import BaseStorage, JournalStorage
from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock
from optuna.study import Study

from vatl_core.errors import InputError
from vatl_core.files import reading
from vatl_core.seeds import seed_of

FILE: Final = "study.journal"
STUDY: Final = "vatl-tune"
IDENTITY: Final = "vatl"
"""The attribute of the study that says what is searched."""
UNPRUNED: Final = 5
"""Trials that are carried out to their end whatever they come to: what later ones are compared with."""


def check_storage(folder: Path, identity: Mapping[str, Any]) -> None:
    """Hold what an earlier sitting left in a folder, if it did, to the search; nothing is written.

    Raises:
        InputError: it is torn, or of another search.
    """
    path = folder / FILE
    if path.is_symlink():
        raise InputError(f"{path} is a symbolic link, which may lead anywhere: put what it leads to in its place")
    if not path.exists() or not path.stat().st_size:
        return
    study = _loaded(path)
    then, now = study.user_attrs.get(IDENTITY), json.loads(json.dumps(identity))
    if not isinstance(then, dict) and (then or study.trials):
        raise InputError(f"{path} is of a study that vatl did not begin: choose another --folder")
    for what in now if then else ():
        if then.get(what) != now[what]:
            raise InputError(
                f"{path} is of another search: {what} then: {_told(then.get(what), now[what])}; now: "
                f"{_told(now[what], then.get(what))}: change it back, or choose another --folder"
            )


def _told(one: Any, other: Any) -> str:
    """What of it is not the other's."""
    if isinstance(one, dict) and isinstance(other, dict):
        one = {name: value for name, value in one.items() if name not in other or other[name] != value}
        return ", ".join(f"{name} = {value}" for name, value in one.items()) or "nothing of it"
    return ", ".join(map(str, one)) if isinstance(one, list) else str(one)


def open_study(folder: Path, identity: Mapping[str, Any], direction: str) -> Study:
    """The study in a folder in which nobody else works; begun if there is none."""
    path = folder / FILE
    Path(f"{path}.lock").unlink(missing_ok=True)  # Optuna's own, of a sitting that was killed
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(
        storage=_storage(path),
        study_name=STUDY,
        direction=direction,
        load_if_exists=True,
        pruner=MedianPruner(UNPRUNED),
    )
    if IDENTITY not in study.user_attrs:
        study.set_user_attr(IDENTITY, dict(identity))
    return study


def sampler(seed: int, trial: int) -> TPESampler:
    """What draws the values of one trial: they depend on the trials before it, not on what this process drew before."""
    return TPESampler(seed=seed_of(seed, "tune", trial) % 2**32)


def _storage(path: Path) -> BaseStorage:
    with warnings.catch_warnings(action="ignore"):
        return JournalStorage(JournalFileBackend(str(path), JournalFileOpenLock(str(path))))


def _loaded(path: Path) -> Study:
    with reading(path, "it is no journal of Optuna's, or torn: restore it, or choose another --folder"):
        data = path.read_bytes()
        if not data.endswith(b"\n"):
            line = len(data.split(b"\n"))
            raise InputError(f"{path} is torn: line {line} has no end; delete that line, and the same command goes on")
        _ = [json.loads(each) for each in data.splitlines()]  # Optuna takes a last line that is none for unwritten
        storage = _storage(path)
        if (names := [study.study_name for study in storage.get_all_studies()]) != [STUDY]:
            raise InputError(f"{path} is of another study, {', '.join(names) or 'of none'}: choose another --folder")
        return optuna.load_study(study_name=STUDY, storage=storage)

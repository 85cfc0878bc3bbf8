"""What a source training keeps beside its weights: its settings, how far it has come, and its log."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import attrs
import torch
from filelock import FileLock, Timeout

from vatl_core.errors import InputError
from vatl_core.files import whole, write_whole

LOCK: Final = ".lock"
"""Who works in a folder holds this file; it stays, since whoever waits for one that is removed waits for nothing."""


def _counts(entry: Path) -> bool:
    """Whether it says that something is in a folder; a beginning that was killed half-way does not."""
    return entry.name != LOCK and ".part" not in entry.name


def _plain(settings: Mapping[str, Any]) -> dict[str, Any]:
    """As JSON gives it back."""
    plain: dict[str, Any] = json.loads(json.dumps(settings))
    return plain


@attrs.frozen
class TrainingFolder:
    """The folder ``OUT.training`` of the weights ``OUT``.

    Attributes:
        out: where the weights go.
        settings: everything that the result depends on, as JSON's types.
    """

    out: Path
    settings: Mapping[str, Any] = attrs.field(converter=_plain)

    @property
    def path(self) -> Path:
        """The folder itself."""
        return self.out.with_name(f"{self.out.name}.training")

    def check(self) -> None:
        """Make sure that what is there already belongs to this training.

        Raises:
            InputError: it does not.
        """
        try:
            theirs = json.loads((self.path / "settings.json").read_text("utf-8"))
        except FileNotFoundError:
            if self.path.exists() and any(map(_counts, self.path.iterdir())):
                raise InputError(f"{self.path} exists and is no training's: choose another --out") from None
            return
        except ValueError as error:
            raise InputError(f"{self.path / 'settings.json'} is damaged ({error}): delete {self.path}") from error
        changed = _differences(theirs, self.settings)
        if changed:
            raise InputError(
                f"{self.path} belongs to a training with other settings ({'; '.join(changed)}): repeat its command "
                "to go on with it, choose another --out, or delete the folder"
            )

    @contextmanager
    def begun(self) -> Iterator[None]:
        """Make the folder, and keep other processes from training into it within the block.

        Raises:
            InputError: one already does.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        try:
            with FileLock(self.path / LOCK, timeout=0):
                for left in self.path.glob(".*.part*"):  # of one that was killed
                    left.unlink()
                write_whole(self.path / "settings.json", json.dumps(self.settings, indent=2) + "\n")
                yield
        except Timeout as error:
            raise InputError(f"{self.path} is being worked on by another process: wait for it") from error

    def save(self, state: Mapping[str, Any], log: list[dict[str, Any]]) -> None:
        """Keep what to go on from, then write the log, which is part of it."""
        with whole(self.path / "state.pt") as beside:
            torch.save({**state, "log": log}, beside)
        write_whole(self.path / "log.jsonl", "".join(json.dumps(line) + "\n" for line in log))

    def state(self) -> dict[str, Any] | None:
        """What :meth:`save` kept last; None where nothing is kept.

        Raises:
            InputError: it is damaged.
        """
        path = self.path / "state.pt"
        if not path.exists():
            return None
        try:
            state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        except Exception as error:  # its unpickler raises whatever the bytes make it stumble over
            raise InputError(f"{path} is damaged: delete {self.path} to train anew") from error
        return state

    def finish(self) -> None:
        """Forget what to go on from: there is nothing left to do."""
        (self.path / "state.pt").unlink(missing_ok=True)

    def finished(self) -> list[dict[str, Any]] | None:
        """The log of a training that has been brought to its end; None where it has not.

        Raises:
            InputError: it has, but the weights are gone.
        """
        log = self.path / "log.jsonl"
        if (self.path / "state.pt").exists() or not log.exists():
            return None
        if not self.out.exists():
            raise InputError(
                f"{self.path} says that {self.out} is done, but it is gone: delete the folder to repeat it"
            )
        return [json.loads(line) for line in log.read_text("utf-8").splitlines()]


def _differences(theirs: Mapping[str, Any], ours: Mapping[str, Any], within: str = "") -> list[str]:
    """Which settings differ, in words."""
    found = []
    for name in sorted({*theirs, *ours}):
        old, new = theirs.get(name), ours.get(name)
        if isinstance(old, dict) and isinstance(new, dict):
            found += _differences(old, new, f"{within}{name}.")
        elif old != new:
            found.append(f"{within}{name}: {json.dumps(old)} there, {json.dumps(new)} here")
    return found

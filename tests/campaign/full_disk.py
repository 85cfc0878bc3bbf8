"""Runs on a disk that is full at an instant of chance, and has room again when they are taken up.

The disk is one in memory, in a name space of its own, for which a Linux that lets its users have some needs no rights.
"""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import attrs

from tests.campaign.killing import Killing, ended
from tests.campaign.losses import Losses, compared, labels_of
from tests.campaign.settings import VARIETY, Ground, Setting

SIZE: Final = 16 << 20
"""Bytes of the disk."""
ORACLES: Final = ("ground-truth", "trembling")
_FULL: Final = ("vatl: the disk is full", "No space left on device")
_ROOT: Final = Path(__file__).parents[2]


def possible() -> bool:
    """Whether a disk in memory can be had here."""
    return _apart("true").returncode == 0


def _apart(script: str, *words: str) -> subprocess.CompletedProcess[str]:
    command = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", script, "sh", *words]
    try:
        return subprocess.run(command, cwd=_ROOT, capture_output=True, text=True, check=False)
    except OSError as error:  # there is no such program
        return subprocess.CompletedProcess(command, 1, "", str(error))


def full(count: int, seed: int) -> Losses:
    """So many runs, each of which meets a full disk once or twice.

    Raises:
        RuntimeError: no disk can be made here, or the work on it failed.
    """
    with tempfile.TemporaryDirectory(prefix="campaign-disk-") as folder:
        mounted = f'mount -t tmpfs -o size={SIZE} tmpfs "$1" && exec "$2" -m tests.campaign.full_disk "$1" "$3" "$4"'
        done = _apart(mounted, folder, sys.executable, str(count), str(seed))
    if done.returncode:
        raise RuntimeError(done.stderr)
    sys.stderr.write(done.stderr)
    return Losses(*map(int, done.stdout.split()))


def main(disk: Path, count: int, seed: int) -> None:
    """What :func:`full` asks for, on the disk that it made; the losses are printed."""
    losses = Losses()
    with tempfile.TemporaryDirectory(prefix="campaign-") as folder:
        killing = Killing(Ground.on(Path(folder)))
        for number in range(seed, seed + count):
            losses += filled(killing, disk, number)
    print(*attrs.astuple(losses))


def filled(killing: Killing, disk: Path, number: int) -> Losses:
    """One run that meets a full disk, and is taken up when there is room."""
    chance = random.Random(number)
    setting = Setting(ORACLES[number % len(ORACLES)], number // len(ORACLES) % len(VARIETY))
    whole, name, lost = killing.whole(setting), f"full-{number}", 0
    ground = Ground(disk, killing.ground.tools)
    run = ground.run(name)
    said: list[str] = []
    for _ in range(chance.randint(1, 2)):
        before = labels_of(run)
        with _room(disk, chance.randint(0, _bytes(whole.run))):
            command = ground.started(setting, name)
            said += ended(command, (0, 1))
        if command.wait() and not any(words in command.err.read_text() for words in _FULL):
            said.append(f"no word of the disk: {command.err.read_text()}")
        lost += labels_of(run)[: len(before)] != before
    said += ended(ground.started(setting, name), (0,))
    losses = Losses(lost=lost, failed=len(said)) + (compared(run, whole.run) if not said else Losses())
    if losses:
        print(setting, losses, *said, sep="\n  ", file=sys.stderr)
    shutil.rmtree(run)
    return losses


def _bytes(run: Path) -> int:
    """What a run takes on a disk."""
    return sum(path.stat().st_blocks * 512 for path in run.rglob("*"))


@contextmanager
def _room(disk: Path, room: int) -> Iterator[None]:
    """Within the block there are so many bytes left on a disk."""
    ballast, free = disk / "ballast", shutil.disk_usage(disk).free
    ballast.write_bytes(bytes(max(0, free - room)))
    try:
        yield
    finally:
        ballast.unlink()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))

"""Work for executors; in a module of its own, without torch, since every process that is sent it imports it."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

from vatl_core.errors import InputError
from vatl_executors.worker import THREADS


class StubbornError(Exception):
    """An exception that can be pickled, and not be made again."""

    def __init__(self, what: str, where: str) -> None:
        super().__init__(f"{what} {where}")


def double(number: int) -> int:
    if number < 0:
        raise InputError(f"{number} is negative")
    return 2 * number


def die_of(number: int) -> int:
    if number == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    if number == 2:
        os._exit(3)
    return number


def stubborn(number: int) -> int:
    raise StubbornError("odd", "here")


def threads(_: int) -> tuple[int, str]:
    return os.getpid(), os.environ["OMP_NUM_THREADS"]


def threads_of_all(_: int) -> set[str]:
    """What each library that computes is told, torch's MKL among them."""
    return {os.environ[name] for name in THREADS}


def linger(path: str) -> None:
    Path(path).write_text(str(os.getpid()))
    time.sleep(60)


def linger_or_end(path: str) -> None:
    if path:
        linger(path)


def card(_: int) -> str:
    """Which GPUs this process is to see."""
    return os.environ.get("CUDA_VISIBLE_DEVICES", "")


def where(_: int) -> tuple[str, str]:
    """The present folder, and how many threads torch is to have."""
    return str(Path.cwd()), os.environ["OMP_NUM_THREADS"]


def small_run_in(folder: str) -> list[float | None]:
    """Carry out a small run below a folder, as on Windows; its accuracies."""
    import pytest

    from tests.windows import as_on_windows
    from vatl_kit.small_runs import small_run

    with pytest.MonkeyPatch.context() as patch:
        as_on_windows(patch)
        return [record.evaluation.mean_oks for record in small_run(Path(folder)).cycles if record.evaluation]

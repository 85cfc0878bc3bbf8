"""Fifty at once: writing to one file of labels, and taking up one run."""

from __future__ import annotations

import multiprocessing
import time
from pathlib import Path
from typing import Final

import torch

from tests.campaign.killing import Killing
from tests.campaign.losses import Losses, compared, labels_of
from tests.campaign.settings import Ground, Setting
from tests.labelling_tools import answer
from vatl_core.contracts import Labels
from vatl_core.store import Answers

CROWD: Final = 50
_EACH: Final = 4
"""Labels that each of the writers has."""


def writers(ground: Ground, count: int = CROWD) -> Losses:
    """So many processes that save labels of their own into one file, at once."""
    run = ground.run("crowded")
    run.mkdir(parents=True)
    context = multiprocessing.get_context("fork")
    processes = [context.Process(target=_write, args=(run, number)) for number in range(count)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    found = [instance for instance, _ in labels_of(run)]
    lost = len(set(range(count * _EACH)) - set(found))
    failed = sum(process.exitcode != 0 for process in processes)
    return Losses(lost=lost, twice=len(found) - len(set(found)), failed=failed)


def _write(run: Path, number: int) -> None:
    answers = Answers(run / "labels.sqlite")
    for instance in range(number * _EACH, (number + 1) * _EACH):
        one, points = torch.tensor([instance]), torch.full((1, 5, 2), float(instance))
        answers.save(0, Labels(one, points, torch.ones(1, 5) > 0, f"writer {number}", torch.ones(1)))


def resumes(killing: Killing, count: int = CROWD) -> Losses:
    """So many processes that take up one run, at once: one of them does, and the others say so."""
    setting, ground, name = Setting("coco", 0), killing.ground, "wanted"
    whole, run = killing.whole(setting), killing.ground.run(name)
    first = ground.started(setting, name)
    while not (tasks := run / "cycles" / "000" / "tasks").exists():
        assert first.poll() is None, first.communicate()
        time.sleep(0.01)
    first.kill()
    first.wait()
    commands = [ground.begin("resume", run) for _ in range(count)]
    while sum(command.poll() is not None for command in commands) < count - 1:
        time.sleep(0.05)
    told = [command for command in commands if command.poll() is not None]
    said = sum(c.wait() == 2 and "another process" in c.err.read_text() for c in told)
    (winner,) = [command for command in commands if command.poll() is None]
    for cycle in sorted(path.parent.name for path in whole.run.glob("cycles/*/tasks")):
        while not (tasks := run / "cycles" / cycle / "tasks").exists():
            assert winner.poll() is None, winner.communicate()
            time.sleep(0.01)
        answer(tasks, setting.oracle)
    failed = count - 1 - said + (winner.wait(120) != 0)
    return Losses(failed=failed) + compared(run, whole.run)

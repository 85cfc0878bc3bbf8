"""``python -m tests.gpu``: the tests that need a device, then each measurement, with results on disk as they come.

A measurement works in a process of its own, with a time limit; what it finds stands in ``FOLDER/NAME.json`` and, with
all the others so far, in ``FOLDER/gpu.md`` and ``FOLDER/gpu.json``.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

TESTS = 120
"""Seconds for the tests that need CUDA; a measurement gets the same."""


def main(words: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.gpu")
    parser.add_argument("--device", default="auto", help="auto (a GPU if there is one), cpu, cuda:1, …")
    parser.add_argument("--out", type=Path, default=Path("build/gpu"))
    parser.add_argument("--seconds", type=float, default=460.0, help="for all of it")
    parser.add_argument("--only", help="names of measurements, with commas; `tests` are the tests")
    parser.add_argument("--measure", help=argparse.SUPPRESS)
    given = parser.parse_args(words)
    if given.measure:
        return measure(given.measure, given.device, given.out)
    return carry_out(given.device, given.out, given.seconds, given.only.split(",") if given.only else None)


def carry_out(device: str, out: Path, seconds: float, only: list[str] | None) -> int:
    """Do it all, as far as the time goes."""
    from tests.gpu.measures import MEASURES
    from tests.gpu.table import machine, written

    out.mkdir(parents=True, exist_ok=True)
    about, ended = machine(device), time.monotonic() + seconds
    rows: dict[str, Any] = {}
    for name in only or ["tests", *MEASURES]:
        left = min(float(TESTS), ended - time.monotonic())
        rows[name] = _done(name, device, out, left) if left > 5 else {"left_out": "no time was left"}
        written(out, about, rows)
        print(f"{name}: {json.dumps(rows[name])}", flush=True)
    return int(any("failed" in row for row in rows.values()))


def _done(name: str, device: str, out: Path, seconds: float) -> dict[str, Any]:
    """What came of one, in a process of its own."""
    command = [sys.executable, "-m", "tests.gpu", "--measure", name, "--device", device, "--out", str(out)]
    if name == "tests":
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *_tests(device)]
    started = time.monotonic()
    with (out / f"{name}.log").open("w") as log:
        try:
            done = subprocess.run(command, timeout=seconds, stdout=log, stderr=subprocess.STDOUT, env=os.environ)
        except subprocess.TimeoutExpired:
            return {"failed": f"not through after {seconds:.0f} s"}
    took = {"seconds": round(time.monotonic() - started, 1)}
    if done.returncode:
        said = (out / f"{name}.log").read_text().strip().splitlines()[-1:]
        return took | {"failed": f"exit code {done.returncode}: {' '.join(said)[:300]}"}
    kept = out / f"{name}.json"
    return took | (json.loads(kept.read_text()) if kept.exists() else {})


def _tests(device: str) -> list[str]:
    """The tests that need CUDA, and parity on it; on a CPU one of them, to see that they are found."""
    return (
        ["tests/unit", "tests/parity", "-m", "cuda"] if device != "cpu" else ["tests/parity", "-k", "oks_alc and cpu"]
    )


def measure(name: str, device: str, out: Path) -> int:
    """Carry out one measurement in this process, and leave what it found."""
    from tests.gpu.material import SMALL, Bench, Sizes
    from tests.gpu.measures import MEASURES
    from vatl_core.compute import Compute

    compute = Compute.choose(device)
    bench = Bench(compute, SMALL if compute.device.type == "cpu" else Sizes())
    (out / "files").mkdir(parents=True, exist_ok=True)
    found = MEASURES[name](bench, out / "files")
    figures = {what: {"figure": figure, "goal": goal} for what, (figure, goal) in found.items()}
    (out / f"{name}.json").write_text(json.dumps({"figures": figures}, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

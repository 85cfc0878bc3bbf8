"""Whole runs by the published preset, one after the other or several at a time."""

from __future__ import annotations

import json
import math
import time
from pathlib import Path
from typing import Any

import tomli_w

from tests.gpu.material import Bench
from vatl_core.cli import main
from vatl_core.discovery import discover
from vatl_core.plugins import build
from vatl_core.promises import checked_video


def carried_out(bench: Bench, folder: Path, at_once: int) -> tuple[float, list[Path]]:
    """So many runs side by side: seconds for all of them, and their folders."""
    folder.mkdir(parents=True, exist_ok=True)
    sweep = folder / "runs.toml"
    sweep.write_text(tomli_w.dumps(tables(bench, at_once)))
    started = time.perf_counter()
    jobs = ["--jobs", str(at_once)] if at_once > 1 else ["-o", "local.jobs=none"]
    main(["sweep", str(sweep), "--folder", str(folder / "swept"), *jobs])
    return time.perf_counter() - started, sorted((folder / "swept" / "runs").iterdir())


def tables(bench: Bench, seeds: int) -> dict[str, Any]:
    """The sweep's file: one embedded video of about as many instances as are wanted."""
    sizes = bench.sizes
    frames = max(2, round(sizes.instances / people()))
    schedule = [f"{(n + 1) / sizes.cycles:.4f}" for n in range(sizes.cycles)]
    options: dict[str, Any] = {"input_size": list(sizes.input_size)}
    options |= {"backbone": "resnet50"} if sizes.learner == "simplebaseline" else {}
    return {
        "sweep": {"seeds": list(range(seeds)), "videos": ["dance"]},
        "run": {
            "preset": sizes.preset, "estimator": sizes.learner, "weights": "none", "schedule": schedule,
            "device": str(bench.device), "batch": sizes.batch,
        },
        "dataset": {"synthetic": {"frames": frames}},
        "estimator": {sizes.learner: options},
        "retrain": {"continual": {"alpha": 250.0 if sizes.cycles > 2 else 2.0}},
    }  # fmt: skip


def people() -> float:
    """Instances to a frame of the embedded video."""
    video = checked_video(build(discover(), "dataset", "synthetic", {"frames": 10}), "dance")
    return len(video.instances) / 10


def steps_of(run: Path) -> int:
    """About how many steps a run's retrainings took: α·(1 − m) epochs of a batch for each 120 instances learnt from."""
    steps = 0
    for line in (run / "cycles.jsonl").read_text().splitlines():
        record = json.loads(line)
        known = [oks for oks in record["query_oks"] if oks is not None]
        if known:
            learnt = record["labelled"] + len(record["query"])
            steps += int(250.0 * (1 - sum(known) / len(known))) * math.ceil(learnt / 120)
    return max(1, steps)

"""What came of `make gpu`: a table for people and a file for programs, written anew after each measurement."""

from __future__ import annotations

import datetime
import json
import platform
import subprocess
from pathlib import Path
from typing import Any

import numpy
import torch
import torchvision


def machine(device: str) -> dict[str, str]:
    """Card, driver and versions, and the day."""
    on_gpu = device != "cpu" and torch.cuda.is_available()
    return {
        "date": datetime.date.today().isoformat(),
        "card": torch.cuda.get_device_name() if on_gpu else f"none: {platform.processor() or platform.machine()}",
        "driver": _driver() if on_gpu else "",
        "python": platform.python_version(), "torch": torch.__version__, "torchvision": torchvision.__version__,
        "numpy": numpy.__version__, "cuda": torch.version.cuda or "",
    }  # fmt: skip


def _driver() -> str:
    asked = ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"]
    try:
        return subprocess.run(asked, capture_output=True, text=True, timeout=20, check=True).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return "unknown"


def written(out: Path, about: dict[str, str], rows: dict[str, Any]) -> None:
    """Both files, as far as it has come."""
    (out / "gpu.json").write_text(json.dumps({"machine": about, "results": rows}, indent=2) + "\n")
    (out / "gpu.md").write_text(markdown(about, rows))


def markdown(about: dict[str, str], rows: dict[str, Any]) -> str:
    """The table."""
    lines = [", ".join(f"{name} {value}" for name, value in about.items() if value), ""]
    lines += ["| measured | figure | goal | seconds |", "|---|---|---|---|"]
    for name, row in rows.items():
        seconds = row.get("seconds", "")
        if not row.get("figures"):
            lines.append(f"| {name} | {row.get('failed') or row.get('left_out') or 'passed'} | | {seconds} |")
        for what, told in row.get("figures", {}).items():
            goal = "" if told["goal"] is None else f"≤ {told['goal']:g}"
            lines.append(f"| {name}: {what} | {told['figure']:.3g} | {goal} | {seconds} |")
            seconds = ""
    return "\n".join(lines) + "\n"

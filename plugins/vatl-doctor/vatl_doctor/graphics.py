"""torch, what it was built for, and the GPU or why there is none."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import warnings
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import TYPE_CHECKING, Final

from packaging.requirements import Requirement

from vatl_core.plugins import describe
from vatl_doctor.findings import Finding, advice, fine, wrong

if TYPE_CHECKING:
    from types import ModuleType

_CUDA_BUILD: Final = "install a build of torch and torchvision for CUDA: pytorch.org, `Get Started`, says how"
_NO_TORCH: Final = "torch cannot be imported"
_PCI: Final = Path("/sys/bus/pci/devices")
"""Where Linux lists what is plugged in; elsewhere nothing is known of a GPU that has no driver."""
_NVIDIA: Final = "0x10de"
_ANSWERS: Final = 20.0
"""Seconds that NVIDIA's program has to answer: it waits for a driver that hangs."""


def torch_build() -> list[Finding]:
    """Whether torch can be imported, and what it was built for."""
    try:
        import torch
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        return [wrong(f"{_NO_TORCH}: {describe(error)}", _again("torch"))]
    return [fine(f"{torch.__version__}, built for {built_for(torch)}, {torch.get_num_threads()} threads")]


def built_for(torch: ModuleType) -> str:
    """What torch can use beside the processor."""
    if torch.version.cuda:
        return f"CUDA {torch.version.cuda}"
    if getattr(torch.version, "hip", None):
        return f"ROCm {torch.version.hip}"
    return "Apple's GPU" if torch.backends.mps.is_built() else "the CPU alone"


def gpu() -> list[Finding]:
    """The GPUs that runs can use, or why there is none."""
    try:
        import torch
    except BaseException:
        return [advice(f"unknown: {_NO_TORCH}", "see torch")]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch warns of what is told below
        there = torch.cuda.is_available()
    if there:
        return [_tried(torch, number) for number in range(torch.cuda.device_count())]
    if torch.backends.mps.is_available():
        return [fine("Apple's: --device mps uses it")]
    return [_none(torch)]


def _tried(torch: ModuleType, number: int) -> Finding:
    """One GPU, and whether it does what it is told."""
    about = torch.cuda.get_device_properties(number)
    name = f"{number}: {about.name}, {about.total_memory / 2**30:.0f} GiB"
    try:
        (torch.ones(2, device=f"cuda:{number}") + 1).sum().item()
    except RuntimeError as error:
        cause = str(error).splitlines()[0]
        known = " ".join(torch.cuda.get_arch_list())
        return wrong(
            f"{name}, cannot be used ({cause}; torch was built for {known})", f"{_CUDA_BUILD}; until then --device cpu"
        )
    return fine(name)


def _none(torch: ModuleType) -> Finding:
    hidden = os.environ.get("CUDA_VISIBLE_DEVICES")
    if hidden is not None and hidden.strip() in ("", "-1"):
        return advice(f"hidden by CUDA_VISIBLE_DEVICES='{hidden}': runs use the CPU", "unset CUDA_VISIBLE_DEVICES")
    program = shutil.which("nvidia-smi")
    if program is None:
        return _no_driver()
    driver = _asked(program)
    if isinstance(driver, Finding):
        return driver
    if not torch.version.cuda:
        return advice(f"NVIDIA's driver is here, and torch is built for {built_for(torch)}", _CUDA_BUILD)
    return _refused(torch, driver)


def _no_driver() -> Finding:
    plugged = []
    with suppress(OSError):
        plugged = [file for file in _PCI.glob("*/vendor") if file.read_text(encoding="ascii").strip() == _NVIDIA]
    if any(file.with_name("class").read_text(encoding="ascii").startswith("0x03") for file in plugged):
        return advice("an NVIDIA GPU is plugged in and has no driver: runs use the CPU", "install NVIDIA's driver")
    return fine(f"none: runs use the CPU, {os.cpu_count()} cores")


def _asked(program: str) -> str | Finding:
    """What NVIDIA's program says, or what is wrong where it says nothing."""
    try:
        asked = subprocess.run([program], capture_output=True, encoding="utf-8", errors="replace", timeout=_ANSWERS)
    except (OSError, subprocess.TimeoutExpired) as error:
        return advice(f"nvidia-smi does not answer ({describe(error)})", "restart, or reinstall NVIDIA's driver")
    if asked.returncode:
        said = (asked.stdout + asked.stderr).strip().splitlines() or [f"exit code {asked.returncode}"]
        return advice(f"NVIDIA's driver does not answer: {said[0]}", "restart, or reinstall NVIDIA's driver")
    return asked.stdout


def _refused(torch: ModuleType, driver: str) -> Finding:
    """Why torch, which is built for CUDA, cannot use a GPU whose driver answers."""
    knows = re.search(r"CUDA Version:\s*(\d+)\.(\d+)", driver)
    number = re.search(r"Driver Version:\s*([\d.]+)", driver)
    if knows and int(knows[1]) < int(torch.version.cuda.partition(".")[0]):
        return advice(
            f"NVIDIA's driver{f' {number[1]}' if number else ''} is too old: it knows CUDA {knows[1]}.{knows[2]}, and "
            f"torch is built for CUDA {torch.version.cuda}",
            f"update the driver, or install a build of torch and torchvision for CUDA {knows[1]}",
        )
    try:
        torch.cuda.init()
        cause = "no device"
    except (RuntimeError, AssertionError) as error:
        cause = str(error).splitlines()[0]
    return advice(f"torch cannot use it: {cause}", "update NVIDIA's driver, or restart; until then runs use the CPU")


def vision() -> list[Finding]:
    """Whether torchvision is of this torch."""
    try:
        import torch
        import torchvision
        from torchvision.ops import nms

        nms(torch.tensor([[0.0, 0, 1, 1]]), torch.ones(1), 0.5)  # a part that is compiled against one torch
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        return [wrong(f"does not work: {describe(error)}", _again("torch torchvision"))]
    return [_of_one_build(torch.__version__, torchvision.__version__)]


def _of_one_build(torch: str, torchvision: str) -> Finding:
    builds = [text.partition("+")[2] for text in (torch, torchvision)]
    if builds[0] != builds[1] and all(builds):
        return wrong(f"{torchvision} is of another build than torch {torch}", _again("torch torchvision"))
    with suppress(PackageNotFoundError):
        needs = [need for need in map(Requirement, requires("torchvision") or ()) if need.name == "torch"]
        if unmet := [need for need in needs if not need.specifier.contains(version("torch"), prereleases=True)]:
            return wrong(f"{torchvision} is for {unmet[0]}, and torch is {torch}", _again("torch torchvision"))
    return fine(f"{torchvision}, of this torch")


def _again(names: str) -> str:
    return f"pip install --force-reinstall {names}"

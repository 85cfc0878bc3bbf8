"""Checks that load compiled code, in a process beside this one: what crashes or hangs there leaves the others be."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from threading import Timer
from typing import Final

import attrs

from vatl_doctor import graphics, media
from vatl_doctor.findings import Check, Finding, findings, wrong

CHECKS: Final[Mapping[str, Check]] = {
    "torch": graphics.torch_build,
    "gpu": graphics.gpu,
    "torchvision": graphics.vision,
    "decoder": media.decoder,
    "opencv": media.opencv,
}
_PATIENCE: Final = 300.0
"""Seconds for all of them: torch may have to come from a slow disk."""
_MARK: Final = "vatl-doctor found: "
"""What a line of ours begins with: libraries may print, too."""


def aside(names: Sequence[str]) -> Iterator[tuple[str, Finding]]:
    """What these checks find; whichever a process dies of is blamed, and another process goes on behind it."""
    left = list(names)
    while left:
        command = [sys.executable, "-P", "-m", __name__, *left]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
            clock = Timer(_PATIENCE, process.kill)
            clock.start()
            for name, finding in _told(process):
                left = left[left.index(name) + 1 :] if name in left else left
                yield name, finding
            code = process.wait()
            late = not clock.is_alive()
            clock.cancel()
        if left:
            yield left.pop(0), wrong(_death(code, late), "reinstall it, in a build for this processor and system")


def _told(process: subprocess.Popen[bytes]) -> Iterator[tuple[str, Finding]]:
    assert process.stdout
    for line in process.stdout:
        mark, _, told = line.decode(errors="replace").partition(_MARK)
        if not mark and told:
            name, row = json.loads(told)
            yield name, Finding(**row)


def _death(code: int, late: bool) -> str:
    if late:
        return f"hangs: it did not end within {_PATIENCE:.0f} seconds"
    name = next((each.name for each in signal.Signals if each == -code), f"exit code {code}")
    return f"crashes when it is loaded: {name}"


def main(names: Sequence[str]) -> None:
    """In the process beside: do these checks, and print what they find."""
    for name in names:
        for finding in findings(CHECKS[name]):
            print(f"\n{_MARK}{json.dumps([name, attrs.asdict(finding)])}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])

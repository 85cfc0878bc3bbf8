"""Commands in processes of their own that begin at once: forked from one that has imported what takes seconds."""

from __future__ import annotations

import atexit
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]
_ASKING = threading.Lock()


@cache
def _server() -> subprocess.Popen[str]:
    """The interpreter that this process's commands are forked from; no test runs in it."""
    command = [sys.executable, "-W", "ignore", "-c", "from tests.warm import serve; serve()"]
    untouched = os.environ | {"PYTORCH_NVML_BASED_CUDA_CHECK": "1"}  # a GPU that was asked is lost to forks
    pipe = subprocess.PIPE
    server = subprocess.Popen(command, cwd=ROOT, env=untouched, stdin=pipe, stdout=pipe, text=True)
    atexit.register(server.communicate)  # it ends when nobody can ask any more
    return server


class Command:
    """``vatl`` with some words, as `subprocess.Popen` would give it; what it says goes to files.

    A fresh interpreter takes three seconds of processor time to import torch, matplotlib and the plugins; in this one
    they are imported, and nothing else has happened.
    """

    def __init__(self, words: Sequence[str | Path], cwd: Path, environment: Mapping[str, str]) -> None:
        self.words = list(map(str, words))
        self._folder = tempfile.TemporaryDirectory(prefix="vatl-said-")
        self.out, self.err, self._code = (Path(self._folder.name) / name for name in ("out", "err", "code"))
        self.out.touch()
        self.err.touch()
        told = {"words": self.words, "cwd": str(cwd), "environment": dict(environment)}
        places = {"out": str(self.out), "err": str(self.err), "code": str(self._code)}
        server = _server()
        assert server.stdin
        assert server.stdout
        with _ASKING:
            print(json.dumps(told | places), file=server.stdin, flush=True)
            self.pid = int(server.stdout.readline())

    @property
    def returncode(self) -> int | None:
        return int(self._code.read_text()) if self._code.exists() else None

    def poll(self) -> int | None:
        return self.returncode

    def wait(self, timeout: float = 600) -> int:
        until = time.monotonic() + timeout
        while (code := self.returncode) is None:
            if time.monotonic() > until:
                raise subprocess.TimeoutExpired(["vatl", *self.words], timeout)
            time.sleep(0.005)
        return code

    def send_signal(self, number: int) -> None:
        if self.returncode is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def communicate(self, timeout: float = 600) -> tuple[str, str]:
        """What it said on standard output and standard error, once it has ended; killed if that takes longer."""
        try:
            self.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            raise
        return self.out.read_text(), self.err.read_text()

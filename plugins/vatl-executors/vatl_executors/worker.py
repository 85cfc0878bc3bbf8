"""The other side of :mod:`vatl_executors.processes`; imports nothing heavy before threads are limited."""

from __future__ import annotations

import os
import signal
import threading
from multiprocessing import parent_process
from multiprocessing.connection import Connection
from typing import Final

from vatl_core.outcomes import attempt_elsewhere

THREADS: Final = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "OPENCV_FOR_THREADS_NUM")
"""Where torch, NumPy and OpenCV look, when they are imported, for how many threads they may start."""


def serve(pipe: Connection, threads: int) -> None:
    """Do what comes through the pipe until its other end closes; the user's own word on threads stands."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's affair
    threading.Thread(target=_end_with_parent, daemon=True).start()
    told = os.environ.get("OMP_NUM_THREADS", str(threads))  # of whoever says it, for all: torch listens to MKL's, too
    for name in THREADS:
        os.environ.setdefault(name, told)
    while True:
        try:
            work, index, run = pipe.recv()
        except EOFError:
            return
        pipe.send(attempt_elsewhere(work, index, run))


def _end_with_parent() -> None:
    """A killed parent leaves nobody to tell: end at once, so that whoever takes its work up finds it free."""
    parent = parent_process()
    if parent:
        parent.join()
        os._exit(1)

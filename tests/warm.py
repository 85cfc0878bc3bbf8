"""An interpreter that has imported what commands of ours import sooner or later, and forks each of them from itself.

It is told of one in a line of JSON, and answers with the number of its process; see ``tests/processes.py``.
"""

from __future__ import annotations

import atexit
import gc
import json
import os
import signal
import sys
import threading
from pathlib import Path

import av  # noqa: F401
import cv2  # noqa: F401
import jinja2  # noqa: F401
import matplotlib.backends.backend_agg
import matplotlib.figure  # noqa: F401
import pycocotools.cocoeval  # noqa: F401
import sklearn.decomposition  # noqa: F401
import torchvision  # noqa: F401

import vatl_core.cli.resume
import vatl_core.cli.run  # noqa: F401
import vatl_estimators.tiny  # noqa: F401
import vatl_report.plugin
import vatl_report.report  # noqa: F401
import vatl_synthetic.dataset  # noqa: F401
from tests.campaign import events
from vatl_core.cli import main
from vatl_drawing import plotted


def serve() -> None:
    """Until nobody is there who could ask."""
    answers = os.fdopen(os.dup(1), "w")
    plotted(lambda figure: figure.subplots().set_title("finding the fonts takes a second"), 1, 1)
    gc.freeze()  # else each command's collector looks through all that is imported, and so copies it
    for line in sys.stdin:
        told = json.loads(line)
        pid = os.fork()
        if pid == 0:
            _become(**told)
            _end(_done())
        print(pid, file=answers, flush=True)
        threading.Thread(target=_tell, args=(pid, Path(told["code"]))).start()


def _become(words: list[str], cwd: str, environment: dict[str, str], out: str, err: str, code: str) -> None:
    """What a shell would have started."""
    os.closerange(3, 256)
    for stream, path in enumerate((os.devnull, out, err)):
        os.dup2(os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND), stream)
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(environment)
    here = [place for place in sys.path if place]  # without the folder that this interpreter was started in
    sys.path[:] = [*filter(None, environment.get("PYTHONPATH", "").split(os.pathsep)), *here]
    sys.argv[:] = ["vatl", *words]
    signal.signal(signal.SIGINT, signal.default_int_handler)  # what a shell starts in the background ignores it
    events.watch(environment)


def _done() -> int:
    """The exit code of the command, as the interpreter would find it."""
    try:
        return main()
    except SystemExit as ended:
        return int(ended.code or 0)
    except BaseException:
        sys.excepthook(*sys.exc_info())  # type: ignore[arg-type]
        return 1


def _end(code: int) -> None:
    """As an interpreter ends, but for taking apart all that is imported: that takes longer than most commands."""
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _tell(pid: int, code: Path) -> None:
    """Wait for a process, and leave a file with its exit code; that is negative where a signal ended it."""
    _, status = os.waitpid(pid, 0)
    part = code.with_suffix(".part")
    part.write_text(str(os.waitstatus_to_exitcode(status)))
    part.rename(code)

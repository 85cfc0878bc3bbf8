"""Run by a bare Python: in forks of a process that has all that vatl-core declares, import each distribution alone."""

import contextlib
import importlib
import io
import json
import os
import sys
import traceback

spec = json.load(sys.stdin)
sys.path.append(spec["core"])


def load(modules):
    for module in modules:
        importlib.import_module(module)


def listed():
    from vatl_core.cli import main

    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.suppress(SystemExit):
        main(["plugins", "list"])
    return said.getvalue()


def alone(site, modules):
    if site:
        sys.path.append(site)
        importlib.invalidate_caches()
    load(modules)
    return {"listed": listed()}


results = {}
load(spec["modules"])  # of vatl-core, which every distribution needs; torch takes its seconds once
for name, (site, modules) in spec["others"].items():
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            told = alone(site, modules)
        except BaseException:
            told = {"error": traceback.format_exc()}
        with os.fdopen(writing, "w") as pipe:
            json.dump(told, pipe)
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        results[name] = json.load(pipe)
    os.waitpid(child, 0)
json.dump(results, sys.stdout)

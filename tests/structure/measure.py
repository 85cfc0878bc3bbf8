"""How large the core is, and in what order: printed, with an exit code of 1 where it is worse than `docs` promises.

`python -m tests.structure.measure`, part of `make lint`.
"""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path

from tests.structure.imports import CORE, ROOT, Import, every_import, modules, past_the_door, room

HEART = ("contracts", "hookspecs", "plugins", "cycle")
LIMITS = {"heart": 2800, "core": 8200}
"""Lines. They only go down."""


def files() -> dict[str, list[Path]]:
    """The files of the heart and of the whole core."""
    core = {name: file for name, file in modules().items() if room(name).startswith(CORE)}
    heart = {f"{CORE}.{part}" for part in HEART}
    return {"heart": [file for name, file in core.items() if room(name) in heart], "core": list(core.values())}


def lines(file: Path) -> int:
    """As ``wc -l`` counts."""
    return file.read_bytes().count(b"\n")


def within_the_core() -> list[Import]:
    return [found for found in every_import() if {room(found.importer), room(found.target)} <= set(_floors())]


def upward(found: Import) -> bool:
    """Whether a module imports one of a floor above its own, or of its own floor in a room that is apart."""
    here, there = room(found.importer), room(found.target)
    mine, theirs = _floors()[here], _floors()[there]
    return theirs[0] < mine[0] or (here != there and theirs == mine and mine[1])


@cache
def _floors() -> Mapping[str, tuple[int, bool]]:
    """The floor of each room of the core, counted from the top, and whether its rooms know nothing of each other."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    (layers,) = (contract["layers"] for contract in contracts if contract.get("containers") == [CORE])
    return {
        f"{CORE}.{name}": (number, "|" in layer)
        for number, layer in enumerate(layers)
        for name in layer.replace("|", " ").replace(":", " ").split()
    }


def in_circles(edges: Sequence[tuple[str, str]]) -> set[str]:
    """What is left when those that import nothing, or that nothing imports, are taken away again and again."""
    left = {end for edge in edges for end in edge}
    while True:
        inner = [(a, b) for a, b in edges if {a, b} <= left]
        kept = {a for a, _ in inner} & {b for _, b in inner}
        if kept == left:
            return left
        left = kept


def circles() -> list[str]:
    """Each module of the core that imports itself by way of others."""
    return sorted(in_circles([(found.importer, found.target) for found in within_the_core()]))


def counts() -> dict[str, list[str]]:
    """What there must be none of."""
    return {
        "modules in circles of imports": circles(),
        "imports that go up": [str(found) for found in within_the_core() if upward(found)],
        "names imported past a door": [str(found) for found in every_import() if past_the_door(found)],
    }


def main(say: Callable[[str], object] = print) -> int:
    """Say it; the exit code."""
    large = False
    for what, limit in LIMITS.items():
        total = sum(map(lines, files()[what]))
        large |= total > limit
        say(f"{what}: {total:,} lines in {len(files()[what])} files, of {limit:,} at most")
    for what, found in counts().items():
        say("\n  ".join([f"{what}: {len(found)}", *found]))
    return int(large or any(counts().values()))


if __name__ == "__main__":
    sys.exit(main())

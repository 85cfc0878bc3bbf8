"""What is shipped can be imported on every system that Python runs on."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ONE_SYSTEMS = {"fcntl", "grp", "msvcrt", "posix", "pty", "pwd", "resource", "syslog", "termios", "tty", "winreg"}
"""Modules of the standard library that only some systems have."""


def imports_at_once(tree: ast.Module) -> set[str]:
    """The packages that a module cannot be imported without; what is tried first is no matter."""
    found: set[str] = set()
    for node in tree.body:
        if isinstance(node, ast.Import):
            found |= {name.name.partition(".")[0] for name in node.names}
        if isinstance(node, ast.ImportFrom):
            found.add(str(node.module).partition(".")[0])
    return found


@pytest.mark.parametrize("folder", ["vatl_core", "plugins", "adapters"])
def test_no_module_needs_what_one_system_has(folder: str) -> None:
    sources = list((ROOT / folder).rglob("*.py"))
    assert len(sources) > 10
    found = {
        str(path.relative_to(ROOT)): imports_at_once(ast.parse(path.read_text())) & ONE_SYSTEMS for path in sources
    }
    assert {path: names for path, names in found.items() if names} == {}

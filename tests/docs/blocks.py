"""The blocks of code and commands in the documentation's pages, as the text is read by GitHub and by the site.

What a block is for is said in a comment before it, which readers do not see:

- ``<!-- run -->``: its commands are carried out, at small scale.
- ``<!-- file: PATH -->``: it is the content of a file that commands and Python on the page work on.
- ``<!-- not run: REASON -->``: it can be neither carried out nor checked.

Without one, Python is run, TOML and JSON are read, and commands are checked against what is installed. ``text`` is for
what is neither: layouts of folders, output.
"""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import attrs
from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT = Path(__file__).resolve().parents[2]
COMMANDS = ("", "sh", "bash", "console")
"""Languages of blocks that hold commands; indented blocks have none."""
_COMMENT = re.compile(r"<!-- (run|not run|file)(?:: (.+?))? -->\s*")


@attrs.frozen
class Block:
    """One block.

    Attributes:
        page: its file.
        line: counted from 1.
        language: as its fence says.
        text: what is in it.
        marker: ``run``, ``not run``, ``file`` or nothing.
        value: what the marker says further.
    """

    page: Path
    line: int
    language: str
    text: str
    marker: str = ""
    value: str = ""

    @property
    def place(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"

    @property
    def commands(self) -> list[list[str]]:
        """The words of each command, without comments; lines that end in a backslash go on."""
        if self.language not in COMMANDS:
            return []
        lines = self.text.replace("\\\n", " ").splitlines()
        words = [shlex.split(line.removeprefix("$ "), comments=True) for line in lines]
        return [line for line in words if line]


def pages() -> list[Path]:
    """Everything that somebody wrote for users: the site's pages, and what the packages say of themselves."""
    readmes = [ROOT / "README.md", ROOT / "vatl_core/README.md", *sorted(ROOT.glob("*/vatl*/README.md"))]
    examples = sorted((ROOT / "docs" / "examples").glob("*/README.md"))
    return [*sorted((ROOT / "docs").glob("*.md")), *readmes, *examples]


def blocks(page: Path) -> list[Block]:
    """The blocks of a page, in order."""
    found: list[Block] = []
    marker: tuple[str, str] = ("", "")
    for token in MarkdownIt().parse(page.read_text(encoding="utf-8")):
        if token.type in ("fence", "code_block"):
            found.append(_block(page, token, *marker))
        if token.type == "html_block" and (comment := _COMMENT.fullmatch(token.content)):
            marker = (comment[1], comment[2] or "")
        elif token.type != "html_block":
            marker = ("", "")
    return found


def _block(page: Path, token: Token, marker: str, value: str) -> Block:
    assert token.map is not None
    return Block(page, token.map[0] + 1, token.info.split(" ")[0], token.content, marker, value)

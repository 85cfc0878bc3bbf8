"""How far a download is, on standard error: it comes before the run, whose display is not there yet."""

from __future__ import annotations

import sys

import attrs

MB = 1_000_000


@attrs.define
class Transfer:
    """A line that is written over on a terminal, and repeated at every tenth elsewhere.

    Attributes:
        told: the share last written, in percent.
    """

    told: int = -1

    def step(self, done: int, total: int) -> None:
        """``done`` of ``total`` bytes are here."""
        percent = 100 * done // max(total, 1)
        alone = sys.stderr.isatty()
        percent = percent if alone else percent // 10 * 10
        end = "\r" if alone and done < total else "\n"
        if percent != self.told:
            sys.stderr.write(f"downloading weights: {percent:3} % of {total / MB:.0f} MB{end}")
            sys.stderr.flush()
        self.told = percent

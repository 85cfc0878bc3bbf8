"""Which public weights are known, for which forms of which estimators, and which of them are here."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import attrs

from vatl_core.plugins import Registry, build
from vatl_weights.downloads import cached, folder, place
from vatl_weights.foreign import Download, forms_of, known_weights


@attrs.frozen
class KnownWeights:
    """Public weights for one form of an estimator.

    Attributes:
        name: what ``--weights`` calls them.
        estimator: whose.
        options: of the estimator, for which they are.
        download: what is known of their file.
        file: where it is on this machine; None where it is not.
    """

    name: str
    estimator: str
    options: dict[str, Any]
    download: Download
    file: Path | None

    @property
    def megabytes(self) -> int:
        """Of the file that is here, else about as many as it will have; 0 where nobody says."""
        return round(self.file.stat().st_size / 1e6) if self.file else self.download.megabytes

    def to_json(self) -> dict[str, Any]:
        """As JSON's types."""
        told = {"name": self.name, "estimator": self.estimator, "options": self.options}
        return told | attrs.asdict(self.download) | {"megabytes": self.megabytes, "file": self.file and str(self.file)}


def known_of(registry: Registry, estimator: str) -> list[KnownWeights]:
    """What is known for an estimator.

    Raises:
        InputError: there is no such estimator.
        PluginError: it cannot be used.
    """
    found = []
    for options in forms_of(registry.find("estimator", estimator).load()):
        known = known_weights(build(registry, "estimator", estimator, dict(options)))
        found += [KnownWeights(name, estimator, dict(options), d, cached(d)) for name, d in known.items()]
    return found


def others_here(known: Iterable[KnownWeights]) -> list[Path]:
    """Whole files in the cache that are none of these: fetched by an address, or put there by hand."""
    here = folder()
    files = {path for path in here.iterdir() if path.is_file()} if here.is_dir() else set[Path]()
    files -= {place(entry.download) for entry in known}
    return sorted(path for path in files if path.suffix not in (".part", ".lock"))

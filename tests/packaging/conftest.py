"""Every distribution, built once for all tests of packaging."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.packaging.distributions import build, sources


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of all sdists and wheels."""
    return build([source.folder for source in sources()], tmp_path_factory.mktemp("built"))

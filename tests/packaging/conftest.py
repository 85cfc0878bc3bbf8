"""Every distribution, built once for all tests of packaging, whichever worker they are on."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import once
from tests.packaging.distributions import build, sources


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of all sdists and wheels."""
    return once(tmp_path_factory, "built", lambda out: build([source.folder for source in sources()], out))

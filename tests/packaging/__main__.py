"""Build a wheel of every distribution into a folder: ``python -m tests.packaging FOLDER``, as `make wheels` does."""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

from tests.packaging.distributions import build, sources


def main(folder: Path) -> None:
    """Put the wheels there, in place of whatever wheels are there."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        built = sorted(build([source.folder for source in sources()], Path(name)).glob("*.whl"))
        for old in folder.glob("*.whl"):
            old.unlink()
        for wheel in built:
            shutil.move(wheel, folder)
    print(f"{len(built)} wheels in {folder}: uv tool install vatl --find-links {folder}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))

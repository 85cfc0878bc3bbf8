"""``python -m tests.gpu.unpacked FOLDER WHEELS``: what a Python needs to see our distributions where none is installed.

Writes the metadata of each distribution of the source tree, entry points above all, into FOLDER, and installs those
wheels there whose packages this Python has not. Works with nothing but the standard library and pip.
"""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]


def main(folder: Path, wheels: Path) -> None:
    """Make the folder, to be put on PYTHONPATH with the sources."""
    folder.mkdir(parents=True, exist_ok=True)
    for file in (ROOT / "pyproject.toml", *ROOT.glob("[pa]*s/*/pyproject.toml")):  # plugins and adapters
        write_metadata(tomllib.loads(file.read_text(encoding="utf-8"))["project"], folder)
    missing = [wheel for wheel in sorted(wheels.glob("*.whl")) if not _importable(wheel)]
    if missing:
        install = [sys.executable, "-m", "pip", "install", "-q", "--no-index", "--no-deps", "--upgrade"]
        subprocess.run([*install, "--target", str(folder), *map(str, missing)], check=True)


def write_metadata(project: dict, folder: Path) -> None:  # type: ignore[type-arg]  # TOML's own
    """A distribution's ``.dist-info``, as importlib.metadata looks for it."""
    name, version = project["name"], project.get("version", "0")
    about = folder / f"{name.replace('-', '_')}-{version}.dist-info"
    about.mkdir(exist_ok=True)
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    lines = []
    for group, points in project.get("entry-points", {}).items():
        lines += [f"[{group}]", *(f"{point} = {target}" for point, target in points.items())]
    (about / "entry_points.txt").write_text("\n".join(lines) + "\n")


def _importable(wheel: Path) -> bool:
    """Whether this Python has the package of a wheel."""
    name = wheel.name.partition("-")[0].lower()
    return importlib.util.find_spec({"attrs": "attr"}.get(name, name)) is not None


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))

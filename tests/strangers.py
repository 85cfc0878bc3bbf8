"""Plugins of strangers, installed in a folder for the length of a test: metadata and a module each."""

from __future__ import annotations

import textwrap
from pathlib import Path


def install(site: Path, distribution: str, module: str, version: str = "1.0", requires: str = "", **files: str) -> None:
    """A distribution whose entry point names ``<package>.plugin``, in a folder that is on PYTHONPATH.

    Args:
        site: the folder.
        distribution: its name; the package's is the same with underscores.
        module: source of its plugin module.
        version: of the distribution.
        requires: a requirement of it.
        files: further modules of the package, by name.
    """
    package = distribution.replace("-", "_")
    about = site / f"{package}-{version}.dist-info"
    about.mkdir(parents=True)
    needs = f"Requires-Dist: {requires}\n" if requires else ""
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n{needs}")
    (about / "entry_points.txt").write_text(f"[vatl]\n{distribution} = {package}.plugin\n")
    (site / package).mkdir()
    (site / package / "__init__.py").write_text("")
    for name, source in {"plugin": module, **files}.items():
        (site / package / f"{name}.py").write_text(textwrap.dedent(source))


def describing(kind: str, name: str, target: str, contract: str = '">=1.1,<2"') -> str:
    """Source of a plugin module that describes one component."""
    return textwrap.dedent(f"""
        from vatl_core import Component, hookimpl

        vatl_contract = {contract}

        @hookimpl
        def vatl_components():
            return [Component("{kind}", "{name}", "of a stranger", "{target}")]
    """)

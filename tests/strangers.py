"""Plugins of strangers, installed in a folder for the length of a test: metadata and a module each."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from pathlib import Path


def install(
    site: Path,
    distribution: str,
    module: str,
    version: str = "1.0",
    requires: str = "",
    init: str = "",
    further: Mapping[str, str] | None = None,
    **files: str,
) -> None:
    """A distribution whose entry point names ``<package>.plugin``, in a folder that is on PYTHONPATH.

    Args:
        site: the folder.
        distribution: its name; the package's is the same with underscores.
        module: source of its plugin module.
        version: of the distribution.
        requires: a requirement of it.
        init: source of the package's ``__init__``.
        further: entry points beside the one named like the distribution, ``{name: module of the package}``.
        files: further modules of the package, by name.
    """
    package = distribution.replace("-", "_")
    about = site / f"{package}-{version}.dist-info"
    about.mkdir(parents=True)
    needs = f"Requires-Dist: {requires}\n" if requires else ""
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n{needs}")
    points = {distribution: "plugin"} | dict(further or {})
    lines = [f"{name} = {package}.{inner}\n" for name, inner in points.items()]
    (about / "entry_points.txt").write_text("[vatl]\n" + "".join(lines))
    (site / package).mkdir()
    (site / package / "__init__.py").write_text(textwrap.dedent(init))
    for name, source in {"plugin": module, **files}.items():
        (site / package / f"{name}.py").write_text(textwrap.dedent(source))


def describing(kind: str, name: str, target: str, contract: str = '">=2.0,<3"') -> str:
    """Source of a plugin module that describes one component."""
    return textwrap.dedent(f"""
        from vatl_core import Component, hookimpl

        vatl_contract = {contract}

        @hookimpl
        def vatl_components():
            return [Component("{kind}", "{name}", "of a stranger", "{target}")]
    """)


def bringing(hook: str, *described: str, contract: str = '">=2.0,<3"') -> str:
    """Source of a plugin module whose hook returns what these expressions give, or raises what they raise."""
    return textwrap.dedent(f"""
        import sys
        from vatl_core import Command, Component, Preset, hookimpl

        vatl_contract = {contract}

        @hookimpl
        def {hook}():
            return [{", ".join(described)}]
    """)

"""Writing a plugin's package from the templates beside this module."""

from __future__ import annotations

import datetime
import json
import secrets
import shutil
import subprocess
from collections.abc import Mapping
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from string import Template

from vatl_core.contract_version import written_for
from vatl_core.errors import InputError
from vatl_core.plugins import Registry
from vatl_kit.scaffold.kinds import LIFECYCLE, SCAFFOLDS
from vatl_kit.scaffold.names import Names, checked_folder, checked_name


def write_package(registry: Registry, kind: str, name: str, out: Path | None = None, author: str = "") -> Path:
    """Write the package of a new plugin, whole or not at all.

    Args:
        registry: what is installed, whose names are taken.
        kind: one of :data:`vatl_kit.scaffold.kinds.ALL`.
        name: what users will type.
        out: the package's folder; ``vatl-NAME`` here if not given.
        author: for its licence; git's user if empty.

    Returns:
        The folder.

    Raises:
        InputError: the name or the folder is taken or cannot be used.
    """
    names = checked_name(registry, kind, name)
    folder = checked_folder(out or Path(names.distribution))
    beside = folder.with_name(f".{folder.name}.{secrets.token_hex(8)}.part")  # nobody can lay a link there
    try:
        for place, text in package(names, kind, author or _git_user(names), _suggested(registry)).items():
            (beside / place).parent.mkdir(parents=True, exist_ok=True)
            (beside / place).write_text(text, encoding="utf-8")
        beside.rename(folder)
    except OSError as error:
        raise InputError(f"{folder} cannot be written ({error.strerror}): choose another folder by --out") from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return folder


def package(names: Names, kind: str, author: str, suggests: str = "") -> dict[str, str]:
    """The files of a package, ``{path: text}``."""
    values = _values(names, kind, author, suggests)

    def filled(file: str) -> str:
        return Template(_template(kind, file)).substitute(values)

    return {
        "pyproject.toml": filled("pyproject.toml"),
        "README.md": filled("README.md"),
        "LICENSE": filled("LICENSE"),
        ".gitignore": filled("gitignore"),
        f"{names.package}/__init__.py": filled("init.py"),
        f"{names.package}/py.typed": "",
        f"{names.package}/plugin.py": filled("plugin.py"),
        f"{names.package}/{kind}.py": filled("component.py"),
        f"tests/test_{names.module}.py": filled("test.py"),
    }


def _values(names: Names, kind: str, author: str, suggests: str) -> Mapping[str, str]:
    about = SCAFFOLDS[kind]
    suggested = kind == "dataset" and suggests
    return {
        "name": names.name,
        "distribution": names.distribution,
        "package": names.package,
        "module": names.module,
        "kind": kind,
        "class_name": names.class_name(kind, _template(kind, "component.py") + _template(kind, "test.py")),
        "contract_class": f"{kind.capitalize()}Contract",
        "contract": written_for(),
        "core": version("vatl-core"),
        "help": about.help,
        "what": about.what,
        "use": about.use.format(name=names.name),
        "small": about.small,
        "setting": about.setting.format(name=names.name),
        "suggests": f'\n            suggests={{"estimator": "{suggests}"}},' if suggested else "",
        "dependencies": "".join(f', "{dependency}"' for dependency in about.dependencies),
        "author": author,
        "author_toml": json.dumps(author, ensure_ascii=False),
        "year": str(datetime.date.today().year),
    }


def _template(kind: str, file: str) -> str:
    """The kind's own template of a file, or the one that all have in common."""
    templates = files("vatl_kit.scaffold") / "templates"
    own = templates / kind / f"{file}.txt"
    return (own if own.is_file() else templates / "common" / f"{file}.txt").read_text(encoding="utf-8")


def _suggested(registry: Registry) -> str:
    """The estimator that the default data set suggests: one that is quick enough to try with."""
    for name in registry.defaults("dataset"):
        return str(registry.find("dataset", name).suggests.get("estimator", ""))
    return ""


def _git_user(names: Names) -> str:
    try:
        done = subprocess.run(["git", "config", "user.name"], capture_output=True, encoding="utf-8", check=False)
    except (OSError, UnicodeDecodeError):
        return f"the authors of {names.distribution}"
    return done.stdout.strip() or f"the authors of {names.distribution}"


__all__ = ["LIFECYCLE", "package", "write_package"]

"""Whether a name can be a new plugin's, and what its package and class are called."""

from __future__ import annotations

import builtins
import keyword
import re
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import attrs

from vatl_core.errors import InputError
from vatl_core.plugins import Registry
from vatl_kit.scaffold.kinds import LIFECYCLE

_NAME: Final = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_LONGEST: Final = 20


@attrs.frozen
class Names:
    """What a plugin called ``some-idea`` is called elsewhere.

    Attributes:
        name: what users type.
    """

    name: str

    @property
    def distribution(self) -> str:
        """What pip calls it."""
        return f"vatl-{self.name}"

    @property
    def module(self) -> str:
        """As a part of Python's names."""
        return self.name.replace("-", "_")

    @property
    def package(self) -> str:
        """What is imported."""
        return f"vatl_{self.module}"

    def class_name(self, kind: str, template: str) -> str:
        """The class; with its kind behind it where the bare name means something already, or looks like a digit."""
        bare = "".join(part.capitalize() for part in self.name.split("-"))
        taken = keyword.iskeyword(bare) or hasattr(builtins, bare) or re.search(rf"\b{bare}\b", template)
        return bare + kind.capitalize() if taken or bare in ("I", "O") else bare


def checked_name(registry: Registry, kind: str, name: str) -> Names:
    """The names of a new plugin.

    Raises:
        InputError: the name is none, or is taken; the message says by what.
    """
    if not _NAME.fullmatch(name) or len(name) > _LONGEST or name.startswith("vatl-"):
        near = re.sub(r"[^a-z0-9]+", "-", name.lower().removeprefix("vatl-")).strip("-0123456789")[:_LONGEST].strip("-")
        hint = f"; '{near}' would do" if _NAME.fullmatch(near) else ""
        raise InputError(
            f"'{name}' cannot be a {kind}'s name: up to {_LONGEST} small letters, digits and dashes, a letter first, "
            f"without vatl- before it{hint}"
        )
    if kind != LIFECYCLE and (found := registry.described(kind).get(name)) is not None:
        raise InputError(f"{kind} '{name}' is taken, by {found.origin}: choose another name")
    names = Names(name)
    try:
        raise InputError(f"{names.distribution} {version(names.distribution)} is installed: choose another name")
    except PackageNotFoundError:
        pass
    if find_spec(names.package) is not None:
        raise InputError(f"a module {names.package} is installed: choose another name than '{name}'")
    return names


def checked_folder(folder: Path) -> Path:
    """A place for the package.

    Raises:
        InputError: there is something already.
    """
    if folder.exists():
        raise InputError(f"{folder} exists, and is left as it is: choose another folder by --out, or remove it")
    if not folder.absolute().parent.is_dir():
        raise InputError(f"{folder.absolute().parent} is not there: make it first, or choose another folder by --out")
    return folder

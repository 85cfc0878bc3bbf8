"""What a criterion was pre-trained to before any run, as a run keeps it."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any, Final

import attrs
from torch import Tensor

from vatl_core.errors import InputError
from vatl_core.weights.checkpoints import as_safetensors, read_safetensors

_ABOUT: Final = "vatl.criterion"
"""The entry of the file's metadata that says what it holds, as JSON."""


@attrs.frozen
class PreTrained:
    """What a criterion was pre-trained to.

    Attributes:
        tensors: by name, on the CPU: what :meth:`vatl_core.Criterion.begin_with` is given.
        about: what there is to say of it, as JSON's types; ``what`` it is in a few words.
    """

    tensors: dict[str, Tensor]
    about: dict[str, Any]

    @property
    def data(self) -> bytes:
        """The file."""
        return as_safetensors(self.tensors, _ABOUT, self.about)

    @property
    def description(self) -> str:
        """What it is, in words, with the beginning of the file's SHA-256."""
        return f"{self.about['what']}, sha256 {hashlib.sha256(self.data).hexdigest()[:16]}…"


def read_pretrained(path: Path) -> PreTrained:
    """Read a file of :attr:`PreTrained.data`.

    Raises:
        InputError: missing, damaged, or something else.
    """
    tensors, about = read_safetensors(path, _ABOUT)
    if not isinstance(about, dict) or "what" not in about:
        raise InputError(f"{path} holds nothing that a criterion was pre-trained to")
    return PreTrained(tensors, about)

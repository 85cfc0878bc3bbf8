"""What took long to find, kept so that whoever asks for the same again gets exactly the same at once."""

from __future__ import annotations

import glob
import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryFile

import attrs
import platformdirs
from filelock import FileLock

from vatl_core.errors import InputError
from vatl_core.files import whole


@attrs.frozen
class Shelf:
    """A folder of files named by what they were made from.

    Attributes:
        folder: where they lie; made when it is needed.
    """

    folder: Path

    @classmethod
    def of(cls, folder: Path | None) -> Shelf:
        """The one in ``folder``, or the user's own."""
        return cls(folder or Path(platformdirs.user_cache_dir("vatl")) / "boxes")

    def kept(self, name: str, suffix: str, key: Sequence[object], make: Callable[[Path], None]) -> Path:
        """The file made from ``key``, made now if it is not there; two processes that want the same make it once.

        Args:
            name: what the file's name begins with.
            suffix: what it ends with.
            key: everything that its contents depend on, as JSON knows it.
            make: writes it to the path that it is given; it then appears whole.

        Raises:
            InputError: the folder cannot be written to.
        """
        digest = hashlib.sha256(json.dumps(key).encode()).hexdigest()[:16]
        path = self.folder / f"{name[:64]}-{digest}{suffix}"
        if path.is_file():
            return path
        self._make_folder()
        with FileLock(self.folder / f".{path.name}.lock"):
            if not path.is_file():  # another process may have made it while this one waited
                for left in self.folder.glob(f".{glob.escape(path.name)}.*.part*"):  # of one that was killed
                    left.unlink()
                with whole(path) as beside:
                    make(beside)
        return path

    def _make_folder(self) -> None:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with TemporaryFile(dir=self.folder):
                pass
        except OSError as error:
            raise InputError(
                f"{self.folder} cannot be written to ({error.strerror}): give another folder as -o dataset.cache=…"
            ) from error

"""The files that poses can be written to, described without importing what writes them."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import attrs

from vatl_core.errors import InputError

if TYPE_CHECKING:
    from vatl_core.video import Video
    from vatl_predict.predictions import Predictions


@attrs.frozen
class Format:
    """A kind of file.

    Attributes:
        target: ``"module:function"`` of this package, which writes poses to a path; the module's ``check``, if it has
            one, refuses videos whose instances the file cannot hold.
        file: what it is called; ``prefix``, ``video`` and ``scorer`` stand for what the user sees.
        needs: modules that write it; the extra of its name installs them.
        signed: whether it says who estimated the poses.
    """

    target: str
    file: str
    needs: tuple[str, ...] = ()
    signed: bool = True

    def check(self, video: Video) -> None:
        """Make sure that it can hold this video's instances.

        Raises:
            InputError: it cannot.
        """
        check = getattr(self._module, "check", None)
        if check:
            check(video)

    def write(self, found: Predictions, path: Path, scorer: str) -> None:
        """Write the poses, whole or not at all."""
        function = getattr(self._module, self.target.partition(":")[2])
        function(found, path, *((scorer,) if self.signed else ()))

    @property
    def _module(self) -> Any:
        return importlib.import_module(f"vatl_predict.{self.target.partition(':')[0]}")


_TABLE: Final = "{video}{scorer}"
"""How DeepLabCut calls a table of a video; its tools find it by that."""
FORMATS: Final[Mapping[str, Format]] = {
    "coco": Format("coco:write_coco", "{prefix}poses.json", signed=False),
    "csv": Format("keypoint_rows:write_csv", "{prefix}poses.csv", signed=False),
    "slp": Format("slp:write_project", "{prefix}poses.slp", ("sleap_io",)),
    "nwb": Format("nwb:write_nwb", "{prefix}poses.nwb", ("pynwb", "ndx_pose")),
    "dlc-csv": Format("deeplabcut:write_table", f"{_TABLE}.csv"),
    "dlc-h5": Format("deeplabcut:write_hdf5", f"{_TABLE}.h5", ("pandas", "tables")),
}
DEFAULT: Final = ("coco", "csv")


def check_installed(names: Iterable[str]) -> None:
    """Make sure that what writes these formats is there.

    Raises:
        InputError: a package is missing.
    """
    needed = [(name, module) for name in names for module in FORMATS[name].needs]
    for name, module in needed:
        if importlib.util.find_spec(module) is None:
            install = f"pip install 'vatl-predict[{name}]'"
            raise InputError(f"--format {name} needs {module}, which is not installed: {install}")

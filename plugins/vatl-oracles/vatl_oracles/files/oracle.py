"""The oracle ``files``: each query is written for another labelling tool, and the labelled file taken back."""

from __future__ import annotations

import math
import shlex
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import ClassVar

import attrs

from vatl_core.contracts import Answer, Oracle, Request
from vatl_core.errors import InputError, VatlError, unknown
from vatl_oracles.files.coco import Coco
from vatl_oracles.files.cvat import Cvat
from vatl_oracles.files.folder import handed_over
from vatl_oracles.files.label_studio import LabelStudio
from vatl_oracles.files.layout import Layout
from vatl_oracles.files.replies import Reply, answers
from vatl_oracles.files.task import Item, Task
from vatl_oracles.files.waiting import versions

FORMATS = ("label-studio", "cvat", "coco")


def _known(_: object, field: attrs.Attribute[str], value: str) -> None:
    if value not in FORMATS:
        raise unknown(f"value of '{field.name}'", value, FORMATS)


def _waitable(_: object, field: attrs.Attribute[float | None], value: float | None) -> None:
    if value is not None and not 0 <= value < math.inf:
        raise InputError(f"oracle 'files': {field.name} = {value} is to be minutes: 0 or more, or none for no limit")


@attrs.frozen
class Files(Oracle):
    """Writes each query as files for Label Studio, CVAT or any tool that reads COCO, and takes the labelled file back.

    Attributes:
        format: of the files: ``label-studio`` (JSON), ``cvat`` (CVAT for images 1.1, XML) or ``coco`` (keypoints JSON).
        answer: the labelled file, with ``{cycle}`` for the cycle's three digits; ``answer.json``, ``answer.xml`` or
            ``answer.zip`` in the task's folder if None.
        wait: minutes to wait for it, after which the run ends and can be taken up again; 0 does not wait at all, None
            waits without limit.
        annotator: who labels, where the labelled file does not say.
        address: of the folder of run directories, before each picture's path in Label Studio's tasks.
    """

    asks_people: ClassVar[bool] = True

    format: str = attrs.field(default="label-studio", validator=_known)
    answer: Path | None = attrs.field(converter=attrs.converters.optional(Path), default=None)
    wait: float | None = attrs.field(default=None, validator=_waitable)
    annotator: str = "annotator"
    address: str = "/data/local-files/?d="

    def annotate(self, request: Request) -> Iterable[Answer]:
        """The labelled file's answers, in the order of asking, once it is there and answers what was asked."""
        layout = self._layout()
        folder, task = handed_over(request, self.format, layout)
        places = self._places(request, folder, layout)
        asked = set(request.indices.tolist())
        for item, reply in self._replies(layout, task, folder, places, request.folder.parents[1]):
            if item.index in asked:  # the others were answered before an interruption
                yield from answers(item, reply, self.annotator)

    def _layout(self) -> Layout:
        if self.format == "label-studio":
            return LabelStudio(address=self.address)
        return Cvat() if self.format == "cvat" else Coco()

    def _places(self, request: Request, folder: Path, layout: Layout) -> list[Path]:
        if self.answer is None:
            return [folder / name for name in layout.answer_names]
        return [Path(str(self.answer).replace("{cycle}", f"{request.cycle:03d}"))]

    def _replies(
        self, layout: Layout, task: Task, folder: Path, places: Sequence[Path], run: Path
    ) -> list[tuple[Item, Reply]]:
        """What the first version of the labelled file that answers what was asked says.

        Raises:
            VatlError: the time to wait for it is over.
        """
        expected = " or ".join(map(str, places))
        count = f"{len(task.items)} instance{'s' * (len(task.items) != 1)}"
        if self.wait != 0:
            _say(f"{count} to label in {folder} (see README.txt there); waiting for {expected}")
        trouble = f"{count} to label in {folder} (see README.txt there): put the labelled file at {expected}"
        for path in versions(places, self.wait):
            try:
                return layout.read(path, task)
            except InputError as error:
                trouble = f"{error}; save a better file there"
                if self.wait != 0:
                    _say(f"{trouble}: waiting for it")
        # an InputError would make a run that begins vanish
        raise VatlError(f"{trouble}, then `vatl resume {shlex.quote(str(run))}`")


def _say(line: str) -> None:
    print(" ".join(line.split()), file=sys.stderr, flush=True)

"""The file formats: which files a task is made of, and where its answer is expected."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path

import attrs

from vatl_oracles.files.replies import Reply
from vatl_oracles.files.task import Item, Task


@attrs.frozen
class Layout(ABC):
    """One labelling tool's files.

    Attributes:
        answer_names: what the labelled file may be called in the task's folder.
        steps: what a person has to do, for the task's README.
    """

    answer_names: tuple[str, ...]
    steps: str

    @abstractmethod
    def files(self, task: Task) -> Mapping[str, str]:
        """The task's files by name, pictures aside."""

    @abstractmethod
    def read(self, path: Path, task: Task) -> list[tuple[Item, Reply]]:
        """What an answer says of each item, in the task's order.

        Raises:
            InputError: it cannot be read, or does not answer what was asked; the message names file and item.
        """

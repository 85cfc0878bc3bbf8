"""The runs of a campaign: as small as a run can be, with each oracle, and with various queries."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import attrs

from tests.processes import Command
from tests.strangers import describing, install

MODEL: Final = (
    "--dataset", "synthetic", "-o", "synthetic.frames=8", "-o", "synthetic.people=2", "--estimator", "tiny",
    "-o", "tiny.input_size=32,32", "-o", "tiny.width=4", "--weights", "none", "--schedule", "3,6",
    "--device", "cpu", "--precision", "float32",
)  # fmt: skip
FORMATS: Final = ("label-studio", "cvat", "coco")
"""Of the oracle ``files``."""
ORACLES: Final = ("ground-truth", "trembling", *FORMATS, "browser")
VARIETY: Final = (
    ("--query", "lc", "--select", "top", "--retrain", "continual", "-o", "continual.scratch_epochs=1"),
    ("--query", "thc", "--select", "random", "--retrain", "full", "-o", "full.scratch_epochs=1"),
    ("--query", "mpe+tpc", "--select", "coreset", "--retrain", "from-scratch", "-o", "from-scratch.scratch_epochs=1"),
    ("--query", "margin", "--select", "random-filter", "--retrain", "continual", "-o", "continual.scratch_epochs=2"),
)
"""What runs do, by their seed."""
_TREMBLING: Final = """
    import attrs
    import torch

    from vatl_core import Labels, Oracle

    @attrs.frozen
    class Trembling(Oracle):
        def annotate(self, request):
            for index in request.indices.tolist():
                truth = request.video.instances
                noise = torch.randn(truth.keypoints[index].shape, generator=torch.Generator().manual_seed(index))
                one = torch.tensor([index])
                yield Labels(one, truth.keypoints[one] + 2 * noise, truth.visible[one], "trembling", torch.ones(1))
"""


@attrs.frozen
class Setting:
    """One kind of run.

    Attributes:
        oracle: one of :data:`ORACLES`.
        seed: of the run.
    """

    oracle: str
    seed: int

    @property
    def words(self) -> tuple[str, ...]:
        """What is typed behind ``vatl run``."""
        return (*MODEL, *VARIETY[self.seed % len(VARIETY)], *self._asking, "--seed", str(self.seed))

    @property
    def _asking(self) -> tuple[str, ...]:
        if self.oracle in FORMATS:
            return "--oracle", "files", "-o", f"files.format={self.oracle}"
        if self.oracle == "browser":
            return "--oracle", "browser", "-o", "browser.open=false", "-o", "browser.pause=0"
        return "--oracle", self.oracle


@attrs.frozen
class Ground:
    """Where runs are carried out.

    Attributes:
        folder: where ``runs`` is.
        tools: caches, temporary folders and a stranger's oracle, which are no run's.
    """

    folder: Path
    tools: Path

    @classmethod
    def on(cls, folder: Path, tools: Path | None = None) -> Ground:
        """A ground in this folder, made ready."""
        ground = cls(folder, tools or folder / "tools")
        if not ground.tools.exists():
            (ground.tools / "temporary").mkdir(parents=True)
            described = describing("oracle", "trembling", "vatl_trembling.oracle:Trembling")
            install(ground.tools / "site", "vatl-trembling", described, oracle=_TREMBLING)
        return ground

    @property
    def temporary(self) -> Path:
        """What processes have in place of the system's folder of temporary files."""
        return self.tools / "temporary"

    def run(self, name: str) -> Path:
        """The directory of the run of this name."""
        return self.folder / "runs" / name

    def begin(self, *words: str | Path, **environment: str) -> Command:
        """``vatl`` with these words."""
        places = {"XDG_CACHE_HOME": str(self.tools / "cache"), "XDG_DATA_HOME": str(self.tools / "data")}
        site = os.pathsep.join(filter(None, [str(self.tools / "site"), os.environ.get("PYTHONPATH")]))
        own = {"PYTHONPATH": site, "TMPDIR": str(self.temporary), "OMP_NUM_THREADS": "1", "COLUMNS": "200"}
        return Command(words, self.folder, dict(os.environ) | places | own | environment)

    def started(self, setting: Setting, name: str, **environment: str) -> Command:
        """The run of this name, from its beginning or from where it was left."""
        if (self.run(name) / "config.toml").exists():
            return self.begin("resume", self.run(name), **environment)
        return self.begin("run", *setting.words, "--name", name, **environment)

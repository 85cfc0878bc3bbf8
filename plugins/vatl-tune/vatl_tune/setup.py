"""A search with every part of it checked: what is run, on which videos, and over what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs

from vatl_core.config import RunConfig
from vatl_core.config_files import tables_of
from vatl_core.contracts import Dataset
from vatl_core.errors import InputError, unknown
from vatl_core.plugins import Registry, build
from vatl_sweep import Plan, SweepRun, grid_of, plan_of, settings_of
from vatl_tune.objective import Objective, check_measured
from vatl_tune.space import Parameter, parameters
from vatl_tune.table import Tune, read_table


@attrs.frozen
class Setup:
    """What a search is made of.

    Attributes:
        registry: of components.
        path: its file, or what it is called without one.
        tables: of the file, those of the sweep left out.
        variant: the tables of what is tuned.
        options, executor, jobs: from the command line.
        tune: the table ``[tune]``.
        folder: where it is kept.
        reported: the videos of ``[sweep]``, on which figures are reported.
        unchanged: the runs of a trial without the search.
        parameters: what is searched.
        objective: by what a trial is judged.
    """

    registry: Registry
    path: Path
    tables: Mapping[str, Any]
    variant: Mapping[str, Any]
    options: tuple[str, ...]
    executor: str | None
    jobs: int | None
    tune: Tune
    folder: Path
    reported: frozenset[str] = frozenset()
    unchanged: tuple[SweepRun, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    objective: Objective = attrs.field(
        default=attrs.Factory(lambda s: Objective.of(s.tune.objective, s.tune.measure, s.tune.with_labels), True)
    )

    @classmethod
    def read(
        cls,
        registry: Registry,
        file: Path | None,
        said: Mapping[str, Any],
        search: Sequence[str] = (),
        options: Sequence[str] = (),
        executor: str | None = None,
        jobs: int | None = None,
    ) -> Setup:
        """A search from its file and the command line.

        Args:
            registry: of components.
            file: as a sweep's, with a table ``[tune]``.
            said: settings of that table from the command line.
            search: ``PART.OPTION=VALUES`` over those of the file.
            options: ``PART.OPTION=VALUE`` for every trial.
            executor, jobs: as of a sweep.

        Raises:
            InputError: something in it does not exist or cannot be used, or it tunes on what is reported on.
        """
        path, tables = file or Path("tune"), tables_of(file) if file else {}
        tune = read_table(tables.pop("tune", {}), said, search, path)
        folder = tune.folder or Path("tunings") / path.stem
        sweep = plan_of(registry, tables, path, options=options).runs if "sweep" in tables else ()
        reported = frozenset(run.config.video for run in sweep)
        presets = grid_of(tables.pop("sweep", {}), path).presets
        variant = _variant(presets, tables.pop("variant", {}), tune.variant, path)
        if isinstance(run := tables.get("run", {}), dict):
            tables["run"] = {"stop": ["none"]} | run  # else the curves of trials would end anywhere
        made = cls(registry, path, tables, variant, tuple(options), executor, jobs, tune, folder, reported)
        made = attrs.evolve(made, unchanged=made.plan("trial", {}).runs)
        made = attrs.evolve(made, parameters=parameters(registry, made.config, tune.search))
        made._refuse_overlap()
        check_measured(made.objective, made.dataset, made.videos, registry.manager.hook)
        return made

    @property
    def config(self) -> RunConfig:
        """Of one of the runs without the search."""
        return self.unchanged[0].config

    @property
    def dataset(self) -> Dataset:
        """What the videos are of."""
        name = self.config.dataset
        made: Dataset = build(self.registry, "dataset", name, self.config.of("dataset", name))
        return made

    @property
    def videos(self) -> list[str]:
        """What it is tuned on."""
        return list(dict.fromkeys(run.config.video for run in self.unchanged))

    def plan(self, name: str, values: Mapping[str, Any]) -> Plan:
        """The runs of a trial, on every video with every seed.

        Raises:
            InputError: a component does not take these values together.
        """
        grid = {"videos": list(self.tune.videos), "seeds": list(self.tune.seeds)}
        tables = dict(self.tables) | {"sweep": grid, "variant": {name: self.variant}}
        options = [*self.options, *(f"{option}={value}" for option, value in values.items())]
        return plan_of(self.registry, tables, self.path, self.folder, self.executor, options, self.jobs)

    def runs(self, number: int, values: Mapping[str, Any]) -> list[SweepRun]:
        """Those of trial ``number``."""
        return list(self.plan(trial_name(number), values).runs)

    @property
    def identity(self) -> dict[str, Any]:
        """What makes it another search if it changes, by what a message calls it."""
        config = attrs.evolve(self.config, video="", seed=0)
        return {
            "what is searched": {parameter.name: parameter.said for parameter in self.parameters},
            "the objective": str(self.objective),
            "the videos": self.videos,
            "the seeds": list(dict.fromkeys(run.config.seed for run in self.unchanged)),
            "the seed of the search": self.tune.seed,
            "the settings of its runs": settings_of(config.to_toml()),
        }

    def _refuse_overlap(self) -> None:
        if both := [video for video in self.videos if video in self.reported]:
            raise InputError(
                f"{', '.join(both)}: tuned on, and reported on by [sweep] of {self.path}: what options were chosen by "
                "says nothing of a method; tune on others, such as a split held out"
            )


def trial_name(number: int) -> str:
    """``trial0007``, of which a run's name begins."""
    return f"trial{number:04d}"


def _variant(presets: Sequence[str], tables: Any, wanted: str, path: Path) -> dict[str, Any]:
    """The tables of the one variant or preset that is tuned; none where the file has none."""
    found: dict[str, Any] = {name: {"run": {"preset": name}} for name in presets}
    if not isinstance(tables, dict):
        raise InputError(f"{path}: 'variant' is to hold tables: write [variant.NAME.run]")
    found |= tables
    if wanted and wanted not in found:
        raise unknown(f"variant in {path}", wanted, found)
    if not wanted and len(found) > 1:
        raise InputError(f"{path} has several variants: say which is tuned by --variant: {', '.join(found)}")
    chosen: dict[str, Any] = found.get(wanted) or next(iter(found.values()), {})
    return chosen

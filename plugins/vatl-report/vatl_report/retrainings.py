"""How methods fare with one retraining or another: going on, from the source weights, from random ones."""

from __future__ import annotations

from vatl_report.areas import run_areas
from vatl_report.experiment import Experiment
from vatl_report.layout import Part, Table, file_name
from vatl_report.measure import QUERY, Measure
from vatl_report.rows import heads, mean_cells, named, p_cell, rows_of, tested
from vatl_report.statistics import LEAST_PAIRS


def retrainings_part(experiment: Experiment) -> Part | None:
    """A table for each measure; None where no method was run with two retrainings."""
    shown = [m for m in experiment.measures if m.name != QUERY]
    tables = tuple(table for measure in shown if (table := _table(experiment, measure)))
    if not tables:
        return None
    return Part(
        "Retraining",
        "ALC of each method with each of the retrainings that it was run with: mean ± standard deviation (n − 1) over "
        "the videos of the mean over seeds; with one video, over its seeds. p: Wilcoxon's signed-rank test over the "
        "videos, two-sided, against the retraining of the first column, corrected by Holm's procedure for the tests of "
        f"the table; bold below 0.05. With fewer than {LEAST_PAIRS} videos that differ (n) nothing is tested.",
        tables=tables,
    )


def _table(experiment: Experiment, measure: Measure) -> Table | None:
    trials = experiment.with_curve(measure.key, experiment.shared(measure.key))
    kinds = {(t.estimator, t.besides, t.retraining) for t in trials}
    several = [t for t in trials if sum(kind[:2] == (t.estimator, t.besides) for kind in kinds) > 1]
    if not several:
        return None
    areas, (first, *others) = run_areas(experiment, measure.key), list(dict.fromkeys(t.retraining for t in several))
    rows = rows_of(several, lambda t: t.besides)
    parts = {(*key, k): [t for t in of if t.retraining == k] for key, of in rows.items() for k in (first, *others)}
    means = dict(zip(parts, mean_cells(parts, lambda t: areas[t.name]), strict=True))
    pairs = [((*key, first), (*key, k)) for key in rows for k in others if parts[*key, first] and parts[*key, k]]
    tests = tested(parts, lambda t: areas[t.name], pairs)
    titles, names = heads(rows, "method")
    cells = tuple(
        (*name, means[*key, first], *(c for k in others for c in (means[*key, k], p_cell(tests.get(named((*key, k)))))))
        for name, key in zip(names, rows, strict=True)
    )
    head = (*titles, first, *(title for k in others for title in (k, f"p ({k})")))
    name, title = f"retraining_{file_name(measure.key)}", f"ALC by retraining, {measure.title}"
    return Table(name, title, head, cells, len(titles))

"""The feature space of a cycle in two dimensions, with the query marked."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import attrs
import numpy as np
import torch
from numpy.typing import NDArray

from vatl_core.errors import InputError
from vatl_core.estimation import estimate
from vatl_core.files import write_whole
from vatl_core.metrics import measured_oks
from vatl_drawing import COLOURS, plotted_png
from vatl_formats import csv_text
from vatl_report.plots import Style, legend_below
from vatl_report.wording import plural

if TYPE_CHECKING:
    from vatl_core.cycle import Run

_GREY: Final = "#9a9a9a"
_LOOKS: Final = {
    "unlabelled": Style(_GREY, "none", "o"), "labelled before": Style(COLOURS[0], "none", "s"),
    "asked in this cycle": Style(COLOURS[1], "none", "*"),
}  # fmt: skip


@attrs.frozen
class Projection:
    """N features in two dimensions.

    Attributes:
        places: (N, 2).
        axes: what the two axes are called.
    """

    places: NDArray[np.float64]
    axes: tuple[str, str]


def project(features: NDArray[np.float32], how: str, seed: int) -> Projection:
    """Features (N, D) by ``pca``, or by ``umap`` where umap-learn is installed.

    Raises:
        InputError: umap-learn is not installed, or there are too few features for it.
    """
    if how == "umap":
        return _umap(features, seed)
    from sklearn.decomposition import PCA

    if min(features.shape) < 2:
        raise InputError(f"{plural(len(features), 'instance')} of {features.shape[1]} features cannot be laid out")
    analysis = PCA(2, random_state=seed)
    places = analysis.fit_transform(features.astype(np.float64))
    first, second = (f"principal component {n} ({100 * s:.0f} % of the variance)" for n, s in
                     enumerate(analysis.explained_variance_ratio_, start=1))  # fmt: skip
    return Projection(places, (first, second))


def _umap(features: NDArray[np.float32], seed: int) -> Projection:
    try:
        import umap
    except ImportError as error:
        raise InputError(
            "--projection umap needs umap-learn, which is not installed: pip install 'vatl-report[umap]', or take pca"
        ) from error
    if len(features) < 4:
        raise InputError(f"--projection umap needs at least 4 instances, and there are {len(features)}: take pca")
    places = umap.UMAP(n_neighbors=min(15, len(features) - 1), random_state=seed, n_jobs=1).fit_transform(features)
    return Projection(np.asarray(places, dtype=np.float64), ("UMAP 1 (no unit)", "UMAP 2 (no unit)"))


def write_features(
    run: Run, query: tuple[int, ...], how: str, path: Path, progress: Callable[[str, int, int], None]
) -> list[Path]:
    """``features.png`` and ``features.csv``: one pass over the video, laid out and marked.

    Args:
        run: as it stood in the cycle.
        query: the instances that the cycle asked for.
        how: ``pca`` or ``umap``.
        path: of the PNG; the CSV lies beside it.
        progress: told of the pass.
    """
    estimates = estimate(run.estimator, run.crops, {}, run.compute, run.config.batch, progress)
    there = torch.nonzero(run.standing().there(torch.device("cpu"))).flatten().numpy()
    found = project(estimates.features.cpu().numpy()[there], how, run.config.seed)
    groups = np.zeros(len(run.video.instances), dtype=int)
    groups[run.asked] = 1
    groups[list(query)] = 2
    groups = groups[there]
    truth = run.video.instances
    values = None
    if truth.keypoints is not None and truth.visible is not None:
        guessed = estimates.keypoints.cpu()
        similarity = measured_oks(guessed, truth.keypoints, truth.visible, truth.boxes, run.video.skeleton.sigmas)
        values = similarity.numpy()[there]
    write_whole(path, _drawn(found, groups, values))
    write_whole(path.with_suffix(".csv"), _csv(run, there, found, groups, values))
    return [path, path.with_suffix(".csv")]


def _drawn(found: Projection, groups: NDArray[np.int_], values: NDArray[np.float32] | None) -> bytes:
    x, y = found.places.T

    def draw(figure: Any) -> None:
        axes = figure.subplots(1, 1 if values is None else 2, sharex=True, sharey=True, squeeze=False)[0]
        for number, look in enumerate(_LOOKS.values()):
            here = groups == number
            edge = {"markeredgecolor": "white", "markeredgewidth": 0.5, "zorder": 2 + number}
            axes[0].plot(x[here], y[here], **look.points, markersize=(4, 6, 13)[number], **edge)
        if values is not None:
            dots = axes[1].scatter(x, y, c=values, cmap="cividis", vmin=0, vmax=1, s=18)
            figure.colorbar(dots, ax=axes[1], label="OKS of the estimate (0–1)")
        for axis in axes:
            axis.set_xlabel(found.axes[0])
            axis.set_ylabel(found.axes[1])
        legend_below(figure, {name: look for n, (name, look) in enumerate(_LOOKS.items()) if n in groups}, lines=False)

    return plotted_png(draw, 6.4 if values is None else 11, 5)


def _csv(
    run: Run,
    there: NDArray[np.int_],
    found: Projection,
    groups: NDArray[np.int_],
    values: NDArray[np.float32] | None,
) -> str:
    names, instances = list(_LOOKS), run.video.instances
    rows = [
        [int(i), int(instances.frame[i]), int(instances.track[i]), float(x), float(y), names[groups[n]],
         *([] if values is None else [None if np.isnan(values[n]) else float(values[n])])]
        for n, (i, (x, y)) in enumerate(zip(there, found.places, strict=True))
    ]  # fmt: skip
    truth = [] if values is None else ["oks"]
    return csv_text(["instance", "frame", "track", "x", "y", "state", *truth], rows)

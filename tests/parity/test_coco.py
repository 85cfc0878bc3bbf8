"""``coco_*.json``: AP at every threshold and OSPA, of predictions and with labels in their place."""

from __future__ import annotations

from typing import Any

import attrs
import pytest
import torch

from tests.parity.fixtures import Book, content, relative
from vatl_core.metrics import PosesInFrames
from vatl_core.metrics.average_precision import average_precision
from vatl_core.video import PERSON_17
from vatl_report.ospa import ospa

NAME = "coco_expected.json"
JRDB_SIGMAS = (
    0.079, 0.025, 0.025, 0.079, 0.026, 0.079, 0.072, 0.072, 0.107, 0.062, 0.107, 0.107, 0.062, 0.087, 0.087, 0.089,
    0.089,
)  # fmt: skip


def poses(annotations: list[dict[str, Any]], device: str) -> PosesInFrames:
    triples = torch.tensor([a["keypoints"] for a in annotations], dtype=torch.float64).view(len(annotations), -1, 3)
    return PosesInFrames(
        torch.tensor([a["image_id"] for a in annotations]),
        torch.tensor([a["bbox"] for a in annotations], dtype=torch.float64),
        triples[..., :2],
        triples[..., 2],
        torch.tensor([a["id"] for a in annotations]),
    ).to(device)


def both(case: str, device: str) -> tuple[PosesInFrames, PosesInFrames, dict[str, Any]]:
    """Truth, predictions with the listed people's annotations in their place, and what is expected of them."""
    annotations, expected = content("coco_gt.json")["annotations"], content(NAME)[case]
    labels = {a["id"]: a["keypoints"] for a in annotations if a["id"] in expected.get("labelled_annotation_ids", [])}
    truth, predicted = poses(annotations, device), poses(content("coco_predictions.json"), device)
    for number, person in enumerate(predicted.ids.tolist()):
        if person in labels:
            predicted.keypoints[number] = torch.tensor(labels[person]).view(-1, 3)[:, :2]
    return truth, predicted, expected


@pytest.mark.parametrize(
    ("case", "figure"), [(case, figure) for case, e in content(NAME).items() for figure in e["ap"]]
)
def test_average_precision(book: Book, case: str, figure: str) -> None:
    truth, predicted, expected = both(case, book.device)
    ours = average_precision(truth, attrs.evolve(predicted, ids=None), PERSON_17)
    figures = {"AP": ours.ap, "AP (M)": ours.ap_medium, "AP (L)": ours.ap_large, "AR": ours.ar}
    figures |= {f"AP {threshold.removeprefix('0')}": value for threshold, value in ours.ap_at.items()}
    pair = torch.tensor([figures[figure], expected["ap"][figure]], dtype=torch.float64)
    book.note(NAME, f"{case} {figure}", relative(*pair), 1e-4)


@pytest.mark.parametrize("case", content(NAME))
def test_ospa(book: Book, case: str) -> None:
    truth, predicted, expected = both(case, book.device)
    ours = ospa(truth, predicted, JRDB_SIGMAS)
    book.note(NAME, f"{case} OSPA", relative(*torch.tensor([ours, expected["ospa"]], dtype=torch.float64)), 1e-4)

"""What a page may send: a label is read exactly, and everything else is refused in one line."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st

from vatl_annotate import submission
from vatl_annotate.submission import RefusedError, Submission

SIZE, KEYPOINTS = (640, 480), 3
NAN, INFINITY, HUGE = float("nan"), float("inf"), 10**400


def body(**changes: Any) -> dict[str, Any]:
    """A label as the page sends it."""
    return {
        "tab": "t",
        "submission": "s",
        "instance": 4,
        "cycle": 1,
        "keypoints": [[10.5, 20, 2], [-600, 950, 1], ["anywhere", None, 0]],
        "seconds": 2.5,
        "annotator": "Ann Ötzi",
        "correction": False,
    } | changes


def read(content: dict[str, Any]) -> Submission:
    return Submission.of(content, KEYPOINTS, SIZE)


def told(refused: RefusedError) -> None:
    """As the page needs it."""
    assert refused.status == 422
    assert str(refused).count("\n") == 0


JUNK = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from([HUGE, -HUGE, 2**53, 2**63, -0.0, 1e308, NAN, INFINITY, "", " ", "\ud800", "a\nb", "x" * 81])
    | st.floats()
    | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=12,
)
"""Whatever JSON can hold, and a little more."""


def test_a_pose_of_no_keypoint_at_all_is_refused() -> None:
    """Compared with nothing, every estimate is perfect."""
    with pytest.raises(RefusedError, match="no keypoint is visible") as refused:
        read(body(keypoints=[[1, 2, 0]] * KEYPOINTS))
    told(refused.value)


@given(st.dictionaries(st.sampled_from(list(body())), JUNK))
@example({"keypoints": [[HUGE, 1, 2]] * 3})
@example({"keypoints": [[1, 1, [2]]] * 3})
@example({"seconds": HUGE})
@example({"instance": True})
def test_nothing_but_a_refusal_comes_of_junk(changes: dict[str, Any]) -> None:
    try:
        made = read(body(**changes))
    except RefusedError as refused:
        told(refused)
        return
    assert 0 <= made.seconds <= submission.LONGEST
    assert made.instance >= 0
    for text in (made.tab, made.submission, made.annotator):
        assert text == text.strip() != ""
        text.encode()
    for x, y, v in made.keypoints:
        assert v in (0, 1, 2)
        assert -SIZE[0] <= x <= 2 * SIZE[0]
        assert -SIZE[1] <= y <= 2 * SIZE[1]
    labels = made.labels(torch.zeros(KEYPOINTS, 2))
    assert labels.keypoints.isfinite().all()


@given(st.dictionaries(st.sampled_from(["tab", "box", "instance"]), JUNK))
@example({"box": [HUGE, 1, 1, 1]})
@example({"box": [1, 1, INFINITY, NAN]})
@example({"box": [-(10**7), 0, 10**7 + 5, 10]})
def test_nothing_but_a_box_or_a_refusal_comes_of_junk(content: dict[str, Any]) -> None:
    try:
        box = submission.box(content, SIZE)
    except RefusedError as refused:
        told(refused)
        return
    if box is None:
        assert content["box"] is None
        return
    x, y, width, height = box
    assert all(map(math.isfinite, box))
    assert min(width, height) >= 2
    for start, extent, side in ((x, width, SIZE[0]), (y, height, SIZE[1])):
        assert -side <= start < side
        assert 0 < start + extent <= 2 * side, "it meets the frame"


def test_a_box_must_be_said() -> None:
    """A request without one must not be taken for saying that nobody is there."""
    with pytest.raises(RefusedError):
        submission.box({}, SIZE)


@given(
    st.lists(
        st.tuples(st.floats(-640, 1280), st.floats(-480, 960), st.sampled_from([0, 1, 2])), min_size=3, max_size=3
    ).filter(lambda pose: any(v for _, _, v in pose)),
    st.floats(0, 3600),
)
def test_a_label_is_kept_as_it_was_sent(keypoints: list[tuple[float, float, int]], seconds: float) -> None:
    sent = json.loads(json.dumps(body(keypoints=[list(k) for k in keypoints], seconds=seconds)))
    labels = read(sent).labels(torch.zeros(KEYPOINTS, 2))
    values = torch.tensor([k[2] for k in keypoints])
    assert labels.visible[0].tolist() == (values > 0).tolist()
    assert labels.occluded[0].tolist() == (values == 1).tolist()
    expected = torch.tensor([k[:2] for k in keypoints], dtype=torch.float32)[values > 0]
    assert torch.equal(labels.keypoints[0][values > 0], expected)
    assert float(labels.seconds[0]) == pytest.approx(seconds)


def test_a_keypoint_counts_as_moved_when_it_is_seen_to_move_or_taken_away() -> None:
    proposal = torch.tensor([[10.0, 20.0], [30.0, 40.0], [50.0, 60.0]])
    accepted = read(body(keypoints=[[10, 20, 2], [30.3, 40, 2], [50, 60, 1]])).labels(proposal)
    assert accepted.moved.tolist() == [0]
    changed = read(body(keypoints=[[10, 20, 2], [31, 40, 2], [50, 60, 0]])).labels(proposal)
    assert changed.moved.tolist() == [2]
    assert torch.equal(changed.proposals[0], proposal)

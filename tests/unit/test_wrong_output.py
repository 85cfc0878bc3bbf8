"""What a stranger's component gives of the wrong kind, shape, device or as NaN is told in one line that names it."""

from __future__ import annotations

import textwrap
from pathlib import Path

import attrs
import pytest
import torch
from torch import Tensor

from tests.conftest import Vatl
from tests.strangers import describing, install
from tests.unit import test_broken_plugins as broken
from vatl_core.contracts import Maps, Outcome, Stopping, Window
from vatl_core.errors import InputError, PluginError
from vatl_core.promises import (
    checked_allowance,
    checked_condensed,
    checked_maps,
    checked_outcomes,
    checked_reason,
    finite_maps,
)
from vatl_core.records import History
from vatl_kit.material import window
from vatl_kit.small_parts import Constant, Here, Small

site, vatl = broken.site, broken.vatl

HEAD = """
    import attrs, torch
    from torch import nn
    from vatl_core import Criterion, Enough, Executor, Labels, Oracle, Outcome, Redrawn, Refusal, Retraining, Selector
    from vatl_core import Frames, Maps, Stopping
    from vatl_kit.small_parts import Small, Sticks
"""
BASES = {"dataset": "Sticks", "estimator": "Small"}
FLAGS = {
    "criterion": "--query", "selector": "--select", "dataset": "--dataset", "estimator": "--estimator",
    "retraining": "--retrain", "stopping": "--stop", "oracle": "--oracle", "executor": "--executor",
}  # fmt: skip
METHODS = {
    "criterion": "score(self, window)",
    "selector": "select(self, pool, count, generator)",
    "dataset": "load(self, name)",
    "estimator": "forward(self, crops)",
    "retraining": "retrain(self, estimator, source, labelled, unlabelled, history, trainer)",
    "stopping": "decide(self, history)",
    "oracle": "annotate(self, request)",
    "executor": "map(self, work, runs)",
}
POOL = "return window.condensed\ndef condense(self, window):\n    return "
ALLOWING = "return None\ndef allowance(self, history):\n    return "
HEATMAPS = "heatmaps, features, _ = Small.forward(self, crops)\n"
VIDEO = "video = Sticks.load(self, name)\nstick = video.instances\n"
LABELS = """index, points, time = request.indices, torch.ones(2, 5, 2), torch.zeros(2)
known = points[..., 0] > 0
"""
MASKED = """return Small.forward(self, crops)
def build(self, skeleton):
    Small.build(self, skeleton)
    self.register_buffer('mask', torch.tensor(-torch.inf))
"""


def component(kind: str, body: str) -> str:
    """Source of a component whose one method has this body; what follows a line of ``def`` is a method of its own."""
    base = BASES.get(kind, kind.capitalize())
    how = (
        "attrs.define(eq=False, slots=False, on_setattr=attrs.setters.NO_OP)" if kind == "estimator" else "attrs.frozen"
    )
    main, *more = body.split("\ndef ")
    lines = [f"def {METHODS[kind]}:", textwrap.indent(main, "    "), *(f"def {method}" for method in more)]
    if "condense" in body:
        lines.append("needs = frozenset({'pool', 'heatmaps'})")
    return textwrap.dedent(HEAD) + f"\n@{how}\nclass Odd({base}):\n" + textwrap.indent("\n".join(lines), "    ")


def ran_with(site: Path, vatl: Vatl, kind: str, body: str, *flags: str) -> str:
    """The line by which a run with this component of a stranger failed."""
    install(site, "vatl-odd", describing(kind, "odd", "vatl_odd.odd:Odd"), odd=component(kind, body))
    parts = {"--query": "lc", "--select": "top", FLAGS[kind]: "odd"}
    given = [word for flag, name in parts.items() for word in (flag, name)]
    failed = vatl(*broken.QUICK, *given, *flags)
    assert failed.code == 1, failed.err
    return broken.one_line(failed)


def frames(picture: str) -> str:
    """Body of a ``load`` whose frames are other pictures."""
    reading = f"class Pictures(Frames):\n    __len__ = lambda self: 8\n    read = lambda self, index: {picture}\n"
    return f"{VIDEO}{reading}return attrs.evolve(video, frames=Pictures())"


def columns(changed: str) -> str:
    """Body of a ``load`` whose instances have other columns."""
    return f"{VIDEO}return attrs.evolve(video, instances=attrs.evolve(stick, {changed}))"


CASES = [
    ("estimator", "return Small.forward(self, crops)[0]", "estimator Odd gave a Tensor"),
    ("estimator", "pass", "estimator Odd gave a NoneType"),
    ("estimator", "return (*Small.forward(self, crops), 1)", "gave a tuple: `return Maps(heatmaps, features)`"),
    (
        "estimator",
        HEATMAPS + "return Maps(heatmaps * torch.nan, features)",
        "heatmaps that are NaN or infinite for 16 of 16",
    ),
    (
        "estimator",
        HEATMAPS + "return Maps(heatmaps - torch.inf, features)",
        "heatmaps that are NaN or infinite for 16 of 16",
    ),
    ("estimator", HEATMAPS + "return Maps(heatmaps, features / 0)", "features that are NaN or infinite for 16 of 16"),
    (
        "estimator",
        HEATMAPS + "return Maps(heatmaps.to('meta'), features)",
        "gave heatmaps on meta: they are to stay on cpu",
    ),
    (
        "estimator",
        HEATMAPS + "return Maps(heatmaps, features.to('meta'))",
        "gave features on meta: they are to stay on cpu",
    ),
    (
        "estimator",
        HEATMAPS + "return Maps((heatmaps * 100).long(), features)",
        "gave heatmaps of torch.int64: torch.float32 is expected",
    ),
    (
        "estimator",
        HEATMAPS + "return Maps(heatmaps[..., :3], features)",
        "gave heatmaps of shape (16, 5, 16, 3): (16, 5, 16, 12) is expected",
    ),
    ("criterion", "return window.scores.mean(1).tolist()", "criterion 'odd' gave scores that are a list"),
    ("criterion", "pass", "criterion 'odd' gave scores that are a NoneType"),
    ("criterion", "return window.scores.mean(1).numpy()", "criterion 'odd' gave scores that are a ndarray"),
    ("criterion", "return window.index", "criterion 'odd' gave scores of torch.int64"),
    ("criterion", "return window.scores[:, 0].to(torch.complex64)", "criterion 'odd' gave scores of torch.complex64"),
    ("criterion", POOL + "[1]", "criterion 'odd' condensed heatmaps to rows that are a list"),
    ("criterion", POOL + "window.heatmaps.mean(0)", "to rows of shape (5, 16, 12): (16, …) is expected"),
    ("criterion", POOL + "window.scores.to('meta')", "condensed heatmaps to rows on meta: they are to stay on cpu"),
    (
        "selector",
        "return pool.unlabelled[:count].tolist()",
        "selector 'odd' must pick by indices, and gave picks that are a list",
    ),
    ("selector", "pass", "must pick by indices, and gave picks that are a NoneType"),
    ("retraining", "pass", "retraining policy 'odd' returned a NoneType"),
    (
        "retraining",
        "estimator.last = nn.Conv2d(8, 7, 1)\nreturn estimator",
        "(2, first: last.weight, torch.float32 (5, 8, 3, 3) on cpu before, torch.float32 (7, 8",
    ),
    (
        "retraining",
        "return estimator.half()",
        "torch.float32 (8, 3, 5, 5) on cpu before, torch.float16 (8, 3, 5, 5) on cpu now",
    ),
    ("retraining", "nn.init.constant_(estimator.last.bias, torch.nan)\nreturn estimator", "(1, first: last.bias)"),
    ("stopping", "return True", "stopping criterion 'odd' decided True"),
    ("stopping", "return 1 / 0", "stopping criterion 'odd' failed: ZeroDivisionError"),
    ("stopping", ALLOWING + "1.5", "stopping criterion 'odd' allows 1.5 labels"),
    ("stopping", ALLOWING + "1 / 0", "stopping criterion 'odd' failed: ZeroDivisionError"),
    ("oracle", "pass", "oracle 'odd' gave a NoneType"),
    ("oracle", LABELS + "return Labels(index, points, known, 'me', time)", "oracle 'odd' gave a Labels"),
    (
        "oracle",
        LABELS + "yield Labels(index.float(), points, known, 'me', time)",
        "gave labels with an index of torch.float32: torch.int64 is expected",
    ),
    (
        "oracle",
        LABELS + "yield Labels(index, points, known, 'me', time, *[[0]] * 3)",
        "gave labels with occluded that are a list: a tensor (2, 5) is expected",
    ),
    ("oracle", LABELS + "yield Labels(index, points, known, None, time)", "gave None as the annotator"),
    ("oracle", LABELS + "yield Redrawn(int(index[0]), None, 'me')", "the box None: it must have an area"),
    ("oracle", LABELS + "yield Refusal([0], 'me')", "spoke of instance [0], which it was not asked for"),
    ("dataset", "pass", "data set Odd: video 'sticks' is a NoneType"),
    ("dataset", VIDEO + "return video\ndef videos(self):\n    return 'sticks'", "names its videos by a str"),
    ("dataset", columns("boxes=stick.boxes.double()"), "video 'sticks' has boxes of torch.float64"),
    ("dataset", columns("boxes=stick.boxes * torch.nan"), "video 'sticks' has 16 boxes without an area"),
    ("dataset", columns("keypoints=stick.keypoints.long()"), "video 'sticks' has keypoints of torch.int64"),
    ("dataset", columns("keypoints=stick.keypoints * torch.nan"), "annotated keypoints that are NaN or infinite"),
    ("dataset", columns("frame=stick.frame.float()"), "video 'sticks' has frame of torch.float32"),
    ("dataset", columns("next=stick.next + 16"), "neighbours in time that are no instances of it"),
    (
        "dataset",
        frames("torch.zeros(120, 160, 3, dtype=torch.uint8)"),
        "frame 0 of shape (120, 160, 3): (3, H, W) is expected",
    ),
    ("dataset", frames("torch.zeros(3, 120, 160)"), "frame 0 of torch.float32: torch.uint8 is expected"),
    ("dataset", frames("None"), "read pixels of frame 0 that are a NoneType"),
    ("executor", "return [work(run) for run in runs]", "executor 'odd' gave a RunRecord: Outcomes are expected"),
    ("executor", "return\nyield", "executor 'odd' gave no outcome of 1 of 1 runs"),
    ("executor", "pass", "executor 'odd' gave a NoneType"),
    ("executor", "yield Outcome(1, 'done')", "an outcome of run 1, which is none or has one already"),
    ("executor", "yield Outcome(0)", "an outcome with neither a result nor an error"),
]


@pytest.mark.parametrize(("kind", "body", "said"), CASES)
def test_a_run_says_who_gave_what(site: Path, vatl: Vatl, kind: str, body: str, said: str) -> None:
    line = ran_with(site, vatl, kind, body)
    assert said in line
    assert "vatl-odd 1.0" in line
    assert "vatl-criteria" not in line
    assert "unexpected" not in line


NO_RUN = {
    "evaluate": ["evaluate", "--dataset", "odd", "--video", "sticks", "--estimator", "tests", "--weights", "none"],
    "train": ["train", "--dataset", "odd", "--estimator", "tests", "--split", "test", "--out", "odd.safetensors"],
    "check": ["datasets", "check", "odd", "--decode"],
    "sweep": ["sweep", "odd.toml"],
    "fit": ["fit", "wpu", "--dataset", "odd", "--split", "test", "--out", "odd.safetensors"],
}
DOUBLED = columns("boxes=stick.boxes.double()")
NAMELESS = VIDEO + "return video\ndef videos(self):\n    return 'sticks'"


@pytest.mark.parametrize(
    ("command", "body", "said"),
    [
        ("evaluate", DOUBLED, "video 'sticks' has boxes of torch.float64"),
        ("train", DOUBLED, "video 'sticks' has boxes of torch.float64"),
        ("check", DOUBLED, "video 'sticks' has boxes of torch.float64"),
        ("check", frames("torch.zeros(3, 120, 160)"), "frame 0 of torch.float32: torch.uint8 is expected"),
        ("sweep", NAMELESS, "names its videos by a str"),
        ("fit", DOUBLED, "split 'test' has boxes of torch.float64"),
        ("fit", columns("keypoints=stick.keypoints * torch.nan"), "split 'test' has annotated keypoints that are NaN"),
    ],
)
def test_what_reads_a_data_set_without_a_run_says_it_too(
    site: Path, tmp_path: Path, vatl: Vatl, command: str, body: str, said: str
) -> None:
    install(site, "vatl-odd", describing("dataset", "odd", "vatl_odd.odd:Odd"), odd=component("dataset", body))
    (tmp_path / "odd.toml").write_text('run = { dataset = "odd", estimator = "tests", retrain = "tests" }\n')
    told = vatl(*NO_RUN[command])
    assert told.code == 1
    assert said in told.out + told.err
    assert "vatl-odd 1.0" in told.out + told.err
    assert "unexpected" not in told.err


def test_others_work_beside_it(site: Path, vatl: Vatl) -> None:
    ran_with(site, vatl, "estimator", "pass")
    broken.others_work(vatl)


@pytest.mark.parametrize("query", ["thc", "mpe+thc"])
def test_the_estimator_is_named_though_criteria_stumble_over_what_it_gave(site: Path, vatl: Vatl, query: str) -> None:
    line = ran_with(site, vatl, "estimator", HEATMAPS + "return Maps(heatmaps * torch.nan, features)", "--query", query)
    assert "estimator Odd gave heatmaps" in line


def failing(values: Tensor) -> None:
    """A pass over instances with heatmaps of these values that fails after its second batch."""
    with finite_maps(Small()) as note:
        for batch in values.split(2):
            note(batch[:, None, None, None].expand(-1, 5, 4, 4), torch.ones(len(batch), 8))
        raise ZeroDivisionError


def test_what_fails_within_the_pass_is_told_after_what_it_was_given() -> None:
    with pytest.raises(PluginError, match="heatmaps that are NaN or infinite for 1 of 4") as told:
        failing(torch.tensor([1, 1, torch.nan, 1]))
    assert isinstance(told.value.__cause__, ZeroDivisionError)


def test_a_failure_within_the_pass_stays_what_it_is() -> None:
    with pytest.raises(ZeroDivisionError):
        failing(torch.ones(4))


def test_features_have_one_width() -> None:
    crops, heatmaps = torch.zeros(2, 3, 64, 48), torch.zeros(2, 5, 16, 12)
    assert checked_maps(Small(), Maps(heatmaps, torch.zeros(2, 8)), crops, 5, None).features.shape == (2, 8)
    with pytest.raises(PluginError, match=r"gave features of shape \(2, 9\): \(2, 8\) is expected"):
        checked_maps(Small(), Maps(heatmaps, torch.zeros(2, 9)), crops, 5, 8)


@pytest.mark.parametrize("kept", [torch.zeros(10, 3), torch.zeros(10, 2, dtype=torch.float64)])
def test_what_is_condensed_is_alike_in_every_window(kept: Tensor) -> None:
    class Odd(Constant):
        def condense(self, window: Window) -> Tensor:
            return kept

    whole = window(torch.device("cpu"))
    assert checked_condensed("odd", Odd(), whole, None) is kept
    with pytest.raises(PluginError, match="criterion 'odd' condensed"):
        checked_condensed("odd", Odd(), whole, torch.zeros(40, 2))


def test_weights_that_never_were_finite_are_nobodys_fault(site: Path, vatl: Vatl) -> None:
    install(site, "vatl-odd", describing("estimator", "odd", "vatl_odd.odd:Odd"), odd=component("estimator", MASKED))
    ran = vatl(*broken.QUICK, "--query", "lc", "--select", "top", "--estimator", "odd")
    assert ran.code == 0, ran.err


HISTORY = History((), 0.7, 0.0, False)


@attrs.frozen
class Says(Stopping):
    """A criterion of one opinion."""

    reason: object = None
    allowed: object = None

    def decide(self, history: History) -> str | None:
        if isinstance(self.reason, Exception):
            raise self.reason
        return self.reason  # type: ignore[return-value]

    def allowance(self, history: History) -> int | None:
        return self.allowed  # type: ignore[return-value]


def test_opinions_are_reasons_or_none() -> None:
    assert checked_reason("odd", Says("enough"), HISTORY) == "enough"
    assert checked_reason("odd", Says(), HISTORY) is None
    with pytest.raises(PluginError, match="stopping criterion 'odd' decided 3"):
        checked_reason("odd", Says(3), HISTORY)
    with pytest.raises(PluginError, match="stopping criterion 'odd' failed: KeyError: 'oks'") as told:
        checked_reason("odd", Says(KeyError("oks")), HISTORY)
    assert isinstance(told.value.__cause__, KeyError)
    with pytest.raises(InputError, match=r"^its option$"):
        checked_reason("odd", Says(InputError("its option")), HISTORY)


def test_allowances_are_whole_numbers_or_none() -> None:
    assert checked_allowance("odd", Says(allowed=3), HISTORY) == 3
    assert checked_allowance("odd", Says(), HISTORY) is None
    for allowed in (True, 2.0, "3"):
        with pytest.raises(PluginError, match="stopping criterion 'odd' allows"):
            checked_allowance("odd", Says(allowed=allowed), HISTORY)


def test_an_executor_gives_each_run_one_outcome() -> None:
    @attrs.frozen
    class Twice(Here):
        def map(self, work, runs):  # type: ignore[no-untyped-def]
            yield from [Outcome(1, 1), Outcome(1, 1)]

    assert sorted(o.get() for o in checked_outcomes("here", Here(), lambda run: run, [4, 5])) == [4, 5]
    with pytest.raises(PluginError, match="executor 'twice' gave an outcome of run 1, which is none or has one"):
        list(checked_outcomes("twice", Twice(), lambda run: run, [4, 5]))


def test_whoever_leaves_early_ends_what_is_under_way() -> None:
    ended = []

    @attrs.frozen
    class Waiting(Here):
        def map(self, work, runs):  # type: ignore[no-untyped-def]
            try:
                yield from Here.map(self, work, runs)
            finally:
                ended.append(True)

    outcomes = checked_outcomes("waiting", Waiting(), lambda run: run, [4, 5])
    next(outcomes)
    outcomes.close()
    assert ended == [True]

"""What was renamed goes on working, and says what to write."""

from __future__ import annotations

import warnings
from pathlib import Path

import attrs
import pytest
import torch

import vatl_core
from tests.conftest import Registered, configured, stick_video
from vatl_core.contracts import Labels, Oracle, Request
from vatl_core.deprecation import DeprecatedWarning
from vatl_core.errors import InputError
from vatl_core.plugins import VERSION, Component, build, refusal, refusal_in_source, written_for
from vatl_core.run.running import execute


@attrs.frozen
class Renamed(Oracle):
    """An oracle whose option had another name."""

    noise: float = attrs.field(default=0.0, metadata={"formerly": ("error", "blur")})

    def annotate(self, request: Request) -> list[Labels]:
        truth, index = request.video.instances, request.indices
        assert truth.keypoints is not None
        assert truth.visible is not None
        return [Labels(index, truth.keypoints[index], truth.visible[index], "renamed", torch.zeros(len(index)))]


RENAMED = Component("oracle", "renamed", "", "tests.unit.test_deprecation:Renamed", formerly=("earlier",))


def request_of(indices: list[int]) -> Request:
    none = torch.zeros(0, dtype=torch.int64)
    labels = Labels(none, torch.zeros(0, 5, 2), torch.zeros(0, 5) > 0, "", torch.zeros(0))
    index = torch.tensor(indices)
    scores = torch.zeros(len(index), 5)
    return Request(stick_video(), 0, index, index, torch.zeros(len(index), 5, 2), scores, labels, Path())


def test_an_oracle_of_contract_1_0_is_asked_as_it_expects() -> None:
    with pytest.warns(DeprecatedWarning, match=r"Earlier is deprecated .*: write annotate\(self, request\)"):

        class Earlier(Oracle):
            def annotate(self, video, indices, proposals):  # type: ignore[no-untyped-def, override]
                assert proposals.shape == (2, 5, 2)
                truth = video.instances
                return Labels(indices, truth.keypoints[indices], truth.visible[indices], "e", torch.zeros(2))

    (labels,) = Earlier().annotate(request_of([3, 1]))  # type: ignore[call-arg, arg-type]
    assert isinstance(labels, Labels)
    assert labels.index.tolist() == [3, 1]


def test_an_oracle_of_the_present_contract_is_left_alone() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")

        class Present(Renamed):
            def annotate(self, request: Request) -> list[Labels]:
                return super().annotate(request)

    (labels,) = Present().annotate(request_of([2]))
    assert labels.index.tolist() == [2]


def test_a_component_is_found_by_its_earlier_name(registered: Registered) -> None:
    registry = registered(RENAMED)
    with pytest.warns(DeprecatedWarning, match="the oracle name 'earlier' is deprecated"):
        assert registry.find("oracle", "earlier").name == "renamed"
    with pytest.raises(InputError, match="no oracle is called 'earliest'"):
        registry.find("oracle", "earliest")
    assert "earlier" not in registry.names("oracle"), "nobody is to begin using it"


@pytest.mark.parametrize("former", ["error", "blur"])
def test_an_option_is_given_by_its_earlier_name(registered: Registered, former: str) -> None:
    registry = registered(RENAMED)
    with pytest.warns(DeprecatedWarning, match=f"the name '{former}' of an option .*: write 'noise'"):
        assert build(registry, "oracle", "renamed", {former: "2"}).noise == 2.0
    with pytest.warns(DeprecatedWarning), pytest.raises(InputError, match=f"leave out {former}"):
        build(registry, "oracle", "renamed", {former: "2", "noise": "3"})


def test_a_run_records_the_present_names(registered: Registered, tmp_path: Path) -> None:
    registry = registered(RENAMED)
    options = {"oracle": {"earlier": {"noise": 1.5}}}
    with pytest.warns(DeprecatedWarning):
        config = configured(registry, tmp_path, oracle="earlier", options=options, schedule=["2"])
    assert config.oracle == "renamed"
    assert config.options["oracle"] == {"renamed": {"noise": 1.5}}
    with warnings.catch_warnings():
        warnings.simplefilter("error", DeprecatedWarning)
        execute(config, registry)


def test_a_public_name_is_found_by_its_earlier_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(vatl_core.FORMER, "Scorer", "Criterion")
    with pytest.warns(DeprecatedWarning, match="vatl_core.Scorer is deprecated .*: write vatl_core.Criterion"):
        assert vatl_core.Scorer is vatl_core.Criterion
    with pytest.raises(AttributeError):
        vatl_core.Nothing  # noqa: B018


class Plugin:
    """Stands for a plugin's module."""

    def __init__(self, declared: object) -> None:
        self.vatl_contract = declared


@pytest.mark.parametrize("declared", [written_for(), ">=1", "==1.*", "~=1.0", ""])
def test_a_plugin_that_was_written_for_this_contract_is_loaded(declared: str) -> None:
    assert refusal(Plugin(declared)) is None


@pytest.mark.parametrize("declared", [">=99", "<1", "==0.9", f">{VERSION}"])
def test_one_that_was_not_is_told_both_versions(declared: str) -> None:
    reason = refusal(Plugin(declared))
    assert reason is not None
    assert declared in reason
    assert VERSION in reason


@pytest.mark.parametrize("declared", ["soon", 1, None.__class__, "1.1"])
def test_what_is_no_range_is_told(declared: object) -> None:
    reason = refusal(Plugin(declared))
    assert reason is not None
    assert "no range of versions" in reason


def test_the_range_is_found_in_source_that_does_not_import(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "from_the_future.py").write_text('import nothing_like_it\nvatl_contract = ">=99"\n')
    (tmp_path / "plainly_broken.py").write_text("import nothing_like_it\n")
    assert ">=99" in (refusal_in_source("from_the_future") or "")
    assert refusal_in_source("plainly_broken") is None
    assert refusal_in_source("no_such_module_at_all") is None

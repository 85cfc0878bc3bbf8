"""Whether a plugin was written for this contract."""

from __future__ import annotations

from pathlib import Path

import pytest

from vatl_core.contract_version import VERSION, refusal, refusal_in_source, written_for


class Plugin:
    """Stands for a plugin's module."""

    def __init__(self, declared: object) -> None:
        self.vatl_contract = declared


@pytest.mark.parametrize("declared", [written_for(), ">=2", "==2.*", "~=2.0", ""])
def test_a_plugin_that_was_written_for_this_contract_is_loaded(declared: str) -> None:
    assert refusal(Plugin(declared)) is None


@pytest.mark.parametrize("declared", [">=99", "<2", ">=1.1,<2", f">{VERSION}"])
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

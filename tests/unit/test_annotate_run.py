"""A person in the browser in place of the oracle of experiments: as good for a run, within the hand's precision."""

from __future__ import annotations

import re
import threading
import webbrowser
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest

from tests.annotator import Annotator, Pose, enter
from tests.conftest import Registered, configured
from tests.people import TRUTH, UNLABELLED
from tests.unit.test_given_labels import BEGUN, BY
from vatl_core.errors import InputError
from vatl_core.records import RunRecord
from vatl_core.run import execute

SHORT: dict[str, Any] = {"schedule": ["6", "12"], "select": "random", "retrain": "full"}
LEARN: dict[str, Any] = {"retrain": {"full": {"scratch_epochs": 25}}}
QUICK: dict[str, Any] = {"retrain": {"full": {"scratch_epochs": 1}}}


def truth() -> dict[str, Pose]:
    """The sticks' true poses, by the instances' names."""
    assert TRUTH.keypoints is not None
    return {name: [(x, y, 2) for x, y in pose] for name, pose in zip(TRUTH.ids, TRUTH.keypoints.tolist(), strict=True)}


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> Future[str]:
    """The link that the run leads the browser to."""
    link: Future[str] = Future()

    def open_(url: str) -> bool:
        leads = Path(unquote(urlsplit(url).path)).read_text()
        link.set_result(re.findall(r'url=([^"]+)"', leads)[0])
        return True

    monkeypatch.setattr(webbrowser, "open", open_)
    return link


def labelled_by(person: Annotator, link: Future[str]) -> dict[str, Any]:
    """The last state of a run that this person labels."""
    person.client = enter(link.result(60))
    person.work()
    return person.told


def adapt(
    registered: Registered, folder: Path, link: Future[str], learn: dict[str, Any], **settings: Any
) -> tuple[RunRecord, Annotator, dict[str, Any]]:
    """A run whose labels come from the page, by somebody whose hand is as steady as 2 px are on a figure of 120."""
    options = {"oracle": {"browser": {"pause": 0.0}}} | learn
    person = Annotator(None, truth(), wrong=1.2, noise=0.8)  # type: ignore[arg-type]
    with ThreadPoolExecutor(1) as pool:
        working = pool.submit(labelled_by, person, link)
        registry = registered(UNLABELLED)
        record = execute(configured(registry, folder, oracle="browser", options=options, **SHORT, **settings), registry)
        return record, person, working.result(60)


def test_a_person_who_moves_only_what_is_wrong_is_as_good_as_the_truth(
    registered: Registered, tmp_path: Path, opened: Future[str]
) -> None:
    registry = registered()
    config = configured(registry, tmp_path / "truth", oracle="ground-truth", options=dict(LEARN), **SHORT)
    best = execute(config, registry)
    record, person, state = adapt(registered, tmp_path / "person", opened, dict(LEARN))
    moved, seen = person.moved
    print(
        f"\nmean OKS {best.mean_oks:.3f} from the truth, {record.mean_oks:.3f} from a person; {moved} of {seen} moved"
    )
    assert best.mean_oks is not None
    assert record.mean_oks is not None
    assert best.mean_oks > 0.4, "there is something to learn"
    assert record.mean_oks == pytest.approx(best.mean_oks, abs=0.05)
    assert state["phase"] == "finished"
    assert state["closing"]["labelled"] == record.labelled == len(person.given) == 12
    assert [point["labelled"] for point in state["curve"]] == [0, 6, 12]
    assert state["curve"][-1]["mean_oks"] == pytest.approx(record.mean_oks)


def test_without_truth_it_runs_as_well_and_leaves_no_thread(
    registered: Registered, tmp_path: Path, opened: Future[str]
) -> None:
    before = set(threading.enumerate())
    record, person, state = adapt(registered, tmp_path, opened, dict(QUICK), dataset="unlabelled")
    assert (record.labelled, record.mean_oks) == (12, None)
    assert len(person.given) == 12
    assert state["closing"]["mean_oks"] is None
    assert all(point["mean_oks"] is None and point["query_oks"] != 0 for point in state["curve"])
    left = {thread for thread in set(threading.enumerate()) - before if thread.is_alive()}
    for thread in left:
        thread.join(5)
    assert not [thread for thread in left if thread.is_alive()]


def test_people_are_asked_for_what_is_not_labelled_in_the_data(
    registered: Registered, tmp_path: Path, opened: Future[str]
) -> None:
    person = Annotator(None, truth(), wrong=1.2, noise=0.8)  # type: ignore[arg-type]
    options = {"oracle": {"browser": {"pause": 0.0}}, "dataset": {"begun": {"known": "given"}}} | QUICK
    settings = SHORT | {"dataset": "begun", "oracle": "browser", "query": "lc", "schedule": ["3"]}
    with ThreadPoolExecutor(1) as pool:
        working, registry = pool.submit(labelled_by, person, opened), registered(BEGUN)
        record = execute(configured(registry, tmp_path, options=options, **settings), registry)
        state = working.result(60)
    assert (record.given, record.asked, len(person.given)) == (4, 3, 3)
    assert not {*person.given} & {*BY}
    assert (state["labelled"], state["before"], state["spent"]["labels"], state["schedule"]) == (7, 4, 3, [])
    assert sum(state["annotators"].values()) == 3


def test_a_port_that_is_taken_leaves_no_run_behind(registered: Registered, tmp_path: Path, opened: Future[str]) -> None:
    import socket

    registry, before = registered(), set(threading.enumerate())
    with socket.create_server(("127.0.0.1", 0)) as other:
        options = {"oracle": {"browser": {"port": other.getsockname()[1]}}} | dict(QUICK)
        with pytest.raises(InputError, match="choose another port"):
            execute(configured(registry, tmp_path, oracle="browser", options=options, **SHORT), registry)
    assert not (tmp_path / "run").exists()
    assert not opened.done()
    for thread in set(threading.enumerate()) - before:
        thread.join(5)
        assert not thread.is_alive()

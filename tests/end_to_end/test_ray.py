"""Runs as tasks of a real Ray cluster: two nodes on this machine, one of which is lost in mid-sweep."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import tomli_w

from tests.conftest import Outcome, Vatl
from tests.work import card, die_of, double, where

pytestmark = pytest.mark.skipif(  # not imported here: it reads the settings below when it is
    not find_spec("ray") or not find_spec("vatl_ray"), reason="Ray is not installed: pip install -e plugins/vatl-ray"
)

SWEEP: dict[str, Any] = {
    "sweep": {"videos": ["dance"], "seeds": [0, 1, 2, 3]},
    "run": {"query": "random", "select": "random", "schedule": ["one-by-one"], "device": "cpu", "precision": "float32"},
    "dataset": {"synthetic": {"frames": 4, "people": 2, "source_videos": 1}},
    "estimator": {"tiny": {"input_size": [64, 64]}},
    "retrain": {"few-labels": {"steps": 4, "epochs": 1}},
}
STORE = 80 * 2**20


@pytest.fixture(scope="module")
def settings(cache: Path) -> Iterator[dict[str, str]]:
    """Loopback only, no token, nothing reported home; for this process, the nodes and their workers."""
    names = {
        "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
        "RAY_AUTH_MODE": "disabled",
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_agent_register_timeout_ms": "300000",
        "XDG_CACHE_HOME": str(cache),
        "OMP_NUM_THREADS": "1",
        "PYTHONPATH": str(Path(__file__).parents[2]),  # where workers find the work of these tests
    }
    with pytest.MonkeyPatch.context() as patch:
        for name, value in names.items():
            patch.setenv(name, value)
        patch.delenv("RAY_ADDRESS", raising=False)
        yield names


@pytest.fixture(scope="module")
def cluster(settings: dict[str, str]) -> Iterator[Any]:
    """A head and a second node of one core each, with a GPU that is there in name: Ray shares out what it is told."""
    from ray.cluster_utils import Cluster

    node = {"num_cpus": 1, "num_gpus": 1, "object_store_memory": STORE, "node_ip_address": "127.0.0.1"}
    node |= {"include_dashboard": False, "include_log_monitor": False, "no_monitor": True}
    made = Cluster(initialize_head=True, head_node_args=node | free_ports())
    made.add_node(**node, **free_ports())
    yield made
    made.shutdown()


def free_ports() -> dict[str, int]:
    """For the services of a node; where it has to choose them itself, a slow machine takes longer than it waits."""
    names = ("metrics_agent_port", "metrics_export_port", "dashboard_agent_listen_port", "runtime_env_agent_port")
    with ExitStack() as held:
        sockets = [held.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in names]
        return {name: opened.getsockname()[1] for name, opened in zip(names, sockets, strict=True)}


def cycles(run: Path) -> list[dict[str, Any]]:
    """A run's cycles without what depends on the clock."""
    lines = [json.loads(line) for line in (run / "cycles.jsonl").read_text().splitlines()]
    return [{name: value for name, value in line.items() if name != "seconds"} for line in lines]


def finished_cycles(folder: Path) -> dict[str, bytes]:
    """What each run of a sweep has recorded of whole cycles so far."""
    found = {path.parent.name: path.read_bytes() for path in folder.glob("runs/*/cycles.jsonl")}
    return {name: content[: content.rfind(b"\n") + 1] for name, content in found.items()}


def until(what: Callable[[], bool], process: subprocess.Popen[bytes]) -> None:
    while process.poll() is None and not what():
        time.sleep(0.02)


def test_tasks_fail_by_themselves_and_work_where_the_command_was_given(
    cluster: Any, settings: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from vatl_ray.tasks import Ray

    monkeypatch.chdir(tmp_path)
    ray = Ray(address=cluster.address, retries=1)
    outcomes = sorted(ray.map(double, [1, -2, 3]), key=lambda outcome: outcome.index)
    assert [outcome.result for outcome in outcomes] == [2, None, 6], [str(outcome.error) for outcome in outcomes]
    assert str(outcomes[1].error) == "-2 is negative"
    assert {outcome.get() for outcome in ray.map(where, [1, 2])} == {(str(tmp_path), "1")}
    lost = sorted(ray.map(die_of, [0, 1]), key=lambda outcome: outcome.index)
    assert lost[0].result == 0
    assert "Ray gave it up" in str(lost[1].error), "after its one retry"


def test_runs_that_share_a_card_are_given_one(
    cluster: Any, settings: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from vatl_ray.tasks import Ray

    monkeypatch.chdir(tmp_path)
    shared = Ray(address=cluster.address, cpus=0.2, gpus=0.25)
    assert {outcome.get() for outcome in shared.map(card, range(4))} == {"0"}, "each sees the one of its node"


@pytest.mark.timeout(2400)
def test_it_keeps_the_contract_of_an_executor(cluster: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from vatl_kit import check
    from vatl_ray.tasks import Ray

    monkeypatch.chdir(tmp_path)
    check(Ray(address=cluster.address))


def test_a_node_is_lost_in_mid_sweep(
    cluster: Any, settings: dict[str, str], vatl: Vatl, tmp_path: Path, environment: dict[str, str]
) -> None:
    """Every run completes, none starts over, and all end as they do without Ray."""
    file, folder = tmp_path / "sweep.toml", tmp_path / "sweeps" / "far"
    file.write_text(tomli_w.dumps(SWEEP))
    far = [str(Path(sys.executable).with_name("vatl")), "sweep", str(file), "--folder", str(folder)]
    far += ["--executor", "ray", "-o", f"ray.address={cluster.address}", "-o", "ray.gpus=0.25"]
    process = subprocess.Popen(far, cwd=tmp_path, env=environment | settings, stderr=subprocess.PIPE)
    until(lambda: sum(content.count(b"\n") >= 2 for content in finished_cycles(folder).values()) >= 2, process)
    assert process.poll() is None, process.communicate()[1]
    (second,) = cluster.worker_nodes
    cluster.remove_node(second, allow_graceful=False)
    before = finished_cycles(folder)
    assert not list(folder.glob("runs/*/run.json")), "both were under way"
    _, said = process.communicate(timeout=1200)
    assert process.returncode == 0, said

    after = finished_cycles(folder)
    assert len(after) == 4
    assert all(after[name].startswith(content) for name, content in before.items()), "none started over"
    logs = {log.stem: log.read_text().count(", process ") for log in folder.glob("logs/*.log")}
    assert sorted(logs.values()) == [1, 1, 1, 2], "the one on the lost node was placed anew, and only that"

    near = vatl("sweep", file, "--folder", tmp_path / "near", "-o", "local.jobs=none", timeout=900)
    assert near.code == 0, near.err
    for run in after:
        assert cycles(folder / "runs" / run) == cycles(tmp_path / "near" / "runs" / run)


def test_one_run_goes_there_too(
    cluster: Any, settings: dict[str, str], tmp_path: Path, environment: dict[str, str]
) -> None:
    words = ["run", "--executor", "ray", "-o", f"ray.address={cluster.address}", "--name", "one", "--json"]
    words += ["-o", "synthetic.frames=3", "-o", "synthetic.people=1", "--schedule", "1"]
    words += ["-o", "few-labels.steps=1", "-o", "few-labels.epochs=1"]
    command = [str(Path(sys.executable).with_name("vatl")), *words]
    done = subprocess.run(
        command, cwd=tmp_path, env=environment | settings, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    assert Outcome(done.returncode, done.stdout, done.stderr).record["labelled"] == 1
    assert (tmp_path / "runs" / "one" / "run.json").exists()


class TestBadInput:
    @pytest.mark.parametrize("address", ["127.0.0.1:1", "nowhere.invalid:6379"])
    def test_where_no_cluster_answers(self, vatl: Vatl, tmp_path: Path, address: str) -> None:
        outcome = vatl("run", "--executor", "ray", "-o", f"ray.address={address}")
        assert outcome.code == 2
        assert outcome.err.startswith(f"vatl: no Ray cluster answers at {address}")
        assert outcome.err.count("\n") == 1
        assert not list(tmp_path.iterdir())

    @pytest.mark.parametrize("option", ["ray.gpus=-1", "ray.cpus=0", "ray.retries=-2", "ray.adress=x"])
    def test_an_option_that_makes_no_sense(self, vatl_here: Vatl, option: str) -> None:
        outcome = vatl_here("run", "--executor", "ray", "-o", option)
        assert (outcome.code, outcome.err.count("\n")) == (2, 1)

    def test_more_than_this_machine_has(
        self, settings: dict[str, str], environment: dict[str, str], tmp_path: Path
    ) -> None:
        command = [str(Path(sys.executable).with_name("vatl")), "run", "--executor", "ray"]
        done = subprocess.run(
            [*command, "-o", f"ray.cpus={(os.cpu_count() or 1) + 1}"],
            cwd=tmp_path, env=environment | settings, capture_output=True, text=True, timeout=300,
        )  # fmt: skip
        assert done.returncode == 2
        assert "no node has" in done.stderr
        assert not list(tmp_path.iterdir())

"""A Ray cluster to work on: one that is there, or one of our own for a while."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from vatl_core.errors import InputError

STORE: Final = 100 * 2**20
"""Bytes of shared memory for a cluster of our own: nothing but records passes through it."""


@contextmanager
def connected(address: str, cpus: float, gpus: float) -> Iterator[None]:
    """Be a driver of the cluster within the block.

    Args:
        address: of the cluster; RAY_ADDRESS, else one started here, if empty.
        cpus, gpus: what a task is going to ask for.

    Raises:
        InputError: there is no cluster, or none of its nodes can ever give that much.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # before ray is imported: it would report home
    import ray

    if ray.is_initialized():  # we are called by a driver that knows its cluster
        yield
        return
    address = address or os.environ.get("RAY_ADDRESS", "")
    _join(ray, address)
    try:
        _check_room(ray.nodes(), cpus, gpus, ours=not address)
        yield
    finally:
        ray.shutdown()


def _join(ray: Any, address: str) -> None:
    _check_answers(address)
    if not address:
        options = {"address": "local", "_node_ip_address": "127.0.0.1", "object_store_memory": STORE}
        ray.init(include_dashboard=False, logging_level="error", **options)
        return
    try:
        ray.init(address=address, logging_level="error")
    except (ConnectionError, ValueError, RuntimeError) as error:
        raise _silent(address, error) from error


def _check_answers(address: str) -> None:
    """Ray itself would wait for minutes where nothing listens."""
    host, _, port = address.rpartition(":")
    if host and port.isdigit() and "//" not in host:
        try:
            socket.create_connection((host, int(port)), timeout=10).close()
        except (OSError, OverflowError) as error:
            raise _silent(address, error) from error


def _silent(address: str, error: Exception) -> InputError:
    return InputError(
        f"no Ray cluster answers at {address} ({' '.join(str(error).split())[:200]}): start one with `ray start`, or "
        "leave ray.address out to have one on this machine"
    )


def _check_room(nodes: list[dict[str, Any]], cpus: float, gpus: float, ours: bool) -> None:
    """Tell apart what will start soon from what may wait for ever."""
    rooms = [node["Resources"] for node in nodes if node["Alive"]]
    if any(room.get("CPU", 0) >= cpus and room.get("GPU", 0) >= gpus for room in rooms):
        return
    most = {kind: max((room.get(kind, 0) for room in rooms), default=0) for kind in ("CPU", "GPU")}
    lacking = f"no node has {cpus:g} CPU and {gpus:g} GPU together (most: {most['CPU']:g} CPU, {most['GPU']:g} GPU)"
    if ours:
        raise InputError(f"{lacking}: ask for less with -o ray.cpus=… and -o ray.gpus=…")
    print(f"warning: {lacking}: waiting until one joins", file=sys.stderr)

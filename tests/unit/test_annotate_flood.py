"""Connections of strangers: however many there are and however slow, whoever labels is answered and the run lives."""

from __future__ import annotations

import logging
import resource
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from vatl_annotate.entrance import Entrance, json_body, served
from vatl_annotate.serving import Served

HALF = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-"


async def echo(request: Request) -> Response:
    return JSONResponse(await json_body(request))


@contextmanager
def page(folder: Path) -> Iterator[Served]:
    """A page whose interface answers with what it was sent."""
    routes = [Route("/echo", echo, methods=["POST"])]
    served_page = Served.begin(
        "127.0.0.1", 0, folder / "keys", "", lambda keys, hosts: served(Entrance("index.html", keys), routes, hosts)
    )
    try:
        yield served_page
    finally:
        served_page.end()


@contextmanager
def descriptors(most: int) -> Iterator[None]:
    """This process may have so many files open; those that it has, and the sockets of the flood, among them."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


def flood(port: int, count: int, stack: ExitStack, begun: bytes = HALF) -> list[socket.socket]:
    """Connections, each with the half of a request."""
    found = []
    for _ in range(count):
        connection = stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=10))
        connection.sendall(begun)
        found.append(connection)
    return found


def alive(connections: list[socket.socket]) -> int:
    """How many of them the server has not closed."""
    count = 0
    for connection in connections:
        connection.setblocking(False)
        try:
            count += bool(connection.recv(65536))
        except BlockingIOError:
            count += 1
        except ConnectionError:
            pass
    return count


def test_a_flood_is_kept_below_the_cap_and_others_are_answered(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with ExitStack() as stack:
        stack.enter_context(descriptors(800))
        served_page = stack.enter_context(page(tmp_path))
        client = stack.enter_context(httpx.Client(base_url=f"http://127.0.0.1:{served_page.port}"))
        assert client.get(served_page.link).status_code == 200
        with ThreadPoolExecutor(1) as pool:
            flooding = pool.submit(flood, served_page.port, 450, stack)
            number = 0
            while number < 20 or not flooding.done():
                number += 1
                assert client.post("/echo", json={"a": number}, headers={"X-Vatl": "1"}).json() == {"a": number}
            strangers = flooding.result()
        began = time.monotonic()
        while (left := alive(strangers)) > 200 and time.monotonic() - began < 60:
            time.sleep(0.1)  # a busy machine closes them later
        assert left <= 200, "a quarter of the descriptors"
    assert not caplog.records


@pytest.mark.parametrize("begun", [b"", HALF, b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nhalf"])
def test_who_does_not_finish_a_sentence_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, begun: bytes) -> None:
    monkeypatch.setattr("vatl_annotate.connections._HEAD", 1.0)
    with ExitStack() as stack:
        port = stack.enter_context(page(tmp_path)).port
        (slow,) = flood(port, 1, stack, begun)
        began = time.monotonic()
        while alive([slow]):
            assert time.monotonic() - began < 60
            slow.send(b"x" if begun else b"")
            time.sleep(0.1)


def test_half_a_request_after_a_whole_one_is_left_as_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vatl_annotate.connections._HEAD", 1.0)
    with ExitStack() as stack:
        port = stack.enter_context(page(tmp_path)).port
        whole = f"GET /page/page.css HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode()
        (slow,) = flood(port, 1, stack, whole + HALF)
        began = time.monotonic()
        while alive([slow]):
            assert time.monotonic() - began < 60
            slow.send(b"x")
            time.sleep(0.1)


def test_what_cannot_be_accepted_is_told_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with ExitStack() as stack:
        served_page = stack.enter_context(page(tmp_path))
        time.sleep(0.3)
        queued = [stack.enter_context(socket.socket()) for _ in range(3)]
        with descriptors(3), caplog.at_level(logging.WARNING):
            for connection in queued:
                connection.connect(("127.0.0.1", served_page.port))
            time.sleep(2.5)
        assert httpx.get(served_page.link, timeout=10).status_code == 200, "it goes on when there are files again"
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING] == [
        "no connection can be accepted for now: Too many open files"
    ]

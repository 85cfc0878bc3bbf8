"""Downloads: whole and verified or not at all, whatever the server does."""

from __future__ import annotations

import hashlib
import os
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import attrs
import pytest

from vatl_core.contracts import Download
from vatl_core.errors import InputError
from vatl_weights import downloads, fetch
from vatl_weights.downloads import place

CONTENT = os.urandom(1_000_000)
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@attrs.define
class Server:
    """A server of one file on this machine, and how it misbehaves.

    Attributes:
        url: of the file.
        breaks_after: bytes after which each answer breaks off; the whole file where None.
        knows_ranges: whether it sends parts.
        status: what it answers; 200 is well.
        content: what it sends.
        asked: the Range of each request, in order; empty where there was none.
    """

    url: str = ""
    breaks_after: int | None = None
    knows_ranges: bool = True
    status: int = 200
    content: bytes = CONTENT
    asked: list[str] = attrs.field(factory=list)

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        wanted = handler.headers.get("Range", "")
        self.asked.append(wanted)
        if self.status != 200:
            return handler.send_error(self.status)
        start = int(wanted.removeprefix("bytes=").removesuffix("-")) if wanted and self.knows_ranges else 0
        if start >= len(self.content):
            return handler.send_error(416)
        handler.send_response(206 if start else 200)
        if start:
            handler.send_header("Content-Range", f"bytes {start}-{len(self.content) - 1}/{len(self.content)}")
        handler.send_header("Content-Length", str(len(self.content) - start))
        handler.end_headers()
        handler.wfile.write(self.content[start:][: self.breaks_after])
        return None


@pytest.fixture
def server() -> Iterator[Server]:
    behaviour = Server()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            behaviour.answer(self)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        behaviour.url = f"http://127.0.0.1:{http.server_port}/models/network-{SHA256[:8]}_2022.pth"
        threading.Thread(target=http.serve_forever, daemon=True).start()
        yield behaviour
        http.shutdown()


@pytest.fixture(autouse=True)
def cached(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The cache of these tests."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return downloads.folder()


def left(cached: Path) -> list[str]:
    """What a user sees in the cache."""
    return sorted(path.name for path in cached.glob("*") if not path.name.startswith("."))


@pytest.mark.parametrize("digits", [8, 12, 64])
def test_a_file_is_fetched_whole_under_its_published_name(server: Server, digits: int, cached: Path) -> None:
    told: list[tuple[str, int, int]] = []
    path = fetch(Download(server.url, SHA256[:digits]), progress=lambda *step: told.append(step))
    assert path.read_bytes() == CONTENT
    assert left(cached) == [f"network-{SHA256[:8]}_2022.pth"]
    assert told[-1] == ("download", len(CONTENT), len(CONTENT))
    assert [done for _, done, _ in told] == sorted(done for _, done, _ in told)


def test_a_name_without_the_hash_gets_it() -> None:
    one, other = (Download("https://example.org/a/model.pth?x=1", digits * 8) for digits in "ab")
    assert place(one).name == "model-aaaaaaaa.pth"
    assert place(one) != place(other)


def test_the_second_use_asks_nobody(server: Server) -> None:
    download = Download(server.url, SHA256)
    assert fetch(download) == fetch(download)
    assert server.asked == [""]
    unreachable = Download("http://127.0.0.1:9/" + place(download).name, SHA256)
    assert fetch(unreachable).read_bytes() == CONTENT


def test_a_broken_connection_is_taken_up_where_it_broke(server: Server, cached: Path) -> None:
    server.breaks_after = 400_000
    assert fetch(Download(server.url, SHA256)).read_bytes() == CONTENT
    assert server.asked == ["", "bytes=400000-", "bytes=800000-"]
    assert len(left(cached)) == 1


def test_what_is_here_is_kept_for_the_next_time(server: Server, cached: Path) -> None:
    server.breaks_after = 100_000
    with pytest.raises(InputError, match=r"cannot be fetched: the connection ended after 400000 of 1000000 bytes"):
        fetch(Download(server.url, SHA256))
    assert left(cached) == [f"network-{SHA256[:8]}_2022.pth.part"]
    server.breaks_after = None
    assert fetch(Download(server.url, SHA256)).read_bytes() == CONTENT
    assert server.asked[-1] == "bytes=400000-"


def test_a_server_that_sends_no_parts_is_asked_for_the_whole(server: Server, cached: Path) -> None:
    part = cached / f"network-{SHA256[:8]}_2022.pth.part"
    cached.mkdir(parents=True)
    part.write_bytes(CONTENT[:300_000])
    server.knows_ranges = False
    assert fetch(Download(server.url, SHA256)).read_bytes() == CONTENT
    assert server.asked == ["bytes=300000-"]


@pytest.mark.parametrize("size", [300_000, len(CONTENT), len(CONTENT) + 5])
def test_a_part_of_something_else_is_given_up(server: Server, cached: Path, size: int) -> None:
    cached.mkdir(parents=True)
    (cached / f"network-{SHA256[:8]}_2022.pth.part").write_bytes(b"\0" * size)
    assert fetch(Download(server.url, SHA256)).read_bytes() == CONTENT
    assert server.asked == [f"bytes={size}-", ""]


def test_a_part_that_is_all_there_is_only_verified(server: Server, cached: Path) -> None:
    cached.mkdir(parents=True)
    (cached / f"network-{SHA256[:8]}_2022.pth.part").write_bytes(CONTENT)
    assert fetch(Download(server.url, SHA256)).read_bytes() == CONTENT


def test_another_file_than_expected_is_removed(server: Server, cached: Path) -> None:
    server.content = b"<html>Please log in</html>"
    with pytest.raises(InputError) as error:
        fetch(Download(server.url, SHA256))
    for words in (server.url, SHA256, hashlib.sha256(server.content).hexdigest(), "removed"):
        assert words in str(error.value)
    assert left(cached) == []
    assert server.asked == [""], "the same answer would come again"


def test_a_damaged_file_in_the_cache_is_replaced(server: Server, cached: Path) -> None:
    download = Download(server.url, SHA256)
    fetch(download).write_bytes(CONTENT[:-1])
    assert fetch(download).read_bytes() == CONTENT
    assert server.asked == ["", ""]


@pytest.mark.parametrize(("status", "words"), [(404, "404"), (503, "503")])
def test_what_the_server_refuses_is_told_with_a_way_out(server: Server, cached: Path, status: int, words: str) -> None:
    server.status = status
    with pytest.raises(InputError, match=words) as error:
        fetch(Download(server.url, SHA256))
    assert str(cached / f"network-{SHA256[:8]}_2022.pth") in str(error.value)
    assert left(cached) == []


@pytest.mark.parametrize("host", ["127.0.0.1:9", "no-such-host.invalid"])
def test_nobody_there(host: str) -> None:
    started = time.monotonic()
    with pytest.raises(InputError, match="cannot be fetched"):
        fetch(Download(f"http://{host}/w.pth", SHA256), timeout=3)
    assert time.monotonic() - started < 4


def test_a_server_that_never_answers_is_not_waited_for() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        started = time.monotonic()
        with pytest.raises(InputError, match=r"no answer within 0\.5 seconds"):
            fetch(Download(f"http://127.0.0.1:{silent.getsockname()[1]}/w.pth", SHA256), timeout=0.5)
        assert time.monotonic() - started < 3


def test_many_at_once_fetch_it_once(server: Server) -> None:
    with ThreadPoolExecutor(4) as many:
        paths = list(many.map(lambda _: fetch(Download(server.url, SHA256)), range(4)))
    assert {path.read_bytes() for path in paths} == {CONTENT}
    assert server.asked == [""]


def test_a_cache_that_cannot_be_written_is_told(server: Server, tmp_path: Path, cached: Path) -> None:
    cached.parent.mkdir(parents=True)
    cached.write_text("a file where the folder should be")
    with pytest.raises(InputError, match="cannot be read or kept"):
        fetch(Download(server.url, SHA256))

"""Downloads: whole and verified or not at all, whatever the server does."""

from __future__ import annotations

import hashlib
import os
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from urllib.request import HTTPSHandler, Request
from urllib.response import addinfourl

import attrs
import pytest

from tests.windows import as_on_windows
from vatl_core.errors import InputError
from vatl_weights import Download, downloads, fetch
from vatl_weights.downloads import doubt, place

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
        tells_length: whether it says how much that is.
        leads_to: where it sends who asks, instead.
        asked: the Range of each request, in order; empty where there was none.
    """

    url: str = ""
    breaks_after: int | None = None
    knows_ranges: bool = True
    status: int = 200
    content: bytes = CONTENT
    tells_length: bool = True
    leads_to: str = ""
    asked: list[str] = attrs.field(factory=list)

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        wanted = handler.headers.get("Range", "")
        self.asked.append(wanted)
        if self.leads_to:
            handler.send_response(302)
            handler.send_header("Location", self.leads_to)
            return handler.end_headers()
        if self.status != 200:
            return handler.send_error(self.status)
        start = int(wanted.removeprefix("bytes=").removesuffix("-")) if wanted and self.knows_ranges else 0
        if start >= len(self.content):
            return handler.send_error(416)
        handler.send_response(206 if start else 200)
        if start:
            handler.send_header("Content-Range", f"bytes {start}-{len(self.content) - 1}/{len(self.content)}")
        if self.tells_length:
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


@pytest.mark.parametrize("scheme", ["ftp", "file", "data", "HTTPX", "jar"])
def test_nothing_but_https_and_http_is_spoken(scheme: str, cached: Path, tmp_path: Path) -> None:
    there = tmp_path / "w.pth"
    there.write_bytes(CONTENT)
    with pytest.raises(InputError, match=r"cannot be fetched: only https:// and http:// are spoken"):
        fetch(Download(f"{scheme}://{there}", SHA256))
    assert left(cached) == []


@pytest.mark.parametrize("target", ["ftp://example.org/w.pth", "file:///etc/hostname", "data:text/plain,weights"])
def test_no_server_leads_to_anything_else(server: Server, cached: Path, target: str) -> None:
    server.leads_to = target
    with pytest.raises(InputError) as caught:
        fetch(Download(server.url, SHA256))
    assert target in str(caught.value)
    assert left(cached) == []


class Https(HTTPSHandler):
    """Answers for every https:// server: each sends who asks on to what its address ends in."""

    def https_open(self, req: Request) -> addinfourl:  # type: ignore[override]
        headers = Message()
        headers["Location"] = req.full_url.rpartition("?")[2]
        answer = addinfourl(BytesIO(), headers, req.full_url, 302)
        answer.msg = "Found"  # type: ignore[attr-defined]
        return answer


def test_https_stays_https(server: Server, cached: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(downloads, "HTTPSHandler", Https)
    for address in (f"https://a.org/?{server.url}", f"https://a.org/?https://b.org/?{server.url}"):
        with pytest.raises(InputError, match=rf"the server leads on from https:// to '{server.url}', which is not"):
            fetch(Download(address, SHA256))
    server.leads_to = f"https://a.org/?{server.url}"
    with pytest.raises(InputError, match="leads on from https://"):
        fetch(Download(server.url, SHA256))
    assert left(cached) == []


def test_from_http_a_server_may_lead_to_http(server: Server) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as other:
        other.RequestHandlerClass = type("Leading", (BaseHTTPRequestHandler,), {
            "do_GET": lambda self: Server(leads_to=server.url).answer(self), "log_message": lambda *_: None,
        })  # fmt: skip
        threading.Thread(target=other.serve_forever, daemon=True).start()
        assert fetch(Download(f"http://127.0.0.1:{other.server_port}/", SHA256)).read_bytes() == CONTENT
        other.shutdown()


@pytest.mark.parametrize("told", [True, False])
def test_a_file_that_is_too_large_is_not_kept(
    server: Server, cached: Path, monkeypatch: pytest.MonkeyPatch, told: bool
) -> None:
    monkeypatch.setattr(downloads, "LARGEST", 1 << 19)
    server.tells_length = told
    as_on_windows(monkeypatch)
    with pytest.raises(InputError, match=r"it has more than 0\.000488281 GiB, which no file of weights may have"):
        fetch(Download(server.url, SHA256))
    assert left(cached) == []
    assert server.asked == [""], "it is not asked for again"


def test_files_of_weights_may_have_8_gib() -> None:
    assert downloads.LARGEST == 8 * 1024**3


def test_a_length_that_is_no_number_of_bytes_is_not_believed(server: Server) -> None:
    server.tells_length = False
    assert fetch(Download(server.url, SHA256)).read_bytes() == CONTENT


@pytest.mark.parametrize("digits", [8, 9, 15])
def test_few_digits_of_a_hash_are_a_doubt(server: Server, digits: int) -> None:
    download = Download(server.url, SHA256[:digits])
    (told,) = doubt(download, fetch(download))
    assert told.startswith(f"only {digits} digits of a SHA-256 say that network-{SHA256[:8]}_2022.pth is")
    assert f"{server.url}#sha256={SHA256}" in told
    whole = Download(server.url, SHA256)
    assert doubt(whole, fetch(whole)) == doubt(attrs.evolve(whole, sha256=SHA256[:16]), fetch(whole)) == []


@pytest.mark.parametrize("hard", [False, True])
def test_nothing_is_written_through_a_link_that_somebody_laid(server: Server, cached: Path, hard: bool) -> None:
    theirs = cached.parent / "theirs"
    cached.mkdir(parents=True)
    theirs.write_text("theirs")
    part = cached / f"network-{SHA256[:8]}_2022.pth.part"
    part.hardlink_to(theirs) if hard else part.symlink_to(theirs)
    assert fetch(Download(server.url, SHA256)).read_bytes() == CONTENT
    assert theirs.read_text() == "theirs"
    assert server.asked == [""]


def test_a_link_that_is_laid_meanwhile_is_not_followed(
    server: Server, cached: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cached.mkdir(parents=True)
    (cached / f"network-{SHA256[:8]}_2022.pth.part").symlink_to(cached.parent / "new")
    monkeypatch.setattr(downloads, "_here", lambda part: 0)
    with pytest.raises(InputError, match="cannot be read or kept"):
        fetch(Download(server.url, SHA256))
    assert not (cached.parent / "new").exists()

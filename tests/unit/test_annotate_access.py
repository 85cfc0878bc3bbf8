"""Who gets in, under which name, and how it is told from another page."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import stat
import threading
import time
import webbrowser
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

import httpx
import pytest
from starlette.applications import Starlette
from starlette.datastructures import URL
from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient

from vatl_annotate.access import Keys, password_for
from vatl_annotate.entrance import Entrance, json_body, served
from vatl_annotate.hosts import is_loopback, names
from vatl_annotate.patience import Patience
from vatl_annotate.serving import Served
from vatl_annotate.submission import RefusedError
from vatl_core.errors import InputError

PASSWORD = "correct horse"


class TestKeys:
    def test_they_are_the_same_when_the_run_is_taken_up(self, tmp_path: Path) -> None:
        file = tmp_path / "run" / ".annotate.json"
        first = Keys.kept(file)
        Keys(first.token, 4321).keep(file)
        again = Keys.kept(file)
        assert (again.token, again.port, again.session) == (first.token, 4321, first.session)

    def test_their_owner_alone_can_read_them(self, tmp_path: Path) -> None:
        file, before = tmp_path / ".annotate.json", os.umask(0)
        try:
            Keys.kept(file).keep(file)
        finally:
            os.umask(before)
        assert stat.S_IMODE(file.stat().st_mode) == 0o600

    def test_the_password_is_not_written_down(self, tmp_path: Path) -> None:
        file = tmp_path / ".annotate.json"
        Keys.kept(file, PASSWORD).keep(file)
        assert PASSWORD not in file.read_text()
        assert PASSWORD not in repr(Keys.kept(file, PASSWORD))

    @pytest.mark.parametrize(
        "content",
        ["", "{", "[]", "{}", '{"token": "", "port": 1}', '{"token": "short", "port": 1}',
         '{"token": "' + "x" * 43 + '", "port": 99999}', '{"token": "' + "x" * 43 + '", "port": "many"}'],
    )  # fmt: skip
    def test_what_is_damaged_opens_nothing(self, tmp_path: Path, content: str) -> None:
        file = tmp_path / ".annotate.json"
        file.write_text(content)
        keys = Keys.kept(file)
        assert len(keys.token) >= 40
        assert keys.port == 0
        assert "x" * 43 not in keys.token

    def test_two_runs_have_nothing_in_common(self, tmp_path: Path) -> None:
        one, other = Keys.kept(tmp_path / "1"), Keys.kept(tmp_path / "2")
        assert one.token != other.token
        assert not one.opened_by_session(other.session)
        assert not one.opened_by_token("")

    def test_another_password_ends_the_sessions(self) -> None:
        token = "x" * 43
        assert not Keys(token, 0, "new password").opened_by_session(Keys(token, 0, PASSWORD).session)
        assert not Keys(token, 0, PASSWORD).opened_by_token(token), "a link from the console is no way around it"

    @pytest.mark.parametrize("text", ["", "\ud800", "ä", "x" * 10**6])
    def test_no_text_is_too_strange_to_be_wrong(self, text: str) -> None:
        keys = Keys("x" * 43, 0, PASSWORD)
        assert not keys.opened_by_password(text)
        assert not keys.opened_by_session(text)
        assert not Keys("x" * 43).opened_by_token(text)


class TestPassword:
    @pytest.mark.parametrize(
        "host", ["0.0.0.0", "::", "192.0.2.1", "example.org", "127.0.0.1.example.org", "", "127.1"]
    )
    def test_a_page_that_others_can_reach_needs_one(self, host: str) -> None:
        with pytest.raises(InputError, match="needs a password"):
            password_for(host, None)
        assert password_for(host, None, PASSWORD) == PASSWORD

    @pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "::1", "[::1]", "localhost"])
    def test_one_of_this_machine_alone_does_not(self, host: str) -> None:
        assert is_loopback(host)
        assert password_for(host, None) == ""

    def test_it_is_a_files_first_line(self, tmp_path: Path) -> None:
        file = tmp_path / "password"
        file.write_text(f" {PASSWORD} \nsomething else\n")
        assert password_for("0.0.0.0", file, "from elsewhere") == PASSWORD

    @pytest.mark.parametrize(
        ("content", "says"),
        [(None, "cannot be read"), (b"\xff\xfe\xff", "cannot be read"), (b"", "first line"), (b"\nlater", "first line"),
         (b"short", "8 characters")],
    )  # fmt: skip
    @pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])
    def test_a_file_without_one_is_told(self, tmp_path: Path, content: bytes | None, says: str, host: str) -> None:
        file = tmp_path / "password"
        if content is not None:
            file.write_bytes(content)
        with pytest.raises(InputError, match=says) as error:
            password_for(host, file)
        assert "\n" not in str(error.value)
        with pytest.raises(InputError):
            password_for(host, tmp_path)


def descriptors() -> int:
    """Open files of this process."""
    return len(list(Path("/proc/self/fd").iterdir()))


class TestListening:
    def test_a_port_that_is_taken_is_told_if_it_was_asked_for(self, tmp_path: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as other:
            port = other.getsockname()[1]
            with pytest.raises(InputError, match="choose another port"):
                serve(tmp_path / "keys", port=port)
            Keys("x" * 43, port).keep(tmp_path / "keys")
            served = serve(tmp_path / "keys")
        assert served.port != port, "the one of before is only wished for"
        served.end()

    @pytest.mark.parametrize("host", ["no.such.host.invalid", "a..b", "x" * 300, "\u2603" * 80])
    def test_a_host_that_is_none_is_told(self, tmp_path: Path, host: str) -> None:
        with pytest.raises(InputError, match="cannot be listened at"):
            serve(tmp_path / "keys", host=host, password=PASSWORD)

    def test_it_can_be_opened_at_once_and_leaves_nothing(self, tmp_path: Path) -> None:
        before, files = set(threading.enumerate()), descriptors()
        for _ in range(5):
            served = serve(tmp_path / "keys")
            with httpx.Client() as client:
                assert client.get(served.link).status_code == 200
            with socket.create_connection(("127.0.0.1", served.port)) as silent:
                silent.sendall(b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf")
                began = time.monotonic()
                served.end()
                assert time.monotonic() - began < 4, "who does not finish a sentence is not waited for"
        end = time.monotonic() + 10
        while set(threading.enumerate()) - before or descriptors() > files + 2:
            assert time.monotonic() < end, (
                set(threading.enumerate()) - before,
                descriptors(),
                files,
            )
            time.sleep(0.05)


def application(keys: Keys, hosts: frozenset[str]) -> Starlette:
    """A page whose interface answers with what it was sent, or fails."""

    async def echo(request: Request) -> Response:
        return JSONResponse(await json_body(request))

    async def fail(request: Request) -> Response:
        raise ZeroDivisionError("a defect")

    routes = [Route("/echo", echo, methods=["POST"]), Route("/fail", fail)]
    return served(Entrance("index.html", keys), routes, hosts)


def serve(
    file: Path, host: str = "127.0.0.1", port: int = 0, password: str = "", *, behind_proxy: bool = False
) -> Served:
    """That page, served."""
    return Served.begin(host, port, file, password, application, behind_proxy=behind_proxy)


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A page with a password."""
    served = serve(tmp_path_factory.mktemp("closed") / "keys", password=PASSWORD)
    yield served
    served.end()


def guess(served: Served, password: object, client: httpx.Client | None = None) -> httpx.Response:
    browser = client or httpx.Client(timeout=60)
    return browser.post(f"http://127.0.0.1:{served.port}/login", json={"password": password}, headers={"X-Vatl": "1"})


def guess_from(served: Served, address: str, password: str = "a guess") -> httpx.Response:
    """A guess from another of this machine's addresses."""
    with httpx.Client(transport=httpx.HTTPTransport(local_address=address), timeout=60) as client:
        return guess(served, password, client)


class TestLogin:
    def test_the_link_does_not_open_it(self, closed: Served) -> None:
        assert "token" not in closed.link
        assert httpx.post(f"{closed.link}echo", json={}, headers={"X-Vatl": "1"}).status_code == 401

    def test_the_password_does(self, closed: Served) -> None:
        with httpx.Client() as client:
            assert guess(closed, PASSWORD, client).status_code == 200
            again = client.post(f"{closed.link}echo", json={"a": 1}, headers={"X-Vatl": "1"})
            assert again.json() == {"a": 1}

    def test_guessing_is_slowed_even_by_many_at_once(self, closed: Served) -> None:
        began = time.monotonic()
        with ThreadPoolExecutor(12) as pool:
            codes = list(pool.map(lambda n: guess(closed, f"guess {n}").status_code, range(12)))
        assert codes == [403] * 12
        assert time.monotonic() - began > 11 * 0.25, "four a second are judged"

    def test_guessing_from_many_addresses_is_slowed_as_well(self, closed: Served) -> None:
        began = time.monotonic()
        with ThreadPoolExecutor(30) as pool:
            codes = list(pool.map(lambda n: guess_from(closed, f"127.0.1.{n + 1}").status_code, range(30)))
        assert codes == [403] * 30
        assert time.monotonic() - began > 29 * 0.1, "ten a second are judged in all"

    @pytest.mark.parametrize("address", ["127.0.0.1", "127.0.2.1"])
    def test_the_password_opens_it_while_others_guess(self, closed: Served, address: str) -> None:
        """From the same address too: behind a tunnel or a proxy all have one."""
        over = threading.Event()

        def guess_on(number: int) -> set[int]:
            codes = set()
            while not over.is_set():
                codes.add(guess(closed, f"guess {number}").status_code)
            return codes

        with ThreadPoolExecutor(4) as pool:
            guessing = [pool.submit(guess_on, number) for number in range(4)]
            time.sleep(0.5)
            try:
                assert [guess_from(closed, address, PASSWORD).status_code for _ in range(2)] == [200] * 2
            finally:
                over.set()
        assert set().union(*(future.result() for future in guessing)) == {403}

    def test_so_many_wait_and_no_more_and_all_are_forgotten(self) -> None:
        patience, codes = Patience(most=3), []

        async def enter(typed: str) -> None:
            try:
                codes.append(await patience.judged("10.0.0.1", lambda: typed == PASSWORD))
            except RefusedError as error:
                codes.append(error.status)

        async def all_at_once() -> None:
            await asyncio.gather(*(enter(typed) for typed in ("1", "2", PASSWORD, "4")))

        with ThreadPoolExecutor(1) as apart:  # a browser's tests may have left a loop running in this thread
            apart.submit(asyncio.run, all_at_once()).result()
        assert codes == [429, False, False, True]
        assert not patience.lines

    @pytest.mark.parametrize("password", [None, 3, [], {}, "", "\ud800", "x" * 100_000])
    def test_no_password_is_too_strange_to_be_wrong(self, closed: Served, password: object) -> None:
        content = json.dumps({"password": password})
        answer = httpx.post(f"{closed.link}login", content=content, headers={"X-Vatl": "1"})
        assert answer.status_code == 403
        assert answer.json()["error"]


def guess_as(served: Served, address: str) -> int:
    """The answer to a guess that says to be passed on for an address."""
    headers = {"X-Vatl": "1", "X-Forwarded-For": address}
    return httpx.post(f"{served.link}login", json={"password": "a guess"}, headers=headers, timeout=60).status_code


class TestBrowser:
    @pytest.fixture
    def opened(self, monkeypatch: pytest.MonkeyPatch) -> list[str]:
        """What stood on the browser's command line, which everybody on this machine can read."""
        opened: list[str] = []
        monkeypatch.setattr(webbrowser, "open", opened.append)
        return opened

    def test_it_is_led_to_the_link_by_a_file_of_its_owner(self, tmp_path: Path, opened: list[str]) -> None:
        before = os.umask(0)
        try:
            served = serve(tmp_path / ".keys")
            served.show()
        finally:
            os.umask(before)
        file = Path(unquote(urlsplit(opened[0]).path))
        assert "token" not in opened[0]
        assert opened[0].startswith("file:///")
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert f"url={served.link}" in file.read_text()
        served.end()
        assert [found.name for found in tmp_path.iterdir()] == [".keys"]

    def test_a_link_without_a_token_is_opened_as_it_is(self, closed: Served, opened: list[str]) -> None:
        closed.show()
        assert opened == [closed.link]


class TestProxy:
    """One on this machine, with a certificate: what it says of whoever asks counts only if we are told of it."""

    FORWARDED: Final = {"X-Forwarded-Proto": "https", "Host": "label.example.org", "X-Vatl": "1"}

    def test_its_word_counts_where_it_is_told_of(self, tmp_path: Path) -> None:
        served = serve(tmp_path / "keys", password=PASSWORD, behind_proxy=True)
        headers = self.FORWARDED | {"Origin": "https://label.example.org"}
        answer = httpx.post(served.link + "login", json={"password": PASSWORD}, headers=headers)
        served.end()
        assert answer.status_code == 200
        assert "secure" in answer.headers["set-cookie"].lower()

    def test_elsewhere_it_does_not(self, closed: Served) -> None:
        headers = {"X-Forwarded-Proto": "https", "X-Vatl": "1"}
        answer = httpx.post(closed.link + "login", json={"password": PASSWORD}, headers=headers, timeout=60)
        assert answer.status_code == 200
        assert "secure" not in answer.headers["set-cookie"].lower()
        assert httpx.get(closed.link, headers=self.FORWARDED).status_code == 403
        there = {"Origin": closed.link.replace("http", "https").rstrip("/")}
        assert "behind_proxy=true" in httpx.get(closed.link, headers=headers | there).json()["error"]

    def test_guesses_are_of_one_address_whatever_it_says(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("FORWARDED_ALLOW_IPS", "*")
        served = serve(tmp_path / "keys", password=PASSWORD)
        began = time.monotonic()
        with ThreadPoolExecutor(6) as pool:
            codes = list(pool.map(lambda number: guess_as(served, f"10.0.0.{number}"), range(6)))
        took = time.monotonic() - began
        served.end()
        assert codes == [403] * 6
        assert took > 6 * 0.25, "four a second are judged"

    def test_others_can_reach_it_so_that_it_needs_a_password(self) -> None:
        with pytest.raises(InputError, match="needs a password"):
            password_for("127.0.0.1", None, behind_proxy=True)


def test_a_request_of_two_lengths_is_refused_and_its_connection_closed(closed: Served) -> None:
    """A proxy may go by the other one, and take what follows for somebody else's request."""
    head = f"POST /login HTTP/1.1\r\nHost: 127.0.0.1:{closed.port}\r\nX-Vatl: 1\r\nContent-Length: 5\r\n"
    smuggled = f"GET /page/page.css HTTP/1.1\r\nHost: 127.0.0.1:{closed.port}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", closed.port), timeout=10) as connection:
        connection.sendall(f"{head}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n{smuggled}".encode())
        said = b"".join(iter(lambda: connection.recv(65536), b""))
    assert said.startswith(b"HTTP/1.1 400 ")
    assert b"connection: close" in said.lower()
    assert said.count(b"HTTP/1.1 ") == 1


class TestHost:
    @pytest.mark.parametrize(
        "host", ["x/page/login.js?", "x/page/login.js#", "a b", "a@b", "[::1", "x:", "x:70000", ""]
    )
    def test_what_is_no_name_is_refused(self, anywhere: httpx.Client, host: str) -> None:
        answer = anywhere.get("/fail", headers={"Host": host})
        assert answer.status_code == 400
        assert answer.json() == {"error": "the header Host must be a name or an address, and a port at most"}

    @pytest.mark.parametrize("host", ["example.org", "my_host:8080", "192.0.2.1:80", "[2001:db8::1]", "[::1]:8765"])
    def test_a_name_or_an_address_is_served(self, anywhere: httpx.Client, host: str) -> None:
        assert anywhere.get("/", headers={"Host": host}).status_code == 200

    def test_what_needs_a_session_is_told_by_the_path_alone(
        self, anywhere: httpx.Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """As Starlette before 1.0.1 made an address of the header Host."""
        monkeypatch.setattr(HTTPConnection, "url", URL("http://x/page/login.js?:1/fail"))
        assert anywhere.get("/fail").status_code == 401
        assert anywhere.get("/page/login.js").status_code == 200


class TestDefaultPort:
    """Browsers leave the port out of Host and Origin where it is the scheme's own."""

    @pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "127.0.0.1:80", "LOCALHOST"])
    @pytest.mark.parametrize("origin", ["http://{}", "http://{}:80"])
    def test_at_80_it_may_be_left_out(self, tmp_path: Path, host: str, origin: str) -> None:
        client = TestClient(application(Keys.kept(tmp_path / "keys", PASSWORD), names("127.0.0.1", 80)))
        headers = {"Host": host, "Origin": origin.format(host.removesuffix(":80")), "X-Vatl": "1"}
        assert client.post("/login", json={"password": PASSWORD}, headers=headers).status_code == 200

    @pytest.mark.parametrize(("port", "host"), [(8000, "127.0.0.1"), (8000, "localhost"), (80, "127.0.0.1:8000")])
    def test_another_port_is_another_place(self, tmp_path: Path, port: int, host: str) -> None:
        client = TestClient(application(Keys.kept(tmp_path / "keys"), names("127.0.0.1", port)))
        assert client.get("/", headers={"Host": host}).status_code == 403

    @pytest.mark.parametrize("origin", ["http://127.0.0.1:8000", "https://127.0.0.1", "http://127.0.0.1:443", "null"])
    def test_so_is_another_origin(self, tmp_path: Path, origin: str) -> None:
        client = TestClient(application(Keys.kept(tmp_path / "keys"), names("127.0.0.1", 80)))
        assert client.get("/", headers={"Host": "127.0.0.1", "Origin": origin}).status_code == 403

    def test_a_proxy_may_name_the_port_of_https(self, tmp_path: Path) -> None:
        keys = Keys.kept(tmp_path / "keys", PASSWORD)
        client = TestClient(application(keys, frozenset()), base_url="https://example.org")
        headers = {"Host": "example.org:443", "Origin": "https://example.org"}
        assert client.get("/", headers=headers).status_code == 200


@pytest.fixture
def anywhere(tmp_path: Path) -> TestClient:
    """Somebody without a session at a page with a password that may be called by any name."""
    return TestClient(application(Keys.kept(tmp_path / "keys", PASSWORD), frozenset()), follow_redirects=False)


def test_a_defect_is_told_in_a_line_with_the_usual_headers(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    served = serve(tmp_path / "keys")
    with httpx.Client() as client:
        client.get(served.link)
        answer = client.get(f"http://127.0.0.1:{served.port}/fail")
    served.end()
    assert answer.status_code == 500
    assert "a defect" in answer.json()["error"]
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert [record.getMessage() for record in caplog.records if record.name.startswith("vatl_annotate")] == [
        "the page could not answer GET /fail (ZeroDivisionError: a defect)"
    ]

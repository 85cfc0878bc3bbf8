"""Labelling a real run over HTTP: what it takes, what it refuses, and that nothing acknowledged is ever lost."""

from __future__ import annotations

import http.client
import json
import os
import random
import signal
import socket
import sqlite3
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

import attrs
import httpx
import pytest

from tests.annotator import WRITES, Annotator, Pose, Process, enter, truth_of
from tests.footage import sticks_on_disk

FRAMES: Final = 75
MODEL: Final = ("--estimator", "tiny", "-o", "tiny.input_size=64,64", "-o", "tiny.width=8", "--weights", "none",
                "--retrain", "full", "--device", "cpu", "--select", "random")  # fmt: skip
BROWSER: Final = ("--oracle", "browser", "-o", "browser.open=false")


@attrs.define
class Site:
    """A run that waits for labels, and everything it has acknowledged.

    Attributes:
        run: its directory.
        link: that opens it.
        truth: what annotators see.
        kept: the labels it said it had saved, by instance.
    """

    process: Process
    run: Path
    link: str
    truth: dict[str, Pose]
    kept: dict[int, list[list[float]]] = attrs.field(factory=dict)

    @property
    def port(self) -> int:
        return int(httpx.URL(self.link).port or 0)

    def person(self, **fields: Any) -> Annotator:
        """Somebody at a window of their own; what they are told is saved is remembered."""
        return Annotator(enter(self.link), self.truth, given=self.kept, **fields)

    def raw(self, request: bytes, wait: float = 20) -> tuple[int, bytes]:
        """What comes of bytes that no client would send: status and body."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=wait) as connection:
            connection.sendall(request)
            answer = http.client.HTTPResponse(connection)
            answer.begin()
            return answer.status, answer.read()

    def rows(self) -> Counter[int]:
        """How many labels are on disk of each instance."""
        with sqlite3.connect(self.run / "labels.sqlite") as connection:
            assert connection.execute("pragma integrity_check").fetchone() == ("ok",)
            return Counter(row[0] for row in connection.execute("select instance from labels"))

    def check(self) -> None:
        """It is alive, and what it acknowledged is on disk, once each."""
        assert self.process.process.poll() is None, "the run has ended"
        assert self.person().state()["phase"] == "labelling"
        if self.kept:
            rows = self.rows()
            assert {instance: rows[instance] for instance in self.kept} == dict.fromkeys(self.kept, 1)


def quick(environment: dict[str, str]) -> dict[str, str]:
    return environment | {"OMP_NUM_THREADS": "1"}


@pytest.fixture(scope="module")
def footage(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return sticks_on_disk(tmp_path_factory.mktemp("footage"), FRAMES)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, footage: tuple[Path, Path]) -> Iterator[Site]:
    """A run on boxes without keypoints that asks for all of them."""
    folder = tmp_path_factory.mktemp("site")
    words = ["run", "--name", "site", "--dataset", "coco", "-o", f"dataset.annotations={footage[1]}", *MODEL, *BROWSER,
             "--schedule", "1.0"]  # fmt: skip
    process = Process.begin(words, folder, quick(dict(os.environ)))
    try:
        site = Site(process, folder / "runs" / "site", process.link(), truth_of(footage[0]))
        person = site.person()
        while person.state()["phase"] != "labelling":
            time.sleep(0.1)
        yield site
    finally:
        process.process.kill()
        process.process.communicate()


@pytest.fixture
def checked(site: Site) -> Iterator[Site]:
    """The run, of which nothing may be lost by a test."""
    yield site
    site.check()


def error_of(response: httpx.Response) -> str:
    """The one line that every refusal is."""
    content = response.json()
    assert list(content) == ["error"]
    assert isinstance(content["error"], str)
    assert content["error"]
    assert "\n" not in content["error"]
    return str(content["error"])


READ: Final = ("/api/run", "/api/state?tab=x", "/api/task?tab=x", "/api/tasks/0?tab=x", "/api/labels",
               "/api/pictures/0/0,0,9,9", "/api/frames/0", "/page/main.js")  # fmt: skip
WRITE: Final = ("/api/labels", "/api/skip", "/api/box", "/api/stop", "/api/release")


class TestComingIn:
    def test_the_link_gives_a_session_that_no_other_page_gets(self, checked: Site) -> None:
        response = httpx.get(checked.link)
        assert response.status_code == 200
        cookie = response.headers["set-cookie"].lower()
        assert "httponly" in cookie
        assert "samesite=strict" in cookie
        assert response.headers["cache-control"] == "no-store"
        assert "frame-ancestors 'none'" in response.headers["content-security-policy"]

    @pytest.mark.parametrize("query", ["", "?token=", "?token=wrong", "?token=%00", "?token=" + "x" * 5000, "?token=é"])
    def test_without_it_there_is_nothing_to_see(self, checked: Site, query: str) -> None:
        response = httpx.get(f"http://127.0.0.1:{checked.port}/{query}")
        assert response.status_code == 401
        assert "set-cookie" not in response.headers

    @pytest.mark.parametrize("path", READ)
    @pytest.mark.parametrize("session", ["", "x" * 64, "ä", "; ;=,"])
    def test_nor_to_fetch_with_another_session(self, site: Site, path: str, session: str) -> None:
        headers = {"Cookie": f"vatl-{site.port}={session}".encode()} if session else {}
        response = httpx.get(f"http://127.0.0.1:{site.port}{path}", headers=headers)
        assert response.status_code == 401
        assert "link" in error_of(response)

    @pytest.mark.parametrize("path", WRITE)
    def test_nor_to_do(self, checked: Site, path: str) -> None:
        response = httpx.post(f"http://127.0.0.1:{checked.port}{path}", json={"tab": "x"}, headers=WRITES)
        assert response.status_code == 401

    def test_a_session_of_another_run_opens_nothing(self, checked: Site, tmp_path: Path) -> None:
        from vatl_annotate.access import Keys

        foreign = Keys.kept(tmp_path / "keys").session
        cookie = {"Cookie": f"vatl-{checked.port}={foreign}"}
        assert httpx.get(f"http://127.0.0.1:{checked.port}/api/run", headers=cookie).status_code == 401

    @pytest.mark.parametrize(
        "headers",
        [
            {"Origin": "http://evil.example"},
            {"Origin": "null"},
            {"Origin": "http://127.0.0.1:1"},
            {"Sec-Fetch-Site": "cross-site"},
            {"Sec-Fetch-Site": "same-site"},
            {"Host": "evil.example"},
            {"Host": "127.0.0.1"},
            {"Host": "127.0.0.1:1"},
            {"Host": "127.0.0.1.evil.example"},
        ],
    )
    @pytest.mark.parametrize("path", ["/api/state?tab=x", "/api/labels"])
    def test_another_page_or_name_gets_nothing_with_a_good_session(
        self, site: Site, headers: dict[str, str], path: str
    ) -> None:
        client = site.person().client
        for response in (client.get(path, headers=headers), client.post(path, json={}, headers=WRITES | headers)):
            assert response.status_code == 403
            error_of(response)

    @pytest.mark.parametrize("path", WRITE)
    def test_nothing_is_done_without_the_header_that_forms_cannot_send(self, checked: Site, path: str) -> None:
        client = checked.person().client
        for headers in ({}, {"X-Vatl": "0"}, {"Content-Type": "text/plain"}):
            assert client.post(path, json={"tab": "x"}, headers=headers).status_code == 403

    def test_localhost_is_this_machine_too(self, checked: Site) -> None:
        client = checked.person().client
        assert client.get("/api/run", headers={"Host": f"localhost:{checked.port}"}).status_code == 200

    def test_what_opens_it_is_its_owners_alone(self, site: Site) -> None:
        assert (site.run / ".annotate.json").stat().st_mode & 0o077 == 0


ODD_PATHS: Final = [
    "/page/../access.py", "/page/../../pyproject.toml", "/page/%2e%2e/access.py", "/page/..%2faccess.py",
    "/page/%2e%2e%2f%2e%2e%2fpyproject.toml", "/page/..%5caccess.py", "/page//etc/passwd", "/page/%2fetc%2fpasswd",
    "/page/....//access.py", "/page/%00", "/page/main.js%00", "/page/" + "a" * 5000, "/page/", "/page/.",
    "/page/%ff%fe", "/page/%252e%252e%252faccess.py", "//etc/passwd", "/../../etc/passwd", "/api/../../access.py",
    "/api/frames/..%2f..%2fconfig.toml", "/api/frames/%2e%2e", "/api/frames/-1", "/api/frames/999999",
    "/api/frames/1e3", "/api/frames/" + "9" * 400, "/api/frames/%d9%a3", "/api/frames/%00", "/api/frames/0x1",
    "/api/frames/0.0", "/api/pictures/0/../../x", "/api/pictures/..%2f/0,0,9,9", "/api/pictures/%2e%2e/0,0,9,9",
    "/api/pictures/0/0,0,9", "/api/pictures/0/0,0,9,9,9", "/api/pictures/0/a,b,c,d", "/api/pictures/0/nan,0,9,9",
    "/api/pictures/0/inf,0,9,9", "/api/pictures/0/" + ",".join(["9" * 400] * 4),
    "/api/pictures/0/" + ",".join(["9" * 5000] * 4), "/api/pictures/0/0,0,1000000,1000000",
    "/api/pictures/0/0,0,-5,-5", "/api/pictures/0/..%2f..%2fx,0,0,0", "/api/tasks/..%2frun", "/api/tasks/-1",
    "/api/tasks/99999999999999999999", "/api/tasks/1.5", "/api/tasks/%00", "/api/tasks/999999", "/api/nothing",
    "/api", "/nothing", "/.annotate.json", "/config.toml", "/labels.sqlite",
]  # fmt: skip


class TestOddRequests:
    @pytest.mark.parametrize("path", ODD_PATHS, ids=lambda path: path[:40])
    def test_a_path_leads_nowhere_else(self, site: Site, path: str) -> None:
        cookie = next(iter(site.person().client.cookies.items()))
        head = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{site.port}\r\nCookie: {cookie[0]}={cookie[1]}\r\n\r\n"
        status, body = site.raw(head.encode())
        assert status in (400, 404)
        assert list(json.loads(body)) == ["error"]
        assert len(body) < 300
        assert b"/" not in body.replace(b"://", b""), "nothing of this machine's folders"

    @pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "FOO"])
    @pytest.mark.parametrize("path", ["/", "/api/labels", "/api/state", "/page/main.js", "/api/frames/0"])
    def test_other_methods_do_nothing(self, site: Site, method: str, path: str) -> None:
        client = site.person().client
        assert client.request(method, path).status_code == 403
        response = client.request(method, path, headers=WRITES)
        assert response.status_code == 405
        error_of(response)

    def test_head_is_a_get_without_its_body(self, checked: Site) -> None:
        response = checked.person().client.head("/api/run")
        assert response.status_code == 200
        assert not response.content

    @pytest.mark.parametrize(
        "request_",
        [b"\r\n\r\n", b"GET\r\n\r\n", b"\x16\x03\x01\x00\x05hello\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n",
         b"POST /api/labels HTTP/1.1\r\nHost: x\r\nContent-Length: many\r\n\r\n",
         b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"x" * 100_000 + b"\r\n\r\n"],
        ids=["nothing", "half", "tls", "version", "length", "header"],
    )  # fmt: skip
    def test_what_is_no_request_at_all_hurts_nobody(self, checked: Site, request_: bytes) -> None:
        with socket.create_connection(("127.0.0.1", checked.port), timeout=5) as connection:
            connection.sendall(request_)
            connection.shutdown(socket.SHUT_WR)
            try:
                answer = connection.recv(100)
            except ConnectionError:
                answer = b""
        assert not answer or answer.startswith((b"HTTP/1.1 4", b"HTTP/1.1 5"))


NESTED: Final = b'{"tab":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
BAD_BODIES: Final = {
    "empty": b"", "half": b'{"tab": "x"', "list": b"[]", "null": b"null", "number": b"1", "text": b'"x"',
    "latin": '{"tab": "é"}'.encode("latin-1"), "bytes": bytes(range(256)), "nan": b'{"tab": "x", "seconds": NaN}',
    "infinity": b'{"tab": "x", "instance": -Infinity}', "nested": NESTED, "form": b"tab=x&instance=0",
    "digits": b'{"tab": "x", "instance": ' + b"9" * 5000 + b"}", "utf16": '{"tab": "x"}'.encode("utf-16")[:21],
}  # fmt: skip


class TestOddBodies:
    @pytest.mark.parametrize("path", WRITE)
    @pytest.mark.parametrize("body", BAD_BODIES, ids=str)
    def test_what_is_no_json_object_is_malformed(self, site: Site, path: str, body: str) -> None:
        response = site.person().client.post(path, content=BAD_BODIES[body], headers=WRITES)
        assert response.status_code == 422
        error_of(response)

    @pytest.mark.parametrize("path", WRITE)
    def test_what_is_too_large_is_refused_however_it_comes(self, checked: Site, path: str) -> None:
        client = checked.person().client
        announced = client.post(path, content=b" " * 400_000, headers=WRITES)

        def chunks() -> Iterator[bytes]:
            for _ in range(40):
                yield b" " * 10_000

        assert announced.status_code == client.post(path, content=chunks(), headers=WRITES).status_code == 413
        error_of(announced)

    @pytest.mark.parametrize(
        "change",
        [
            {"tab": value} for value in (None, 1, [], {}, "", "  ", "x" * 81, "a\nb", "\u202e", "\x00")
        ] + [
            {"instance": value} for value in (None, "0", 1.5, True, -1, [0], 1e308, 2**53, 10**400)
        ] + [
            {"keypoints": value} for value in (
                None, {}, [], "x", [[1, 1, 2]] * 4, [[1, 1, 2]] * 6, [[1, 1]] * 5, [[1, 1, 3]] * 5, [[1, 1, -1]] * 5,
                [[1, 1, "2"]] * 5, [[1, 1, None]] * 5, [[None, 1, 2]] * 5, [["1", 1, 2]] * 5, [[True, 1, 2]] * 5,
                [[1e308, 1, 2]] * 5, [[-1e9, 1, 2]] * 5, [[1, 10**400, 2]] * 5, [[[1], 1, 2]] * 5, [[1, 1, [2]]] * 5,
            )
        ] + [
            {"seconds": value} for value in (None, "1", -1, 1e308, 10**400, True, [1])
        ] + [
            {"annotator": value} for value in (None, 1, "", "x" * 81, "a\x07b")
        ] + [
            {"cycle": value} for value in (None, "0", -1, 0.5)
        ] + [
            {"submission": value} for value in (None, 1, "", "x" * 81)
        ],
        ids=lambda change: str(change)[:40],
    )  # fmt: skip
    def test_a_field_of_the_wrong_kind_is_malformed(self, site: Site, change: dict[str, Any]) -> None:
        person = site.person(tab="odd")
        task = person.task()
        assert task is not None
        response = person.label(task, **change)
        assert response.status_code == 422
        assert len(error_of(response)) < 200

    @pytest.mark.parametrize(
        "box", [1, [], [1, 2, 3], [0, 0, 0, 0], [0, 0, -5, -5], [1e9, 0, 9, 9], [0, 0, 1e9, 9], ["a", 0, 1, 1],
                [None, 0, 9, 9], [10**400, 0, 9, 9], [True, 0, 9, 9]], ids=str,
    )  # fmt: skip
    def test_a_box_must_be_one(self, site: Site, box: object) -> None:
        person = site.person(tab="odd")
        task = person.task()
        assert task is not None
        response = person.write("box", {"tab": "odd", "instance": task["instance"], "box": box})
        assert response.status_code == 422
        assert person.write("box", {"tab": "odd", "instance": task["instance"]}).status_code == 422

    def test_nothing_of_this_was_taken_for_a_label(self, checked: Site) -> None:
        assert checked.person(tab="odd").state()["queue"]["answered"] == len(checked.kept)

    def test_a_window_must_say_which_it_is(self, site: Site) -> None:
        client = site.person().client
        for query in ("", "?tab=", "?tab=%00", "?tab=" + "x" * 81, "?tab=%ff"):
            for path in ("/api/state", "/api/task"):
                response = client.get(path + query)
                assert response.status_code in ((200,) if query == "?tab=%ff" else (422,))


class TestLabelling:
    def test_what_is_shown_fits_together(self, checked: Site) -> None:
        person = checked.person(tab="first")
        about, task = person.client.get("/api/run").json(), person.task()
        assert task is not None
        again = person.task()
        assert again is not None
        assert again["instance"] == task["instance"], "a reload shows the same"
        assert task["frame_size"] == [160, 120]
        assert about["skeleton"]["sides"] == ["middle", "left", "right", "left", "right"]
        left, top, width, height = task["picture"]["region"]
        x, y, w, h = task["box"]
        assert left <= x <= x + w <= left + width
        assert top <= y <= y + h <= top + height
        assert len(task["proposal"]) == 5
        assert task["label"] is None
        for picture in (task["picture"], task["before"] or task["after"], {"url": task["frame_url"]}):
            response = person.client.get(picture["url"])
            assert response.status_code == 200
            assert response.content[:2] == b"\xff\xd8"
            assert response.headers["cache-control"] == "private, max-age=600"
        ahead = person.client.get("/api/task", params={"tab": "first"}).json()["ahead"]
        assert ahead
        assert all(person.client.get(url).status_code == 200 for url in ahead)

    def test_the_truth_is_not_told(self, checked: Site) -> None:
        person = checked.person()
        task = person.task()
        assert task is not None
        assert "keypoints" not in task
        assert task["label"] is None
        assert person.state()["curve"] == []

    def test_a_label_is_saved_once_however_often_it_is_sent(self, checked: Site) -> None:
        person = checked.person()
        task = person.task()
        assert task is not None
        submission = {"submission": str(uuid.uuid4()), "keypoints": person.pose(task)}
        answers = [person.label(task, **submission).json()["status"] for _ in range(3)]
        assert answers == ["saved"] * 3
        same = person.label(task, keypoints=submission["keypoints"])
        assert same.json()["status"] == "already"
        other = person.label(task, keypoints=[[1, 1, 2]] * 5)
        assert other.status_code == 409
        assert person.name in error_of(other)
        assert person.label(task, keypoints=[[1, 1, 2]] * 5, correction=True, instance=10**6).status_code == 404

    def test_the_answer_holds_what_comes_next(self, checked: Site) -> None:
        person = checked.person()
        task = person.task()
        assert task is not None
        content = person.label(task).json()
        assert content["task"]["instance"] != task["instance"]
        assert content["state"]["queue"]["answered"] == len(checked.kept)
        assert content["state"]["annotators"]["scripted"] >= 1
        labels = person.client.get("/api/labels").json()["labels"]
        assert labels[0]["instance"] == task["instance"], "the newest is first"
        back = person.client.get(f"/api/tasks/{task['instance']}", params={"tab": person.tab}).json()["task"]
        assert back["label"]["annotator"] == "scripted"
        assert back["open"] is True

    def test_what_was_not_asked_for_is_unknown(self, checked: Site) -> None:
        person = checked.person()
        task = person.task()
        assert task is not None
        assert person.label(task, instance=10**6).status_code == 404
        assert person.label(task, cycle=5).status_code == 410
        assert person.client.get("/api/tasks/1000000", params={"tab": "x"}).status_code == 404
        assert person.write("skip", {"tab": "x", "instance": 10**6}).status_code == 410
        assert person.write("box", {"tab": "x", "instance": 10**6, "box": None}).status_code == 404

    def test_a_redrawn_box_shows_another_picture_at_once(self, checked: Site) -> None:
        person = checked.person()
        task = person.task()
        assert task is not None
        x, y, w, h = task["box"]
        drawn = [x + 3, y - 5, w + 10, h + 4]
        answer = person.write("box", {"tab": person.tab, "instance": task["instance"], "box": drawn}).json()
        assert answer["task"]["instance"] == task["instance"]
        assert answer["task"]["box"] == pytest.approx(drawn)
        assert answer["task"]["picture"]["url"] != task["picture"]["url"]
        assert person.client.get(answer["task"]["picture"]["url"]).status_code == 200

    def test_fifty_people_on_one_queue_get_an_instance_each(self, checked: Site) -> None:
        people = [checked.person(name=f"person {n}") for n in range(50)]

        def label_one(person: Annotator) -> int:
            task = person.task()
            assert task is not None
            response = person.label(task)
            assert response.status_code == 200, response.text
            assert response.json()["status"] == "saved"
            person.write("release", {"tab": person.tab})
            return int(task["instance"])

        with ThreadPoolExecutor(50) as pool:
            labelled = list(pool.map(label_one, people))
        assert len(set(labelled)) == 50
        for person in people:
            person.client.close()

    def test_of_fifty_on_one_instance_one_is_taken(self, checked: Site) -> None:
        people = [checked.person(name=f"rival {n}") for n in range(50)]
        task = people[0].task()
        assert task is not None
        bodies = [person.body(task, keypoints=[[n, n, 2]] * 5) for n, person in enumerate(people)]
        with ThreadPoolExecutor(50) as pool:
            answers = list(pool.map(lambda pair: pair[0].write("labels", pair[1]), zip(people, bodies, strict=True)))
        assert Counter(answer.status_code for answer in answers) == {200: 1, 409: 49}
        taken = next(n for n, answer in enumerate(answers) if answer.status_code == 200)
        checked.kept[task["instance"]] = bodies[taken]["keypoints"]
        for person in people:
            person.client.close()


class TestBadLines:
    def test_half_open_connections_hold_nobody_up(self, checked: Site) -> None:
        head = b"POST /api/labels HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n" % checked.port
        half = [b"", b"GET", head, head + b"Content-Length: 1000\r\n\r\n{"]
        connections = [socket.create_connection(("127.0.0.1", checked.port)) for _ in range(120)]
        try:
            for number, connection in enumerate(connections):
                connection.sendall(half[number % len(half)])
            began = time.monotonic()
            assert checked.person().state()["phase"] == "labelling"
            assert time.monotonic() - began < 5
        finally:
            for connection in connections:
                connection.close()

    def test_who_vanishes_in_mid_request_says_nothing_and_who_vanishes_after_it_is_kept(self, checked: Site) -> None:
        person = checked.person()
        cookie = "; ".join(f"{name}={value}" for name, value in person.client.cookies.items())
        for share in (0.0, 0.5, 1.0):
            task = person.task()
            assert task is not None
            body = person.body(task)
            content = json.dumps(body).encode()
            head = (
                f"POST /api/labels HTTP/1.1\r\nHost: 127.0.0.1:{checked.port}\r\nCookie: {cookie}\r\nX-Vatl: 1\r\n"
                f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
            )
            with socket.create_connection(("127.0.0.1", checked.port)) as connection:
                connection.sendall(head.encode() + content[: int(share * len(content))])
                linger = bytes.fromhex("0100000000000000")  # a reset instead of a farewell
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            response = person.write("labels", body)
            assert response.status_code == 200, response.text
            checked.kept[task["instance"]] = body["keypoints"]

    def test_the_console_was_told_of_no_defect(self, site: Site) -> None:
        """Everything above was refused, or taken; nothing was met with an error of ours."""
        said = site.process.process.err.read_text()
        assert "could not answer" not in said
        assert "Traceback" not in said


def test_every_acknowledged_label_is_on_disk_as_it_was_sent(site: Site) -> None:
    with sqlite3.connect(site.run / "labels.sqlite") as connection:
        rows = connection.execute("select instance, keypoints, visible from labels").fetchall()
    assert len(rows) == len({row[0] for row in rows}), "exactly once"
    found = {row[0]: json.loads(row[1]) for row in rows}
    assert found.keys() == site.kept.keys()
    for instance, sent in site.kept.items():
        for (x, y), (sx, sy, v) in zip(found[instance], sent, strict=True):
            assert not v or (x, y) == pytest.approx((sx, sy), abs=1e-3)


# --------------------------------------------------------------------------------------------------------- interruption
SHORT: Final = ("--schedule", "8,16", "-o", "full.scratch_epochs=2", "-o", "browser.pause=0")


@attrs.define
class Stubborn:
    """A person who goes on through every interruption, as the page does, and remembers what was acknowledged.

    Attributes:
        person: with their window, whose session outlives the server.
        asked: every instance that was shown, in order.
        saved: those acknowledged.
        repeated: those shown again although acknowledged.
        refused: what they were told instead.
        allowed: how many labels they may give; None for all.
        weary: whether they give up.
    """

    person: Annotator
    asked: list[int] = attrs.field(factory=list)
    saved: list[int] = attrs.field(factory=list)
    repeated: list[int] = attrs.field(factory=list)
    refused: list[str] = attrs.field(factory=list)
    allowed: int | None = None
    weary: bool = False

    def until_there(self, ask: Callable[[], httpx.Response]) -> httpx.Response:
        while not self.weary:
            try:
                response = ask()
            except httpx.TransportError:
                time.sleep(0.05)
                continue
            if response.status_code != 503:
                return response
            time.sleep(0.05)
        raise AssertionError("it was given up")

    def work(self) -> dict[str, Any]:
        """Label to the end of the run; the last state."""
        person, client = self.person, self.person.client
        while True:
            task = self.until_there(lambda: client.get("/api/task", params={"tab": person.tab})).json()["task"]
            state: dict[str, Any] = self.until_there(
                lambda: client.get("/api/state", params={"tab": person.tab})
            ).json()
            if state["phase"] == "finished":
                return state
            if task is None or len(self.saved) == self.allowed:
                time.sleep(0.02)
                continue
            self.asked.append(task["instance"])
            if task["instance"] in self.saved:
                self.repeated.append(task["instance"])
            body = person.body(task)
            response = self.until_there(lambda: person.write("labels", body))  # noqa: B023
            if response.status_code == 200:
                self.saved.append(task["instance"])
            else:
                self.refused.append(response.text)


def steady(truth: dict[str, Pose], link: str) -> Annotator:
    """Whose labels are the same whenever they are asked."""
    return Annotator(enter(link), truth, wrong=-1.0, noise=0.0)


def records(run: Path) -> list[dict[str, Any]]:
    """A run's cycles without what depends on the clock."""
    lines = [json.loads(line) for line in (run / "cycles.jsonl").read_text().splitlines()]
    return [{k: v for k, v in line.items() if k != "seconds"} for line in lines]


Begin = Callable[..., Process]


@pytest.fixture
def begin(tmp_path: Path, environment: dict[str, str]) -> Iterator[Begin]:
    """Begins commands, none of which outlives the test."""
    begun: list[Process] = []

    def call(*words: str | Path) -> Process:
        begun.append(Process.begin(words, tmp_path, quick(environment)))
        return begun[-1]

    yield call
    for process in begun:
        if process.process.poll() is None:
            process.process.kill()
            process.process.communicate()


class TestInterruption:
    def test_a_run_killed_again_and_again_ends_as_an_uninterrupted_one(
        self, tmp_path: Path, footage: tuple[Path, Path], begin: Begin
    ) -> None:
        """On a video without truth; in between, Ctrl-C, a second command, and `vatl resume` in place of `annotate`."""
        truth = truth_of(footage[0])
        words = ["run", "--dataset", "coco", "-o", f"dataset.annotations={footage[1]}", *MODEL, *BROWSER, *SHORT]

        whole = begin(*words, "--name", "whole", "--json")
        assert Stubborn(steady(truth, whole.link())).work()["closing"]["mean_oks"] is None
        code, out, err = whole.end()
        assert code == 0, err
        assert json.loads(out)["labelled"] == 16

        run = tmp_path / "runs" / "broken"
        process = begin(*words, "--name", "broken", "--json")
        link = process.link()
        stubborn = Stubborn(steady(truth, link), allowed=3)
        with ThreadPoolExecutor(1) as pool:
            labelling = pool.submit(stubborn.work)
            try:
                process = self.interrupt(process, stubborn, labelling.done, run, link, begin)
                state = labelling.result(300)
            finally:
                stubborn.weary = True
        code, _, err = process.end()
        assert code == 0, err
        assert state["closing"]["labelled"] == 16
        assert not stubborn.repeated, "no label is asked for twice"
        assert not stubborn.refused, "no label was turned away"
        assert len(set(stubborn.saved)) == len(stubborn.saved) == 16
        with sqlite3.connect(run / "labels.sqlite") as connection:
            rows = [row[0] for row in connection.execute("select instance from labels order by id")]
        assert sorted(rows) == sorted(stubborn.saved)
        assert records(run) == records(tmp_path / "runs" / "whole")

    def interrupt(
        self, process: Process, stubborn: Stubborn, done: Callable[[], bool], run: Path, link: str, begin: Begin
    ) -> Process:
        """Kill, interrupt and take up again, at instants of chance; the process that is left."""
        chance = random.Random(7)
        for command, allowed in (("annotate", 7), ("resume", 12), ("annotate", None)):
            while len(stubborn.saved) < (stubborn.allowed or 0) - 1 and not done():
                time.sleep(0.002)
            time.sleep(chance.random() * 0.03)  # somewhere in the next label
            if command == "resume":
                process.process.send_signal(signal.SIGINT)
                code, _, err = process.end()
                assert code == 130
                assert err.splitlines()[-1].startswith("vatl: interrupted")
                assert "Traceback" not in err
            else:
                process.process.kill()
                process.process.communicate()
            flags = [] if command == "resume" else ["--no-open"]
            process = begin(command, run, *flags)
            assert process.link() == link, "the same port, and a link of before opens it"
            if allowed == 7:
                code, _, err = begin("annotate", run, "--no-open").end()
                assert (code, err.count("\n")) == (2, 1)
                assert "another process" in err
            stubborn.allowed = allowed
        return process

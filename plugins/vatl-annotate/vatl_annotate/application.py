"""The page and its HTTP interface."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import Future
from pathlib import Path
from typing import Any, Final, NoReturn

import attrs
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from vatl_annotate import submission
from vatl_annotate.access import Gate, Keys, Patience, cookie_name, let_in
from vatl_annotate.desk import Handed
from vatl_annotate.scene import Scene
from vatl_annotate.submission import RefusedError, Submission

PAGE: Final = Path(__file__).with_name("page")
_LARGEST: Final = 256 * 1024
"""Bytes of a request's body."""
_FOR_GOOD: Final = {"Cache-Control": "private, max-age=31536000, immutable"}
Handler = Callable[[Request], Awaitable[Response]]


@attrs.frozen(eq=False)
class Interface:
    """The answers to the page's requests.

    Attributes:
        scene: what there is to see and to do.
        keys: what opens the page.
        patience: with those who guess.
    """

    scene: Scene
    keys: Keys
    patience: Patience = attrs.field(factory=Patience)

    # ------------------------------------------------------------------------------------------------------ coming in
    async def page(self, request: Request) -> Response:
        """The page, to whom the link's token or a session opens it; else where to get in."""
        known = self.keys.opened_by_session(request.cookies.get(cookie_name(self.keys), ""))
        if known or self.keys.opened_by_token(request.query_params.get("token", "")):
            return let_in(FileResponse(PAGE / "index.html"), self.keys)
        if self.keys.password:
            return FileResponse(PAGE / "login.html")
        return HTMLResponse("<!doctype html><title>vatl</title><p>Open the link that the console shows.", 401)

    async def login(self, request: Request) -> Response:
        """The session, for the password."""
        if self.patience.must_wait():
            raise RefusedError(429, "wait a second before the next try")
        if not self.keys.opened_by_password(str((await _body(request)).get("password", ""))):
            self.patience.wrong()
            raise RefusedError(403, "this is not the password")
        return let_in(JSONResponse({"status": "welcome"}), self.keys)

    # ---------------------------------------------------------------------------------------------------------- seeing
    async def run(self, request: Request) -> Response:
        """What does not change."""
        return JSONResponse(self.scene.about())

    async def state(self, request: Request) -> Response:
        """How the run stands."""
        self.scene.desk.hear(_tab(request))
        return JSONResponse(await run_in_threadpool(self.scene.state))

    async def task(self, request: Request) -> Response:
        """The next instance for this window."""
        return JSONResponse(await run_in_threadpool(self._next, _tab(request)))

    async def one_task(self, request: Request) -> Response:
        """An instance that was labelled before."""
        instance = _path_number(request, "instance")
        if self.scene.desk.latest(instance) is None and not self.scene.desk.queue.holds(instance):
            raise RefusedError(404, "this instance was not asked for")
        return JSONResponse({"task": await run_in_threadpool(self.scene.task, instance)})

    async def labels(self, request: Request) -> Response:
        """What was labelled so far."""
        return JSONResponse({"labels": await run_in_threadpool(self.scene.labels)})

    async def picture(self, request: Request) -> Response:
        """A region of a frame."""
        try:
            x, y, width, height = (float(int(part)) for part in request.path_params["region"].split(","))
        except ValueError:
            raise RefusedError(404, "there is no such picture") from None
        return await _file(self.scene.picture(_path_number(request, "frame"), (x, y, width, height)))

    async def frame(self, request: Request) -> Response:
        """A whole frame."""
        return await _file(self.scene.whole_frame(_path_number(request, "frame")))

    # ----------------------------------------------------------------------------------------------------------- doing
    async def label(self, request: Request) -> Response:
        """Keep a pose; answered when it is on disk."""
        keypoints = len(self.scene.run.video.skeleton)
        made = Submission.of(await _body(request), keypoints, self.scene.frame_size)
        handed = await run_in_threadpool(self.scene.desk.label, made)
        return await self._after(handed, made.tab)

    async def skip(self, request: Request) -> Response:
        """Put an instance aside."""
        body = await _body(request)
        tab, instance = submission.text(body, "tab"), submission.whole(body, "instance")
        handed = await run_in_threadpool(self.scene.desk.skip, tab, instance, self._annotator(body))
        return await self._after(handed, tab, "later" if handed is None else "left out")

    async def box(self, request: Request) -> Response:
        """Redraw an instance's box, or delete it."""
        body = await _body(request)
        tab, instance = submission.text(body, "tab"), submission.whole(body, "instance")
        drawn = submission.box(body, self.scene.frame_size)
        handed = await run_in_threadpool(self.scene.desk.redraw, instance, drawn, self._annotator(body))
        return await self._after(handed, tab, "deleted" if drawn is None else "redrawn")

    async def stop(self, request: Request) -> Response:
        """Ask for nothing more."""
        body = await _body(request)
        tab = submission.text(body, "tab")
        handed = await run_in_threadpool(self.scene.desk.stop, self._annotator(body))
        return await self._after(handed, tab, "stopped")

    async def release(self, request: Request) -> Response:
        """Let others have what this window holds."""
        tab = submission.text(await _body(request), "tab")
        with self.scene.desk.lock:
            self.scene.desk.queue.release(tab)
        return JSONResponse({"status": "released"})

    # --------------------------------------------------------------------------------------------------------- answers
    async def _after(self, handed: Handed | None, tab: str, status: str = "") -> Response:
        """What the window does next, once what it said is on disk."""
        kept = await asyncio.wrap_future(handed.kept) if handed else ""
        self.scene.desk.hear(tab)
        answer = await run_in_threadpool(self._next, tab)
        state = await run_in_threadpool(self.scene.state)
        return JSONResponse({"status": status or kept, **answer, "state": state})

    def _next(self, tab: str) -> dict[str, Any]:
        self.scene.desk.hear(tab)
        instance = self.scene.desk.claim(tab)
        if instance is None:
            return {"task": None, "ahead": []}
        return {"task": self.scene.task(instance), "ahead": self.scene.ahead(tab)}

    def _annotator(self, body: Mapping[str, Any]) -> str:
        return submission.text(body, "annotator") if "annotator" in body else self.scene.annotator


def application(scene: Scene, keys: Keys, hosts: frozenset[str]) -> Starlette:
    """Everything that is served.

    Args:
        scene: of the run.
        keys: what opens it.
        hosts: names with port that it may be called by; empty for any.
    """
    do = Interface(scene, keys)
    routes = [
        Route("/", do.page),
        Route("/login", do.login, methods=["POST"]),
        Route("/api/run", do.run),
        Route("/api/state", do.state),
        Route("/api/task", do.task),
        Route("/api/tasks/{instance}", do.one_task),
        Route("/api/labels", do.labels, methods=["GET"]),
        Route("/api/labels", do.label, methods=["POST"]),
        Route("/api/skip", do.skip, methods=["POST"]),
        Route("/api/box", do.box, methods=["POST"]),
        Route("/api/stop", do.stop, methods=["POST"]),
        Route("/api/release", do.release, methods=["POST"]),
        Route("/api/pictures/{frame}/{region}", do.picture),
        Route("/api/frames/{frame}", do.frame),
        Mount("/page", StaticFiles(directory=PAGE)),
    ]
    gate = Middleware(Gate, keys=keys, hosts=hosts)
    handlers: Mapping[Any, Any] = {RefusedError: _refused, 404: _nothing, 405: _nothing}
    return Starlette(routes=routes, middleware=[gate], exception_handlers=handlers)


async def _refused(request: Request, error: Exception) -> Response:
    status = error.status if isinstance(error, RefusedError) else 500
    return JSONResponse({"error": str(error)}, status)


async def _nothing(request: Request, error: Exception) -> Response:
    return JSONResponse({"error": "there is nothing here"}, 404)


async def _file(picture: Future[Path]) -> Response:
    try:
        path = await asyncio.wrap_future(picture)
        data = await run_in_threadpool(path.read_bytes)
    except Exception as error:  # a damaged frame, or the room is being closed
        raise RefusedError(500, f"this picture cannot be shown: {error}") from error
    return Response(data, media_type="image/jpeg", headers=_FOR_GOOD)


async def _body(request: Request) -> dict[str, Any]:
    """The JSON object of a request.

    Raises:
        RefusedError: it is none, or too large.
    """
    data = bytearray()
    async for chunk in request.stream():
        data += chunk
        if len(data) > _LARGEST:
            raise RefusedError(413, "this is more than a label")
    try:
        body = json.loads(bytes(data), parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise RefusedError(422, "the body must be a JSON object") from error
    if not isinstance(body, dict):
        raise RefusedError(422, "the body must be a JSON object")
    return body


def _no_number(word: str) -> NoReturn:
    raise ValueError(f"{word} is no number")


def _tab(request: Request) -> str:
    return submission.text(request.query_params, "tab")


def _path_number(request: Request, name: str) -> int:
    text = str(request.path_params[name])
    if not text.isascii() or not text.isdecimal() or len(text) > 15:
        raise RefusedError(404, "there is nothing here")
    return int(text)

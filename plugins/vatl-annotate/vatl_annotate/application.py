"""The page and its HTTP interface."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import attrs
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from vatl_annotate import submission
from vatl_annotate.access import Keys
from vatl_annotate.entrance import FOR_NOW, Entrance, json_body, path_number, served
from vatl_annotate.handing import Handed
from vatl_annotate.scene import Scene
from vatl_annotate.state import state_of
from vatl_annotate.submission import RefusedError, Submission


@attrs.frozen(eq=False)
class Interface:
    """The answers to the page's requests.

    Attributes:
        scene: what there is to see and to do.
    """

    scene: Scene

    # ---------------------------------------------------------------------------------------------------------- seeing
    async def run(self, request: Request) -> Response:
        """What does not change."""
        return JSONResponse(self.scene.about())

    async def state(self, request: Request) -> Response:
        """How the run stands."""
        if request.query_params.get("correcting") == "1":
            self.scene.desk.wait()
        return JSONResponse(await run_in_threadpool(self._state, _tab(request)))

    async def task(self, request: Request) -> Response:
        """The next instance for this window."""
        return JSONResponse(await run_in_threadpool(self._next, _tab(request)))

    async def one_task(self, request: Request) -> Response:
        """An instance that was labelled before."""
        instance = path_number(request, "instance")
        self.scene.desk.look(instance)
        return JSONResponse({"task": await run_in_threadpool(self.scene.task, instance)})

    async def labels(self, request: Request) -> Response:
        """What was labelled so far."""
        return JSONResponse({"labels": await run_in_threadpool(self.scene.labels)})

    async def picture(self, request: Request) -> Response:
        """A region of a frame."""
        try:
            x, y, width, height = (float(int(part)) for part in request.path_params["region"].split(","))
        except (ValueError, OverflowError):
            raise RefusedError(404, "there is no such picture") from None
        return await _file(self.scene.picture(path_number(request, "frame"), (x, y, width, height)))

    async def frame(self, request: Request) -> Response:
        """A whole frame."""
        return await _file(self.scene.whole_frame(path_number(request, "frame")))

    # ----------------------------------------------------------------------------------------------------------- doing
    async def label(self, request: Request) -> Response:
        """Keep a pose; answered when it is on disk."""
        body, keypoints = await json_body(request), len(self.scene.run.video.skeleton)
        made = Submission.of(body, keypoints, await self._frame_size(body))
        handed = await run_in_threadpool(self.scene.desk.label, made)
        return await self._after(handed, made.tab)

    async def skip(self, request: Request) -> Response:
        """Put an instance aside."""
        body = await json_body(request)
        tab, instance = submission.text(body, "tab"), submission.whole(body, "instance")
        handed = await run_in_threadpool(self.scene.desk.skip, tab, instance, self._annotator(body))
        return await self._after(handed, tab, "later" if handed is None else "left out")

    async def box(self, request: Request) -> Response:
        """Redraw an instance's box, or delete it."""
        body = await json_body(request)
        tab, instance = submission.text(body, "tab"), submission.whole(body, "instance")
        drawn = submission.box(body, await self._frame_size(body))
        handed = await run_in_threadpool(self.scene.desk.redraw, tab, instance, drawn, self._annotator(body))
        return await self._after(handed, tab, "deleted" if drawn is None else "redrawn")

    async def stop(self, request: Request) -> Response:
        """Ask for nothing more."""
        body = await json_body(request)
        tab = submission.text(body, "tab")
        handed = await run_in_threadpool(self.scene.desk.stop, self._annotator(body))
        return await self._after(handed, tab, "stopped")

    async def wish(self, request: Request) -> Response:
        """Say how a review goes on."""
        body = await json_body(request)
        tab, wish = submission.text(body, "tab"), submission.wish(body)
        handed = await run_in_threadpool(self.scene.desk.wish, wish, self._annotator(body))
        return await self._after(handed, tab, wish)

    async def swap(self, request: Request) -> Response:
        """Put two identities right from an instance's frame on."""
        body = await json_body(request)
        instance, known = submission.whole(body, "instance"), submission.whole(body, "known")
        tracks, annotator = submission.tracks(body), self._annotator(body)
        await run_in_threadpool(self.scene.swap, instance, tracks, annotator, known)
        return JSONResponse({"task": await run_in_threadpool(self.scene.task, instance)})

    async def take_back(self, request: Request) -> Response:
        """Undo the last swap of identities."""
        body = await json_body(request)
        instance, known = submission.whole(body, "instance"), submission.whole(body, "known")
        await run_in_threadpool(self.scene.take_back, instance, known)
        return JSONResponse({"task": await run_in_threadpool(self.scene.task, instance)})

    async def release(self, request: Request) -> Response:
        """Let others have what this window holds."""
        tab = submission.text(await json_body(request), "tab")
        with self.scene.desk.lock:
            self.scene.desk.queue.release(tab)
        return JSONResponse({"status": "released"})

    # --------------------------------------------------------------------------------------------------------- answers
    async def _after(self, handed: Handed | None, tab: str, status: str = "") -> Response:
        """What the window does next, once what it said is on disk."""
        kept = await asyncio.wrap_future(handed.kept) if handed else ""
        self.scene.desk.hear(tab)
        answer = await run_in_threadpool(self._next, tab)
        state = await run_in_threadpool(self._state, tab)
        return JSONResponse({"status": status or kept, **answer, "state": state})

    def _state(self, tab: str) -> dict[str, Any]:
        self.scene.desk.hear(tab)
        state = state_of(self.scene.desk)
        self.scene.desk.tell(tab, state["phase"])
        return state

    def _next(self, tab: str) -> dict[str, Any]:
        self.scene.desk.hear(tab)
        instance = self.scene.desk.claim(tab)
        if instance is None:
            return {"task": None, "ahead": []}
        return {"task": self.scene.task(instance), "ahead": self.scene.ahead(tab)}

    async def _frame_size(self, body: Mapping[str, Any]) -> tuple[int, int]:
        """Width and height of the frame that a body speaks of."""
        return await run_in_threadpool(self.scene.frame_size, submission.whole(body, "instance"))

    def _annotator(self, body: Mapping[str, Any]) -> str:
        return submission.text(body, "annotator") if "annotator" in body else self.scene.annotator


def application(scene: Scene, keys: Keys, hosts: frozenset[str]) -> Starlette:
    """Everything that is served.

    Args:
        scene: of the run.
        keys: what opens it.
        hosts: names with port that it may be called by; empty for any.
    """
    do = Interface(scene)
    routes = [
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
        Route("/api/review", do.wish, methods=["POST"]),
        Route("/api/swap", do.swap, methods=["POST"]),
        Route("/api/swap/back", do.take_back, methods=["POST"]),
        Route("/api/pictures/{frame}/{region}", do.picture),
        Route("/api/frames/{frame}", do.frame),
    ]
    return served(Entrance("index.html", keys), routes, hosts)


async def _file(picture: Future[Path]) -> Response:
    try:
        path = await asyncio.wrap_future(picture)
        data = await run_in_threadpool(path.read_bytes)
    except Exception as error:  # a damaged frame, or the room is being closed
        raise RefusedError(500, f"this picture cannot be shown: {error}") from error
    return Response(data, media_type="image/jpeg", headers=FOR_NOW)


def _tab(request: Request) -> str:
    return submission.text(request.query_params, "tab")

"""The HTTP interface of the page on which boxes are drawn."""

from __future__ import annotations

import asyncio
import threading
from typing import Any, Final

import attrs
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from vatl_annotate.access import Keys
from vatl_annotate.boxes.changes import read_changes
from vatl_annotate.boxes.drawing import Drawing
from vatl_annotate.boxes.reel import Reel
from vatl_annotate.entrance import FOR_NOW, Entrance, json_body, path_number, served
from vatl_annotate.submission import RefusedError, text

_LARGEST: Final = 32 * 2**20
"""Bytes of the tracks that are sent at once: hundreds of thousands of key frames."""
_PATIENCE: Final = 0.25
"""Seconds after which it is looked whether the page still waits for a picture."""


@attrs.frozen(eq=False)
class Interface:
    """The answers to the page's requests.

    Attributes:
        drawing: what is drawn.
        reel: pictures of its video.
        command: what to type when all is drawn.
        done: set when the person says so.
        about: what does not change.
    """

    drawing: Drawing
    reel: Reel
    command: str
    done: threading.Event = attrs.field(factory=threading.Event)
    about: dict[str, Any] = attrs.field(init=False)

    @about.default
    def _about(self) -> dict[str, Any]:
        drawing, footage = self.drawing, self.drawing.footage
        return {
            "video": footage.path.name,
            "file": drawing.path.name,
            "frames": len(footage),
            "rate": footage.rate,
            "frame_size": list(footage.size),
            "other_sizes": {str(frame): list(size) for frame, size in footage.others.items()},
            "pictures": footage.stamp(),
            "category": {"name": drawing.category["name"], "keypoints": len(drawing.category["keypoints"])},
            "command": self.command,
        }

    async def video(self, request: Request) -> Response:
        """What does not change."""
        return JSONResponse(self.about)

    async def boxes(self, request: Request) -> Response:
        """All tracks."""
        return JSONResponse(await run_in_threadpool(self.drawing.to_json))

    async def change(self, request: Request) -> Response:
        """Keep tracks; answered when they are on disk."""
        body = await json_body(request, _LARGEST)
        base, changes = text(body, "base"), read_changes(body, self.drawing.footage)
        return JSONResponse(
            {"status": "saved", "revision": await run_in_threadpool(self.drawing.change, base, changes)}
        )

    async def frame(self, request: Request) -> Response:
        """A frame, scaled down unless ``?full=1``."""
        frame, full = path_number(request, "frame"), request.query_params.get("full") == "1"
        if frame >= len(self.drawing.footage):
            raise RefusedError(404, "there is no such frame")
        wanted = self.reel.want(frame, full)
        future = asyncio.wrap_future(wanted)
        try:
            while not (await asyncio.wait([future], timeout=_PATIENCE))[0]:
                if await request.is_disconnected():
                    self.reel.forget(wanted)
                    return Response(status_code=499)
            return Response(future.result(), media_type="image/jpeg", headers=FOR_NOW)
        except asyncio.CancelledError:
            raise RefusedError(503, "the server is being closed") from None
        except Exception as error:  # a damaged frame
            raise RefusedError(500, f"frame {frame} cannot be shown: {error}") from error

    async def finish(self, request: Request) -> Response:
        """End: everything is on disk already."""
        await json_body(request)
        answer = {"status": "finished", **self.drawing.summary()}
        return JSONResponse(answer, background=BackgroundTask(self.done.set))


def application(do: Interface, keys: Keys, hosts: frozenset[str]) -> Starlette:
    """Everything that is served.

    Args:
        do: the answers.
        keys: what opens the page.
        hosts: names with port that it may be called by; empty for any.
    """
    routes = [
        Route("/api/video", do.video),
        Route("/api/boxes", do.boxes, methods=["GET"]),
        Route("/api/boxes", do.change, methods=["POST"]),
        Route("/api/frames/{frame}", do.frame),
        Route("/api/done", do.finish, methods=["POST"]),
    ]
    return served(Entrance("boxes.html", keys), routes, hosts)

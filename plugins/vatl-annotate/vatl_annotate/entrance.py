"""Coming in, and what our pages have in common in answering."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NoReturn

import attrs
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from vatl_annotate.access import Gate, Keys, cookie_name, let_in
from vatl_annotate.patience import Patience
from vatl_annotate.submission import RefusedError

PAGE: Final = Path(__file__).with_name("page")
FOR_NOW: Final = {"Cache-Control": "private, max-age=600"}
"""Headers of pictures, which never change; but who is in them is nothing to keep on every disk."""
_LARGEST: Final = 256 * 1024
"""Bytes of a request's body."""


@attrs.frozen(eq=False)
class Entrance:
    """Lets people in.

    Attributes:
        page: the file that they get to see.
        keys: what opens it.
        patience: with those who guess.
    """

    page: str
    keys: Keys
    patience: Patience = attrs.field(factory=Patience)

    async def enter(self, request: Request) -> Response:
        """The page, to whom the link's token or a session opens it; else where to get in."""
        known = self.keys.opened_by_session(request.cookies.get(cookie_name(self.keys), ""))
        if known or self.keys.opened_by_token(request.query_params.get("token", "")):
            return let_in(request, FileResponse(PAGE / self.page), self.keys)
        if self.keys.password:
            return FileResponse(PAGE / "login.html")
        return HTMLResponse("<!doctype html><title>vatl</title><p>Open the link that the console shows.", 401)

    async def login(self, request: Request) -> Response:
        """The session, for the password."""
        typed = str((await json_body(request)).get("password", ""))
        address = request.client.host if request.client else ""
        if not await self.patience.judged(address, lambda: self.keys.opened_by_password(typed)):
            raise RefusedError(403, "this is not the password")
        return let_in(request, JSONResponse({"status": "welcome"}), self.keys)


def served(entrance: Entrance, routes: Sequence[BaseRoute], hosts: frozenset[str]) -> Starlette:
    """A page with its files and its interface, behind the gate.

    Args:
        entrance: to it.
        routes: of the interface.
        hosts: names with port that it may be called by; empty for any.
    """
    way_in = [Route("/", entrance.enter), Route("/login", entrance.login, methods=["POST"])]
    files = Mount("/page", StaticFiles(directory=PAGE))
    gate = Middleware(Gate, keys=entrance.keys, hosts=hosts)
    handlers: Mapping[Any, Any] = {RefusedError: _refused, HTTPException: _nothing}
    return Starlette(routes=[*way_in, *routes, files], middleware=[gate], exception_handlers=handlers)


async def json_body(request: Request, largest: int = _LARGEST) -> dict[str, Any]:
    """The JSON object of a request.

    Args:
        request: whose.
        largest: bytes that it may have.

    Raises:
        RefusedError: it is none, or too large.
    """
    data = bytearray()
    try:
        async for chunk in request.stream():
            data += chunk
            if len(data) > largest:
                raise RefusedError(413, "this is more than is ever sent at once")
    except ClientDisconnect:
        raise RefusedError(400, "the request broke off") from None
    try:
        body = json.loads(bytes(data), parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise RefusedError(422, "the body must be a JSON object") from error
    if not isinstance(body, dict):
        raise RefusedError(422, "the body must be a JSON object")
    return body


def path_number(request: Request, name: str) -> int:
    """A whole number from 0 on in a request's path.

    Raises:
        RefusedError: it is none.
    """
    text = str(request.path_params[name])
    if not text.isascii() or not text.isdecimal() or len(text) > 15:
        raise RefusedError(404, "there is nothing here")
    return int(text)


async def _refused(request: Request, error: Exception) -> Response:
    status = error.status if isinstance(error, RefusedError) else 500
    return JSONResponse({"error": str(error)}, status)


async def _nothing(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 404
    said = "this cannot be done here" if status == 405 else "there is nothing here"
    return JSONResponse({"error": said}, status)


def _no_number(word: str) -> NoReturn:
    raise ValueError(f"{word} is no number")

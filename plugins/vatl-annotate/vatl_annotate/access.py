"""Who may talk to the page: a session from a link or a password, from this page alone."""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import secrets
from pathlib import Path
from typing import Final

import attrs
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from vatl_annotate.hosts import is_loopback, is_place, is_same, with_port
from vatl_annotate.private import write_private
from vatl_core.errors import InputError

_log: Final = logging.getLogger(__name__)
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; "
    "font-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
_HEADERS: Final = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}
_OPEN: Final = ("/login", *(f"/page/{name}" for name in ("login.js", "login.css", "page.css", "favicon.svg")))
"""Paths that need no session: what asks for the password."""
_FOREIGN: Final = "another page must not ask this"
_PROXIED: Final = "a page that is opened over https must be begun with -o browser.behind_proxy=true"
_TOKEN: Final = 32
"""Random bytes of a token."""


@attrs.frozen
class Keys:
    """What opens a run's page.

    Attributes:
        token: in the link; it opens the page where there is no password.
        port: that was listened at.
        password: to be typed; "" for none.
    """

    token: str
    port: int = 0
    password: str = attrs.field(default="", repr=False)

    @classmethod
    def kept(cls, file: Path, password: str = "") -> Keys:
        """The keys of a run, as it had them before: pages that are open go on working when it is taken up again.

        Args:
            file: where they are kept, readable by their owner alone.
            password: to be typed.
        """
        try:
            known = json.loads(file.read_text("utf-8"))
            token, port = str(known["token"]), int(known["port"])
        except (OSError, ValueError, KeyError, TypeError):
            token, port = "", 0
        usable = token.isascii() and len(token) >= _TOKEN and 0 <= port < 2**16
        return cls(token, port, password) if usable else cls(secrets.token_urlsafe(_TOKEN), 0, password)

    def keep(self, file: Path) -> None:
        """Write them, without the password."""
        file.parent.mkdir(parents=True, exist_ok=True)
        write_private(file, json.dumps({"token": self.token, "port": self.port}))

    @property
    def session(self) -> str:
        """What the cookie of whoever may come in holds."""
        return hmac.new(self.token.encode(), f"session:{self.password}".encode(), hashlib.sha256).hexdigest()

    def opened_by_token(self, token: str) -> bool:
        """Whether a link's token opens the page."""
        return not self.password and _same(token, self.token)

    def opened_by_password(self, password: str) -> bool:
        """Whether what was typed opens the page."""
        return bool(self.password) and _same(password, self.password)

    def opened_by_session(self, session: str) -> bool:
        """Whether a cookie is of somebody who came in."""
        return _same(session, self.session)


def _same(one: str, other: str) -> bool:
    """Whether two texts are equal, in a time that does not tell how nearly; JSON may hold half a character."""
    return hmac.compare_digest(one.encode(errors="surrogatepass"), other.encode(errors="surrogatepass"))


def password_for(host: str, file: Path | None, typed: str = "", *, behind_proxy: bool = False) -> str:
    """The password of a page served at ``host``.

    Args:
        host: that is listened at.
        file: whose first line it is; None for none.
        typed: one from elsewhere, such as the environment.
        behind_proxy: whether another server passes on what it is asked.

    Raises:
        InputError: others could reach the page, and there is no password, or a short one.
    """
    password = typed
    if file is not None:
        try:
            password = (file.read_text("utf-8-sig").splitlines() or [""])[0].strip()
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"the password file {file} cannot be read: {error}") from error
        if not password:
            raise InputError(f"the password file {file} must hold a password in its first line")
    if not password and (behind_proxy or not is_loopback(host)):
        place = "a page behind a proxy" if behind_proxy else f"host {host}"
        raise InputError(
            f"{place} can be reached by others, so the page needs a password: put one into a file and give "
            "-o browser.password_file=FILE (vatl annotate: --password-file FILE), or set VATL_PASSWORD"
        )
    if password and len(password) < 8:
        raise InputError("the password must have at least 8 characters")
    return password


class Gate:
    """Lets in who has a session, refuses what another page sends, and adds the headers that every answer has."""

    def __init__(self, app: ASGIApp, keys: Keys, hosts: frozenset[str]) -> None:
        """``hosts`` are the names the page may be called by; empty for any."""
        self.app, self.keys, self.hosts = app, keys, hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or pass on."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
        elif scope["type"] == "http":  # we speak nothing else
            await self._answer(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer = _Answer(send)
        request = Request(scope)
        scope.setdefault("state", {})["known"] = self._is_known(request)
        if refusal := self._refusal(request):
            closing = {"Connection": "close"} if refusal[0] == 400 else {}  # what follows may be anything
            await JSONResponse({"error": refusal[1]}, refusal[0], closing)(scope, receive, answer)
            return
        try:
            await self.app(scope, receive, answer)
        except Exception as error:  # a defect of ours is told in one line, and ends neither the run nor the page
            told = f"{type(error).__name__}: {error}"
            _log.error("the page could not answer %s %s (%s)", request.method, scope["path"], told)
            if not answer.begun:
                await JSONResponse({"error": f"this cannot be answered: {told}"}, 500)(scope, receive, answer)

    def _refusal(self, request: Request) -> tuple[int, str] | None:
        """Status and reason; by the path of the scope, since ``request.url`` is made of the header Host."""
        if refusal := _malformed(request) or self._of_another_page(request):
            return refusal
        path = request.scope["path"]
        if path in _OPEN or path == "/" or request.state.known:
            return None
        return 401, "this page is closed to you: open the link that the console shows"

    def _of_another_page(self, request: Request) -> tuple[int, str] | None:
        host, scheme, origin = request.headers["host"], request.scope["scheme"], request.headers.get("origin")
        if self.hosts and with_port(host, scheme) not in self.hosts:
            return 403, "the page is not served under this name"
        if origin is not None and not is_same(origin, scheme, host):
            return 403, _PROXIED if is_same(origin, "https", host) else _FOREIGN
        from_elsewhere = request.headers.get("sec-fetch-site", "none") not in ("none", "same-origin")
        if from_elsewhere and request.scope["path"] != "/":
            return 403, _FOREIGN
        if request.method not in ("GET", "HEAD") and request.headers.get("x-vatl") != "1":
            return 403, _FOREIGN
        return None

    def _is_known(self, request: Request) -> bool:
        return self.keys.opened_by_session(request.cookies.get(cookie_name(self.keys), ""))


def _malformed(request: Request) -> tuple[int, str] | None:
    if {"content-length", "transfer-encoding"} <= {*request.headers}:  # another server may go by the other
        return 400, "a request must have one length"
    if not is_place(request.headers.get("host", "")):
        return 400, "the header Host must be a name or an address, and a port at most"
    return None


@attrs.define
class _Answer:
    """Sends an answer with the headers that each has.

    Attributes:
        send: to whoever asked.
        begun: whether the answer is under way.
    """

    send: Send
    begun: bool = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.begun = True
            headers = MutableHeaders(scope=message)
            for name, value in _HEADERS.items():
                headers.setdefault(name, value)
        await self.send(message)


def cookie_name(keys: Keys) -> str:
    """The session cookie's name; cookies are shared by all ports of a host, so that each has its own."""
    return f"vatl-{keys.port}"


def let_in(request: Request, response: Response, keys: Keys) -> Response:
    """Give the session with an answer; a browser that came by https never sends it without."""
    secure = request.scope["scheme"] == "https"
    response.set_cookie(cookie_name(keys), keys.session, secure=secure, httponly=True, samesite="strict", path="/")
    return response

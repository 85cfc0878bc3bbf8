"""Fetching public weights: taken up where they broke off, and trusted only with the expected SHA-256.

A file lies in the cache under its published name, so that it can also be put there by hand. What has come of it so far
lies beside it as ``.part``. Since the hash decides in the end, a part is taken up whatever the server may have done to
its file meanwhile: if the whole then has another hash, it is fetched once more from its beginning.

Only https:// and http:// are spoken, and from https:// no redirection leads to anything else.
"""

from __future__ import annotations

import hashlib
import os
import stat
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from http.client import HTTPException, HTTPMessage, HTTPResponse
from pathlib import Path, PurePosixPath
from typing import IO, Final, TypeVar, cast
from urllib.error import HTTPError, URLError
from urllib.parse import unquote, urlsplit
from urllib.request import (
    HTTPDefaultErrorHandler,
    HTTPErrorProcessor,
    HTTPHandler,
    HTTPRedirectHandler,
    HTTPSHandler,
    OpenerDirector,
    ProxyHandler,
    Request,
)

import platformdirs
import torch.hub
from filelock import FileLock

from vatl_core.errors import InputError
from vatl_core.progress import Progress, silent
from vatl_weights.foreign import Download

ANSWER_TIMEOUT: Final = 30.0
"""Seconds that a server may take to answer, and that it may be silent afterwards."""
ATTEMPTS: Final = 4
"""How often a transfer is begun or taken up before the user is told."""
LARGEST: Final = 8 << 30
"""Bytes that a file of weights may have; a server that sends more would fill the disk before any hash is compared."""
SURE: Final = 16
"""Digits of a hash from which on it takes more than an afternoon to make another file with the same."""
SCHEMES: Final = ("https", "http")
_CHUNK: Final = 1 << 18
_DIGITS_OF_A_LENGTH: Final = 18
_RANGE_NOT_SATISFIABLE: Final = 416

T = TypeVar("T")


class BrokenOffError(Exception):
    """A transfer that ended before its file did; the message says why."""


def folder() -> Path:
    """Where downloaded weights are kept."""
    return Path(platformdirs.user_cache_dir("vatl")) / "weights"


class _Redirections(HTTPRedirectHandler):
    """Follows a server elsewhere, but never from https:// to what others can read and change on the way."""

    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> Request | None:
        scheme = urlsplit(newurl).scheme.lower()
        if scheme not in SCHEMES or (req.type == "https" and scheme != "https"):
            raise URLError(f"the server leads on from {req.type}:// to {newurl!r}, which is not followed")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _opener() -> OpenerDirector:
    """What speaks https and http and nothing else: neither ftp:// nor file://."""
    opener = OpenerDirector()
    for handler in (
        ProxyHandler(), HTTPHandler(), HTTPSHandler(), HTTPDefaultErrorHandler(), HTTPErrorProcessor(), _Redirections(),
    ):  # fmt: skip
        opener.add_handler(handler)
    return opener


def place(download: Download) -> Path:
    """Where a download is kept: under its published name, with the hash's first digits unless they are part of it."""
    published, digits = Path(published_name(download)), download.sha256[:8]
    return folder() / (published if digits in published.name else published.with_stem(f"{published.stem}-{digits}"))


def published_name(download: Download) -> str:
    """What its publisher calls the file."""
    return PurePosixPath(unquote(urlsplit(download.url).path)).name or "weights"


def cached(download: Download) -> Path | None:
    """The whole file of a download, if it is here: in the cache, or where torch.hub and so torchvision keep theirs."""
    theirs = Path(torch.hub.get_dir()) / "checkpoints" / published_name(download)
    places = (place(download), theirs) if download.sha256 else (place(download),)
    return next((path for path in places if _is_whole(path, download)), None)


def fetch(download: Download, timeout: float = ANSWER_TIMEOUT, progress: Progress = silent) -> Path:
    """The file of a download, from the cache or else from where it is published.

    Two processes that want the same file fetch it once.

    Args:
        download: what to fetch.
        timeout: seconds to wait for the server's first answer.
        progress: told the stage ``download``, the bytes that are here and those that there will be.

    Raises:
        InputError: it cannot be fetched, is another file than expected, or cannot be kept.
    """
    path = place(download)
    try:
        if here := cached(download):
            return here
        if not download.sha256:
            raise _unavailable(download, "nobody tells a SHA-256 to hold it to, and nothing is fetched unchecked")
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(path.with_name(f".{path.name}.lock")):
            if not _is_whole(path, download):  # another process may have fetched it while this one waited
                _complete(download, path, timeout, progress)
    except OSError as error:
        raise InputError(f"weights {path} cannot be read or kept: {error.strerror or error}") from error
    return path


def doubt(download: Download, path: Path) -> list[str]:
    """What the user should know about the hash that a fetched file was held to; nothing where that says enough."""
    if len(download.sha256) >= SURE:
        return []
    digits, url = len(download.sha256), f"{download.url}#sha256={_sha256(path)}"
    return [f"only {digits} digits of a SHA-256 say that {path.name} is the file meant: to be sure, give {url}"]


def _is_whole(path: Path, download: Download) -> bool:
    return path.is_file() and _sha256(path).startswith(download.sha256)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _complete(download: Download, path: Path, timeout: float, progress: Progress) -> None:
    """Bring the part beside ``path`` to the whole file and put it there, or remove it if that is another one."""
    part, reason = path.with_name(f"{path.name}.part"), ""
    for _ in range(ATTEMPTS):
        have = _here(part)
        try:
            _transfer(download, part, have, timeout, progress)
        except BrokenOffError as error:
            reason = str(error)
            continue
        found = _sha256(part)
        if found.startswith(download.sha256):
            part.replace(path)
            return
        part.unlink()
        reason = f"its SHA-256 is {found} where {download.sha256} was expected, so it was removed"
        if not have:
            break
    raise _unavailable(download, reason)


def _here(part: Path) -> int:
    """Bytes of the part that are here; what leads elsewhere was laid there by somebody else, and goes."""
    try:
        found = part.lstat()
    except FileNotFoundError:
        return 0
    if stat.S_ISREG(found.st_mode) and found.st_nlink == 1:
        return found.st_size
    part.unlink()
    return 0


def _no_link(path: str, flags: int) -> int:
    """Open a file unless it is a link: it may have become one meanwhile."""
    return os.open(path, flags | getattr(os, "O_NOFOLLOW", 0), 0o666)


def _transfer(download: Download, part: Path, have: int, timeout: float, progress: Progress) -> None:
    """Append to ``part``, or write it anew where the server only sends whole files.

    Raises:
        BrokenOffError: the connection ended before the file.
        InputError: the server cannot be reached, or will not send it.
    """
    response = _opened(download, have, timeout)
    if response is None:
        return
    with response:
        part_sent = response.status == 206 and response.headers.get("Content-Range", "").startswith(f"bytes {have}-")
        done, length = have if part_sent else 0, response.headers.get("Content-Length", "")
        total = done + int(length) if length.isdecimal() and len(length) <= _DIGITS_OF_A_LENGTH else 0
        _refuse_large(download, part, total)
        with open(part, "ab" if done else "wb", opener=_no_link) as file:
            for chunk in _chunks(response):
                file.write(chunk)
                done += len(chunk)
                if done > LARGEST:
                    break
                progress("download", done, max(done, total))
        _refuse_large(download, part, done)
    if done < total:
        raise BrokenOffError(f"the connection ended after {done} of {total} bytes")


def _refuse_large(download: Download, part: Path, size: int) -> None:
    if size > LARGEST:
        part.unlink(missing_ok=True)
        raise _unavailable(download, f"it has more than {LARGEST / 2**30:g} GiB, which no file of weights may have")


def _opened(download: Download, have: int, timeout: float) -> HTTPResponse | None:
    """The server's answer to the wish for what is missing; None where it says that nothing is."""
    if urlsplit(download.url).scheme.lower() not in SCHEMES:
        raise _unavailable(download, "only https:// and http:// are spoken here")
    headers = {"User-Agent": "vatl"} | ({"Range": f"bytes={have}-"} if have else {})
    try:
        request = Request(download.url, headers=headers)
        return _within(timeout, lambda: cast(HTTPResponse, _opener().open(request, timeout=ANSWER_TIMEOUT)))
    except HTTPError as error:
        if have and error.code == _RANGE_NOT_SATISFIABLE:
            return None
        raise _unavailable(download, f"the server says {error.code} {error.reason}") from error
    except (OSError, HTTPException, ValueError) as error:
        raise _unavailable(download, _words(error) or f"no answer within {timeout:g} seconds") from error


def _within(seconds: float, work: Callable[[], T]) -> T:
    """What ``work`` returns, or a TimeoutError: looking up a host's name heeds no socket's timeout."""
    outcome: Future[T] = Future()

    def run() -> None:
        try:
            outcome.set_result(work())
        except Exception as error:
            outcome.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return outcome.result(seconds)


def _chunks(response: HTTPResponse) -> Iterator[bytes]:
    try:
        while chunk := response.read(_CHUNK):
            yield chunk
    except (OSError, HTTPException) as error:
        raise BrokenOffError(f"the connection broke ({_words(error)})") from error


def _words(error: Exception) -> str:
    """What an error of the network says, without the classes it is wrapped in."""
    reason = getattr(error, "reason", error)
    return str(getattr(reason, "strerror", None) or reason)


def _unavailable(download: Download, reason: str) -> InputError:
    return InputError(
        f"{download.url} cannot be fetched: {reason}; to put it in place by hand, save it as {place(download)}"
    )

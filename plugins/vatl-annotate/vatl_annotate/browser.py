"""The oracle ``browser``: a person labels in a page that the run serves."""

from __future__ import annotations

import getpass
import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Final

import attrs
import click
from attrs.validators import and_, ge, le

from vatl_annotate.access import password_for
from vatl_annotate.application import application
from vatl_annotate.desk import Desk
from vatl_annotate.hosts import is_loopback, reach
from vatl_annotate.scene import Scene
from vatl_annotate.serving import Served
from vatl_core.contracts import Answer, Oracle, Request
from vatl_core.errors import InputError

if TYPE_CHECKING:
    from vatl_core.cycle import Run

KEYS: Final = ".annotate.json"
"""File in the run's directory with what opens its page."""


def _heard(host: object) -> str:
    return "" if is_loopback(str(host)) else f"listen at {host}"


def _proxied(value: object) -> str:
    return "believe a proxy" if value else ""


@attrs.define(eq=False)
class Browser(Oracle):
    """Asks a person, or several, in a browser; the run waits for them and goes on by itself.

    The page is served by the run itself, to this machine alone unless ``host`` says otherwise; then it needs a
    password, from a file or from the environment's VATL_PASSWORD.

    Attributes:
        host: name or address to listen at.
        port: to listen at; 0 for the one that the run had before, or any that is free.
        open: whether to open a browser.
        password_file: whose first line is the password that the page asks for; none if not given.
        behind_proxy: whether a server with a certificate on this machine passes on what it is asked; it is believed who
            asks, and whether by https.
        annotator: what whoever labels is called until they say their name; the user's name if empty.
        context: how much the page shows about a box, as a share of its longer side.
        pause: seconds between the last answer of a queue and retraining, in which one may still go back.
    """

    asks_people: ClassVar[bool] = True

    host: str = attrs.field(default="127.0.0.1", metadata={"exposes": _heard})
    port: int = attrs.field(default=0, validator=and_(ge(0), le(65535)))
    open: bool = True
    password_file: Path | None = attrs.field(default=None, metadata={"exposes": "take its password from {}".format})
    behind_proxy: bool = attrs.field(default=False, metadata={"exposes": _proxied})
    annotator: str = ""
    context: float = attrs.field(default=0.35, validator=and_(ge(0), le(5)))
    pause: float = attrs.field(default=3.0, validator=ge(0))
    _password: str = attrs.field(init=False, default="", repr=False)
    _desk: Desk | None = attrs.field(init=False, default=None, repr=False)
    _scene: Scene | None = attrs.field(init=False, default=None, repr=False)
    _served: Served | None = attrs.field(init=False, default=None, repr=False)
    _link: str = attrs.field(init=False, default="", repr=False)

    def __attrs_post_init__(self) -> None:
        typed = os.environ.get("VATL_PASSWORD", "")
        self._password = password_for(self.host, self.password_file, typed, behind_proxy=self.behind_proxy)

    def annotate(self, request: Request) -> Iterable[Answer]:
        """Answers as people give them."""
        if self._desk is None:
            raise InputError(
                "oracle 'browser' serves a run that vatl carries out: the run has not been announced to it"
            )
        click.echo(f"{len(request)} instances wait to be labelled at {self._link}", err=True)
        return self._desk.answers(request)

    def attend(self, run: Run) -> Desk:
        """Serve the page of a run that begins.

        Raises:
            InputError: nobody can listen there.
        """
        self._desk = Desk(run, self.pause)
        self._scene = Scene.of(self._desk, self.context, self.annotator or _user())
        self._desk.on_open = self._scene.prepare
        try:
            self._serve(run.folder.path / KEYS)
        except BaseException:
            self._scene.room.close()
            raise
        click.echo(f"label at {self._link}{reach(self.host)}", err=True)
        if self.open and self._served:
            self._served.show()
        return self._desk

    def leave(self) -> None:
        """Let open pages fetch the end, then stop serving."""
        if self._desk and self._served and self._scene:
            self._desk.windows.wait()
            self._served.end()
            self._scene.room.close()
        self._desk = self._served = self._scene = None

    def _serve(self, file: Path) -> None:
        scene = self._scene
        if scene is None:
            raise AssertionError("a scene is set before it is served")
        self._served = Served.begin(
            self.host,
            self.port,
            file,
            self._password,
            lambda keys, hosts: application(scene, keys, hosts),
            behind_proxy=self.behind_proxy,
        )
        self._link = self._served.link


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return "annotator"

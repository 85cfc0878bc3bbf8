"""The command line: one module a command, imported when it is used."""

from __future__ import annotations

import errno
import importlib
import shlex
import signal
import sys
import threading
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

import click

from vatl_core.errors import VatlError

if TYPE_CHECKING:
    from vatl_core.plugins import Command, Registry

__all__ = ["COMMANDS", "vatl"]

COMMANDS: Final = {
    "run": "Adapt an estimator to a video.",
    "resume": "Take up an interrupted run.",
    "plugins": "See what is installed.",
}


class Commands(click.Group):
    """Commands that are imported when they are called, so that help comes at once; plugins add to them."""

    prefix = ""
    """What the names of the commands that plugins bring to this group begin with."""
    own: Mapping[str, str] = COMMANDS
    """Those of the command line itself, by the modules that they are in, with a line of help."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self._helps(ctx))

    def get_command(self, ctx: click.Context, name: str) -> click.Command:
        if name in self.commands:
            return self.commands[name]
        if name in self.own:
            return cast(click.Command, importlib.import_module(f"vatl_core.cli.{name}").command)
        brought = self._brought(ctx)
        if name not in brought:
            raise _installed(ctx).missing(f"{self.prefix}command", name, self.list_commands(ctx))
        return cast("Command", _installed(ctx).find("command", brought[name].name)).load()

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(self._helps(ctx).items()))

    def _helps(self, ctx: click.Context) -> dict[str, str]:
        """A line of help for each command, the group's own first; a plugin cannot take their names."""
        own = {**self.own, **{name: command.get_short_help_str(100) for name, command in self.commands.items()}}
        return own | {name: command.help for name, command in self._brought(ctx).items() if name not in own}

    def _brought(self, ctx: click.Context) -> dict[str, Command]:
        """What plugins bring to this group, by the name within it."""
        every = _installed(ctx).described("command").items()
        found = {name.removeprefix(self.prefix): command for name, command in every if name.startswith(self.prefix)}
        return {name: command for name, command in found.items() if " " not in name}


def _installed(ctx: click.Context) -> Registry:
    """What is installed; it is looked for once in a call of the command line."""
    from vatl_core.discovery import discover

    kept = ctx.find_root().meta
    return cast("Registry", kept.get(__name__) or kept.setdefault(__name__, discover()))


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="vatl-core", prog_name="vatl")
@click.option("--debug", is_flag=True, help="Show the traceback of an error; may stand anywhere.")
def vatl(debug: bool) -> None:
    """Video-specific active transfer learning of pose estimation.

    `vatl run` adapts an estimator to one video with few labels; `vatl COMMAND --help` says more.
    """


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; return the exit code: 0, 1 for a failed run, 2 for bad input, 130 or 143 if told to end."""
    if threading.current_thread() is threading.main_thread():  # no other may
        signal.signal(signal.SIGTERM, _terminated)
        sys.unraisablehook = _unheard
    getattr(sys.stdout, "reconfigure", dict)(errors="backslashreplace")  # a pipe of Windows cannot take every letter
    words = list(sys.argv[1:] if arguments is None else arguments)
    debug, known = "--debug" in words, dict[str, Path]()
    try:
        vatl.main([word for word in words if word != "--debug"], prog_name="vatl", standalone_mode=False, obj=known)
    except click.exceptions.Exit as error:
        sys.exit(error.exit_code)
    except (Exception, KeyboardInterrupt) as error:
        if debug:
            traceback.print_exc()
        message, code = _told(error, known.get("run", Path()))
        click.echo(f"vatl: {message}", err=True)
        sys.exit(code)
    return 0


def _terminated(number: int, _: object) -> None:
    """SIGTERM ends a command as Ctrl-C does, so that whatever it began is left in order; one at its end ends anyway."""
    if threading.main_thread().is_alive():
        raise KeyboardInterrupt(number)


def _unheard(raised: sys.UnraisableHookArgs) -> None:
    """What is to end a command may arrive in a callback, where Python can only ignore it: it is sent again."""
    if isinstance(raised.exc_value, KeyboardInterrupt):
        threading.Timer(0.01, signal.raise_signal, [*raised.exc_value.args, signal.SIGINT][:1]).start()
    else:
        sys.__unraisablehook__(raised)


def _told(error: BaseException, run: Path) -> tuple[str, int]:
    """An error as one line for the user, and its exit code; it may have ended the run in this folder."""
    again = f"`vatl resume {shlex.quote(str(run))}`" if (run / "config.toml").is_file() else "the same command"
    if isinstance(error, VatlError):
        return " ".join(str(error).split()), error.exit_code
    if isinstance(error, click.ClickException):
        return " ".join(error.format_message().split()), 2
    if isinstance(error, OSError):
        if error.errno == errno.ENOSPC:
            return f"the disk is full: make room, then go on by {again}; nothing half-written stays", 1
        return f"{error.strerror or error}{f': {error.filename}' if error.filename else ''}", 1
    if not isinstance(error, KeyboardInterrupt | click.Abort):
        from vatl_core.plugins import culprit, describe

        return f"unexpected {describe(error)}{culprit(error)} (--debug shows where)", 1
    code = 143 if signal.SIGTERM in (error.__cause__ or error).args else 130
    return f"interrupted: {again} goes on", code

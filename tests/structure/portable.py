"""What a module uses that only Unix has, unless it asks first, or that means something else elsewhere."""

from __future__ import annotations

import ast
from collections.abc import Iterator

MODULES = frozenset(
    {"crypt", "curses", "fcntl", "grp", "nis", "posix", "pty", "pwd", "readline", "resource", "spwd", "syslog",
     "termios", "tty", "msvcrt", "winreg", "winsound"}
)  # fmt: skip
"""Of the standard library, and not on every system."""
NAMES = {
    "os": {
        "O_CLOEXEC", "O_DIRECTORY", "O_NOFOLLOW", "O_NONBLOCK", "O_SYNC", "WEXITSTATUS", "WIFEXITED", "WIFSIGNALED",
        "WNOHANG", "WTERMSIG", "chown", "chroot", "ctermid", "eventfd", "fchdir", "fchmod", "fchown", "fdatasync",
        "fork", "forkpty", "fstatvfs", "getegid", "geteuid", "getgid", "getgroups", "getloadavg", "getpgid", "getpgrp",
        "getpriority", "getresuid", "getsid", "getuid", "initgroups", "killpg", "lchmod", "lchown", "lockf", "major",
        "memfd_create", "minor", "mkfifo", "mknod", "nice", "openpty", "pathconf", "pidfd_open", "pipe2",
        "posix_fadvise", "posix_fallocate", "posix_spawn", "pread", "pwrite", "readv", "register_at_fork",
        "sched_getaffinity", "sched_setaffinity", "sched_yield", "sendfile", "setegid", "seteuid", "setgid",
        "setgroups", "setpgid", "setpriority", "setsid", "setuid", "statvfs", "sync", "sysconf", "tcgetpgrp",
        "ttyname", "uname", "wait", "wait3", "wait4", "waitid", "writev",
    },
    "signal": {
        "ITIMER_REAL", "SIGALRM", "SIGCHLD", "SIGCONT", "SIGHUP", "SIGKILL", "SIGPIPE", "SIGQUIT", "SIGSTOP", "SIGTSTP",
        "SIGUSR1", "SIGUSR2", "SIGWINCH", "alarm", "getitimer", "pause", "pthread_kill", "pthread_sigmask",
        "setitimer", "siginterrupt", "sigpending", "sigtimedwait", "sigwait", "sigwaitinfo",
    },
    "socket": {"AF_UNIX", "CMSG_LEN", "fromfd", "sethostname", "socketpair"},
    "select": {"epoll", "kqueue", "poll"},
    "time": {"clock_gettime", "clock_settime", "pthread_getcpuclockid", "tzset"},
    "platform": {"freedesktop_os_release", "libc_ver"},
}  # fmt: skip
"""What only Unix has of modules that every system has."""
METHODS = frozenset({"add_signal_handler", "lchmod", "sendmsg"})
"""That raise elsewhere, of paths, sockets and event loops."""
PLACES = ("/bin/", "/dev/", "/etc/", "/proc", "/sys/", "/tmp", "/usr/", "/var/")
_TEXT = {"read_text": 0, "write_text": 1}
"""How many arguments stand before the encoding."""
_PROCESSES = {"Process", "Pool", "Manager", "Queue", "SimpleQueue", "Pipe"}


def unportable(tree: ast.AST) -> list[tuple[int, str]]:
    """What is not the same everywhere: line and what stands there."""
    return sorted(set(_found(tree, frozenset())))


def _found(node: ast.AST, asked: frozenset[str]) -> Iterator[tuple[int, str]]:
    line = getattr(node, "lineno", 0)
    yield from ((line, what) for what in _own(node) if not asked & {what, "*"})
    asked |= _asked(node)
    for child in ast.iter_child_nodes(node):
        yield from _found(child, asked)


def _asked(node: ast.AST) -> frozenset[str]:
    """What a condition makes sure of for all that is below it."""
    if isinstance(node, ast.Try):
        caught = " ".join(ast.unparse(handler.type) for handler in node.handlers if handler.type)
        return frozenset({"*"} if "ImportError" in caught or "AttributeError" in caught else ())
    if not isinstance(node, ast.If | ast.IfExp | ast.BoolOp):
        return frozenset()
    condition = node.values[0] if isinstance(node, ast.BoolOp) else node.test
    words = ast.unparse(condition)
    calls = [call for call in ast.walk(condition) if isinstance(call, ast.Call) and ast.unparse(call.func) == "hasattr"]
    names = {f"{ast.unparse(call.args[0])}.{ast.unparse(call.args[1])[1:-1]}" for call in calls}
    return frozenset(names | ({"*"} if "sys.platform" in words or "os.name" in words else set()))


def _own(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names if alias.name.partition(".")[0] in MODULES)
    elif isinstance(node, ast.ImportFrom):
        whole = [str(node.module)] if str(node.module).partition(".")[0] in MODULES else []
        only = NAMES.get(str(node.module), set())
        yield from [*whole, *(f"{node.module}.{alias.name}" for alias in node.names if alias.name in only)]
    elif isinstance(node, ast.Attribute):
        if node.attr in NAMES.get(ast.unparse(node.value), ()):
            yield f"{ast.unparse(node.value)}.{node.attr}"
        if node.attr in METHODS:
            yield f".{node.attr}"
    elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.startswith(PLACES):
        yield node.value
    elif isinstance(node, ast.Call):
        yield from _call(node)


def _call(node: ast.Call) -> Iterator[str]:
    called, given = ast.unparse(node.func), {word.arg: word.value for word in node.keywords}
    last = called.rpartition(".")[2]
    if last in _TEXT and "encoding" not in given and len(node.args) <= _TEXT[last]:
        yield f"{last} in the system's own encoding"
    if last == "open" and "encoding" not in given and _opens_text(node, called):
        yield "open in the system's own encoding"
    if called.startswith("subprocess.") and {"text", "universal_newlines"} & given.keys() and "encoding" not in given:
        yield f"{called} in the system's own encoding"
    if called == "os.system" or "shell" in given:
        yield "a shell"
    if last == "get_context" and ast.unparse(node)[len(called) :] != "('spawn')":
        yield f"{ast.unparse(node)}, which is not always spawn"
    if called.rpartition(".")[0] == "multiprocessing" and last in _PROCESSES:
        yield f"{called}, which forks on some systems"
    if last == "ProcessPoolExecutor" and "mp_context" not in given:
        yield f"{called}, which forks on some systems"


def _opens_text(node: ast.Call, called: str) -> bool:
    """Whether a call of ``open``, or of a path's, is of a text whose encoding it leaves open.

    A path's is known by its mode, or by having no argument.
    """
    place = 1 if called in ("open", "io.open") else 0
    modes = [word.value for word in node.keywords if word.arg == "mode"] or list(node.args[place : place + 1])
    mode = modes[0].value if modes and isinstance(modes[0], ast.Constant) else None
    if place == 0 and not modes:
        return not node.args
    if not isinstance(mode, str) or not set(mode) <= set("rwxab+t"):
        return place == 1 and not modes
    return "b" not in mode and len(node.args) < place + 3

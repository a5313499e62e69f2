"""Starting a process below a supervisor: in its own session, with default signals, printing to the supervisor's pipe.

There are two ways, because a fork of Python costs a millisecond more than a spawn, and only the fork can tie the life of
the child to ours. Standard library only; one thread.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
from collections.abc import Callable, Mapping
from typing import NoReturn, TypeAlias

Start: TypeAlias = Callable[[int], int]
"""Takes the handle that output goes to, gives the process id of the child."""

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_NOT_STARTED = 127
# Python ignores the first two, a supervisor may ignore the third, and who started the daemon the others (`nohup`, `&` in a
# script); what is ignored stays ignored after exec.
_RESET_SIGNALS = (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGQUIT)
_prctl = ctypes.CDLL(None, use_errno=True).prctl


def become_subreaper() -> None:
    """From now on this process is the parent of every descendant that loses its own."""
    _prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def tied_process(argv: tuple[str, ...], folder: str, environment: Mapping[str, str], stdin: str = os.devnull) -> Start:
    """A process in `folder` that is killed when this one dies. Its input is the file `stdin`."""

    def start(output: int) -> int:
        parent = os.getpid()
        child = os.fork()
        if child == 0:
            _become(argv, folder, environment, (stdin, output), parent)
        return child

    return start


def quick_process(argv: tuple[str, ...], environment: Mapping[str, str], stdin: int, stdout: int, file_bytes: int) -> Start:
    """A short-lived process that survives this one, with files for its input and its output. The files that it writes may
    have `file_bytes` bytes (0: any number). Raises OSError when it cannot be started."""

    def start(output: int) -> int:
        files = [(os.POSIX_SPAWN_DUP2, handle, target) for target, handle in enumerate((stdin, stdout, output))]
        child = os.posix_spawnp(argv[0], argv, environment, file_actions=files, setsid=True, setsigdef=_RESET_SIGNALS)
        if file_bytes:
            resource.prlimit(child, resource.RLIMIT_FSIZE, (file_bytes, file_bytes))
        return child

    return start


def _become(
    argv: tuple[str, ...], folder: str, environment: Mapping[str, str], streams: tuple[str, int], parent: int
) -> NoReturn:
    try:
        _prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
        if os.getppid() != parent:
            os._exit(_NOT_STARTED)
        os.setsid()
        for number in _RESET_SIGNALS:
            signal.signal(number, signal.SIG_DFL)
        source, output = streams
        for target, handle in enumerate((os.open(source, os.O_RDONLY), output, output)):
            os.dup2(handle, target)
        os.chdir(folder)
        os.execvpe(argv[0], argv, dict(environment))  # noqa: S606 (the shell is in argv where one is wanted)
    except OSError as error:
        os.write(2, f"orchd: {argv[0]} cannot be started: {error}\n".encode())
    finally:
        os._exit(_NOT_STARTED)

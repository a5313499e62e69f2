"""One orchd per repository: a lock file in the common git directory, held for life.

Rule: the lock object stays referenced (garbage collection would release it), and the inode is checked at every turn,
because an unlinked lock file would admit a second daemon.
"""

from __future__ import annotations

import json
import os
import socket
import time

from filelock import FileLock, Timeout

from orchd.adapters.durable import remove_quietly, write_durably
from orchd.adapters.place import Place, refuse_workspace
from orchd.adapters.server import read_server, server_file
from orchd.errors import Busy
from orchd.model.dataclass import dataclass

ACQUIRE_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Leader:
    """Port `Leadership` on a held lock."""

    place: Place
    lock: FileLock
    inode: int

    @property
    def owner(self) -> str:
        """Host and process."""
        return f"{socket.gethostname()}:{os.getpid()}"

    def check(self) -> None:
        """Raises Busy when the lock file is not ours any more."""
        path = self.place.orch / "lock"
        if not path.exists() or path.stat().st_ino != self.inode:
            raise Busy("the lock file of this repository was removed while orchd ran", "never remove .git/orch/lock by hand")

    def release(self) -> None:
        """Let others in."""
        remove_quietly(server_file(self.place))
        self.lock.release()


def take_leadership(place: Place) -> Leader:
    """The lock, or Busy naming who holds it. Raises UsageError in a workspace of a task."""
    refuse_workspace(place)
    place.orch.mkdir(parents=True, exist_ok=True)
    lock = FileLock(place.orch / "lock")
    try:
        lock.acquire(timeout=ACQUIRE_SECONDS)
    except Timeout:
        holder = read_server(place)
        name = f"process {holder.pid} on {holder.host}" if holder else "another process"
        raise Busy(f"{name} already serves this repository", "use it (`orchd status`), or stop it first") from None
    inode = (place.orch / "lock").stat().st_ino
    record = {"pid": os.getpid(), "host": socket.gethostname(), "since_ms": time.time_ns() // 1_000_000}
    write_durably(server_file(place), json.dumps(record).encode())
    return Leader(place, lock, inode)

"""How a job's `lotus` has the workflow's warm process do its work, before it loads anything itself.

It does this hundreds of times in a run, so what is imported here is little, and Python's own.
"""

import json
import os
import socket
import stat
import struct
import sys
from collections.abc import Sequence

VARIABLE = "LOTUS_WARM"
"""Environment variable that holds the address of a warm process (`lotus.engine.warm`)."""

KEPT = "kept"
"""Name of the workers' socket (`lotus.engine.kept`), beside that of the warm process."""

READY = "ready"
"""Name of a file beside it that is there once the warm process does jobs."""

MODELS, RESULTS = "models", "results"
"""What jobs are on; they need other libraries."""

OF_MODELS = frozenset({"rank-images", "pretrain", "retrain", "unlearn", "tune", "gradcam"})
"""Commands of `lotus` that use models."""

LIGHT = frozenset(
    {
        *("fetch", "store", "verify", "choose-forget-set", "halve-training"),
        *("hash-images", "duplicates", "picture-forget-set", "seal"),
    }
)
"""Commands that load little: to wait for a process that is still loading would take them longer."""

SIZE = struct.Struct("!I")
"""Of the order that follows."""
DOING, LEFT = b"1", b"0"
"""The first answer: it does the job; or the job has to load what it needs itself, since other code lies
there by now than the warm process has loaded."""
CODE = struct.Struct("!i")
"""The second answer: the job's exit status."""
_PEER = struct.Struct("3i")
"""Process, user and group of the other end of a socket."""


def ask(address: str, arguments: Sequence[str]) -> int | None:
    """Has the warm process do a job, with this process's output files.

    While that is still loading, this waits for it: to load the same beside it would take both longer.

    Returns:
        The job's exit status; None if there is no warm process, not certainly one of this user's, or one
        that has loaded other code than lies there by now.

    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        try:
            if not _is_of_this_user_alone(address):
                return None
            place = place_of(address, arguments)
            if place is None:
                return None
            connection.connect(place)
            # All variables of this job go there, with whatever secrets they hold.
            if not is_peer_this_user(connection):
                return None
        except (OSError, ValueError):
            return None
        order = {"arguments": list(arguments), "folder": os.getcwd(), "variables": {**os.environ}}
        text = json.dumps(order).encode()
        try:
            socket.send_fds(connection, [SIZE.pack(len(text))], [1, 2])
            connection.sendall(text)
            if connection.recv(len(DOING)) != DOING:
                return None
        except OSError:
            # Gone before it could begin.
            return None
        try:
            answer = connection.recv(CODE.size)
        except ConnectionError:
            answer = b""
    if len(answer) < CODE.size:
        sys.stderr.write("lotus: the job ended without a status (killed, or out of memory)\n")
        return 1
    return int(CODE.unpack(answer)[0])


def _is_of_this_user_alone(address: str) -> bool:
    """Whether a socket lies in a folder (no link to one) of this user that nobody else can enter."""
    state = os.lstat(os.path.dirname(address))
    return stat.S_ISDIR(state.st_mode) and state.st_uid == os.getuid() and not state.st_mode & 0o077


def is_peer_this_user(connection: socket.socket) -> bool:
    """Whether the process at the other end is this user's; where no system tells, the folder did."""
    if not hasattr(socket, "SO_PEERCRED"):
        return True
    peer = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _PEER.size)
    return int(_PEER.unpack(peer)[1]) == os.getuid()


def place_of(address: str, arguments: Sequence[str]) -> str | None:
    """Returns the socket for a job: the workers', if there are any and it uses models.

    None for a job that had better not wait for a process which is still loading.
    """
    folder = os.path.dirname(address)
    kept = os.path.join(folder, KEPT)
    words = list(arguments[1:])
    command = "".join(words[2:3] if words[:1] == ["--log"] else words[:1])
    if command in LIGHT and not os.path.exists(os.path.join(folder, READY)):
        return None
    return kept if command in OF_MODELS and os.path.exists(kept) else address

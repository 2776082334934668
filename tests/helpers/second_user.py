"""Another user of this machine, who tries what others should not be able to do."""

import contextlib
import json
import os
import shutil
import tempfile
from pathlib import Path

import pytest

OTHER = 65534
"""The user `nobody`, who owns nothing."""

needs_root = pytest.mark.skipif(os.getuid() != 0, reason="only root can act as another user")
needs_setpriv = pytest.mark.skipif(
    os.getuid() != 0 or shutil.which("setpriv") is None,
    reason="only root with setpriv (util-linux) can start a program as another user",
)


@contextlib.contextmanager
def entered_by_others():
    """A folder that others can enter; pytest's are closed again by each session that starts."""
    with tempfile.TemporaryDirectory(dir="/tmp") as place:
        folder = Path(place)
        folder.chmod(0o755)
        yield folder


def as_other(act):
    """Has another user call a function in a copy of this process; returns its value, which must be JSON.

    The function uses what is imported already: the other user may not be able to read the libraries.
    """
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.setgroups([])
            os.setgid(OTHER)
            os.setuid(OTHER)
            os.write(writing, json.dumps(act()).encode())
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as file:
        said = file.read()
    os.waitpid(child, 0)
    return json.loads(said)


def command_of_other(*command):
    """The command, started by another user who can read all and write nothing of others.

    Reading is left, since Python and its libraries may lie where only root can read.
    """
    kept = "-all,+dac_read_search"
    user = ["--reuid", str(OTHER), "--regid", str(OTHER), "--clear-groups"]
    powers = ["--inh-caps", kept, "--ambient-caps", "+dac_read_search", "--bounding-set", kept]
    return ["setpriv", *user, *powers, *map(str, command)]

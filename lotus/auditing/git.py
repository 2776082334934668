"""git, called as its command."""

import subprocess

from lotus.errors import LotusError


def git(*arguments: str, stdin: bytes = b"") -> bytes:
    """What git prints.

    Raises:
        LotusError: it failed or is not there, with what it said.

    """
    command = ["git", "--literal-pathspecs", *arguments]
    try:
        done = subprocess.run(command, input=stdin, capture_output=True, check=False)
    except OSError as error:
        raise LotusError(f"git cannot be run: {error.strerror}") from error
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip()
        raise LotusError(f"git {arguments[0]} failed: {said}")
    return done.stdout

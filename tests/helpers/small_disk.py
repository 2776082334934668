"""A disk that fills up soon: memory mounted for one command, and gone with it."""

import shlex
import subprocess

_TRIED = subprocess.run(
    ["sh", "-c", "unshare --mount mount -t tmpfs none /mnt"], capture_output=True, check=False
).returncode
CANNOT_MOUNT = "a small disk can be had by root on Linux alone" if _TRIED else ""
"""Why tests of it are skipped; '' where it can be had."""


def on_small_disk(place, size, shell, environment=None):
    """Runs commands of a shell while a folder, which is made if need be, is a disk of some size ('64k')."""
    place.mkdir(exist_ok=True)
    disk = f"mount -t tmpfs -o size={size} none {shlex.quote(str(place))}"
    return subprocess.run(
        ["unshare", "--mount", "sh", "-c", f"{disk} && {{ {shell}; }}"],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
    )

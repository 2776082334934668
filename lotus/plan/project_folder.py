"""The folder of a project before any job: whether this user can work in it, and who else does."""

import os
import pwd
import stat
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from lotus import layout, surroundings
from lotus.errors import LotusError
from lotus.names import shown
from lotus.private_folder import PRIVATE
from lotus.surroundings import WRITE_OF_OTHERS
from lotus.tracking.dvc import refuse_braces
from lotus.tracking.dvc_files import locked_stores

SNAKEMAKE = Path(".snakemake")
DRY_RUN = frozenset(("-n", "--dry-run", "--dryrun"))
LOCKS = SNAKEMAKE / "locks"
WRITTEN = (SNAKEMAKE, layout.RESULTS, layout.RAW, Path("logs"), PRIVATE)
"""Folders below which jobs write; stores may be others' and read-only."""


def check_folder(arguments: Sequence[str]) -> None:
    """Refuses the present folder where the workflow cannot work in it.

    Args:
        arguments: of Snakemake's process; who asks for a dry run need not write.

    Raises:
        LotusError: its name has a brace, `data.dvc` is damaged, or a folder in it, of another user mostly,
            cannot be written; names that folder.

    """
    refuse_braces(Path.cwd())
    locked_stores(layout.LOCK)
    if not DRY_RUN.isdisjoint(arguments):
        return
    closed = next((path for path in _folders() if not os.access(path, os.W_OK | os.X_OK)), None)
    if closed is not None:
        also = "".join(f"; {line}" for line in others_at_work())
        raise LotusError(
            f"{shown(closed.absolute())}: cannot be written by you ({_name(os.geteuid())}), it belongs to "
            f"{_name(closed.stat().st_uid)}; work in a clone of your own, or have it opened to a group "
            f"that you both are in (chgrp -R GROUP, chmod -R g+rwX, umask 002){also}"
        )


def keep_strangers_out() -> None:
    """As `surroundings` has it, and also in the folder that Snakemake has begun by now, and reads back."""
    surroundings.keep_strangers_out()
    for path in (SNAKEMAKE, *SNAKEMAKE.glob("*"), *SNAKEMAKE.glob("log/*")):
        with suppress(OSError):
            mode = path.stat().st_mode
            if mode & WRITE_OF_OTHERS:
                path.chmod(stat.S_IMODE(mode) & ~WRITE_OF_OTHERS)


def others_at_work() -> list[str]:
    """Says in a line whose Snakemake has locked files of this folder, and what to do; empty if nobody's."""
    try:
        locks = sorted(LOCKS.iterdir(), key=lambda path: path.stat().st_mtime)
        held = locks[0].stat() if locks else None
    except OSError:
        return []
    if held is None:
        return []
    since = datetime.fromtimestamp(held.st_mtime).astimezone().isoformat(" ", "minutes")
    return [
        f"a Snakemake of {_name(held.st_uid)} has been at work in this folder since {since}: let it end "
        "before you make the same files; if it was killed, `snakemake --unlock` removes what it left"
    ]


def _folders() -> Iterator[Path]:
    """Yields the folders in which jobs make files, the upper ones first."""
    yield Path()
    for place in WRITTEN:
        if place.is_dir():
            yield place
    # Of each model its own; links in results are not followed, as nowhere.
    for folder, _, _ in os.walk(layout.RESULTS):
        yield Path(folder)


def _name(user: int) -> str:
    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:
        return f"user {user}"

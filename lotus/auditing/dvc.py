"""DVC, called as its command: the bytes of stores, models, predictions and results."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from lotus import layout
from lotus.errors import LotusError
from lotus.provenance import sha256, write_record, write_text


def dvc(*arguments: str) -> str:
    """Runs `dvc` and returns what it printed.

    Raises:
        LotusError: it failed, with what it said.

    """
    # The command of this environment, whichever is first on the path.
    command = [sys.executable, "-m", "dvc", *arguments]
    environment = {**os.environ, "DVC_NO_ANALYTICS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    if done.returncode:
        said = (done.stderr or done.stdout).strip()
        raise LotusError(f"dvc {' '.join(arguments[:2])} failed: {said}")
    return done.stdout


def cache_stores(folders: Sequence[Path], out: Path, record: Path) -> None:
    """Puts stores that `data.dvc` locks into DVC's cache, and writes what DVC then says of them.

    Raises:
        LotusError: DVC failed; a store is not the locked one.

    """
    targets = [folder.as_posix() for folder in folders]
    locked = sha256(layout.LOCK)
    for target in targets:
        dvc("commit", "--quiet", "--force", target)
    if sha256(layout.LOCK) != locked:
        raise LotusError(f"{layout.LOCK}: changed while the stores were put into DVC's cache")
    write_text(out, dvc("status", "--json", *targets))
    write_record(
        record,
        kind="cache",
        modules=[__name__],
        about={},
        settings={"stores": [folder.name for folder in folders]},
        inputs=[folder / "source.json" for folder in folders],
        outputs=[out],
    )

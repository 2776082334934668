"""DVC, called as its command or in this process: the bytes of stores, models, predictions and results."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from lotus import layout
from lotus.errors import LotusError
from lotus.names import shown
from lotus.private_folder import private_folder
from lotus.records.files import atomic, write_text
from lotus.records.record import write_record
from lotus.tracking.dvc_files import dvc_outs

if TYPE_CHECKING:
    from dvc.repo import Repo


def dvc(*arguments: str, asks_git: bool = True) -> str:
    """Runs `dvc` and returns what it printed.

    Args:
        asks_git: whether it may ask git about what it does. To take over files it reads git's whole index
            for each of them: time that grows with the square of their number.

    Raises:
        LotusError: it failed, with what it said.

    """
    refuse_braces(Path.cwd())
    # The command of this environment, whichever is first on the path; no file of this folder hides its
    # modules.
    command = [sys.executable, "-P", "-m", "dvc", *arguments]
    with _settings(asks_git) as settings:
        own = {**settings, SITE_CACHE: site_cache(), "DVC_NO_ANALYTICS": "1", "PYTHONUTF8": "1"}
        variables = {**os.environ, **own}
        done = subprocess.run(command, capture_output=True, check=False, env=variables)
    said, failed = (out.decode("utf-8", "replace") for out in (done.stdout, done.stderr))
    if done.returncode and "--quiet" in arguments and not (failed or said).strip():
        # It keeps the reason back as well: once more, to hear it.
        return dvc(*(word for word in arguments if word != "--quiet"), asks_git=asks_git)
    if done.returncode:
        reason = (failed or said).strip() or f"it ended with {done.returncode} and said nothing"
        raise LotusError(f"dvc {' '.join(arguments[:2])} failed: {reason}")
    return said


@contextmanager
def _settings(asks_git: bool) -> Iterator[dict[str, str]]:
    """Variables for DVC: where it is not to ask git, or none is around it, it is told that it needs none.

    As a setting of the system, which the project's own and the user's come before.
    """
    if asks_git and in_repository():
        yield {}
        return
    with TemporaryDirectory() as folder:
        Path(folder, "config").write_text("[core]\n    no_scm = true\n", encoding="utf-8")
        yield {"DVC_SYSTEM_CONFIG_DIR": folder}


SITE_CACHE = "DVC_SITE_CACHE_DIR"
"""Environment variable of DVC's, by which a user names another folder."""


def site_cache() -> str:
    """Returns the folder in which DVC remembers what it has seen: here, and open to this user alone.

    DVC's own choice is one folder for all users of a machine, open to each of them, and what it reads there
    can run code (pickles). What others could have written is thrown away.

    Raises:
        LotusError: it cannot be made.

    """
    if named := os.environ.get(SITE_CACHE):
        return named
    return private_folder("dvc", "DVC", SITE_CACHE)


def refuse_braces(folder: Path) -> None:
    """Raises a LotusError where DVC cannot work: it takes braces in its cache's path for its own."""
    if set("{}") & set(str(folder)):
        raise LotusError(
            f"{shown(folder)}: the folder's name, or one above it, has a brace, which DVC cannot work "
            "with; rename it, or move the project"
        )


def in_repository() -> bool:
    """Whether the present folder, or one above it, is a git repository."""
    here = Path.cwd()
    return any((folder / ".git").exists() for folder in (here, *here.parents))


def has_remote() -> bool:
    """Whether the project has a DVC remote.

    Raises:
        LotusError: DVC cannot read its settings.

    """
    with _repository("DVC cannot say whether it has a remote") as repo:
        return bool(repo.config["remote"])


def pull_files(file: Path) -> int:
    """Has DVC give the files that a DVC file lists and that are not here.

    By their digests, through DVC's cache: `dvc pull` keeps accounts of each file of a list, which takes
    longer than everything that is done with some thousand predictions.

    Returns:
        How many there were.

    Raises:
        LotusError: DVC fails, or has some of them neither in its cache nor in its remote.

    """
    absent = {path: md5 for path, md5 in dvc_outs(file).items() if not Path(path).exists()}
    if not absent:
        return 0
    from dvc_data.hashfile.hash_info import HashInfo

    with _repository(f"{file}: DVC cannot deliver the files that it lists") as repo:
        if "remote" in repo.config["core"]:
            repo.cloud.pull([HashInfo("md5", md5) for md5 in absent.values()])
        cached = {path: Path(repo.cache.local.oid_to_path(md5)) for path, md5 in absent.items()}
    lost = [path for path, place in cached.items() if not place.is_file()]
    if lost:
        raise LotusError(
            f"{file}: {len(lost)} of {len(absent)} files ({lost[0]} is the first) are neither in DVC's "
            "cache nor in its remote (dvc remote list)"
        )
    for path, place in cached.items():
        with atomic(Path(path)) as draft:
            shutil.copyfile(place, draft)
    return len(absent)


def cache_stores(folders: Sequence[Path], out: Path, record: Path) -> None:
    """Puts stores that `data.dvc` locks into DVC's cache, and writes what DVC then says of them.

    Raises:
        LotusError: DVC failed; a store is not the locked one, which then is not put there.

    """
    targets = [folder.as_posix() for folder in folders]
    write_text(out, f"{json.dumps(_commit_as_locked(targets))}\n")
    write_record(
        record,
        kind="cache",
        modules=[__name__],
        about={},
        settings={"stores": [folder.name for folder in folders]},
        inputs=[folder / "source.json" for folder in folders],
        outputs=[out],
    )


def _commit_as_locked(targets: Sequence[str]) -> dict[str, Any]:
    """Puts what DVC files list into DVC's cache, and writes none of these files.

    `dvc commit` writes them anew, with what it finds. A job that asks git at this moment would state that
    its code was edited, and a wrong store would take the place of the locked one.

    Returns:
        What DVC says of them afterwards: nothing where all is as listed.

    """
    with _repository(f"DVC cannot take {', '.join(targets)}") as repo:
        with repo.lock:
            for target in targets:
                for stage, place in repo.stage.collect_granular(target):
                    if any(out.changed_checksum() for out in stage.filter_outs(place)):
                        raise LotusError(
                            f"{target}: it is not the store that {layout.LOCK} locks, "
                            "so DVC was not given it"
                        )
                    # Left where they are: others read them.
                    stage.commit(filter_info=place, relink=False)
        said: dict[str, Any] = repo.status(targets=targets)
        return said


@contextmanager
def _repository(failing: str) -> Iterator["Repo"]:
    """The project as DVC knows it in this process.

    Args:
        failing: what DVC cannot do if it fails, for the message.

    Raises:
        LotusError: DVC fails, with what it said.

    """
    from dvc.exceptions import DvcException
    from dvc.repo import Repo

    try:
        refuse_braces(Path.cwd())
        core = {"no_scm": not in_repository(), "site_cache_dir": site_cache()}
        with Repo(config={"core": core}) as repo:
            yield repo
    except (DvcException, OSError) as error:
        raise LotusError(f"{failing}: {error}") from error

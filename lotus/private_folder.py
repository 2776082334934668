"""Folders of the project for what programs remember and run again: open to this user alone."""

import os
import shutil
import stat
import tempfile
from pathlib import Path

from lotus.errors import LotusError
from lotus.names import shown

PRIVATE = Path(".lotus")
COMPILED = "TORCHINDUCTOR_CACHE_DIR"
"""Environment variable of PyTorch's: the folder of what it has compiled, and runs again."""


def private_folder(name: str, program: str, variable: str) -> str:
    """Returns a folder below `.lotus` in the present folder, which only this user can enter.

    What others could have written there is thrown away.

    Args:
        program: whose it is, in words.
        variable: environment variable of the program's by which a user names another folder.

    Raises:
        LotusError: it cannot be made, or something else is in its place.

    """
    folder = Path.cwd() / PRIVATE / name
    try:
        for place in (folder.parent, folder):
            place.mkdir(mode=0o700, exist_ok=True)
            state = place.lstat()
            if not stat.S_ISDIR(state.st_mode) or state.st_uid != os.getuid():
                raise LotusError(
                    f"{shown(place)}: not a folder of yours; remove it, or name another for {program} in "
                    f"{variable}"
                )
            if state.st_mode & 0o022:
                place.chmod(0o700)
                shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise LotusError(f"{shown(folder)}: cannot be made: {error.strerror}") from error
    return str(folder)


def keep_compiled_code_private() -> None:
    """Has PyTorch keep compiled code in a private folder, unless the user has named another.

    Its own choice lies among temporary files, under a name that all users of the machine know, so that any
    can make it first. It writes this choice into the variable as soon as it is loaded.

    Raises:
        LotusError: see `private_folder`.

    """
    given = Path(os.environ.get(COMPILED, ""))
    its_own = given.parent == Path(tempfile.gettempdir()) and given.name.startswith(
        "torchinductor_"
    )
    if given == Path() or its_own:
        os.environ[COMPILED] = private_folder("compiled", "compiled networks", COMPILED)

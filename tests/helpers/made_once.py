"""Folders that take long to make: the first test process that wants one makes it, and others wait."""

import fcntl
import os
import shutil


def made_once(tmp_path_factory, name, make):
    """The folder of this name, to be looked at only; `make` fills the empty folder that it is given."""
    own = tmp_path_factory.getbasetemp()
    shared = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own
    folder = shared / name
    with (shared / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            folder.mkdir()
            try:
                make(folder)
            except BaseException:
                # Another process is to fail by the same reason, not by what is half made.
                shutil.rmtree(folder)
                raise
    return folder

"""Folders that take long to make: the first test process that wants one makes it, and others wait."""

import fcntl
import os


def made_once(tmp_path_factory, name, make):
    """The folder of this name, to be looked at only; `make` fills the empty folder that it is given."""
    own = tmp_path_factory.getbasetemp()
    shared = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own
    folder = shared / name
    with (shared / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            draft = tmp_path_factory.mktemp("draft")
            make(draft)
            draft.rename(folder)
    return folder

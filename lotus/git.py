"""git, called as its command: whatever the user's settings are, and of the repository that is here."""

import os
import subprocess

from lotus.errors import LotusError

OPTIONS = (
    "--no-pager",
    "--no-optional-locks",
    *("-c", "color.ui=false"),
    *("-c", "core.quotePath=true"),
    *("-c", "core.fsmonitor=false"),
    *("-c", "log.showSignature=false"),
    *("-c", "diff.relative=false"),
)
"""What makes git print the same for everybody, and start nothing of the user's."""
SURROUNDINGS = (
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_CONFIG",
    "GIT_CONFIG_COUNT",
    "GIT_CONFIG_PARAMETERS",
    "GIT_DIFF_OPTS",
    "GIT_DIR",
    "GIT_EXTERNAL_DIFF",
    "GIT_GLOB_PATHSPECS",
    "GIT_GRAFT_FILE",
    "GIT_ICASE_PATHSPECS",
    "GIT_IMPLICIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_NAMESPACE",
    "GIT_NOGLOB_PATHSPECS",
    "GIT_OBJECT_DIRECTORY",
    "GIT_PREFIX",
    "GIT_REPLACE_REF_BASE",
    "GIT_SHALLOW_FILE",
    "GIT_WORK_TREE",
)
"""Variables that lead git elsewhere, as within a hook, where they are another repository's."""


def run_git(*arguments: str, stdin: bytes = b"") -> "subprocess.CompletedProcess[bytes]":
    """Runs git, and returns its status and what it printed.

    Raises:
        LotusError: git is not there, or cannot be run.

    """
    kept = {key: value for key, value in os.environ.items() if key not in SURROUNDINGS}
    try:
        return subprocess.run(
            ["git", *OPTIONS, *arguments],
            input=stdin,
            capture_output=True,
            check=False,
            env={**kept, "LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0"},
        )
    except FileNotFoundError as error:
        raise LotusError("git is needed, and not there: install it, or put it on PATH") from error
    except OSError as error:
        raise LotusError(f"git cannot be run: {error.strerror}") from error
    except ValueError as error:
        # A character that no argument can have.
        raise LotusError(f"git {arguments[0]}: {error}") from error


def tracks_something_here() -> bool:
    """Whether the repository that git finds from here on tracks anything in this folder.

    One of a folder above that does not (of a home folder, say) is none of this project's.

    Raises:
        LotusError: as `run_git`.

    """
    return bool(run_git("ls-files", "-z", "--", ".").stdout)

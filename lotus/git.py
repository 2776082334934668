"""git, called as its command: the same for everybody, whatever the user's settings and surroundings are."""

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from lotus.errors import LotusError
from lotus.names import shown

OPTIONS = (
    "--no-pager",
    "--no-optional-locks",
    *("-c", "color.ui=false"),
    *("-c", "core.quotePath=true"),
    *("-c", "core.fsmonitor=false"),
    *("-c", f"core.hooksPath={os.devnull}"),
    *("-c", "log.showSignature=false"),
    *("-c", "diff.relative=false"),
)
"""What makes git print the same for everybody, and start nothing that a repository's settings name."""
COMPARING = {
    "diff": "--ignore-submodules=all",
    "status": "--ignore-submodules=all",
    "update-index": "--ignore-submodules",
}
"""Commands that read files of the project as filters give them, and look into repositories within it unless
they are told not to."""
ALONE = {"GIT_TERMINAL_PROMPT": "0", "GIT_ALLOW_PROTOCOL": "none", "GIT_NO_LAZY_FETCH": "1"}
"""Variables by which git asks nobody and fetches nothing that a repository lacks, by a program it names."""
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
    variables = {**kept, "LC_ALL": "C", **ALONE}
    command = next((word for word in arguments if not word.startswith("-")), "")
    if command in COMPARING:
        variables |= _without_filters(variables)
        place = arguments.index(command) + 1
        arguments = (*arguments[:place], COMPARING[command], *arguments[place:])
    return _run(arguments, stdin, variables)


def _without_filters(variables: Mapping[str, str]) -> dict[str, str]:
    """Returns variables by which git runs no filter that the settings of the repository itself name.

    Whoever made an archive of the project chose these. Filters of the user's own settings stay.
    """
    asked = ("config", "-z", "--show-scope", "--includes", "--name-only", "--get-regexp")
    said = _run((*asked, FILTERS), b"", variables).stdout.decode("utf-8", "surrogateescape")
    scopes_and_keys = said.split("\0")
    pairs = zip(scopes_and_keys[::2], scopes_and_keys[1::2], strict=False)
    keys = list(dict.fromkeys(key for scope, key in pairs if scope in ("local", "worktree")))
    off = {f"GIT_CONFIG_KEY_{number}": key for number, key in enumerate(keys)}
    values = {
        f"GIT_CONFIG_VALUE_{number}": "false" if key.endswith(".required") else ""
        for number, key in enumerate(keys)
    }
    return {"GIT_CONFIG_COUNT": str(len(keys)), **off, **values}


FILTERS = r"^filter\..*\.(clean|smudge|process|required)$"


def _run(
    arguments: Sequence[str], stdin: bytes, variables: Mapping[str, str]
) -> "subprocess.CompletedProcess[bytes]":
    try:
        return subprocess.run(
            ["git", *OPTIONS, *arguments],
            input=stdin,
            capture_output=True,
            check=False,
            env=variables,
        )
    except FileNotFoundError as error:
        raise LotusError(
            "git is needed but was not found: install it, or put it on PATH"
        ) from error
    except OSError as error:
        raise LotusError(f"git cannot be run: {error.strerror}") from error
    except ValueError as error:
        # A character that no argument can have.
        raise LotusError(f"git {arguments[0]}: {error}") from error


def note_unchanged_files() -> None:
    """Has git note by its index which tracked files are unchanged, if it may write that.

    In a fresh clone files are as young as the index, which leaves open whether they were written after it.
    So every look reads them all again until the index is written anew, which looks themselves do not do:
    somebody else's `git commit` would fail meanwhile.

    Raises:
        LotusError: as `run_git`.

    """
    run_git("update-index", "-q", "--refresh")


def tracks_something_here() -> bool:
    """Whether the repository that git finds from here on tracks anything in this folder.

    One of a folder above that does not (of a home folder, say) is none of this project's.

    Raises:
        LotusError: as `run_git`.

    """
    return bool(run_git("ls-files", "-z", "--", ".").stdout)


def git(*arguments: str, stdin: bytes = b"") -> bytes:
    """Returns what git prints, of the repository that has this project.

    Raises:
        LotusError: there is no such repository, git is not there, or failed, with what it said.

    """
    if problem := why_none():
        raise LotusError(problem)
    # Files are named as they are: a `*` in a name is no pattern.
    done = run_git("--literal-pathspecs", *arguments, stdin=stdin)
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip()
        raise LotusError(f"git {arguments[0]} failed: {said}")
    return done.stdout


def contents_of(names: Sequence[str]) -> list[bytes | None]:
    """Returns what git has under names of objects, `HEAD:./README.md` say; None where it has no such file.

    Raises:
        LotusError: as `git`.

    """
    # One name a line: one that has a break in it would be taken for two.
    asked = [name for name in names if "\n" not in name]
    batch = git("cat-file", "--batch", stdin="".join(f"{name}\n" for name in asked).encode())
    found: dict[str, bytes | None] = {}
    place = 0
    for name in asked:
        end = batch.index(b"\n", place)
        head, place = batch[place:end], end + 1
        if not head.endswith((b" missing", b" ambiguous")):
            size = int(head.rsplit(b" ", 1)[1])
            found[name] = batch[place : place + size]
            place += size + 1
    return [found.get(name) for name in names]


def why_none() -> str:
    """Returns why there is no repository that has this project; '' if there is one.

    One of a folder above counts only if it tracks something here: else its commits say nothing of the
    project, and what is staged would be staged there.
    """
    here = shown(Path.cwd())
    try:
        found = run_git("rev-parse", "--is-inside-work-tree", "--show-prefix")
    except LotusError as error:
        return str(error)
    inside, _, prefix = found.stdout.decode(errors="replace").partition("\n")
    if found.returncode or inside != "true":
        said = found.stderr.decode(errors="replace").strip()
        # Whatever else git has against a repository that is there, it says it in its own words.
        reason = "" if "not a git repository" in said or not said else f" ({said.splitlines()[0]})"
        return (
            f"{here}: a git repository is needed, and there is none{reason}; `git init` makes one"
        )
    if prefix.strip() and not tracks_something_here():
        return (
            f"{here}: a git repository is needed, and the one of a folder above tracks nothing here; "
            "`git init` makes one"
        )
    return ""

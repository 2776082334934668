"""git, called as its command: of this project alone, whatever the user's settings and surroundings are."""

from pathlib import Path

from lotus.errors import LotusError
from lotus.git import run_git, tracks_something_here
from lotus.names import shown


def git(*arguments: str, stdin: bytes = b"") -> bytes:
    """What git prints, of the repository that has this project.

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


def why_none() -> str:
    """Why there is no repository that has this project; '' if there is one.

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
            f"{here}: a git repository is needed, and that of a folder above tracks nothing here; "
            "`git init` makes one"
        )
    return ""

"""Files that DVC tracks, by path; results that git tracks and that were changed since."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from lotus import layout
from lotus.errors import LotusError
from lotus.git import git, why_none
from lotus.tracking.dvc_files import dvc_outs
from lotus.wording import first_of


@dataclass(frozen=True)
class DvcEntry:
    """A file or folder that a DVC file lists.

    Attributes:
        file: the DVC file.
        md5: DVC's digest; of a folder with `.dir` behind it.

    """

    file: str
    md5: str

    @property
    def place(self) -> str:
        """Where it lies in a DVC cache or remote, after the DVC file's name."""
        return f"{self.file}: files/md5/{self.md5[:2]}/{self.md5[2:]}"


def dvc_entries() -> Mapping[str, DvcEntry]:
    """Returns path → entry, from all DVC files of the project in the present folder.

    Raises:
        LotusError: one of them is not as `dvc_entries_of` accepts it.

    """
    return {
        path: DvcEntry(file.as_posix(), md5)
        for file in (layout.LOCK, *layout.PUBLISHED)
        for path, md5 in dvc_outs(file).items()
    }


def entry_of(path: str, entries: Mapping[str, DvcEntry]) -> DvcEntry | None:
    """Returns the entry of a file, or of the folder that it lies in; None of what DVC does not track."""
    above = (str(parent) for parent in Path(path).parents)
    return next((entries[place] for place in (path, *above) if place in entries), None)


def uncommitted() -> list[str]:
    """Returns remarks: results that git tracks and that differ from the last commit; or why git cannot say.

    Nothing is remarked of a repository without a commit.
    """
    if problem := why_none():
        return [f"uncommitted changes cannot be looked for: {problem}"]
    try:
        git("rev-parse", "--verify", "--quiet", "HEAD")
    except LotusError:
        return []
    options = ("--name-only", "-z", "--relative", "--no-ext-diff", "--no-textconv", "-O/dev/null")
    try:
        said = git("diff", *options, "HEAD", "--", str(layout.RESULTS), str(layout.RAW))
    except LotusError as error:
        return [f"uncommitted changes cannot be looked for: {error}"]
    changed = said.decode("utf-8", "surrogateescape").split("\0")[:-1]
    if not changed:
        return []
    return [f"{first_of(changed, 1)}: changed since the last commit, which tracks results"]

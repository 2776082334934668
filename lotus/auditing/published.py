"""What DVC holds: path → the entry of its file."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from lotus import layout
from lotus.data.store import dvc_outs
from lotus.provenance import git


@dataclass(frozen=True)
class Held:
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


def held() -> Mapping[str, Held]:
    """Path → entry, of all DVC files of the project in the present folder.

    Raises:
        LotusError: one of them is not a DVC file.

    """
    return {
        path: Held(file.as_posix(), md5)
        for file in (layout.LOCK, *layout.PUBLISHED)
        for path, md5 in dvc_outs(file).items()
    }


def holding(path: str, entries: Mapping[str, Held]) -> Held | None:
    """The entry of a file, or of the folder that it lies in."""
    above = (str(parent) for parent in Path(path).parents)
    return next((entries[place] for place in (path, *above) if place in entries), None)


def uncommitted() -> list[str]:
    """Results that git tracks and that are not as in the last commit; a remark, where there are any."""
    said = git("diff", "--name-only", "HEAD", "--", str(layout.RESULTS), str(layout.RAW))
    changed = (said or "").splitlines()
    if not changed:
        return []
    more = f" and {len(changed) - 1} more" if len(changed) > 1 else ""
    return [f"{changed[0]}{more}: not as in the last commit, where results were published"]

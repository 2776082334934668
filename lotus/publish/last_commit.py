"""Results as the last commit has them recorded: what a record that lies here cannot vouch for by itself."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from lotus.errors import LotusError
from lotus.git import contents_of
from lotus.records.reading import find_record, parse_record


@dataclass(frozen=True)
class AgainstCommit:
    """Outputs of records that lie here, held against the same records of the last commit.

    Attributes:
        same: outputs that it records with the same bytes.
        other: outputs that it records with other ones, or not at all, though it has their record.
        problem: why there is nothing to hold them against; else ''.

    """

    same: Sequence[str]
    other: Sequence[str]
    problem: str = ""

    def lines(self) -> list[str]:
        """Returns a line for each difference, then the count, or why there is none."""
        if self.problem:
            return [
                f"not compared with a commit ({self.problem}): 'as recorded' is the word of the records "
                "that lie here"
            ]
        return [
            *(f"{path}: other bytes than the last commit records" for path in self.other),
            f"{len(self.same)} of {len(self.same) + len(self.other)} files with the bytes that the last "
            "commit records",
        ]


def against_last_commit(records: Iterable[str]) -> AgainstCommit:
    """Holds the outputs that records state against what the last commit has in their places.

    Args:
        records: paths of records, which lie here.

    """
    paths = list(records)
    try:
        texts = contents_of([f"HEAD:./{path}" for path in paths])
    except LotusError as error:
        return AgainstCommit([], [], str(error))
    same: list[str] = []
    other: list[str] = []
    for path, text in zip(paths, texts, strict=True):
        if text is not None:
            committed = parse_record(Path(path), text).outputs
            for output, digest in find_record(Path(path)).outputs.items():
                (same if committed.get(output) == digest else other).append(output)
    if not same and not other:
        return AgainstCommit([], [], "the last commit has none of these records")
    return AgainstCommit(same, other)

"""Where the way forwards begins: the records and files that rest on something directly."""

from collections.abc import Mapping
from dataclasses import dataclass, field

ALL = frozenset({"*"})
"""All that a file says, and not only what it says of some split's images."""


@dataclass(frozen=True)
class Start:
    """The thing that a user asked about, with what rests on it directly.

    Attributes:
        title: what it is, in words.
        said: what else there is to be known of it, a sentence each.
        records: paths of the records of steps that rest on it, with all that they wrote.
        files: file → the splits of whose images it says something else; `ALL` of files that are other
            altogether.

    """

    title: str
    said: tuple[str, ...] = ()
    records: frozenset[str] = frozenset()
    files: Mapping[str, frozenset[str]] = field(default_factory=dict)

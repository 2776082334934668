"""What vouches for the numbers of the page: what was verified when it was made, and by whom besides."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lotus import layout
from lotus.records.files import sha256
from lotus.records.reading import read_record
from lotus.wording import counted

NO_ATTESTATION = "No attestation lies beside these results: nobody states to have made them again."
AUDIT = "lotus audit"
"""The command that checks everything, at any time."""


@dataclass(frozen=True)
class Attested:
    """An attestation that lies beside the results.

    Attributes:
        said: which it is, what was done and found, in a sentence.
        findings: folder of a run → what was found when it was made again.

    """

    said: str
    findings: Mapping[str, str]


@dataclass(frozen=True)
class Vouched:
    """Reasons that the page has to trust its numbers, or not to.

    Attributes:
        verified: what was compared when the page was made, in a sentence or two.
        other: files whose bytes were others than their records state.
        attested: attestations that lie beside the results.
        unattested: what is said where there are none.

    """

    verified: str
    other: Sequence[str]
    attested: Sequence[Attested]
    unattested: str = NO_ATTESTATION


def vouched(files: Iterable[Path], attestations: Sequence[Attested] = ()) -> Vouched:
    """Holds the files that the page is made of against their records.

    The page cannot know more: it reads neither predictions, models nor images, which only the audit does,
    and what happens to the files afterwards it does not see.

    Raises:
        LotusError: a record is absent, damaged or was edited.

    """
    compared, other = 0, []
    for path in files:
        record = layout.record_of(path)
        if record is None:
            continue
        compared += 1
        if read_record(record).outputs.get(path.as_posix()) != sha256(path):
            other.append(path.as_posix())
    found = (
        "all of them had the bytes that their records state"
        if not other
        else f"{counted(len(other), 'file')} had other bytes than the record states"
    )
    verified = (
        "When this page was made, the seals of the records that it names were checked, and the "
        f"{counted(compared, 'file')} that it is made of were held against them: {found}. Predictions, "
        "models, images and code were not compared."
    )
    return Vouched(verified, other, attestations)

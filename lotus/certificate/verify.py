"""Checks certificates: form, seal, page and signature, and that they say what the files here say.

The files that a certificate names must lie here unchanged. Then everything is read from them once more.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from lotus.attest.signing import CERTIFICATE, said_of_signature
from lotus.attest.verify import Verified
from lotus.certificate.certified_run import find_run
from lotus.certificate.content import HashesOf, hashes_by, stated
from lotus.certificate.form import Certificate, read_certificate
from lotus.certificate.page import page_of
from lotus.certificate.sources import further_files, trees_of
from lotus.certificate.worth import does_not_prove, proves
from lotus.certificate.write import page_beside
from lotus.errors import LotusError
from lotus.formats.json_text import parse_json
from lotus.lineage.build_tree import may_be_elsewhere
from lotus.models.tensor_digest import digests_of_file
from lotus.names import shown
from lotus.records.digests import digests
from lotus.records.files import as_text, sha256
from lotus.records.index import read_index
from lotus.results.titles import row_title
from lotus.wording import counted, first_of

SHOWN = 5
"""Places that are named in which a certificate says other than the files."""


def check(
    paths: Sequence[Path], signers: Path | None, weights: Path | None, workers: int
) -> list[Verified]:
    """Checks certificates against the files of the project in the present folder.

    Args:
        signers: who may sign; then a certificate without a signature does not hold.
        weights: a file that is to be the certified model.
        workers: processes that look for look-alikes.

    Raises:
        LotusError: the certificate is absent, or `weights` is no file of weights.

    """
    hashes_of = hashes_by(workers)
    return [_checked(path, signers, weights, hashes_of) for path in paths]


def _checked(
    path: Path, signers: Path | None, weights: Path | None, hashes_of: HashesOf
) -> Verified:
    try:
        found = read_certificate(path)
    except LotusError as error:
        if not path.is_file():
            raise
        return Verified(shown(path), [str(error).removeprefix(f"{shown(path)}: ")], [])
    wrong, facts = [*_of_files(found)], [_summary(found)]
    if not wrong:
        wrong += _of_project(found, hashes_of)
    wrong += _of_words(found)
    wrong += _of_page(path, found)
    if weights is not None:
        wrong += _of_weights(weights, found)
    signed_by, problems = said_of_signature(path, signers, CERTIFICATE)
    return Verified(shown(path), [*wrong, *problems], [*facts, *signed_by])


def _summary(found: Certificate) -> str:
    images = counted(len(found.asked.images), "image")
    return (
        f"{row_title(found.done.method)} was to forget {images} of {shown(found.asked.dataset)} "
        f"({shown(found.asked.rule)}); made {found.made.started}"
    )


def _of_files(found: Certificate) -> Iterator[str]:
    stated = {file.path: file.sha256 for file in found.files}
    seen = digests(stated, full=True)
    absent = [path for path in stated if not seen[path].sha256]
    if absent:
        yield (
            f"{counted(len(absent), 'file')} of {len(stated)} cannot be checked, since they are not here: "
            f"{first_of(absent, 3)}; check it in the folder of its project"
        )
    for path, digest in stated.items():
        now = seen[path].sha256
        if now and now != digest:
            yield f"{shown(path)}: now has sha256 {now[:12]}…, certified was {digest[:12]}…"


def _of_project(found: Certificate, hashes_of: HashesOf) -> Iterator[str]:
    """Yields what the certified files do not say, all of which are here; what came later plays no part."""
    index = read_index(map(Path, found.records))
    listed = {file.path: file.sha256 for file in found.files}
    try:
        run = find_run(index, Path(found.run))
        further = [path for path in further_files(index, run) if path.as_posix() in listed]
        here = stated(run, further, trees_of(index), hashes_of)
    except LotusError as error:
        yield str(error)
        return
    files = {file["path"]: file["sha256"] for file in here.pop("files")}
    absent = [path for path in files if path not in listed and not may_be_elsewhere(path)]
    if absent:
        yield f"files: lacks {first_of(absent, 3)}, of which the model or its numbers were made"
    foreign = [path for path in listed if path not in files]
    if foreign:
        yield f"files: names {first_of(foreign, 3)}, of which nothing here was made"
    said = found.model_dump(include={*here})
    # As it would be written: so a number compares with a number.
    others = [*_differences(said, parse_json(as_text(here).encode()))]
    for place, mine, own in others[:SHOWN]:
        yield f"{shown(place)}: is {mine}, but here {own}"
    if others[SHOWN:]:
        yield f"says other than the files here in {counted(len(others[SHOWN:]), 'further place')}"


def _differences(said: Any, here: Any, place: str = "") -> Iterator[tuple[str, str, str]]:
    """Yields the places in which two values differ, and both; of longer or shorter lists that alone."""
    if isinstance(said, dict) and isinstance(here, dict):
        for key in dict.fromkeys([*said, *here]):
            yield from _differences(said.get(key), here.get(key), f"{place}.{key}".lstrip("."))
    elif isinstance(said, list) and isinstance(here, list) and len(said) == len(here):
        for number, (mine, own) in enumerate(zip(said, here, strict=True)):
            yield from _differences(mine, own, f"{place}.{number}")
    elif said != here:
        yield place, _in_short(said), _in_short(here)


def _in_short(value: Any) -> str:
    if isinstance(value, list):
        return f"a list of {len(value)}"
    return shown(repr(value))[:80]


def _of_words(found: Certificate) -> Iterator[str]:
    content = found.model_dump()
    for key, follows in (("proves", proves), ("does_not_prove", does_not_prove)):
        if content[key] != follows(content):
            yield f"{key}: is not what follows from the rest, as this version of the package says it"


def _of_page(path: Path, found: Certificate) -> Iterator[str]:
    page = page_beside(path)
    if page.is_file() and page.read_bytes() != page_of(found).encode():
        yield (
            f"{shown(page.name)}: does not say what the certificate says; `lotus certificate make` writes "
            "both"
        )


def _of_weights(weights: Path, found: Certificate) -> Iterator[str]:
    """Compares bytes, then tensors: what was handed back lies in a file of another form."""
    digest = sha256(weights)
    if digest == found.done.unlearned.sha256:
        return
    if found.done.tensors not in digests_of_file(weights, "--weights"):
        yield (
            f"{shown(weights)}: has sha256 {digest[:12]}…, but the certified weights have "
            f"{found.done.unlearned.sha256[:12]}…, and the numbers in it are others, too"
        )

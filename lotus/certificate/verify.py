"""Checks certificates: form, seal, page and signature, and that the files they name lie here unchanged."""

from collections.abc import Iterator
from pathlib import Path

from lotus.attest.signing import CERTIFICATE, said_of_signature
from lotus.attest.verify import Verified
from lotus.certificate.form import Certificate, read_certificate
from lotus.certificate.page import page_of
from lotus.certificate.write import page_beside
from lotus.errors import LotusError
from lotus.models.tensor_digest import digests_of_file
from lotus.names import shown
from lotus.records.digests import digests
from lotus.records.files import sha256
from lotus.results.titles import row_title
from lotus.wording import counted, first_of


def check(path: Path, signers: Path | None, weights: Path | None) -> Verified:
    """Checks a certificate against the files of the project in the present folder.

    Args:
        signers: who may sign; then a certificate without a signature does not hold.
        weights: a file that is to be the certified model.

    Raises:
        LotusError: the certificate is absent, or `weights` is no file of weights.

    """
    try:
        found = read_certificate(path)
    except LotusError as error:
        if not path.is_file():
            raise
        return Verified(shown(path), [str(error).removeprefix(f"{shown(path)}: ")], [])
    wrong, facts = [*_of_files(found)], [_summary(found)]
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

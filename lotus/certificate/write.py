"""Writes a certificate: its JSON, the page that says the same, and a signature if one is asked for."""

from pathlib import Path
from typing import Any

from lotus import layout
from lotus.attest import signing
from lotus.certificate.form import parse_certificate
from lotus.certificate.page import page_of
from lotus.errors import LotusError
from lotus.names import shown
from lotus.records.files import as_text, write_text


def name_of(run: Path) -> str:
    """The name of a run's certificate, without its ending: the run's place in one word."""
    return "-".join(run.relative_to(layout.RESULTS).parts)


def page_beside(certificate: Path) -> Path:
    """Where the page of a certificate lies."""
    return certificate.with_suffix(".html")


def write(content: dict[str, Any], out: Path, key: Path | None, replace: bool) -> list[Path]:
    """Writes the files of a certificate and returns them.

    Args:
        out: the JSON; the page lies beside it.
        key: an SSH key that signs the JSON; None: nobody signs.
        replace: whether files that are there may be written over.

    Raises:
        LotusError: a file is there, or the key cannot be used.

    """
    page, signature = page_beside(out), layout.signature_of(out)
    there = [path for path in (out, page, signature) if path.exists() or path.is_symlink()]
    if there and not replace:
        raise LotusError(
            f"{shown(there[0])}: is there already, and a certificate is not written over; name another "
            "folder (--out), or say --replace"
        )
    text = as_text(content)
    shown_page = page_of(parse_certificate(out, text.encode()))
    signature.unlink(missing_ok=True)
    write_text(out, text)
    write_text(page, shown_page)
    return [out, page, *([signing.sign(out, key, signing.CERTIFICATE)] if key is not None else [])]

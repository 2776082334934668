"""Writes a certificate: its JSON, the page that says the same, and a signature if one is asked for."""

from pathlib import Path
from typing import Any

from lotus import layout
from lotus.attest import signing
from lotus.certificate.form import parse_certificate
from lotus.certificate.page import page_of
from lotus.records.among_results import refuse_among_results
from lotus.records.files import as_text, refuse_to_write_over, write_text


def name_of(run: Path) -> str:
    """The name of a run's certificate, without its ending: the run's place in one word."""
    inside = run.relative_to(layout.RESULTS) if run.is_relative_to(layout.RESULTS) else run
    return "-".join(inside.parts)


def page_beside(certificate: Path) -> Path:
    """Where the page of a certificate lies."""
    return certificate.with_suffix(".html")


def refuse_existing(out: Path, replace: bool) -> None:
    """Refuses before anything is certified.

    Args:
        out: the JSON; page and signature lie beside it.
        replace: whether files that are there may be written over.

    Raises:
        LotusError: a file is there, or the place is among the results or stores.

    """
    accepted = f"accepted: a folder outside {layout.RESULTS} and {layout.STORES}"
    refuse_among_results(out.parent, "--out", accepted)
    for path in (out, page_beside(out), layout.signature_of(out)):
        refuse_to_write_over(path, replace)


def write(content: dict[str, Any], out: Path, key: Path | None) -> list[Path]:
    """Writes the files of a certificate and returns them; those that are there are written over.

    Args:
        out: the JSON; the page lies beside it.
        key: an SSH key that signs the JSON; None: nobody signs.

    Raises:
        LotusError: the key cannot be used.

    """
    page, signature = page_beside(out), layout.signature_of(out)
    text = as_text(content)
    shown_page = page_of(parse_certificate(out, text.encode()))
    signature.unlink(missing_ok=True)
    write_text(out, text)
    write_text(page, shown_page)
    return [out, page, *([signing.sign(out, key, signing.CERTIFICATE)] if key is not None else [])]

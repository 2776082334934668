"""Writes a certificate: its JSON, the page that says the same, and a signature if one is asked for."""

import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from lotus import layout
from lotus.attest.signing import CERTIFICATE, sign
from lotus.certificate.form import parse_certificate
from lotus.certificate.page import page_of
from lotus.errors import LotusError
from lotus.names import shown
from lotus.records.among_results import refuse_among_results
from lotus.records.files import as_text, atomic, refuse_to_write_over


def name_of(run: Path) -> str:
    """The name of a run's certificate, without its ending: the run's place in one word."""
    inside = run.relative_to(layout.RESULTS) if run.is_relative_to(layout.RESULTS) else run
    return "-".join(inside.parts)


def page_beside(certificate: Path) -> Path:
    """Where the page of a certificate lies."""
    return certificate.with_suffix(".html")


def places_of(runs: Sequence[Path], out: Path, replace: bool) -> dict[Path, Path]:
    """Returns where the certificates of some runs are to lie, before anything is certified.

    Args:
        out: the folder; page and signature lie beside each JSON.
        replace: whether files that are there may be written over.

    Raises:
        LotusError: a file is there, the place is among the results or stores, or two runs have one name.

    """
    accepted = f"accepted: a folder outside {layout.RESULTS} and {layout.STORES}"
    refuse_among_results(out, "--out", accepted)
    places: dict[Path, Path] = {}
    for run in runs:
        place = out / f"{name_of(run)}.json"
        others = [
            shown(other) for other, taken in places.items() if taken == place and other != run
        ]
        if others:
            raise LotusError(
                f"{shown(place)}: is to be the certificate of {others[0]} and of {shown(run)}; accepted: "
                "one of the two, or another --out for each"
            )
        _refuse_existing(place, replace)
        places[run] = place
    return places


def _refuse_existing(place: Path, replace: bool) -> None:
    for path in (place, page_beside(place), layout.signature_of(place)):
        refuse_to_write_over(path, replace)
        if path.is_dir():
            raise LotusError(f"{shown(path)}: is a folder; accepted: the place of a file")


def write(content: dict[str, Any], out: Path, key: Path | None) -> list[Path]:
    """Writes the files of a certificate and returns them; those that are there are written over.

    All of them are written, or none: what lay there stays until the new ones are complete.

    Args:
        out: the JSON; the page lies beside it.
        key: an SSH key that signs the JSON; None: nobody signs, and no signature of another text stays.

    Raises:
        LotusError: the key cannot be used, or the files cannot be written.

    """
    page, signature = page_beside(out), layout.signature_of(out)
    text = as_text(content)
    texts = {out: text, page: page_of(parse_certificate(out, text.encode()))}
    try:
        if key is not None:
            texts[signature] = _signature(text, key)
        with ExitStack() as stack:
            for path, of in texts.items():
                stack.enter_context(atomic(path)).write_text(of, encoding="utf-8")
            if key is None:
                signature.unlink(missing_ok=True)
    except OSError as error:
        raise LotusError(f"{shown(out)}: cannot be written: {error.strerror}") from error
    return [*texts]


def _signature(text: str, key: Path) -> str:
    with tempfile.TemporaryDirectory(prefix="lotus-certificate-") as folder:
        draft = Path(folder) / "certificate.json"
        draft.write_text(text, encoding="utf-8")
        return sign(draft, key, CERTIFICATE).read_text(encoding="utf-8")

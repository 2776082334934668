"""Signatures by ordinary SSH keys, made and checked by OpenSSH's own `ssh-keygen`."""

import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lotus import layout
from lotus.errors import LotusError
from lotus.names import shown

PROGRAM = "ssh-keygen"
ATTESTATION, CERTIFICATE, TRIAL = "lotus-attestation", "lotus-certificate", "lotus-trial"
"""What a signature is for; one for another purpose (a login, a commit) is not taken for one of ours."""


@dataclass(frozen=True)
class Signature:
    """A good signature: its key and who signed.

    Attributes:
        key: kind and fingerprint of the key that made it.
        signer: who that is by the list of signers; '' where no list was given.

    """

    key: str
    signer: str = ""


def refuse_unusable(key: Path) -> None:
    """Raises before anything is computed: makes a signature on trial, and throws it away.

    Raises:
        LotusError: there is no `ssh-keygen` here, no such key, or one that does not sign.

    """
    _program()
    if not key.is_file():
        raise LotusError(
            f"--sign: {shown(key)}: no file; accepted: an SSH key, as ~/.ssh/id_ed25519"
        )
    with tempfile.TemporaryDirectory(prefix="lotus-sign-") as folder:
        trial = Path(folder) / "trial"
        trial.touch()
        sign(trial, key, TRIAL)


def sign(file: Path, key: Path, purpose: str) -> Path:
    """Signs a file; returns the signature, beside it.

    Args:
        purpose: `ATTESTATION`, `CERTIFICATE` or `TRIAL`.

    Raises:
        LotusError: the key cannot be used.

    """
    place = layout.signature_of(file)
    arguments = ("-Y", "sign", "-f", str(key), "-n", purpose, str(file))
    # A passphrase is asked for on the terminal.
    done = subprocess.run(
        [_program(), *arguments], check=False, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    if done.returncode or not place.is_file():
        raise LotusError(f"--sign: {shown(key)}: cannot sign: {_said(done.stderr)}")
    return place


def check(file: Path, signers: Path | None, purpose: str) -> Signature:
    """Checks the signature that lies beside a file.

    Args:
        purpose: `ATTESTATION` or `CERTIFICATE`.
        signers: who may sign, in the form of OpenSSH's `allowed_signers`; None: any key.

    Raises:
        LotusError: it is none of these bytes, or by nobody on the list.

    """
    signature = layout.signature_of(file)
    text = file.read_bytes()
    by_whom = ("-n", purpose, "-s", str(signature))
    any_key = _ask(("-Y", "check-novalidate", *by_whom), text)
    if any_key is None:
        raise LotusError(f"{shown(signature)}: no good signature of {shown(file.name)}")
    key = re.sub(r".*with (.*) key (\S+).*", r"\1 \2", any_key, flags=re.DOTALL)
    if signers is None:
        return Signature(shown(key))
    listed = ("-f", str(signers))
    found = _ask(("-Y", "find-principals", "-s", str(signature), *listed), text) or ""
    for name in found.splitlines():
        if _ask(("-Y", "verify", *by_whom, *listed, "-I", name), text) is not None:
            return Signature(shown(key), shown(name))
    raise LotusError(f"{shown(signature)}: by {shown(key)}, which {shown(signers)} does not list")


def said_of_signature(
    file: Path, signers: Path | None, purpose: str
) -> tuple[list[str], list[str]]:
    """Returns what is to be said of a file's signature, and what is wrong with it.

    Args:
        signers: who may sign; then a file without a signature is wrong.
        purpose: `ATTESTATION` or `CERTIFICATE`.

    """
    if not layout.is_signed(file):
        if signers is not None:
            return [], ["not signed"]
        return ["not signed: anybody could have written it"], []
    try:
        signature = check(file, signers, purpose)
    except LotusError as error:
        return [], [str(error)]
    by = f"{signature.signer}, " if signature.signer else ""
    whose = "" if by else "; whose key this is, --signers FILE would say"
    return [f"signed by {by}{signature.key}{whose}"], []


def _ask(arguments: Sequence[str], text: bytes) -> str | None:
    """Returns what the program says of a text; None where it says no."""
    done = subprocess.run([_program(), *arguments], input=text, check=False, capture_output=True)
    return None if done.returncode else done.stdout.decode("utf-8", "replace").strip()


def _program() -> str:
    found = shutil.which(PROGRAM)
    if found is None:
        raise LotusError(
            f"{PROGRAM} is not here, by which signatures are made and checked; it comes with OpenSSH 8.1 "
            "or later"
        )
    return found


def _said(text: bytes) -> str:
    return shown(" ".join(text.decode("utf-8", "replace").split())) or "without a word"

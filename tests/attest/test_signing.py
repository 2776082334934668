"""Signatures by SSH keys: of these bytes, for this purpose, by somebody who is listed."""

import shutil
from pathlib import Path

import pytest
from project import run

from lotus import layout
from lotus.attest.signing import ATTESTATION, PROGRAM, check, refuse_unusable, sign
from lotus.errors import LotusError

PLACE = Path("attestation.json")
WITHOUT = "ssh-keygen is not here, by which signatures are made and checked"


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    PLACE.write_text("{}\n")


def test_a_signature_names_its_key_and_by_a_list_its_signer(key):
    secret, signers = key
    assert sign(PLACE, secret, ATTESTATION) == layout.signature_of(PLACE)
    by_anybody = check(PLACE, None, ATTESTATION)
    assert by_anybody.key.startswith("ED25519 SHA256:")
    assert by_anybody.signer == ""
    known = check(PLACE, signers, ATTESTATION)
    assert (known.key, known.signer) == (by_anybody.key, "auditor@example.org")


def test_one_of_other_bytes_is_refused(key):
    sign(PLACE, key[0], ATTESTATION)
    PLACE.write_text("{} \n")
    with pytest.raises(LotusError, match=r"attestation\.json\.sig: no good signature of"):
        check(PLACE, None, ATTESTATION)


def test_one_for_another_purpose_is_refused(key):
    run(Path.cwd(), PROGRAM, "-Y", "sign", "-f", key[0], "-n", "git", PLACE)
    with pytest.raises(LotusError, match="no good signature"):
        check(PLACE, None, ATTESTATION)


def test_one_by_somebody_who_is_not_listed_is_refused(key, tmp_path):
    sign(PLACE, key[0], ATTESTATION)
    others = tmp_path / "others"
    others.write_text(
        "somebody@example.org ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI" + "A" * 43 + "\n"
    )
    with pytest.raises(LotusError, match=r"by ED25519 SHA256:\S+, which .*others does not list"):
        check(PLACE, others, ATTESTATION)


@pytest.mark.parametrize("text", ["", "signature", "-----BEGIN SSH SIGNATURE-----\nAAAA\n"])
def test_what_is_no_signature_is_refused(key, text):
    layout.signature_of(PLACE).write_text(text)
    with pytest.raises(LotusError, match="no good signature"):
        check(PLACE, key[1], ATTESTATION)


def test_what_is_no_key_cannot_sign(key):
    Path("mine").write_text("not a key")
    Path("mine").chmod(0o600)
    with pytest.raises(LotusError, match="--sign: mine: cannot sign: ") as told:
        sign(PLACE, Path("mine"), ATTESTATION)
    assert "\n" not in str(told.value)
    assert not layout.signature_of(PLACE).exists()


def test_without_the_program_there_is_one_line(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert shutil.which(PROGRAM) is None
    for call in (lambda: refuse_unusable(PLACE), lambda: check(PLACE, None, ATTESTATION)):
        with pytest.raises(LotusError, match=WITHOUT) as told:
            call()
        assert "\n" not in str(told.value)


def test_whether_a_key_signs_is_tried_and_nothing_is_left(key):
    refuse_unusable(key[0])
    Path("mine").write_text("not a key")
    Path("mine").chmod(0o600)
    before = {*Path.cwd().iterdir()}
    for place in (Path("mine"), key[1]):
        with pytest.raises(LotusError, match=rf"--sign: \S*{place.name}: cannot sign: "):
            refuse_unusable(place)
    assert {*Path.cwd().iterdir()} == before

"""Writing certificates: page, JSON and signature, all of them or none."""

from pathlib import Path

import pytest
from certified import PLACE, RUN, make, refused, verified
from commands import call

from lotus import layout
from lotus.certificate.write import page_beside, places_of
from lotus.errors import LotusError

FILES = (PLACE, page_beside(PLACE), layout.signature_of(PLACE))


def there():
    """File of the folder of certificates → its bytes."""
    return {path: path.read_bytes() for path in PLACE.parent.glob("*")}


@pytest.fixture
def no_key():
    """A file that signs nothing."""
    place = Path("no-key")
    place.write_text("not a key")
    place.chmod(0o600)
    return place


def test_without_a_key_nothing_is_written(project):
    assert "no file; accepted: an SSH key" in refused(RUN, "--sign", "absent")


def test_what_is_no_key_is_told_before_anything_is_certified(project, key, no_key):
    Path("results/toy/store.json").unlink()
    assert f"--sign: {no_key}: cannot sign: " in refused(RUN, "--sign", no_key)


def test_what_is_no_key_destroys_no_signed_certificate(project, key, no_key):
    make(RUN, "--sign", key[0])
    before = there()
    assert {*before} == {*FILES}
    done = call("certificate", "make", RUN, "--workers", "1", "--sign", no_key, "--replace")
    assert done.exit_code == 1
    assert there() == before
    assert verified(PLACE, "--signers", key[1])[0] == 0


def test_a_key_that_is_lost_meanwhile_destroys_none(project, key, tmp_path, monkeypatch):
    secret, signers = key
    make(RUN, "--sign", secret)
    before = there()
    mine = tmp_path / "mine"
    mine.write_bytes(secret.read_bytes())
    mine.chmod(0o600)
    monkeypatch.setattr("lotus.attest.signing.refuse_unusable", lambda place: place.write_text(""))
    done = call("certificate", "make", RUN, "--workers", "1", "--sign", mine, "--replace")
    assert done.exit_code == 1
    assert "cannot sign" in done.output
    assert there() == before
    assert verified(PLACE, "--signers", signers)[0] == 0


def test_a_signature_of_what_was_replaced_is_taken_away(project, key):
    make(RUN, "--sign", key[0])
    make(RUN, "--replace")
    assert {*there()} == {*FILES[:2]}
    make(RUN, "--sign", key[0], "--replace")
    assert {*there()} == {*FILES}
    assert verified(PLACE, "--signers", key[1])[0] == 0


@pytest.mark.parametrize("place", FILES)
def test_a_folder_in_the_place_of_one_is_told_and_the_others_stay(project, key, place):
    make(RUN, "--sign", key[0])
    place.unlink()
    place.mkdir()
    before = {path: path.read_bytes() for path in FILES if path != place}
    done = call("certificate", "make", RUN, "--workers", "1", "--replace")
    assert done.exit_code == 1
    assert done.output == f"Error: {place}: is a folder; accepted: the place of a file\n"
    assert {path: path.read_bytes() for path in FILES if path != place} == before


def test_where_nothing_can_be_written_there_is_one_line(project):
    Path("mine").write_text("")
    done = call("certificate", "make", RUN, "--workers", "1", "--out", "mine/certificates")
    assert done.exit_code == 1
    assert f"mine/certificates/{PLACE.name}: cannot be written: Not a directory" in done.output
    assert "Traceback" not in done.output


def test_two_models_of_one_name_are_told(project):
    runs = [Path("results/a-b/lotus"), Path("results/a/b-lotus")]
    with pytest.raises(
        LotusError, match=r"certificate of results/a-b/lotus and of results/a/b-lotus"
    ):
        places_of(runs, Path("certificates"), replace=True)

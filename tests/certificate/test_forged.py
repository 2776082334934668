"""Certificates that somebody wrote by hand and sealed: what verifying finds by itself."""

import json
from pathlib import Path

import pytest
from certified import PLACE, RUN, make, verified
from measured_project import ATTACKS, edit, write_attacks, write_power
from safetensors.numpy import load_file, save_file
from tiny import FORGET_SET, METRICS, ROWS

from lotus import layout
from lotus.certificate.form import parse_certificate
from lotus.certificate.page import page_of
from lotus.certificate.worth import does_not_prove, proves
from lotus.errors import LotusError
from lotus.models import read_weights
from lotus.models.tensor_digest import tensor_digest
from lotus.records.files import as_text
from lotus.records.seal import sealed

MODEL = f"{RUN}/model.safetensors"
ORIGINAL = f"{ROWS['original']}/model.safetensors"


def forge(change, words=True):
    """Changes what a certificate says, and seals it again; the sentences and the page follow."""
    content = json.loads(PLACE.read_text())
    change(content)
    if words:
        content |= {"proves": proves(content), "does_not_prove": does_not_prove(content)}
    text = as_text(sealed(content))
    PLACE.write_text(text)
    try:
        PLACE.with_suffix(".html").write_text(page_of(parse_certificate(PLACE, text.encode())))
    except LotusError:
        PLACE.with_suffix(".html").unlink()


def put(value, *place):
    """A change that puts a value at a place."""

    def change(content):
        for key in place[:-1]:
            content = content[key]
        content[place[-1]] = value

    return change


def of_original(content):
    content["done"]["unlearned"] = content["done"]["original"]


def test_what_is_sealed_again_without_a_change_holds(certificate):
    forge(lambda content: None)
    assert verified(PLACE)[0] == 0


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (put([], "files"), "files: names none"),
        (lambda it: it["files"].append(it["files"][0]), "files: names data/embedded/toy.gz twice"),
        (of_original, f"done.unlearned: is {ORIGINAL}, not {MODEL}"),
        (put("results/other", "run"), "done.unlearned: is"),
        (put(MODEL, "done", "original", "path"), "done.original: is the unlearned model"),
        (put("0" * 64, "done", "unlearned", "sha256"), "done.unlearned: is not among the files"),
        (put("0" * 64, "done", "original", "sha256"), "done.original: is not among the files"),
        (lambda it: it["records"].pop(f"{RUN}/run.json"), f"records: lacks {RUN}/run.json"),
        (put([], "asked", "images"), "asked.images: names none"),
        (
            lambda it: it["asked"]["images"].append(it["asked"]["images"][0]),
            "asked.images: names image 0 twice",
        ),
    ],
)
def test_what_contradicts_itself_is_no_certificate(certificate, change, told):
    forge(change)
    code, said = verified(PLACE)
    assert code == 1
    assert f"{PLACE}: is not a certificate: " in said
    assert told in said


@pytest.mark.parametrize("key", ["proves", "does_not_prove"])
@pytest.mark.parametrize("words", [[], ["That all is forgotten for ever."]])
def test_sentences_of_ones_own_are_noticed(certificate, key, words):
    forge(put(words, key), words=False)
    code, said = verified(PLACE)
    assert code == 1
    assert f"{key}: is not what follows from the rest" in said


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (put("other", "asked", "rule"), "asked.rule: is 'other'"),
        (put("f" * 64, "asked", "digest"), "asked.digest: is"),
        (lambda it: it["asked"]["images"].pop(), "asked.images: is a list of 19"),
        (put("f" * 64, "asked", "images", 3, "sha256"), "asked.images.3.sha256: is"),
        (put(7, "asked", "kept"), "asked.kept: is 7"),
        (put("ssd", "done", "method"), "done.method: is 'ssd'"),
        (put({"alpha": 9.0}, "done", "hyperparameters"), "done.hyperparameters.alpha: is 9.0"),
        (put("f" * 64, "done", "tensors"), "done.tensors: is"),
        (put(0.25, "measured", "lines", 0, "after"), "measured.lines.0.after: is 0.25"),
        (lambda it: it["measured"]["lines"].pop(0), "measured.lines: is a list of"),
        (put("some", "measured", "collapsed"), "measured.collapsed: is 'some'"),
        (put([], "measured", "absent"), "measured.absent: is a list of 0"),
        (put("", "strength", "unknown"), "strength.unknown: is ''"),
        (put(0, "look_alikes", "within"), "look_alikes.within: is 0"),
        (put("f" * 64, "records", f"{RUN}/run.json"), f"records.{RUN}/run.json: is"),
        (put("f" * 16, "environment", "code"), "environment.code: is"),
    ],
)
def test_what_the_files_do_not_say_is_noticed(certificate, change, told):
    forge(change)
    code, said = verified(PLACE)
    assert code == 1
    assert told in said
    assert "but here" in said


def test_of_many_places_the_first_are_named_and_the_rest_counted(certificate):
    def change(content):
        for image in content["asked"]["images"]:
            image["sha256"] = "f" * 64

    forge(change)
    said = verified(PLACE)[1]
    assert said.count("but here") == 5
    assert "says other than the files here in 15 further places" in said


def test_files_that_were_left_out_are_missed(certificate):
    forge(lambda it: it.update(files=[of for of in it["files"] if of["path"] != FORGET_SET]))
    code, said = verified(PLACE)
    assert code == 1
    assert f"files: lacks {FORGET_SET}" in said


def test_records_that_were_left_out_are_missed(certificate):
    record = layout.record_of(Path(METRICS)).as_posix()
    forge(lambda it: it["records"].pop(record))
    code, said = verified(PLACE)
    assert code == 1
    assert f"{METRICS}: no record states how it was made" in said


def test_a_record_that_was_edited_afterwards_is_noticed(certificate):
    edit(Path(RUN, "run.json"), '"alpha": 2.0', '"alpha": 3.0')
    code, said = verified(PLACE)
    assert code == 1
    assert f"{RUN}/run.json" in said


@pytest.mark.parametrize("write", [write_attacks, write_power])
def test_what_was_measured_later_changes_no_certificate(certificate, write):
    write()
    assert verified(PLACE)[0] == 0


def test_attacks_that_no_listed_file_states_are_noticed(project):
    write_attacks()
    make(RUN)
    assert verified(PLACE)[0] == 0
    forge(
        lambda it: it.update(files=[of for of in it["files"] if of["path"] != ATTACKS.as_posix()])
    )
    code, said = verified(PLACE)
    assert code == 1
    assert "measured.attacks: is a list of 1" in said


def test_other_weights_do_not_pass_by_a_forged_digest_of_their_tensors(certificate):
    weights = load_file(MODEL)
    weights["layer.weight"][0] += 1
    save_file(weights, "other.safetensors")
    forge(put(tensor_digest(read_weights(Path("other.safetensors"))), "done", "tensors"))
    code, said = verified(PLACE, "--weights", "other.safetensors")
    assert code == 1
    assert "done.tensors: is" in said

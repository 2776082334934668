"""Predictions that an audit found right are not looked into again, unless something about them changed."""

from pathlib import Path

import numpy as np
import pytest
from forging import edit_json, name_predictions_anew, record_anew
from tiny import FORGET_SET, METRICS, ROWS, STORE, said, write_project

from lotus.audit import right_predictions, said_by_models
from lotus.audit.audit import audit
from lotus.predictions import predictions_file
from lotus.predictions.predictions_file import Split
from lotus.records.index import read_index

LOTUS = f"{ROWS['lotus']}/predictions.npz"
EVERY = sorted(f"{folder}/predictions.npz" for folder in ROWS.values())


@pytest.fixture
def read(tmp_path, monkeypatch):
    """A small finished project, which was audited; a list of predictions that are read from here on."""
    monkeypatch.chdir(tmp_path)
    write_project()
    assert wrong() == {}
    found = []
    really = said_by_models.read_said
    monkeypatch.setattr(
        said_by_models, "read_said", lambda path: found.append(path) or really(path)
    )
    return found


def wrong(full=False):
    """Path → reason for all that an audit finds changed."""
    found = audit(read_index(), [], full)
    return {it.path: it.reason for it in found.artifacts if it.status == "changed"}


def test_the_next_audit_reads_none_of_them_and_a_full_one_all(read):
    assert wrong() == {}
    assert read == []
    assert wrong(full=True) == {}
    assert sorted(read) == EVERY


def test_other_bytes_are_named_and_not_believed_once_they_are_recorded(read):
    parts = said(2)
    retain, forget = parts["retain"], parts["forget"]
    parts["retain"] = Split(
        np.concatenate([retain.logits[:-1], forget.logits[:1]]),
        np.concatenate([retain.labels[:-1], forget.labels[:1]]),
        np.concatenate([retain.indices[:-1], forget.indices[:1]]),
    )
    predictions_file.save(Path(LOTUS), parts)
    assert LOTUS in wrong()
    assert read == []
    name_predictions_anew(Path(METRICS))
    record_anew()
    assert "forget and retain set share 1 image (first: 0)" in wrong()[LOTUS]
    assert LOTUS in read


def test_other_labels_in_the_store_are_compared_again(read):
    labels = np.load(STORE / "labels.npy")
    labels[7] = (labels[7] + 1) % 4
    np.save(STORE / "labels.npy", labels)
    record_anew()
    assert "forget set has 1 image (first: 7) with another label than toy has" in wrong()[LOTUS]
    assert LOTUS in read


def test_a_store_that_was_not_here_is_compared_once_it_is(read):
    labels = (STORE / "labels.npy").read_bytes()
    (STORE / "labels.npy").unlink()
    wrong(full=True)
    read.clear()
    (STORE / "labels.npy").write_bytes(labels)
    assert wrong() == {}
    assert sorted(read) == EVERY


def test_other_images_in_a_split_are_compared_again(read):
    def exchange(content):
        content["forget"][0], content["retain"][0] = content["retain"][0], content["forget"][0]

    edit_json(Path(FORGET_SET), exchange)
    record_anew()
    assert "differs from that of" in wrong()[LOTUS]


@pytest.mark.parametrize("text", ["", "[]", '{"right": {"x": {"collapsed": 1}}}', "[" * 200_000])
def test_what_no_audit_wrote_is_not_taken_over(read, text):
    right_predictions.CACHE.write_text(text)
    assert wrong() == {}
    assert sorted(read) == EVERY
    read.clear()
    assert wrong() == {}
    assert read == []

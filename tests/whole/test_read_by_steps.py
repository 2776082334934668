"""Files that steps hand to each other, damaged: a result, or one error that names the file."""

import io
import logging
import zipfile
from contextlib import suppress

import numpy as np
import pytest
import torch
from hand_made import write_by_hand
from hypothesis import HealthCheck, given, settings
from random_damage import EDITS, damaged
from torch_archives import with_stated_size

from lotus.engine.checkpoint import Checkpoint
from lotus.errors import LotusError
from lotus.predictions import predictions_file
from lotus.predictions.predictions_file import Split
from lotus.records.reading import read_record
from lotus.runs.originals import _settings_of
from lotus.runs.run import EpochLog
from lotus.runs.tuning import choose_best

ARRAYS = {
    "val.logits": np.zeros((4, 3), np.float32),
    "val.labels": np.array([0, 1, 2, 1]),
    "val.indices": np.array([7, 5, 3, 1]),
}
random_damage = settings(
    max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def refused(call, *args):
    with pytest.raises(LotusError) as caught:
        call(*args)
    (line,) = str(caught.value).splitlines()
    return line


# Predictions


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            {"val.logits": np.zeros((4, 3))},
            "logits are float64 [4, 3], not float32 of 2 dimensions",
        ),
        ({"val.logits": np.zeros(4, np.float32)}, "logits are float32 [4], not"),
        ({"val.labels": np.zeros(4, np.float32)}, "labels are float32 [4], not int64"),
        ({"val.labels": np.zeros((4, 1), np.int64)}, "labels are int64 [4, 1], not"),
        ({"val.labels": np.array([0, 1, 3, 1])}, "label 3 is not one of 3 classes"),
        ({"val.labels": np.array([0, 1, -1, 1])}, "label -1 is not one of 3 classes"),
        ({"val.labels": np.array([0, 1])}, "it has 2 labels but 4 logits"),
        ({"val.indices": np.array([7, 5, -3, 1])}, "-3 is not the index of an image"),
        ({"val.indices": np.array([{}, 5, 3, 1], dtype=object)}, "allow_pickle"),
        ({"val.indices": None}, "val.indices"),
        ({"more": np.zeros(1)}, "damaged"),
        (dict.fromkeys(ARRAYS), "the file has none"),
        (dict.fromkeys(ARRAYS) | {"collapsed": np.array("x")}, "the file has none"),
    ],
)
def test_predictions_that_save_does_not_write_are_refused(tmp_path, change, said):
    path = tmp_path / "p.npz"
    arrays = {key: value for key, value in (ARRAYS | change).items() if value is not None}
    np.savez(path, **arrays)
    line = refused(predictions_file.load, path)
    for part in (str(path), said, "run the workflow again"):
        assert part in line


def test_a_split_that_is_missing_is_named(tmp_path):
    np.savez(tmp_path / "p.npz", **ARRAYS)
    found = predictions_file.load(tmp_path / "p.npz")
    assert list(found) == ["val"]
    assert found.get("forget") is None
    line = refused(found.__getitem__, "forget")
    assert "p.npz: predictions have no split 'forget', only 'val'" in line


@pytest.mark.parametrize("collapsed", [np.array(3), np.array(["a", "b"])])
def test_a_reason_that_is_no_text_is_refused(tmp_path, collapsed):
    np.savez(tmp_path / "p.npz", **ARRAYS, collapsed=collapsed)
    assert "collapsed is not text" in refused(predictions_file.why_collapsed, tmp_path / "p.npz")


def header_only(shape):
    file = io.BytesIO()
    about = {"descr": "<f4", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, about)
    return file.getvalue()


@pytest.mark.parametrize(
    "content", [header_only((10**12, 3)), header_only((10**7, 3)) + bytes(10**7)]
)
def test_arrays_that_are_not_there_take_no_memory(tmp_path, content):
    path = tmp_path / "p.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("val.logits.npy", content)
    assert "states more bytes than" in refused(predictions_file.load, path)
    assert "states more bytes than" in refused(predictions_file.why_collapsed, path)


def test_a_folder_in_place_of_predictions(tmp_path):
    assert "cannot be read" in refused(predictions_file.load, tmp_path)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    path = tmp_path_factory.mktemp("whole") / "p.npz"
    split = Split(*ARRAYS.values())
    predictions_file.save(path, {"val": split, "test": split}, "why")
    return path.read_bytes()


@random_damage
@given(EDITS)
def test_damaged_predictions_are_refused_or_read(tmp_path, whole, edits):
    path = tmp_path / "p.npz"
    path.write_bytes(damaged(whole, edits))
    with suppress(LotusError):
        for split in predictions_file.load(path).values():
            assert split.labels.shape == split.indices.shape == (len(split.logits),)
    with suppress(LotusError):
        assert isinstance(predictions_file.why_collapsed(path), str)


# Records

ODD_RECORDS = [
    "",
    "[]",
    "3",
    "null",
    '{"settings": []}',
    "{",
    '{"settings": {"images": 3}}',
    "\x80",
]


@pytest.mark.parametrize(
    "text", [*ODD_RECORDS, "[" * 100_000, '{"notes": {"trials": []}, "about": 3}']
)
def test_records_that_are_none_are_refused(tmp_path, text):
    path = tmp_path / "run.json"
    path.write_text(text, encoding="latin-1")
    assert str(path) in refused(_settings_of, tmp_path)
    assert str(path) in refused(choose_best, [path], tmp_path / "out", tmp_path / "record")
    with suppress(LotusError):
        read_record(path)


@pytest.mark.parametrize(
    "trials", [[], [3], [{"given": {}}], [{"given": 3, "objective": 1}], [{"objective": 1}], None]
)
def test_trials_that_are_none_are_refused(tmp_path, trials):
    path = tmp_path / "trials.json"
    about = dict.fromkeys(("dataset", "architecture", "scenario", "row"), "a")
    write_by_hand(path, kind="tuning", about=about, notes={"trials": trials})
    line = refused(choose_best, [path], tmp_path / "out", tmp_path / "record")
    assert "not a file of `lotus tune`" in line


# Checkpoints


class Sums:
    """A training that keeps a tensor and a number."""

    def __init__(self):
        self.total, self.done = torch.zeros(3), 0

    def state_dict(self):
        return {"total": self.total, "done": self.done}

    def load_state_dict(self, state):
        self.total, self.done = state["total"] + torch.zeros(3), state["done"] + 0


@pytest.fixture
def checkpoint(tmp_path):
    return lambda: Checkpoint(tmp_path / "c.pt", "mine", 0, EpochLog("test"))


@pytest.mark.parametrize(
    "saved",
    [
        {"key": "mine"},
        {"key": "mine", "training": 3, "report": {}},
        {"key": "mine", "training": {"total": torch.zeros(2), "done": 0}, "report": {}},
        {"key": "mine", "training": {"total": torch.zeros(3), "done": 0}, "report": {}},
    ],
    ids=range(4),
)
def test_a_whole_file_that_is_no_checkpoint_is_refused(tmp_path, checkpoint, saved):
    torch.save(saved, tmp_path / "c.pt")
    line = refused(checkpoint().resume, Sums())
    assert "c.pt: is not a checkpoint of this training" in line
    assert "remove it" in line


def test_a_checkpoint_that_unpacks_to_more_than_it_is_is_not_used(tmp_path, checkpoint, caplog):
    caplog.set_level(logging.INFO)
    with zipfile.ZipFile(tmp_path / "c.pt", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("c/data.pkl", bytes(10**7))
    checkpoint().resume(Sums())
    assert "c.pt: damaged, not used: the archive states more bytes" in caplog.text


def test_a_checkpoint_that_states_another_size_of_a_part_is_not_used(tmp_path, checkpoint, caplog):
    """Torch would take whatever lies in memory for the tensor."""
    caplog.set_level(logging.INFO)
    path = tmp_path / "c.pt"
    checkpoint().offer(Sums())
    path.write_bytes(with_stated_size(path.read_bytes(), "data/0", 16))
    checkpoint().resume(Sums())
    assert "c.pt: damaged, not used: of" in caplog.text
    assert "data/0 the archive states 16 bytes, but has 12" in caplog.text


@random_damage
@given(EDITS)
def test_a_damaged_checkpoint_is_refused_or_not_used(tmp_path, checkpoint, edits):
    path, training = tmp_path / "c.pt", Sums()
    checkpoint().offer(training)
    path.write_bytes(damaged(path.read_bytes(), edits))
    with suppress(LotusError):
        checkpoint().resume(training)
        assert torch.equal(training.total, torch.zeros(3))

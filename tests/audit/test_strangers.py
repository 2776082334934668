"""Results of a stranger: what the audit opens is as large as its file, and lies in the project."""

import json
from pathlib import Path

import numpy as np
import pytest
from forged_circumstances import OF_ERRORS
from hand_made import write_by_hand

from lotus import layout
from lotus.audit.audit import audit
from lotus.audit.said_by_models import read_said
from lotus.errors import LotusError
from lotus.predictions import maps_file, predictions_file
from lotus.records.files import sha256, write_json
from lotus.records.index import read_index

STORE_FILES = ("labels.npy", "classes.json", "source.json")


@pytest.fixture
def bomb(tmp_path):
    """Arrays that are a thousand times as large as their file."""
    np.savez_compressed(tmp_path / "bomb.npz", **{"train.indices": np.zeros(5_000_000, np.int64)})
    return tmp_path / "bomb.npz"


def test_arrays_larger_than_their_file_are_not_read(bomb):
    for read in (read_said, predictions_file.load, maps_file.load):
        with pytest.raises((LotusError, ValueError), match="more bytes than the file"):
            read(bomb)


@pytest.mark.parametrize(
    ("name", "is_read"), [("own", True), ("../../../outside", False), ("link", False)]
)
def test_a_name_of_a_data_set_leads_to_no_store_outside(tmp_path, monkeypatch, name, is_read):
    """A record says of which data set a split is, and the audit looks at the parts of its store."""
    for folder in ("outside", "project/data/stores/own"):
        (tmp_path / folder).mkdir(parents=True)
        np.save(tmp_path / folder / "labels.npy", np.zeros(7, np.int64))
        (tmp_path / folder / "classes.json").write_text('["a", "b"]')
        parts = {"parts": {"train": [0, 5], "test": [5, 7]}}
        (tmp_path / folder / "source.json").write_text(json.dumps(parts))
    monkeypatch.chdir(tmp_path / "project")
    Path("data/stores/link").symlink_to(tmp_path / "outside")
    split = Path("results", Path(name).name, "splits/seed1/x.json")
    write_json(split, {"forget": [6], "retain": [0, 1, 2, 3, 4]})
    about = {"dataset": name, "seed": 1}
    for kind, place, outputs in (
        ("forget-set", layout.record_of(split), [split]),
        (
            "store",
            layout.store_record(Path(name).name),
            [Path(f"data/stores/{name}/{file}") for file in STORE_FILES],
        ),
    ):
        digests = {path.as_posix(): sha256(path) for path in outputs}
        write_by_hand(place, kind=kind, about=about, outputs=digests, code=OF_ERRORS)
    said = " ".join(it.reason for it in audit(read_index(), []).artifacts)
    assert (f"not in the train part of {name}" in said) == is_read

"""Results of a stranger: what the audit opens is as large as its file, and lies in the project."""

from pathlib import Path

import numpy as np
import pytest

from lotus.audit.contained import _ranges
from lotus.audit.said_by_models import read_said
from lotus.errors import LotusError
from lotus.predictions import maps_file, predictions_file


@pytest.fixture
def bomb(tmp_path):
    """Arrays that are a thousand times as large as their file."""
    np.savez_compressed(tmp_path / "bomb.npz", **{"train.indices": np.zeros(5_000_000, np.int64)})
    return tmp_path / "bomb.npz"


def test_arrays_larger_than_their_file_are_not_read(bomb):
    for read in (read_said, predictions_file.load, maps_file.load):
        with pytest.raises((LotusError, ValueError), match="more bytes than the file"):
            read(bomb)


@pytest.mark.parametrize("name", ["../../../outside", "link"])
def test_a_name_of_a_data_set_leads_to_no_store_outside(tmp_path, monkeypatch, name):
    """A record says of which data set a split is, and the audit looks at the parts of its store."""
    for folder in ("outside", "project/data/stores/own"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "source.json").write_text('{"parts": {"train": [0, 7]}}')
    monkeypatch.chdir(tmp_path / "project")
    Path("data/stores/link").symlink_to(tmp_path / "outside")
    assert _ranges("own") == {"train": (0, 7)}
    assert _ranges(name) == {}

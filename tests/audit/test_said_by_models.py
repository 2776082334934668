"""Files of predictions as an audit reads them."""

import zipfile

import numpy as np
import pytest

from lotus.audit import said_by_models
from lotus.audit.said_by_models import PredictionsFiles
from lotus.errors import LotusError
from lotus.predictions.predictions_file import Split, save


def predictions(path, collapsed):
    split = Split(np.eye(30, dtype=np.float32), np.arange(30), np.arange(30))
    save(path, {"forget": split, "retain": split}, collapsed)
    return str(path)


@pytest.mark.parametrize("collapsed", ["", "layer.weight has values that are not finite"])
def test_what_was_read_once_is_not_read_again(tmp_path, monkeypatch, collapsed):
    path, files = predictions(tmp_path / "p.npz", collapsed), PredictionsFiles()
    assert files.collapsed(path) == collapsed
    assert files.read(path).use.collapsed == collapsed
    monkeypatch.setattr(said_by_models, "why_collapsed", lambda path: pytest.fail("read again"))
    assert files.collapsed(path) == collapsed


def test_a_file_that_cannot_be_read_says_nothing(tmp_path):
    path, files = predictions(tmp_path / "p.npz", ""), PredictionsFiles()
    (tmp_path / "p.npz").write_bytes(b"PK")
    with pytest.raises(Exception, match="zip"):
        files.read(path)
    with pytest.raises(LotusError, match="damaged"):
        files.collapsed(path)


def test_each_file_is_held_against_a_header_that_several_have(tmp_path):
    whole, cut = tmp_path / "whole.npz", tmp_path / "cut.npz"
    predictions(whole, "")
    said_by_models.check_sizes(whole)
    with zipfile.ZipFile(whole) as source, zipfile.ZipFile(cut, "w") as target:
        for name in source.namelist():
            target.writestr(name, source.read(name)[:140])
    for _ in range(2):
        with pytest.raises(ValueError, match="more bytes than it has"):
            said_by_models.check_sizes(cut)
    said_by_models.check_sizes(whole)

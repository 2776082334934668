"""Records of an older format are read; the audit says that their code identity cannot be compared."""

import json
from pathlib import Path

import pytest
from tiny import CELL, TABLE, write_project

from lotus.audit.audit import audit
from lotus.audit.changes import OLDER_FORMAT
from lotus.records import record
from lotus.records.files import as_text
from lotus.records.index import read_index
from lotus.records.seal import sealed

RUN = Path(CELL, "lotus/run.json")


@pytest.fixture(autouse=True)
def older(tmp_path, monkeypatch):
    """A small project all of whose records are of format 2."""
    monkeypatch.chdir(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(record, "FORMAT", 2)
        write_project()
    assert json.loads(RUN.read_text())["format"] == 2


def test_what_they_state_is_stale_and_not_changed():
    found = {it.path: it for it in audit(read_index(), []).artifacts}
    for path in (TABLE, f"{CELL}/lotus/model.safetensors", f"{CELL}/lotus/predictions.npz"):
        assert (found[path].status, found[path].reason) == ("stale", f"code: {OLDER_FORMAT}")
    assert "changed" not in {it.status for it in found.values()}


def test_one_remark_says_what_can_be_done():
    count = len(read_index().records)
    (remark,) = [note for note in audit(read_index(), []).notes if "format" in note]
    assert remark.startswith(f"{count} of {count} records are of format 2")


def test_damage_is_found_in_them_all_the_same():
    content = json.loads(RUN.read_text())
    content["settings"]["hyperparameters"]["alpha"] = 3.0
    RUN.write_text(as_text(content))
    found = {it.path: it for it in audit(read_index(), []).artifacts}
    assert found[RUN.as_posix()].status == "changed"
    assert "edited" in found[RUN.as_posix()].reason


def test_a_format_of_the_future_is_not_read():
    content = json.loads(RUN.read_text()) | {"format": 4}
    RUN.write_text(as_text(sealed(content)))
    assert read_index().records[RUN.as_posix()].problem == (
        "its format is 4, but this version reads 2 and 3"
    )

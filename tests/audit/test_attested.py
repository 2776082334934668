"""Attestations in an audit: whether they hold, and what they say of results."""

import json
from pathlib import Path

import pytest
from attested import PLACE, attest_by_hand
from tiny import CELL, ROWS, write_project

from lotus import layout
from lotus.audit.audit import audit
from lotus.publish.publish import destinations
from lotus.records.attestations import OTHER
from lotus.records.files import as_text
from lotus.records.index import read_index
from lotus.records.seal import sealed

LOTUS = f"{CELL}/lotus/predictions.npz"


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    write_project()


def found():
    """Path → (status, reason) of all that is not as without attestations, and the remarks on these."""
    now = audit(read_index(), [])
    return (
        {it.path: (it.status, it.reason) for it in now.artifacts},
        [note for note in now.notes if str(layout.ATTESTATIONS) in note],
    )


def test_one_that_holds_is_verified_and_makes_nothing_stale():
    before, notes = found()
    assert notes == []
    attest_by_hand(ROWS.values())
    signature = layout.signature_of(PLACE)
    signature.write_text("signature")
    now, notes = found()
    assert now == {
        **before,
        str(PLACE): ("verified", ""),
        str(signature): ("verified", ""),
    }
    summary = "3 of 3 runs (seed 1) made again whole: 3 same bytes"
    assert notes[0] == f"{PLACE}: {summary}; signed (`lotus attest verify` checks by whom)"


def test_one_of_other_bytes_is_stale():
    attest_by_hand(ROWS.values())
    path = Path(LOTUS)
    path.write_bytes(path.read_bytes() + b"\n")
    now, _ = found()
    assert now[str(PLACE)] == ("stale", f"attests other bytes of {LOTUS} than lie here")
    assert now[LOTUS][0] == "changed"


def test_what_came_out_otherwise_is_changed_as_long_as_it_lies_there():
    attest_by_hand([ROWS["lotus"]], OTHER, "made again, it has other bytes")
    now, notes = found()
    status, reason = now[LOTUS]
    assert status == "changed"
    assert reason == f"{PLACE} says: made again, it has other bytes"
    assert now[str(PLACE)] == ("verified", "")
    assert "1 other; not signed" in notes[0]
    Path(LOTUS).unlink()
    assert found()[0][LOTUS][0] == "missing"


@pytest.mark.parametrize("edit", [lambda text: text.replace("abacus", "sextant"), lambda text: "{"])
def test_an_edited_one_is_changed(edit):
    attest_by_hand(ROWS.values())
    PLACE.write_text(edit(PLACE.read_text()))
    now, notes = found()
    assert now[str(PLACE)][0] == "changed"
    assert notes == []


def test_whatever_else_lies_beside_them_is_an_orphan():
    layout.ATTESTATIONS.mkdir()
    left = [layout.ATTESTATIONS / "note.txt", layout.signature_of(PLACE)]
    for path in left:
        path.write_text("left")
    now, _ = found()
    assert [now[str(path)] for path in left] == [("orphan", "no step writes it")] * 2


def test_the_page_that_does_not_show_it_yet_is_remarked():
    attest_by_hand(ROWS.values())
    layout.PAGE.parent.mkdir(parents=True)
    layout.PAGE.write_text("page")
    record = layout.record_of(layout.PAGE)
    content = json.loads(Path("results/records/ledger.json").read_text())
    content |= {"kind": "report", "path": str(record), "outputs": {str(layout.PAGE): "0" * 64}}
    for inputs, count in (({}, 1), ({str(PLACE): "0" * 64}, 0)):
        record.parent.mkdir(parents=True, exist_ok=True)
        record.write_text(as_text(sealed(content | {"inputs": inputs})))
        notes = found()[1]
        assert sum("which the next `snakemake` makes anew" in note for note in notes) == count


def test_they_are_shared_through_git():
    attest_by_hand(ROWS.values())
    layout.signature_of(PLACE).write_text("signature")
    assert {str(PLACE), str(layout.signature_of(PLACE))} <= {*destinations(read_index()).in_git}

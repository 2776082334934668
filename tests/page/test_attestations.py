"""Attestations on the page: what they found, whether they still hold, and none where there is none."""

import re
from pathlib import Path

import pytest
from attested import PLACE, attest_by_hand
from project import ROOT
from tiny import ROWS, write_project

from lotus import layout
from lotus.config.origins import read_origin
from lotus.page.attestations import shown_attestations, vouchers
from lotus.page.book import Book
from lotus.page.report import _rendered
from lotus.page.vouched import Vouched
from lotus.plan.making import make_plan
from lotus.plan.steps import Steps
from lotus.records.attestations import OTHER
from lotus.records.attested_words import PROVES
from lotus.records.reading import read_runs

BOOK = Book(Vouched("", [], []), with_pictures=True)


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_project()


def page():
    """The part on attestations, as text."""
    runs = read_runs([Path(folder) for folder in ROWS.values()])
    content = {"attestations": shown_attestations(runs, [])}
    template = ROOT / "report/page/attestations.html.j2"
    return " ".join(re.sub("<[^>]+>", " ", _rendered(template, content, BOOK)).split())


def test_without_any_it_says_how_to_make_one():
    text = page()
    assert text.startswith(
        "Attestations Nobody states here to have made these results again. "
        "No attestation lay beside these results when this page was made."
    )


def test_one_that_holds_is_told_with_its_chances():
    attest_by_hand(ROWS.values())
    text = page()
    assert "3 of 3 runs (seed 1) made again whole: 3 same bytes. It is not signed." in text
    assert "On abacus, Linux, models on cpu" in text
    assert "1% 1 of 3 0.000" in text
    assert "Compared 3 steps by bytes" in text
    assert PROVES["not"] in text
    assert "out of date" not in text
    layout.signature_of(PLACE).write_text("signature")
    assert "A signature lies beside it, which this page does not check." in page()


def test_differences_are_told_instead_of_chances():
    attest_by_hand([ROWS["lotus"]], OTHER, "made again, it has <other> bytes")
    text = page()
    assert "Not everything came out the same" in text
    assert "predictions.npz: made again, it has &lt;other&gt; bytes" in text
    assert "chance to miss" not in text
    assert "1% 1 of 1" not in text


def test_one_of_other_bytes_is_out_of_date():
    path = Path(ROWS["lotus"], "predictions.npz")
    before = path.read_bytes()
    path.write_bytes(b"other")
    attest_by_hand(ROWS.values())
    path.write_bytes(before)
    assert f"It is out of date : {path} had other bytes then." in page()


def test_numbers_are_told_what_was_found_of_their_runs():
    attest_by_hand([ROWS["lotus"]], OTHER, "made again, it has other bytes")
    runs = read_runs([Path(folder) for folder in ROWS.values()])
    (voucher,) = vouchers(shown_attestations(runs, []))
    assert voucher.findings == {ROWS["lotus"]: OTHER}
    assert voucher.said.startswith(f"{PLACE}: 1 of 1 run (seed 1) made again whole")
    PLACE.write_text("{}")
    assert vouchers(shown_attestations(runs, [])) == []


def test_what_is_none_is_told():
    layout.ATTESTATIONS.mkdir()
    PLACE.write_text("{}")
    assert "It cannot be trusted : not an attestation: " in page()


def test_the_step_of_the_page_reads_those_that_are_there():
    origin = read_origin(ROOT / "config/digits.yaml")
    plan = make_plan(origin.content, [origin])

    def read():
        return Steps(plan).find("write_report", {}).inputs["attestations"]

    assert read() == []
    attest_by_hand(ROWS.values())
    layout.signature_of(PLACE).write_text("signature")
    assert read() == [str(PLACE), str(layout.signature_of(PLACE))]


def test_a_page_made_again_shows_those_that_it_showed():
    other = layout.ATTESTATIONS / "2026-01-02-by-hand.json"
    for out in (PLACE, other):
        attest_by_hand([ROWS["lotus"]], out=out)
    assert [it.path for it in shown_attestations([], [])] == [str(PLACE), str(other)]
    assert [it.path for it in shown_attestations([], [], [other])] == [str(other)]

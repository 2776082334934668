"""Attestations in a crate: they come along if they hold, and say what they are about."""

import re
from pathlib import Path

import pytest
from attested import PLACE, attest_by_hand
from project_for_crates import LIMIT, ORIGINAL, RUN, edited
from run_crate import Metadata, demand_all

from lotus import layout
from lotus.crate.export import export_crate
from lotus.errors import LotusError
from lotus.records.attestations import OTHER


def test_they_are_in_the_crate_with_their_signatures(project):
    attest_by_hand([ORIGINAL, RUN])
    signature = layout.signature_of(PLACE)
    signature.write_text("signature")
    export_crate(Path("../crate"), LIMIT)
    crate = Metadata("../crate")
    demand_all(crate)
    entities = {entity["@id"]: entity for entity in crate.content["@graph"]}
    attestation = entities[str(PLACE)]
    assert attestation["about"] == {"@id": "./"}
    assert attestation["description"] == "2 of 2 runs (seed 1) made again whole: 2 same bytes"
    assert entities[str(signature)]["about"] == {"@id": str(PLACE)}
    assert crate.root["subjectOf"] == {"@id": str(PLACE)}
    assert Path("../crate", PLACE).read_bytes() == PLACE.read_bytes()


def test_one_that_found_differences_says_so(project):
    attest_by_hand([RUN], OTHER, "made again, it has other bytes")
    export_crate(Path("../crate"), LIMIT)
    entities = {entity["@id"]: entity for entity in Metadata("../crate").content["@graph"]}
    assert entities[str(PLACE)]["description"].endswith(": 1 other")


def test_one_of_other_bytes_is_refused(project):
    path = RUN / "predictions.npz"
    before = path.read_text()
    path.write_text("other")
    attest_by_hand([ORIGINAL, RUN])
    path.write_text(before)
    with pytest.raises(LotusError, match=f"{re.escape(str(path))}: has other bytes"):
        export_crate(Path("../crate"), LIMIT)
    assert not Path("../crate").exists()


def test_links_are_not_followed(project, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("secret")
    attest_by_hand([RUN])
    layout.signature_of(PLACE).symlink_to(secret)
    export_crate(Path("../crate"), LIMIT)
    assert not Path("../crate", layout.signature_of(PLACE)).exists()
    PLACE.rename(tmp_path / "elsewhere.json")
    PLACE.symlink_to(tmp_path / "elsewhere.json")
    with pytest.raises(LotusError, match=f"{PLACE}: a link, .*nothing is exported"):
        export_crate(Path("../again"), LIMIT)


def test_an_edited_one_is_refused(project):
    attest_by_hand([RUN])
    edited(PLACE, by_bytes=0, digest="0" * 64)
    with pytest.raises(LotusError, match=f"{PLACE}: .*nothing is exported"):
        export_crate(Path("../crate"), LIMIT)

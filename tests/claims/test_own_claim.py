"""docs/own-claim.md, done word by word, in a copy of a finished experiment."""

import json
import re

import pytest
from project import ROOT

from lotus.claims.stated import KINDS, Claim, load_claims

PAGE = (ROOT / "docs/own-claim.md").read_text()
(ENTRY,) = re.findall(r"^```yaml\n(.+?)^```", PAGE, re.M | re.S)
NAME = "keeps-what-is-kept"


@pytest.fixture
def project(extended):
    """The finished experiment with the page's claim, judged and reported."""
    folder, _ = extended
    return folder


def test_nothing_but_verdicts_and_report_is_made_for_it(extended):
    _, noted = extended
    assert noted["claim"].keys() == {"judge_claims", "write_report", "seal_records", "all"}


def test_it_is_judged_on_what_was_run(project):
    claims = json.loads((project / "results/claims.json").read_text())["claims"]
    (claim,) = [claim for claim in claims if claim["id"] == NAME]
    assert [found["id"] for found in claims][-1] == NAME
    verdicts = {
        ruling["verdict"] for ruling in claim["rulings"] if ruling["protocol"] == "corrected"
    }
    assert verdicts & {"holds", "refuted", "cannot be told from these runs"}


def test_it_stands_in_the_report_with_its_verdict(project):
    page = (project / "results/report/index.html").read_text()
    assert "LoTUS keeps what is to be kept" in page
    assert "Five points are our margin." in page
    assert NAME in (project / "results/timings/claims.csv").read_text()


def test_the_page_names_all_keys_and_all_rules(tmp_path):
    keys = {
        key for line in re.findall(r"^\| (`.+?) \|", PAGE, re.M) for key in re.findall(r"\w+", line)
    }
    assert {*Claim.model_fields} - {"rule"} <= keys
    rules = re.findall(r"^\| `\{kind: (\w+), (.+?)\}`", PAGE, re.M)
    assert {kind for kind, _ in rules} == {*KINDS}
    for kind, given in rules:
        named = {*re.findall(r"(\w+): ", given)}
        assert named <= {*KINDS[kind].model_fields}
    (tmp_path / "claims.yaml").write_text(ENTRY)
    assert [claim.id for claim in load_claims(tmp_path / "claims.yaml")] == [NAME]

"""Claims as they are written down, and what a mistake in them is answered with."""

import pytest
import yaml
from project import ROOT

from lotus.claims.stated import KINDS, _as_tuple, load_claims
from lotus.errors import LotusError
from lotus.figures.registry import FIGURES
from lotus.tables.registry import PAPER_TABLES


def test_claims_of_the_paper(claims):
    config = yaml.safe_load((ROOT / "config" / "paper.yaml").read_text())
    rows = {*config["methods"], "gold", "original"}
    assert len(claims) >= 20
    known = {*PAPER_TABLES.names, *(spec.item for spec in FIGURES.specs.values())}
    for claim in claims.values():
        rule = claim.rule.model_dump()
        named = [name for key in ("row", "among") for name in _as_tuple(rule.get(key, ()))]
        assert {*named} <= rows, claim.id
        assert {*claim.items} <= known, claim.id
        assert claim.words().endswith(".")
    assert {claim.rule.kind for claim in claims.values()} == set(KINDS)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"ruel": {}}, "claim it: ruel: unknown key; did you mean 'rule'?"),
        ({"says": None}, "claim it: says = None: must be a valid string"),
        ({"rule": {"kind": "bset"}}, "claim it: rule.kind = 'bset': did you mean 'best'?"),
        ({"rule": {"kind": "best"}}, "claim it: rule.metric: is required"),
        ({"rule": {"kind": "best", "metric": "gap"}}, "rule.metric = 'gap': unknown metric"),
        (
            {"rule": {"kind": "best", "metric": "jsd", "rnak": 2}},
            "rule.rnak: unknown key; did you mean 'rank'?",
        ),
        ({"places": ["cifar10"]}, "accepted: DATASET/ARCHITECTURE/SCENARIO"),
        ({"where": "here"}, "where = 'here': must be 'every' or 'some'"),
        (
            {"rule": {"kind": "within", "row": "a", "than": "b", "metric": "jsd"}},
            "claim it: rule: accepted: either margin or factor",
        ),
    ],
)
def test_a_mistaken_claim_is_told_in_one_line(tmp_path, change, said):
    good = {"id": "it", "says": "So.", "source": "here", "items": ["table1"]}
    good |= {"rule": {"kind": "best", "metric": "jsd"}}
    path = tmp_path / "claims.yaml"
    path.write_text(yaml.safe_dump([{**good, **change}]))
    with pytest.raises(LotusError) as error:
        load_claims(path)
    assert str(error.value).startswith(f"{path}: ")
    assert said in str(error.value)
    assert "\n" not in str(error.value)


def test_claims_have_names_of_their_own(tmp_path):
    good = {"id": "it", "says": "So.", "source": "here", "items": ["table1"]}
    good |= {"rule": {"kind": "best", "metric": "jsd"}}
    path = tmp_path / "claims.yaml"
    path.write_text(yaml.safe_dump([good, good]))
    with pytest.raises(LotusError, match="claim it: two claims have this id"):
        load_claims(path)
    path.write_text("claims: {}")
    with pytest.raises(LotusError, match="accepted: a list of claims"):
        load_claims(path)
    with pytest.raises(LotusError, match="cannot be read"):
        load_claims(tmp_path / "none.yaml")

"""The published numbers and the claims about them."""

import pytest
from project import ROOT

from lotus.claims.stated import load_claims
from lotus.published.numbers import load_published


@pytest.fixture(scope="session")
def published():
    return load_published(ROOT / "report" / "published")


@pytest.fixture(scope="session")
def claims():
    return {claim.id: claim for claim in load_claims(ROOT / "report" / "claims.yaml")}

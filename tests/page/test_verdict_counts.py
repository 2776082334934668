"""Verdicts are counted for the first screen, each once."""

import pytest

from lotus.claims.judging import FAILS, HOLDS, NOT_RUN, OPEN
from lotus.page.verdict_counts import headline, verdict_counts


def claim(name, printed, *rulings):
    return {
        "id": name,
        "says": f"Says {name}.",
        "printed": {"verdict": printed},
        "rulings": [
            {"scope": s, "protocol": p, "verdict": v, "why": "why", "data": ["MNIST", "SVHN"]}
            for s, p, v in rulings
        ],
    }


CLAIMS = {
    "claims": [
        claim("a", HOLDS, ("paper", "released", HOLDS), ("other", "corrected", OPEN)),
        claim("b", "not printed", ("paper", "corrected", NOT_RUN), ("other", "corrected", OPEN)),
        claim("c", FAILS, ("other", "corrected", FAILS), ("other", "released", HOLDS)),
    ]
}


def test_every_ruling_that_ran_is_in_one_count():
    held, failed, told = verdict_counts(CLAIMS)
    assert [each.count for each in (held, failed, told)] == [2, 1, 2]
    assert held.by_protocol == {"released": 2}
    assert told.by_protocol == {"corrected": 2}
    assert [each.anchor for each in held.claims] == ["claim-a", "claim-c"]
    assert [each.anchor for each in held.printed] == ["claim-a"]
    assert [each.anchor for each in failed.printed] == ["claim-c"]
    assert [each.where for each in held.claims[0].rulings] == ["the paper's benchmarks"]
    assert [each.where for each in told.claims[1].rulings] == ["MNIST and SVHN"]


@pytest.mark.parametrize(
    ("verdicts", "said"),
    [
        ([], "concern none of the paper's claims."),
        ([NOT_RUN], "concern none of the paper's claims."),
        ([OPEN], "settle none of 1 verdict on the paper's claims."),
        ([HOLDS, OPEN], "settle 1 of 2 verdicts on the paper's claims: 1 holds and 0 do not hold."),
        (
            [FAILS, HOLDS, HOLDS],
            "3 of 3 verdicts on the paper's claims: 2 hold and 1 does not hold.",
        ),
    ],
)
def test_the_headline_says_no_more_than_what_is_settled(verdicts, said):
    claims = [claim(str(n), HOLDS, ("other", "corrected", v)) for n, v in enumerate(verdicts)]
    assert headline(verdict_counts({"claims": claims})).endswith(said)

"""Verdicts are counted for the first screen, each once."""

import json

import pytest
from metrics_files import measured_of, scores

from lotus.claims.judging import FAILS, HOLDS, NOT_RUN, OPEN
from lotus.page.headline import Floors, count_floors, headline
from lotus.page.power_part import PowerPart
from lotus.page.verdict_counts import verdict_counts

NEEDED = [
    {"kind": "measure", "words": "no number of seeds"},
    {"kind": "seeds", "words": "12 seeds"},
]


def claim(name, printed, *rulings):
    return {
        "id": name,
        "says": f"Says {name}.",
        "printed": {"verdict": printed},
        "rulings": [
            {"scope": s, "protocol": p, "verdict": v, "why": "why", "data": ["MNIST", "SVHN"]}
            | {"would_tell": NEEDED if v == OPEN and p == "corrected" else [], "findings": []}
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
    held, failed, told = verdict_counts(CLAIMS, PowerPart())
    assert [each.count for each in (held, failed, told)] == [2, 1, 2]
    assert held.by_protocol == {"released": 2}
    assert told.by_protocol == {"corrected": 2}
    (group,) = held.groups
    assert [each.anchor for each in group.claims] == ["claim-a", "claim-c"]
    assert group.would_tell == ""
    assert [each.anchor for each in held.printed] == ["claim-a"]
    assert [each.anchor for each in failed.printed] == ["claim-c"]
    assert [each.where for each in group.claims[0].rulings] == ["the paper's benchmarks"]
    assert [each.said for each in group.claims[0].rulings] == ["why"]


def test_what_cannot_be_told_stands_below_what_would_tell_it_first():
    other = claim("d", HOLDS, ("other", "released", OPEN))
    *_, told = verdict_counts({"claims": [*CLAIMS["claims"], other]}, PowerPart())
    assert [(each.would_tell, each.count) for each in told.groups] == [
        ("", 1),
        ("stronger measure", 2),
    ]
    (ruling,) = told.groups[1].claims[1].rulings
    assert (ruling.where, ruling.said) == ("MNIST and SVHN", "no number of seeds; 12 seeds.")


class Blind(PowerPart):
    """As if every measure of a `corrected` verdict could tell nothing."""

    def in_short(self, ruling):
        return "It cannot tell." if ruling["protocol"] == "corrected" else ""


def test_a_measure_that_cannot_tell_is_named_in_the_counts():
    held, _, told = verdict_counts(CLAIMS, Blind())
    assert [each.rulings[0].blind for each in held.groups[0].claims] == ["", ""]
    assert [it.blind for each in told.groups[0].claims for it in each.rulings] == [
        "It cannot tell."
    ] * 2


@pytest.mark.parametrize(
    ("verdicts", "said"),
    [
        ([], "These runs concern none of the paper's claims."),
        ([NOT_RUN], "These runs concern none of the paper's claims."),
        ([OPEN], "None of 1 verdict on the paper's claims is settled."),
        ([HOLDS, OPEN], "1 of 2 verdicts on the paper's claims are settled: 1 holds, 0 do not."),
        (
            [FAILS, HOLDS, HOLDS],
            "3 of 3 verdicts on the paper's claims are settled: 2 hold, 1 does not.",
        ),
    ],
)
def test_the_headline_says_no_more_than_what_is_settled(verdicts, said):
    claims = [claim(str(n), HOLDS, ("other", "corrected", v)) for n, v in enumerate(verdicts)]
    found = headline([Floors("Avg Gap", 0, 0)], verdict_counts({"claims": claims}, PowerPart()))
    assert found.endswith(said)
    assert "farther" not in found


def cell_of(path, floor):
    """A cell whose only further gold is so far from gold by Avg Gap and JSD; None for no further gold."""
    content = json.loads(path.read_text())
    if floor is not None:
        again = scores(0.9, 1.0, 0.8, 0.7, avg_gap=floor[0], jsd=floor[1])
        content["golds"] = {"gold-again-1": again}
        content["rows"]["gold-again"] = again
        path.write_text(json.dumps(content))
    return measured_of([path])


@pytest.fixture
def cells(write_metrics):
    """Three cells in which LoTUS is as far from gold; of the first no floor is known."""
    lotus = scores(0.9, 1.0, 0.8, 0.7, avg_gap=0.05, jsd=0.1)
    floors = {"instance-10": None, "instance-20": (0.06, 0.11), "instance-30": (0.04, 0.12)}
    return [
        cell_of(write_metrics("corrected", 1, about={"scenario": name}, lotus=lotus), floor)
        for name, floor in floors.items()
    ]


def test_floors_are_counted_measure_by_measure(cells):
    found = [[(each.known, each.above) for each in count_floors([cell])] for cell in cells]
    assert found == [[(0, 0), (0, 0)], [(1, 1), (1, 1)], [(1, 0), (1, 1)]]
    assert [each.measure for each in count_floors(cells)] == ["Avg Gap", "JSD"]


def test_the_headline_names_the_measure_that_cannot_rank(cells):
    counts = verdict_counts({"claims": []}, PowerPart())
    assert headline(count_floors(cells), counts).startswith(
        "By Avg Gap (in 1 of 2 comparisons) and JSD (in 2 of 2 comparisons) the best methods are no "
        "farther from gold than another gold, and have no rank there; these runs"
    )
    assert headline(count_floors(cells[2:]), counts).startswith(
        "By Avg Gap every method is farther from gold than another gold (1 comparison); by JSD the best "
        "methods are no farther from gold than another gold (in 1 of 1 comparison), and have no rank there;"
    )


def test_the_headline_says_once_what_both_measures_say(cells):
    both = headline(count_floors(cells[1:2]), verdict_counts({"claims": []}, PowerPart()))
    assert both.startswith("By Avg Gap and JSD the best methods are no farther from gold")
    farther = [Floors("Avg Gap", 2, 0), Floors("JSD", 2, 0)]
    assert headline(farther, verdict_counts({"claims": []}, PowerPart())).startswith(
        "By Avg Gap and JSD every method is farther from gold than another gold (2 comparisons);"
    )

"""Where the floor lies above the best method, the measure is said not to rank the best."""

import json

import pytest
from metrics_files import scores

from lotus.results.conventions import form_of, protocol_of
from lotus.results.metrics import load_metrics, summarise
from lotus.tables.floor_sentences import floor_sentences

ROWS = {"lotus": 0.1, "scrub": 0.2, "ssd": 0.3}


@pytest.mark.parametrize(
    ("floor", "said"),
    [
        (0.05, "JSD: another gold is 0.050 from gold; every method is farther."),
        (
            0.15,
            "JSD cannot rank the best here: another gold is 0.150 from gold, and LoTUS is not farther: by "
            "this measure it cannot be told from retraining. A method that is clearly farther may "
            "still be told from it.",
        ),
        (
            0.25,
            "JSD cannot rank the best here: another gold is 0.250 from gold, and LoTUS and SCRUB are not "
            "farther. They have no rank against each other; a method that is clearly farther may still be "
            "told from them.",
        ),
        (0.3, "JSD cannot rank here: another gold is 0.300 from gold, and no method is farther."),
    ],
)
def test_a_measure_that_cannot_rank_the_best_is_said_not_to(write_metrics, floor, said):
    rows = {
        row: scores(0.9, 1.0, 0.8, 0.7, avg_gap=0.1, jsd=distance) for row, distance in ROWS.items()
    }
    path = write_metrics("corrected", 1, **rows)
    again = scores(0.9, 1.0, 0.8, 0.7, avg_gap=0.01, jsd=floor)
    content = json.loads(path.read_text())
    content["golds"] = {"gold-again-1": again}
    content["rows"]["gold-again"] = again
    path.write_text(json.dumps(content))
    frame = load_metrics([path])
    form = form_of("jsd", protocol_of(frame), frame)
    assert floor_sentences(summarise(frame), [form]) == [said]

"""Times, what switches cost, and the register of switches on the page."""

import pytest
from hand_made import write_by_hand
from metrics_files import PLACE, experiment_of

from lotus.config.register import REGISTER
from lotus.page.ablation import ablation_part, register
from lotus.page.change_ways import ChangeWays
from lotus.results.metrics import load_metrics
from lotus.tables.times import times


def test_matrix_of_costs(ablated):
    found = ablation_part(ChangeWays(experiment_of(), ablated))
    (gaps,), (retained,) = found.gaps, found.retained
    assert [switch for switch, _ in gaps.heads] == ["M1", "E3", "E6"]
    assert [switch for switch, _ in retained.heads] == ["M1"]
    cell = dict(gaps.rows)["SCRUB"][0]
    assert (cell.text, cell.kind) == ("+0.020", "worse")
    assert "from 0.150 to 0.170, 2 seeds" in cell.title
    assert dict(gaps.rows)["Original (nothing done)"][0].text == ""


def test_register_says_what_has_no_effect(write_metrics):
    described = {
        "settings": {
            "datasets": {"data": {"augmentation": {"crop_padding": 0, "horizontal_flip": False}}},
            "architectures": {"resnet18": {"model": "resnet18"}},
        },
        "benchmarks": [
            {
                "protocol": name,
                "training": {"patience": None},
                "methods": {"my-scrub": {"method": "scrub"}},
            }
            for name in ("corrected", "released")
        ],
        "ablations": [PLACE | {"study": "", "protocol": "corrected+m1"}],
    }
    frame = load_metrics([write_metrics("corrected", 1), write_metrics("released", 1)])
    here = {line[0]: line[3] for line in register(described, frame)}
    assert list(here) == list(REGISTER)
    for switch in ("T1", "E2", "E5", "R2", "M2"):
        assert here[switch].startswith("no effect here"), switch
    assert here["M1"] == here["E3"] == "tried alone"
    assert here["E1"] == here["T2"] == "part of released only"
    described["benchmarks"][0]["training"]["patience"] = 5
    described["settings"]["datasets"]["data"]["augmentation"]["crop_padding"] = 4
    here = {line[0]: line[3] for line in register(described, frame)}
    assert here["T1"] == here["E2"] == "part of released only"
    described["benchmarks"][1]["protocol"] = "released-e1"
    here = {line[0]: line[3] for line in register(described, frame)}
    assert here["E1"] == "off in this report"
    assert here["T1"] == "part of released-e1 only"
    del described["benchmarks"][1]
    here = {line[0]: line[3] for line in register(described, frame)}
    assert here["T1"] == here["E1"] == "off in this report"


@pytest.fixture
def record(tmp_path):
    """Writes a run's record and returns its path."""

    def record(row, seed, seconds, protocol="corrected", **notes):
        about = PLACE | {"row": row, "seed": seed, "protocol": protocol}
        path = tmp_path / f"{protocol}-{row}-{seed}.json"
        return write_by_hand(path, about=about, time=seconds, notes=notes)

    return record


def test_times_with_preparation_and_published_minutes(record):
    files = [
        record("gold", 1, {"train": 60.0}),
        record("salun", 1, {"unlearn": 30.0, "method_prepare": 3.0}, minutes_released_r1=3.5),
        record("salun", 2, {"unlearn": 30.0, "method_prepare": 5.0}, minutes_released_r1=5.5),
        record("scrub", 1, {"unlearn": 30.0, "method_prepare": 6.0}),
    ]
    numbers = times(files)[0].set_index("row")
    assert numbers.loc["gold", "seconds"] == 60
    assert numbers.loc["gold", "minutes_released_r1"] == 1
    assert numbers.loc["salun", "seconds"] == 34
    assert numbers.loc["salun", "prepare_seconds"] == 4
    assert numbers.loc["salun", "minutes_released_r1"] == 4.5
    assert numbers.loc["scrub", "minutes_released_r1"] == pytest.approx(0.6)
    assert list(numbers["n"]) == [1, 2, 1]


def test_times_keep_protocols_apart(record):
    files = [
        record("scrub", 1, {"unlearn": 1.0}),
        record("scrub", 1, {"unlearn": 3.0}, protocol="released"),
    ]
    numbers = times(files)[0].set_index("protocol")
    assert numbers["seconds"].to_dict() == {"corrected": 1.0, "released": 3.0}

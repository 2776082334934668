"""What an audit says of records of tuning, beside the values and objectives that a configuration states."""

import pytest
from hand_made import write_by_hand
from small_configuration import CELL, plan_of

from lotus import layout
from lotus.audit.tuned import remarks_on_tuning
from lotus.plan.candidates import candidates
from lotus.records.index import read_index

SEEDS = (101, 102, 103)
SPACE = {"lr": [0.1, 0.2], "class_impair_lr": [0.3, 0.4]}
WHERE = {"scenario": "class-trouser", "protocol": "corrected"}
CHOSEN = {"objective": 0.2, "spread": 0.1, "seeds": 3, "candidates": 2}


@pytest.fixture
def remarks(content, block, tmp_path, monkeypatch):
    """Objectives of the two candidates by seed, what is stated → the remarks."""
    monkeypatch.chdir(tmp_path)

    def make(objectives, values, tuned=CHOSEN, change=lambda tried: tried):
        content["grid"] = [block(methods=["unsir"])]
        content["tuning"] = {"budget": 2, "seeds": [*SEEDS], "spaces": {"unsir": SPACE}}
        stated = {"where": WHERE, "methods": {"unsir": values}}
        content["overrides"] = [stated | ({"tuned": {"unsir": tuned}} if tuned else {})]
        plan = plan_of(content)
        files = []
        for seed, of in zip(SEEDS, objectives, strict=False):
            given = change(candidates(plan, CELL, "unsir"))
            tried = [{"given": g, "objective": o} for g, o in zip(given, of, strict=True)]
            place = layout.trials_file(CELL, seed, "unsir")
            about = {**CELL.labels, "seed": seed, "row": "unsir"}
            files.append(write_by_hand(place, kind="trials", about=about, notes={"trials": tried}))
        return " ".join(remarks_on_tuning(plan, read_index(files)))

    return make


# The second is worst of two seeds, and best in the mean.
FOUND = [[0.1, 0.2], [0.1, 0.2], [0.7, 0.2]]


def test_values_and_objective_that_tuning_found_leave_no_remark(remarks):
    assert remarks(FOUND, {"class_impair_lr": 0.4}) == ""
    assert remarks(FOUND, {"class_impair_lr": 0.4}, tuned=None) == ""
    # The rate of instances plays no part where a class is forgotten.
    assert remarks(FOUND, {"class_impair_lr": 0.4, "lr": 7.0}) == ""


def test_other_values_objectives_seeds_and_candidates_leave_one(remarks):
    assert "chosen was lr 0.1, class_impair_lr 0.4, stated is" in remarks(
        FOUND, {"class_impair_lr": 0.3}
    )
    assert "its mean objective was 0.2000, stated is 0.1900" in remarks(
        FOUND, {"class_impair_lr": 0.4}, tuned=CHOSEN | {"objective": 0.19}
    )
    assert "seed101/class-trouser/unsir.json is there, other tuning seeds are not" in remarks(
        FOUND[:2], {"class_impair_lr": 0.4}
    )


def test_candidates_that_come_to_the_same_model_are_not_what_is_declared(remarks):
    """Twice the same, but for the rate of instances."""

    def same(tried):
        return [tried[1], tried[1] | {"lr": 0.2}]

    assert "did not try the 2 candidates of the declared space" in remarks(
        FOUND, {"class_impair_lr": 0.4}, change=same
    )


def test_values_without_records_are_said_to_be_unrecorded(remarks):
    assert "no record of tuning says" in remarks([], {"class_impair_lr": 0.4})

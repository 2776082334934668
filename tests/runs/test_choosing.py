"""What `lotus choose` writes of records of tuning, and what a configuration reads of it."""

import re

import pytest
import yaml
from hand_made import write_by_hand

from lotus.config.overrides import Override
from lotus.errors import LotusError
from lotus.runs.tuning import choose_best

PLACE = {"dataset": "digits", "architecture": "resnet18", "scenario": "instance-10"}
SEEDS = (101, 102, 103)


@pytest.fixture
def chosen(tmp_path):
    """Row → candidates' objectives by seed → the overrides that are written, and their text."""

    def make(rows, given=lambda number: {"lr": 10.0**-number, "epochs": 2}):
        files = []
        for row, of_seeds in rows.items():
            for seed, objectives in zip(SEEDS, of_seeds, strict=False):
                tried = [
                    {"given": given(number), "objective": objective}
                    for number, objective in enumerate(objectives)
                ]
                path = tmp_path / f"{row}-{seed}.json"
                about = {**PLACE, "row": row, "seed": seed}
                files.append(
                    write_by_hand(path, kind="trials", about=about, notes={"trials": tried})
                )
        out = tmp_path / "overrides.yaml"
        choose_best(files, out, tmp_path / "record.json")
        text = out.read_text()
        (block,) = yaml.safe_load(text)
        return Override(**block), text

    return make


def test_the_candidate_of_the_lowest_mean_is_chosen_and_its_spread_is_said(chosen):
    # The first is best of two seeds, and worst in the mean.
    found, text = chosen({"finetune": [[0.01, 0.10], [0.01, 0.12], [0.61, 0.17]]})
    assert found.methods == {"finetune": {"lr": 0.1}}
    stated = found.tuned["finetune"]
    assert (stated.objective, stated.seeds, stated.candidates) == (0.13, 3, 2)
    # Deviations −.03, −.01 and .04 of a mean of .13.
    assert stated.spread == pytest.approx((0.0026 / 2) ** 0.5, abs=5e-5)
    assert found.where.protocol == "corrected"
    assert re.search(r"finetune: {lr: 0.1} # worst of 2: 0.210$", text, re.M)


def test_one_seed_has_no_spread(chosen):
    found, _ = chosen({"finetune": [[0.2, 0.1]], "ssd": [[0.3, 0.4]]})
    assert {row: of.spread for row, of in found.tuned.items()} == {"finetune": None, "ssd": None}
    assert found.methods["ssd"] == {"lr": 1.0}


def test_seeds_with_other_candidates_are_refused(chosen):
    with pytest.raises(LotusError, match="the seeds tried different candidates"):
        chosen({"ssd": [[0.3, 0.4], [0.3, 0.4, 0.5]]})

"""Forget sets by losses and look-alikes, as steps: what they read, and that all seeds share them."""

import json
from pathlib import Path

import pytest
from project import ROOT

from lotus.layout import hashes_file, losses_file
from lotus.plan.declared import declared
from lotus.plan.report_steps import recorded_outputs
from lotus.plan.rows import further_golds
from lotus.plan.steps import Steps

LOSSES = losses_file("fashion-mini", "resnet18").as_posix()
HASHES = hashes_file("fashion-mini").as_posix()


@pytest.fixture(scope="module")
def steps():
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        found = Steps(declared([Path("config/fashion-forget-sets.yaml")], {}).plan)
        list(found)
        yield found


def test_images_are_ranked_and_hashed_once(steps):
    (ranked,) = steps.of_kind("rank_images").values()
    (hashed,) = steps.of_kind("hash_images").values()
    assert (ranked.outputs["losses"], hashed.outputs["hashes"]) == (LOSSES, HASHES)
    assert ranked.by_default
    assert ranked.records[0].settings["architecture"] == json.loads(ranked.told["architecture"])
    assert "seed" not in ranked.subject


def test_each_rule_reads_what_it_goes_by_and_its_record_is_to_say_so(steps):
    reads = {"hardest": [LOSSES], "easiest": [LOSSES], "duplicates": [HASHES], "random": []}
    scenarios = {f"instance-10-{rule}": known for rule, known in reads.items()} | {
        "instance-10": []
    }
    for step in steps.of_kind("choose_forget_set").values():
        known = scenarios[step.subject["scenario"]]
        assert step.inputs["known"] == known
        assert step.told["known"] == (["--known", *known] if known else [])
        (record,) = step.records
        assert {*record.inputs} & {LOSSES, HASHES} == {*known}
        ranked_by = "resnet18" if known == [LOSSES] else None
        assert record.settings.get("ranked_by") == ranked_by
        assert json.loads(step.told["scenario"]).get("ranked_by") == ranked_by


def test_golds_of_other_seeds_are_the_floor_of_all_but_drawn_sets(steps):
    plan = steps.plan
    for cell in plan.cells:
        others = [name for name in further_golds(plan, cell, 13) if name.startswith("gold-of")]
        assert bool(others) == (cell.scenario != "instance-10-random")


def test_the_table_compares_the_cells_of_one_share(steps):
    (made,) = [it for it in steps.contents.tables if it.kind == "forget-sets"]
    assert sum("metrics" in path for path in made.sources) == 5 * 3
    assert sum("/splits/" in path for path in made.sources) == 5
    assert "results/tables/forget-sets.csv" in recorded_outputs(steps.contents)
    plain = Steps(declared([ROOT / "config/fashion-mini.yaml"], {}).plan)
    assert not [it for it in plain.contents.tables if it.kind == "forget-sets"]
    assert not plain.of_kind("rank_images")


def test_the_architecture_that_ranks_can_be_named():
    given = {"scenarios": {"instance-10-hardest": {"ranked_by": "vit"}}}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        steps = Steps(declared([Path("config/fashion-forget-sets.yaml")], given).plan)
    architectures = {subject["architecture"] for subject in
                     (it.subject for it in steps.of_kind("rank_images").values())}  # fmt: skip
    assert architectures == {"resnet18", "vit"}

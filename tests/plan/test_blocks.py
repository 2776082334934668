"""Blocks of the grid: seeds, rows, studies, with or without gold."""

from dataclasses import replace

import pytest
from small_configuration import CELL, RELEASED, plan_of

from lotus import layout
from lotus.config.cells import Benchmark
from lotus.plan.description import description, part_counts, summary
from lotus.plan.rows import explained_runs


def test_parts_are_the_tables_of_blocks_and_each_architecture_on_each_data_set(content):
    content["grid"][0]["tables"] = ["table1", "table5"]
    content["grid"][2]["tables"] = ["table1"]
    plan = plan_of(content)
    assert list(plan.parts) == [
        "table1", "table5", "resnet18-fashion-mini", "vit-fashion-mini"
    ]  # fmt: skip
    assert len(plan.parts["table5"]) == 4
    assert set(plan.parts["table1"]) - set(plan.parts["table5"]) == set(
        plan.parts["vit-fashion-mini"]
    )
    told = dict(line.split() for line in part_counts(plan).splitlines()[1:])
    assert f"({plan.count_runs()} in all" in part_counts(plan)
    # The transformer: original, gold, another gold and ten methods of two seeds.
    assert int(told["vit-fashion-mini"]) == 26
    assert int(told["table1"]) == int(told["table5"]) + 26


def test_a_block_may_take_some_of_the_seeds(content):
    plan = plan_of(content)
    base = Benchmark("fashion-mini", "resnet18", "instance-10")
    assert plan.seeds_of(base) == (3407, 13, 12)
    assert plan.seeds_of(base.under("corrected+m1")) == (3407, 13)
    content["grid"] = [
        {**content["grid"][0], "protocols": ["corrected+e4"], "seeds": [12]},
        {**content["grid"][0], "protocols": ["corrected"], "seeds": [13]},
    ]
    # The corrected metrics serve E4 too.
    assert plan_of(content).seeds_of(base) == (13, 12)


def test_few_of_many_methods_are_explained_side_by_side(content):
    content["methods"]["lotus-again"] = {"method": "lotus"}
    content["grid"][0]["methods"] = [*content["methods"]]
    plan = plan_of(content)
    cell = Benchmark("fashion-mini", "resnet18", "class-trouser", "released")
    chosen = explained_runs(plan, cell, 13)
    methods = ["lotus", "random-labeling", "finetune", "bad-teacher"]
    assert list(chosen) == ["original", "gold", *methods]
    assert chosen.items() <= plan.run_folders(cell, 13).items()
    content["grid"][0]["methods"] = ["ssd", "scrub", "lotus"]
    assert list(explained_runs(plan_of(content), cell, 13)) == [
        *("original", "gold", "lotus", "scrub", "ssd")
    ]


def test_a_block_without_gold_has_no_gold_runs(content, block):
    content["grid"] = [block(gold=False)]
    plan = plan_of(content)
    assert not plan.has_gold(CELL)
    assert list(plan.run_folders(CELL, 13)) == ["original", *content["methods"]]
    assert plan.rows == ("original", *content["methods"])
    assert f"{CELL.name}: no gold model\n" in summary(plan)
    assert plan.count_runs() == 3 * (1 + 2 * len(content["methods"]))


def test_where_blocks_meet_one_that_wants_gold_is_enough(content, block):
    content["grid"] = [block(gold=False), block(protocols=["corrected"], study="extra")]
    plan = plan_of(content)
    assert [plan.has_gold(cell) for cell in plan.cells] == [True, False, True]
    assert "gold" in plan.run_folders(CELL, 13)
    assert plan.rows[:2] == ("original", "gold")


@pytest.mark.parametrize("gold", [True, False])
def test_single_switches_have_the_gold_model_of_their_base(content, block, gold):
    # E4 needs no metrics of its own: it must not bring a gold model to those of its base.
    single = block(protocols=["corrected+m1", "corrected+e4"], gold=not gold)
    content["grid"] = [block(gold=gold), single]
    plan = plan_of(content)
    assert {plan.has_gold(cell) for cell in plan.cells} == {gold}
    assert plan.measured(CELL.under("corrected+e4")) == CELL


def test_a_block_may_take_some_of_the_rows(content, block):
    content["grid"] = [
        block(methods=["scrub", "lotus"]),
        block(protocols=["released"], methods=["finetune"], seeds=[13]),
        block(protocols=["corrected+e1"]),
    ]
    plan = plan_of(content)
    assert plan.rows_of(CELL) == ("lotus", "scrub")
    assert plan.rows_of(RELEASED) == ("lotus", "finetune", "scrub")
    assert plan.seeds_of(RELEASED) == (3407, 13, 12)
    # Single switches are compared with their base: they have no other rows.
    assert plan.rows_of(CELL.under("corrected+e1")) == ("lotus", "scrub")
    assert f"{CELL.name}: lotus, scrub\n" in summary(plan)


def test_a_study_shares_the_runs_and_nothing_else(content, block):
    content["grid"] = [
        block(methods=["lotus"]),
        block(methods=["lotus"], study="share", seeds=[13]),
        block(methods=["finetune"], study="share", seeds=[12], protocols=["corrected"]),
        block(methods=["scrub"], study="other"),
        block(protocols=["corrected+e1"], study="share"),
    ]
    plan = plan_of(content)
    study = replace(CELL, study="share")
    assert plan.cells[0] == CELL
    assert study in plan.benchmarks
    assert study.name == f"{CELL.name}-share"
    assert plan.rows_of(study) == ("lotus", "finetune")
    assert plan.seeds_of(study) == (13, 12)
    assert plan.seeds_of(CELL) == (3407, 13, 12)
    for row in ("original", "gold", "lotus"):
        assert plan.run_folders(study, 13)[row] == plan.run_folders(CELL, 13)[row]
    single = study.under("corrected+e1")
    assert plan.ablations == (single,)
    assert plan.rows_of(single) == plan.rows_of(study)
    assert layout.metrics_file(study, 13) == layout.metrics_file(CELL, 13).with_name(
        "metrics-share.json"
    )
    described = {cell["study"] for cell in description(plan)["benchmarks"]}
    assert described == {"", "share", "other"}

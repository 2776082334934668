"""What is tuned, for which rows, and what is tried."""

import json

from small_configuration import CELL, plan_of

from lotus.plan.candidates import candidates, tuned_cells, tuned_rows


def test_a_benchmark_is_tuned_once_for_the_rows_that_it_has(content, block):
    content["grid"] = [
        block(methods=["lotus"]),
        block(methods=["lotus", "finetune"], study="share"),
    ]
    plan = plan_of(content)
    assert tuned_cells(plan) == (CELL,)
    assert set(tuned_rows(plan, CELL)) == {"lotus", "finetune"}


def test_candidates_come_from_the_space_and_keep_the_budget(content):
    plan = plan_of(content)
    tuning = plan.settings.tuning
    for cell in tuned_cells(plan):
        for row, space in tuning.spaces.items():
            tried = candidates(plan, cell, row)
            assert 1 < len(tried) <= tuning.budget
            assert len({json.dumps(c) for c in tried}) == len(tried)
            for key, values in space.items():
                assert {c[key] for c in tried} <= {float(value) for value in values}
            assert tried == candidates(plan, cell, row)
    assert {*tuning.spaces} == {*content["methods"]}, "every row is tuned"


def test_the_default_configuration_has_what_tuning_chose_for_every_row(content):
    plan = plan_of(content)
    for cell in tuned_cells(plan):
        for row, space in plan.settings.tuning.spaces.items():
            found = plan.hyperparameters(cell, row)
            chosen = {key: found[key] for key in space}
            tried = [{key: c[key] for key in space} for c in candidates(plan, cell, row)]
            assert chosen in tried, f"{cell.name}: {row}: {chosen} was not tried"

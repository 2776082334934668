"""What is tuned, for which rows, and what is tried."""

import json
from itertools import product
from math import prod

import pytest
from small_configuration import CELL, change, plan_of

from lotus.config.protocol import CORRECTED
from lotus.config.resolved import chosen_for
from lotus.errors import LotusError
from lotus.plan.candidates import (
    DRAWN,
    MOST,
    _combination,
    candidates,
    distinct,
    tuned_cells,
    tuned_rows,
)
from lotus.plan.value_origins import BY_HAND, CONSTANTS, PUBLISHED, TUNED, origins


def test_a_benchmark_is_tuned_once_for_the_rows_that_it_has(content, block):
    content["grid"] = [
        block(methods=["lotus"]),
        block(methods=["lotus", "finetune"], study="share"),
    ]
    plan = plan_of(content)
    assert tuned_cells(plan) == (CELL,)
    assert set(tuned_rows(plan, CELL)) == {"lotus", "finetune"}


def of_a_class(plan, cell):
    return plan.settings.scenarios[cell.scenario].forgets_a_class


def test_every_row_has_as_many_distinct_candidates_as_the_budget(content):
    plan = plan_of(content)
    tuning = plan.settings.tuning
    assert {*tuning.spaces} == {*content["methods"]}, "every row is tuned"
    assert len(tuning.seeds) >= 3
    assert not {*tuning.seeds} & {*plan.settings.seeds}
    for cell in tuned_cells(plan):
        for row, space in tuning.spaces.items():
            tried = candidates(plan, cell, row)
            effective = [
                plan.methods.effective(plan.method_of(row), CORRECTED, each, of_a_class(plan, cell))
                for each in tried
            ]
            assert len({json.dumps(each, sort_keys=True) for each in effective}) == tuning.budget
            for key, values in space.items():
                assert {c[key] for c in tried} <= {float(value) for value in values}
            assert tried == candidates(plan, cell, row)


def test_lotus_can_choose_its_epochs_as_others_can(content):
    for row in ("lotus", "salun-lotus", "finetune", "salun", "bad-teacher", "random-labeling"):
        assert len(content["tuning"]["spaces"][row]["epochs"]) > 1


def test_candidates_that_come_to_the_same_model_are_one(content):
    """UNSIR has hyper-parameters of instances and others of classes."""
    space = {"lr": [0.1, 0.2], "class_impair_lr": [0.1, 0.2, 0.3], "momentum": [0, 0.9]}
    content["tuning"] |= {"budget": 2, "spaces": {"unsir": space}}
    plan = plan_of(content)
    found = {cell.scenario: distinct(plan, cell, "unsir") for cell in tuned_cells(plan)}
    assert [(c["lr"], c["momentum"]) for c in found["instance-10"]] == [
        *((0.1, 0.0), (0.1, 0.9), (0.2, 0.0), (0.2, 0.9))
    ]
    assert [c["class_impair_lr"] for c in found["class-trouser"]] == [0.1, 0.2, 0.3]


@pytest.mark.parametrize("budget", [1, 2, 3])
def test_what_has_several_values_has_several_among_the_drawn(content, budget):
    content["tuning"] |= {
        "budget": budget,
        "spaces": {"lotus": {"alpha": [2, 8], "lr": [1e-4, 1e-3]}},
    }
    plan = plan_of(content)
    for cell in tuned_cells(plan):
        tried = candidates(plan, cell, "lotus")
        assert len(tried) == budget
        for key in ("alpha", "lr"):
            assert len({each[key] for each in tried}) == min(budget, 2)


def test_a_space_of_a_million_combinations_is_not_multiplied_out(content):
    values = {"momentum": [n / 10 for n in range(10)], "batch_size": [8 * n for n in range(1, 11)]}
    space = {
        "lr": [n / 100 for n in range(1, 11)],
        "weight_decay": [n / 1000 for n in range(10)],
        "epochs": [*range(1, 11)],
        **values,
        "alpha": [n / 10 for n in range(1, 11)],
    }
    content["tuning"] |= {"budget": 8, "spaces": {"neggrad-plus": space}}
    assert prod(map(len, space.values())) == 10**6 > MOST
    plan = plan_of(content)
    for cell in tuned_cells(plan):
        tried = candidates(plan, cell, "neggrad-plus")
        assert tried == candidates(plan, cell, "neggrad-plus")
        assert len({json.dumps(each) for each in tried}) == 8
        assert len(distinct(plan, cell, "neggrad-plus")) == DRAWN
        for key, given in space.items():
            assert len({each[key] for each in tried}) > 1
            assert {each[key] for each in tried} <= {*given}


def test_a_combination_is_made_by_its_place_among_all():
    axes = [["a", "b"], [1, 2, 3], [True], [0.1, 0.2]]
    every = [*product(*axes)]
    assert [_combination(axes, place) for place in range(len(every))] == every


def test_what_the_configuration_gives_a_row_there_belongs_to_its_candidates(content):
    where = {"scenario": "class-trouser"}
    content["overrides"] = [{"where": where, "methods": {"finetune": {"momentum": 0.5, "lr": 7.0}}}]
    plan = plan_of(content)
    for cell in tuned_cells(plan):
        given = {c.get("momentum") for c in candidates(plan, cell, "finetune")}
        assert given == ({0.5} if cell.scenario == "class-trouser" else {None})
        assert 7.0 not in {c["lr"] for c in candidates(plan, cell, "finetune")}


@pytest.mark.parametrize(
    ("path", "value", "told"),
    [
        (
            ["tuning", "spaces", "unsir"],
            {"lr": [0.1, 0.2], "class_impair_lr": [0.1, 0.2, 0.3]},
            ["comes to 3 distinct candidates in", "class-trouser", "budget of 12"],
        ),
        (["tuning", "budget"], 13, ["tuning.spaces.lotus", "fewer than the budget of 13"]),
        (
            ["tuning", "seeds"],
            [101, 102],
            ["tuning.seeds = [101, 102]", "3 different seeds at least"],
        ),
        (["tuning", "seeds"], [101, 13, 102], ["tuning.seeds.1 = 13", "report's own seeds"]),
    ],
)
def test_a_tuning_that_would_treat_rows_differently_is_refused(content, path, value, told):
    with pytest.raises(LotusError) as caught:
        plan_of(change(content, path, value))
    for words in told:
        assert words in str(caught.value)


def test_the_default_configuration_has_what_tuning_chose_for_every_row(content):
    plan = plan_of(content)
    for cell in tuned_cells(plan):
        for row, space in plan.settings.tuning.spaces.items():
            name = plan.method_of(row)
            stated = plan.hyperparameters(cell, row)
            tried = [
                plan.methods.effective(name, CORRECTED, each, of_a_class(plan, cell))
                for each in candidates(plan, cell, row)
            ]
            chosen = plan.methods.effective(name, CORRECTED, stated, of_a_class(plan, cell))
            assert chosen in tried, f"{cell.name}: {row}: {stated} was not tried"
            found = chosen_for(plan.settings, cell, row)
            assert (found.candidates, found.seeds) == (len(tried), 3)
            kinds = origins(plan, cell, row)
            varied = {key for key in space if len({str(each.get(key)) for each in tried}) > 1}
            assert varied <= {*kinds[TUNED]}


TRIED = {"objective": 0.1, "spread": 0.01, "seeds": 3, "candidates": 12}
HERE = {"dataset": "fashion-mini", "scenario": "class-trouser", "protocol": "corrected"}


def test_what_tuning_found_is_of_the_values_that_a_row_has(content):
    content["overrides"] = [
        {"where": HERE, "methods": {"finetune": {"lr": 0.1}}, "tuned": {"finetune": TRIED}}
    ]
    plan = plan_of(content)
    assert chosen_for(plan.settings, CELL, "finetune").objective == 0.1
    elsewhere = next(cell for cell in tuned_cells(plan) if cell.scenario == "instance-10")
    assert chosen_for(plan.settings, elsewhere, "finetune") is None
    # Another hyper-parameter may follow, but none of those that were chosen.
    for later, kept in (({"momentum": 0.5}, True), ({"lr": 0.2}, False)):
        more = [{"where": {"scenario": "class-trouser"}, "methods": {"finetune": later}}]
        changed = plan_of(content | {"overrides": content["overrides"] + more})
        assert (chosen_for(changed.settings, CELL, "finetune") is not None) == kept


@pytest.mark.parametrize(
    ("override", "told"),
    [
        ({"where": HERE, "methods": {"ssd": {}}, "tuned": {"lotus": TRIED}}, "tuned.lotus"),
        ({"where": {}, "methods": {"ssd": {}}, "tuned": {"ssd": TRIED}}, "only corrected rows"),
        (
            {"where": HERE, "methods": {"ssd": {}}, "tuned": {"ssd": {**TRIED, "seeds": 0}}},
            "tuned.ssd.seeds = 0",
        ),
    ],
)
def test_what_is_said_of_tuning_and_cannot_be_is_refused(content, override, told):
    content["overrides"] = [override]
    with pytest.raises(LotusError, match=told):
        plan_of(content)


def test_where_values_are_from_is_told_from_what_gives_them(content):
    content["methods"]["finetune"] = {"batch_size": 100, "epochs": 10}
    of_source = "somebody's code"
    content["overrides"] = [
        {
            "where": {"scenario": "class-trouser"},
            "source": of_source,
            "methods": {"ssd": {"alpha": 2}},
        },
        {"where": {"protocol": "released"}, "methods": {"finetune": {"lr": 0.5}}},
        {"where": HERE, "methods": {"finetune": {"lr": 1e-3}}, "tuned": {"finetune": TRIED}},
    ]
    plan = plan_of(content)
    # Ten epochs are the method's own, and a tuned rate is tuned, whatever the default is.
    assert origins(plan, CELL, "finetune") == {
        TUNED: ["lr"],
        BY_HAND: ["batch_size"],
        CONSTANTS: ["epochs", "momentum", "weight_decay"],
    }
    released = origins(plan, CELL.under("released"), "finetune")
    assert released[PUBLISHED] == ["lr"]
    assert origins(plan, CELL, "ssd")[of_source] == ["alpha"]
    assert {"passes", "per_sample"} <= {*origins(plan, CELL.under("released"), "ssd")[PUBLISHED]}
    assert "alpha" not in origins(plan, CELL.under("corrected+m1"), "scrub")[CONSTANTS]

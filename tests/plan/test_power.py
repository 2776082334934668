"""What `snakemake power` comes to: models of its own, the groups in which they are judged, who asks."""

import pytest
from small_configuration import plan_of

from lotus.config.privacy import FIRST_SHADOW
from lotus.errors import LotusError
from lotus.plan.commands import run_command
from lotus.plan.drawing import arguments
from lotus.plan.steps import Steps

POWER = {"dataset": "fashion-mini", "architecture": "resnet18", "scenario": "class-trouser"}


def test_power_has_models_of_its_own_which_only_its_target_asks_for(content):
    few = {"golds": 19, "fresh": 2, "references": 2, "models": 1}
    plan = plan_of(content | {"power": POWER | few, "gold_seeds": 1})
    of_power = [
        step for step in Steps(plan).of_kind("retrain_gold").values() if not step.by_default
    ]
    rows = {step.subject["row"]: step for step in of_power}
    golds = [f"gold-again-{n}" for n in range(2, 2 + 19 + 2 + 1)]
    assert {*rows} == {
        *golds,
        "kept-half-1",
        "kept-all-1",
        "kept-all-2",
        "kept-all-3",
        "train-mode-3",
    }
    # Each starts from other weights; only the fake in train mode takes those of another.
    settings = {row: step.records[0].settings for row, step in rows.items()}
    assert (settings["kept-half-1"]["kept"], settings["kept-all-1"]["kept"]) == (0.5, 1.0)
    numbers = [of["again"] for row, of in settings.items() if row != "train-mode-3"]
    assert len({*numbers}) == len(numbers)
    fake = rows["train-mode-3"]
    assert settings["train-mode-3"]["in_train_mode"] is True
    assert fake.told["weights"][1].endswith("/kept-all-3")
    assert run_command(fake).count("--in-train-mode") == 1
    step = Steps(plan).find("measure_power", {"power": "power"})
    groups = step.records[0].settings["of"]
    counts = {group: groups.count(group) for group in groups}
    assert counts == {
        **{"original": 1, "gold": 1, "without": 2, "calibrating": 19, "fresh": 2, "with": 2},
        **{"nothing": 1, "half": 1, "train_mode": 1},
    }
    assert len({*step.inputs["predictions"]}) == len(step.inputs["predictions"])
    made = [it for it in Steps(plan) if "results/tables/power.csv" in it.files]
    assert [(it.kind, it.by_default) for it in made] == [("make_table", False)]


def test_shadows_are_halved_and_trained_where_power_alone_asks_for_them(content):
    steps = Steps(plan_of(content | {"power": POWER | {"shadows": 40}}))
    seeds = {str(seed) for seed in range(FIRST_SHADOW, FIRST_SHADOW + 40)}
    for kind in ("halve_training", "split_held_out", "choose_forget_set", "retrain_gold"):
        found = [it for it in steps.of_kind(kind).values() if it.subject["seed"] in seeds]
        assert {it.subject["seed"] for it in found} == seeds
        assert not any(it.by_default for it in found)
    of_one = {it.subject["row"]: it for it in found if it.subject["seed"] == str(FIRST_SHADOW)}
    assert {*of_one} == {"gold", "kept-half-1", "kept-all-1", "train-mode-1"}
    chosen = of_one["gold"].inputs["forget_set"]
    (split,) = [it for it in steps.of_kind("choose_forget_set").values() if chosen in it.files]
    assert split.told["half"]
    # Models of a shadow start from different weights; only the fake takes those of another.
    numbers = [of_one[row].records[0].settings.get("again", 0) for row in sorted(of_one)]
    assert numbers == [0, 2, 1, 2]
    assert of_one["train-mode-1"].told["weights"][1].endswith("/kept-all-1")
    for name, kinds in (
        ("power", ["gold", "half", "nothing", "train_mode"]),
        ("power-released", ["gold", "half", "nothing"]),
    ):
        step = steps.find("measure_power", {"power": name})
        groups = step.records[0].settings["of"]
        pairs = zip(groups, step.inputs["predictions"], strict=True)
        read = [(group, path) for group, path in pairs if group.startswith("shadow-")]
        assert [group for group, _ in read] == [f"shadow-{kind}" for kind in kinds for _ in seeds]
        assert [path.split("/")[3] for _, path in read[:3]] == [
            f"seed{FIRST_SHADOW + n}" for n in range(3)
        ]


def test_a_seed_of_a_shadow_of_power_is_no_other_models(content):
    power = {"power": POWER | {"shadows": 40}}
    with pytest.raises(LotusError, match=r"seeds\.1 = 1000039: is the seed of a shadow of `power`"):
        plan_of(content | power | {"seeds": [3407, FIRST_SHADOW + 39]})
    plan_of(content | power | {"seeds": [*content["seeds"], FIRST_SHADOW + 40]})


def test_each_protocol_is_tried_by_itself_on_models_that_both_share_where_they_can(content):
    few = {"golds": 19, "fresh": 2, "references": 2, "models": 1}
    plan = plan_of(content | {"power": POWER | few})
    steps = Steps(plan)
    tried = {step.subject["power"]: step for step in steps.of_kind("measure_power").values()}
    assert {name: step.outputs["tried"] for name, step in tried.items()} == {
        "power": "results/power/power.json",
        "power-released": "results/power/power-released.json",
    }
    read = {name: {*step.inputs["predictions"]} for name, step in tried.items()}
    assert read["power-released"] < read["power"]
    # Under E1 the published attack, which comes first, would change a model that is in train mode.
    groups = {name: {*step.records[0].settings["of"]} for name, step in tried.items()}
    assert groups["power"] - groups["power-released"] == {"train_mode"}
    asked = [step for step in steps if step.subject.get("row", "").startswith("train-mode-")]
    assert {step.subject["protocol"] for step in asked} == {"corrected"}
    assert "--protocol released" in " ".join(arguments(tried["power-released"]))
    made = {name for step in steps for name in step.files if "power" in name and "csv" in name}
    assert made == {"results/tables/power.csv", "results/tables/power-released.csv"}
    alone = Steps(plan_of(content | {"power": POWER | {"protocols": ["released"]}}))
    (step,) = alone.of_kind("measure_power").values()
    assert step.subject["power"] == "power-released"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"golds": 18}, "golds = 18 cannot reach level 0.05: it takes at least 19"),
        ({"level": 0.01}, "golds = 20 cannot reach level 0.01: it takes at least 99"),
        ({"dataset": "mnist"}, "power.dataset = 'mnist': is not declared under 'datasets'"),
        (
            {"seed": 4},
            "power.seed = 4: its benchmark has no such seed under 'corrected'; accepted: 3407, 13, 12",
        ),
        ({"references": 1}, "power.references"),
        ({"shadows": 7}, "power.shadows"),
        ({"shadows": 36}, "shadows = 36 cannot reach level 0.05: half of their pairs calibrate"),
        ({"protocols": ["released", "released"]}, "protocols = released, released: one is named"),
        ({"protocols": ["relased"]}, "power.protocols"),
        (
            {"protocols": ["corrected+m1"]},
            "with a gold model, under 'corrected+m1' and in no study",
        ),
    ],
)
def test_power_is_declared_for_a_benchmark_that_is_run(content, change, said):
    with pytest.raises(LotusError) as caught:
        plan_of(content | {"power": POWER | change})
    assert said in str(caught.value)


def test_power_needs_a_gold_model(content, block):
    content["grid"] = [block(gold=False)]
    with pytest.raises(
        LotusError, match="power: its benchmark is not in the grid with a gold model"
    ):
        plan_of(content | {"power": POWER})

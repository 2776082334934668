"""Hyper-parameters that a method says play no part: with any value of them the model is the same."""

from dataclasses import dataclass

import pytest
from small_methods import NAMES, SMALL, every_method, of_method

from lotus.config.protocol import CORRECTED, RELEASED, parse
from lotus.errors import LotusError
from lotus.methods.base import configured, registry

OTHERS = {
    **{"rounds": 3, "impair_epochs": 3, "lr": 0.02, "momentum": 0.5, "noise_lr": 0.05},
    **{"noise_steps": 1, "batch_size": 5, "retain_per_class": 2, "class_impair_epochs": 2},
    **{
        "class_impair_lr": 0.1,
        "class_repair_lr": 0.1,
        "class_noise_lr": 0.5,
        "class_noise_steps": 2,
    },
    **{"class_noise_penalty": 1.0, "class_copies": 2, "class_batch_size": 5, "optimizer": "adam"},
    **{"epochs": 1, "max_epochs": 1, "weight_decay": 0.3, "gamma": 0.2, "alpha": 0.3},
    **{"temperature": 2.0, "milestones": [1], "forget_batch_size": 4},
}


def unused(name, protocol, class_forgetting, **given):
    method = of_method(name, protocol, SMALL | given)
    return registry.entry_of(name).unused_by(method, protocol, class_forgetting)


@every_method
@pytest.mark.parametrize("protocol", [CORRECTED, RELEASED], ids=lambda p: p.name)
@pytest.mark.parametrize("class_forgetting", [False, True])
def test_what_plays_no_part_changes_no_weight(
    small_task, snapshot, same, name, protocol, class_forgetting
):
    named = unused(name, protocol, class_forgetting)
    if not named:
        return

    def weights(**given):
        task = small_task(protocol=protocol, class_forgetting=class_forgetting)
        return snapshot(of_method(name, protocol, SMALL | given).unlearn(task))

    assert same(weights(), weights(**{key: OTHERS[key] for key in named}))


def test_which_of_unsirs_play_a_part_depends_on_what_is_forgotten(small_task, snapshot, same):
    of_class, of_instances = (unused("unsir", CORRECTED, which) for which in (True, False))
    fields = {*configured.defaults("unsir")}
    assert of_class.isdisjoint(of_instances)
    assert fields - of_class - of_instances == {"repair_epochs"}

    def weights(class_forgetting, **given):
        task = small_task(class_forgetting=class_forgetting)
        return snapshot(of_method("unsir", CORRECTED, SMALL | given).unlearn(task))

    # What tuning varies there does change the model.
    for which, keys in (
        (True, ("class_impair_lr", "class_repair_lr")),
        (False, ("lr", "impair_epochs")),
    ):
        for key in keys:
            assert not same(weights(which), weights(which, **{key: OTHERS[key]})), key


@pytest.mark.parametrize(
    ("name", "given", "protocol", "expected"),
    [
        ("random-labeling", {"optimizer": "adam"}, "corrected", {"momentum"}),
        ("random-labeling", {"optimizer": "sgd"}, "corrected", set()),
        ("scrub", {"optimizer": "sgd"}, "corrected", set()),
        ("scrub", {"optimizer": "adam"}, "corrected", {"momentum"}),
        ("scrub", {"max_epochs": 0}, "corrected", {"forget_batch_size"}),
        ("scrub", {"max_epochs": 0, "alpha": 0}, "corrected", {"forget_batch_size", "temperature"}),
        ("scrub", {}, "corrected+m1", {*configured.defaults("scrub")}),
        ("lotus", {}, "corrected", set()),
    ],
)
def test_it_depends_on_hyperparameters_and_switches(name, given, protocol, expected):
    assert unused(name, parse(protocol), False, **given) == expected


def test_a_name_that_is_no_hyperparameter_is_refused():
    @dataclass(frozen=True)
    class Mine:
        lr: float = 1.0

        def unlearn(self, task):
            return task.student()

    with pytest.raises(LotusError, match=r"unused = 'rate': no hyper-parameter of it; .*lr"):
        registry.register("mine-unused", unused=lambda *_: ("rate",))(Mine)
    assert "mine-unused" not in NAMES

"""Constants are those of the publications (papers or code); preparation is apart where it was there."""

from contextlib import contextmanager

import pytest
from unlearning import SGD, unlearn

from lotus.config.protocol import CORRECTED, RELEASED
from lotus.methods.base import configured, registry

# Published constants (methods.md of the project's analysis; the method's own paper or code)


@pytest.mark.parametrize(
    ("name", "protocol", "expected"),
    [
        ("finetune", CORRECTED, {"epochs": 10, "batch_size": 128, **SGD}),
        ("finetune", RELEASED, {"epochs": 10, "batch_size": 128, **SGD}),
        (
            "neggrad-plus",
            CORRECTED,
            {"alpha": 0.9999, "epochs": 5, "lr": 0.01, "momentum": 0, "weight_decay": 0},
        ),
        ("neggrad-plus", RELEASED, {"epochs": 10, "batch_size": 128, **SGD}),
        (
            "random-labeling",
            CORRECTED,
            {"labels": "wrong", "optimizer": "adam", "epochs": 3, "lr": 1e-4, "weight_decay": 0},
        ),
        (
            "random-labeling",
            RELEASED,
            {"labels": "wrong", "optimizer": "sgd", "epochs": 10, "batch_size": 128, **SGD},
        ),
        (
            "bad-teacher",
            CORRECTED,
            {"epochs": 1, "batch_size": 256, "lr": 1e-4, "retain_fraction": 0.3, "temperature": 1},
        ),
        (
            "bad-teacher",
            RELEASED,
            {"epochs": 10, "batch_size": 128, "lr": 1e-4, "weight_decay": 0},
        ),
        (
            "scrub",
            CORRECTED,
            {
                **{"optimizer": "sgd", "lr": 5e-4, "momentum": 0.9, "weight_decay": 5e-4},
                **{"gamma": 0.99, "alpha": 0.001, "temperature": 4, "epochs": 3, "max_epochs": 2},
                **{"milestones": (3, 5, 9), "forget_batch_size": 32, "batch_size": 128},
            },
        ),
        (
            "scrub",
            RELEASED,
            {
                **{"optimizer": "adam", "lr": 5e-4, "weight_decay": 0.1, "temperature": 4},
                **{"gamma": 1, "alpha": 1, "epochs": 10, "max_epochs": 10},
                **{"forget_batch_size": 128, "batch_size": 128},
            },
        ),
        (
            "ssd",
            CORRECTED,
            {
                **{"alpha": 10, "dampening": 1, "passes": 1, "batch_size": 128},
                **{"per_sample": False, "augmented": True},
            },
        ),
        ("ssd", RELEASED, {"alpha": 10, "dampening": 1, "passes": 10, "per_sample": False}),
        (
            "unsir",
            CORRECTED,
            {
                **{"rounds": 1, "impair_epochs": 2, "repair_epochs": 1, "lr": 1e-3, "momentum": 0},
                **{"noise_lr": 0.01, "noise_steps": 5, "batch_size": 64, "retain_per_class": 1000},
                **{"class_impair_epochs": 1, "class_impair_lr": 0.02, "class_repair_lr": 0.01},
                **{"class_noise_lr": 0.1, "class_noise_steps": 40, "class_noise_penalty": 0.1},
                **{"class_copies": 20, "class_batch_size": 256},
            },
        ),
        (
            "unsir",
            RELEASED,
            {
                **{"rounds": 10, "impair_epochs": 1, "repair_epochs": 1, "lr": 1e-3},
                **{"momentum": 0.9, "noise_lr": 0.01, "batch_size": 128},
            },
        ),
        (
            "salun",
            CORRECTED,
            {
                **{"mask_share": 0.5, "labels": "any", "order": "separate", "epochs": 10},
                **{"lr": 0.013, "momentum": 0.9, "weight_decay": 5e-4, "batch_size": 256},
            },
        ),
        (
            "salun",
            RELEASED,
            {
                **{"mask_share": 0.1, "labels": "wrong", "order": "separate", "epochs": 10},
                **{"batch_size": 128, **SGD},
            },
        ),
        (
            "lotus",
            CORRECTED,
            {
                **{"alpha": 2, "epochs": 10, "lr": 1e-4, "weight_decay": 5e-4, "batch_size": 128},
                **{"retain_fraction": 0.3, "transform": "gumbel", "exit_tolerance": 0.01},
            },
        ),
        ("lotus", RELEASED, {"alpha": 2, "epochs": 10, "exit_tolerance": 0.01}),
        ("salun-lotus", CORRECTED, {"mask_share": 0.5, "alpha": 2, "lr": 1e-4}),
        (
            "salun-lotus",
            RELEASED,
            {"mask_share": 0.1, "alpha": 2, "lr": 1e-4, "retain_fraction": 0.3},
        ),
    ],
    ids=lambda value: getattr(value, "name", value) if not isinstance(value, dict) else "",
)
def test_constants_are_the_published_ones(name, protocol, expected):
    found = configured.hyperparameters(configured.make(name, registry.constants(name, protocol)))
    assert {key: found[key] for key in expected} == expected


# Preparation


@pytest.mark.parametrize("name", registry.available())
def test_preparation_is_told_apart_where_the_published_code_did(small_task, name):
    prepared = []

    @contextmanager
    def preparing():
        prepared.append(True)
        yield

    task = small_task(preparing=preparing)
    unlearn(name, task, **({"epochs": 1} if name not in ("ssd", "unsir") else {}))
    assert len(prepared) == ("R1" in registry.entry_of(name).released)

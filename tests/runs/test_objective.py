"""The objective of tuning."""

import numpy as np
import pytest

from lotus.errors import LotusError
from lotus.predictions.predictions_file import Split
from lotus.runs.objective import objective

# The objective of tuning


def of_labels(said, labels, sure=None):
    """Logits that say these classes, more surely where asked for."""
    z = np.eye(3, dtype=np.float32)[said]
    return Split(
        z * (1 if sure is None else np.array(sure)[:, None]),
        np.array(labels),
        np.arange(len(labels)),
    )


def test_objective_by_hand():
    original = {
        "forget": of_labels([0, 1, 0, 1], [0, 1, 0, 1]),
        "retain": of_labels([0, 1, 0, 1], [0, 1, 0, 1]),
        "val": of_labels([0, 1, 1, 1], [0, 1, 0, 1]),
    }
    unlearned = {
        # Surer than half of the validation images.
        "forget": of_labels([0, 1, 1, 0], [0, 1, 0, 1], [3, 3, 3, 3]),
        "retain": of_labels([0, 1, 0, 0], [0, 1, 0, 1]),
        "val": of_labels([0, 0, 1, 1], [0, 1, 0, 1], [2, 2, 4, 4]),
    }
    found = objective(unlearned, original)
    assert found == {
        "objective": pytest.approx((0.25 + 0.25 + 0.25 + 0) / 4),
        "forgetting": pytest.approx(0.5 - 0.75 + 0.5),
        "retaining": 0.25,
        "generalising": 0.25,
        "blending": 0,
    }


def test_objective_of_a_model_that_betrays_its_forget_set():
    original = {name: of_labels([0, 1], [0, 1]) for name in ("forget", "retain", "val")}
    for sure in ([9, 9], [0.1, 0.1]):
        unlearned = {**original, "forget": of_labels([0, 1], [0, 1], sure)}
        found = objective(unlearned, original)
        assert found["blending"] == 1
        assert found["objective"] == pytest.approx(0.25)
        assert found["forgetting"] == 0


def test_objective_rewards_neither_retained_nor_validation_accuracy_above_the_original():
    original = {name: of_labels([0, 0], [0, 1]) for name in ("forget", "retain", "val")}
    better = {name: of_labels([0, 1], [0, 1]) for name in ("forget", "retain", "val")}
    found = objective(better, original)
    assert (found["retaining"], found["generalising"]) == (0, 0)
    assert found["forgetting"] == 0.5


def test_objective_of_a_class_wants_its_accuracy_gone_and_the_other_classes_kept():
    original = {
        "forget": of_labels([2, 2], [2, 2]),
        "retain": of_labels([0, 1], [0, 1]),
        "val": of_labels([0, 1, 2, 2], [0, 1, 2, 2]),
    }
    # Forgotten, and the forgotten class on validation images too; it is compared with those alone.
    gone = {
        "forget": of_labels([0, 1], [2, 2]),
        "retain": of_labels([0, 1], [0, 1]),
        "val": of_labels([0, 1, 0, 1], [0, 1, 2, 2], [9, 9, 1, 1]),
    }
    assert objective(gone, original) == {
        **{"objective": 0, "forgetting": 0, "retaining": 0, "generalising": 0, "blending": 0}
    }
    assert objective(original, original)["forgetting"] == 1
    lost = {**gone, "val": of_labels([1, 1, 0, 1], [0, 1, 2, 2])}
    assert objective(lost, original)["generalising"] == 0.5


@pytest.mark.parametrize("split", ["forget", "retain", "val"])
def test_objective_of_numbers_that_are_not_finite_is_the_worst(split):
    original = {name: of_labels([0, 1], [0, 1]) for name in ("forget", "retain", "val")}
    bad = of_labels([0, 1], [0, 1])
    bad.logits[0, 0] = np.nan
    assert objective({**original, split: bad}, original) == {"objective": 1.0}


# Predictions as they should not be


def test_tuning_without_validation_images_of_a_class_is_refused():
    original = {name: of_labels([0, 1], [0, 1]) for name in ("forget", "retain", "val")}
    gone = {**original, "forget": of_labels([2], [2])}
    with pytest.raises(
        LotusError, match="there is no validation image of the classes that are forgotten"
    ):
        objective(gone, original)
    gone = {**original, "retain": of_labels([2], [2])}
    with pytest.raises(
        LotusError, match="there is no validation image of the classes that are kept"
    ):
        objective(gone, original)

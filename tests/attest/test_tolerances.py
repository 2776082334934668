"""What is accepted where results are made again on another machine."""

import numpy as np
import pytest
from safetensors.numpy import save_file

from lotus.attest.tolerances import (
    misfit_of_predictions,
    misfit_of_text,
    misfit_of_weights,
)
from lotus.predictions import predictions_file
from lotus.predictions.predictions_file import Split
from lotus.records.attested_words import ACCURACY, PROBABILITY

COUNT, CLASSES = 200, 4


@pytest.fixture
def saved(tmp_path):
    """Split → logits, and why collapsed: the file."""

    def save(name, collapsed="", shift=0, **logits):
        path = tmp_path / f"{name}.npz"
        labels = np.arange(COUNT) % CLASSES
        indices = np.arange(COUNT) + shift
        splits = {
            split: Split(of.astype(np.float32), labels, indices) for split, of in logits.items()
        }
        predictions_file.save(path, splits, collapsed)
        return path

    return save


@pytest.fixture
def logits():
    rng = np.random.default_rng(0)
    found = rng.standard_normal((COUNT, CLASSES))
    found[np.arange(COUNT), np.arange(COUNT) % CLASSES] += 2
    return found


def wrong(logits, count):
    """The first `count` images, each of them of another class than its label."""
    changed = logits.copy()
    changed[:count] = -10
    changed[np.arange(count), (np.arange(count) + 1) % CLASSES] = 10
    return changed


def test_last_bits_are_accepted(saved, logits):
    here, there = saved("a", test=logits), saved("b", test=logits + 1e-4)
    assert misfit_of_predictions(here, there, ()) == ""
    assert misfit_of_predictions(here, there) == ""


def test_one_probability_that_differs_is_told(saved, logits):
    changed = logits.copy()
    changed[17, 2] += 1
    here, there = saved("a", val=logits, test=logits), saved("b", val=logits, test=changed)
    said = misfit_of_predictions(here, there, ())
    assert said.startswith("split test: a probability differs by 0.")
    assert said.endswith(f"accepted: {PROBABILITY}")
    # Of whole runs, and of splits that are seen otherwise, only the accuracy counts.
    assert misfit_of_predictions(here, there) == ""
    assert misfit_of_predictions(here, there, ["test"]) == ""


def test_accuracies_may_differ_by_so_much(saved, logits):
    right = (logits.argmax(axis=1) == np.arange(COUNT) % CLASSES).mean()
    few, many = wrong(logits, 2), wrong(logits, 60)
    here = saved("a", test=logits)
    assert misfit_of_predictions(here, saved("b", test=few)) == ""
    said = misfit_of_predictions(here, saved("c", test=many))
    assert said.startswith(f"split test: accuracy {right:.3f}, made again ")
    assert f"± {ACCURACY:.3f}" in said


def test_other_images_are_told(saved, logits):
    here = saved("a", test=logits)
    for other in (saved("b", test=logits, shift=1), saved("c", val=logits), saved("d")):
        assert misfit_of_predictions(here, other)


def test_collapsed_models_are_compared_by_that_alone(saved, logits):
    here = saved("a", "near chance", test=logits)
    assert misfit_of_predictions(here, saved("b", "not finite", test=-logits), ()) == ""
    said = misfit_of_predictions(here, saved("c", test=logits))
    assert said == "the model is collapsed, made again sound"


def test_weights_are_compared_by_names_and_shapes(tmp_path):
    here, there, other, damaged = (tmp_path / f"{name}.safetensors" for name in "abcd")
    save_file({"w": np.zeros((2, 3), np.float32)}, here)
    save_file({"w": np.ones((2, 3), np.float32)}, there)
    save_file({"w": np.ones((3, 2), np.float32)}, other)
    damaged.write_text("weights")
    assert misfit_of_weights(here, there) == ""
    assert misfit_of_weights(here, other) == "tensors of other names or shapes"
    assert "cannot be read" in misfit_of_weights(here, damaged)


@pytest.mark.parametrize(
    ("was", "now", "said"),
    [
        ('{"a": 0.123456789012345}', '{"a": 0.123456789012399}', ""),
        ('{"a": 0.1234567}', '{"a": 0.1234999}', "0.1234567, made again 0.1234999"),
        ("lotus,0.12,3.4", "lotus,0.13,3.4", ""),
        ("lotus,0.12,3.4", "lotus,0.14,3.4", "0.12, made again 0.14"),
        ("lotus,12", "lotus,13", "12, made again 13"),
        ("lotus,0.12", "scrub,0.12", "it says something else"),
        ("a,1e-3", "a,1.0000000001e-3", ""),
        ("a,1e-3", "a,", "it says something else"),
        # Means of measured accuracies that are rounded, without zeros at their ends.
        ("lotus,0.6", "lotus,0.59", ""),
        ("lotus,0.59", "lotus,0.6", ""),
    ],
)
def test_numbers_in_texts(tmp_path, was, now, said):
    assert misfit(tmp_path, "csv", was, now) == said


def misfit(folder, form, was, now):
    there, again = folder / f"there.{form}", folder / f"again.{form}"
    there.write_text(was)
    again.write_text(now)
    return misfit_of_text(there, again)


@pytest.mark.parametrize("form", ["csv", "json", "tex"])
@pytest.mark.parametrize(
    ("was", "now"),
    [
        ("0.0", "0.05992592592592591"),
        ("0.5", "0.05992592592592591"),
        ("9.0e0", "0.05992592592592591"),
        ("1.0e400", "0.05992592592592591"),
        (f"1.0e{'9' * 5000}", "0.05992592592592591"),
        ("-0.0", "0.0599"),
        ("1e300", "1.5"),
    ],
)
def test_a_forged_number_makes_no_tolerance_larger(tmp_path, form, was, now):
    assert misfit(tmp_path, form, was, now) == f"{was}, made again {now}"


@pytest.mark.parametrize("was", ["0.6", "0.4", "0.5123"])
def test_a_number_that_is_written_in_full_has_all_its_digits(tmp_path, was):
    """Where half of the images are right, 0.5 is no rounding of 0.6."""
    assert misfit(tmp_path, "json", was, "0.5")


@pytest.mark.parametrize("now", ["0.6", "0.4"])
def test_a_rounded_number_may_be_another_by_a_unit(tmp_path, now):
    assert misfit(tmp_path, "tex", "0.5", now) == ""

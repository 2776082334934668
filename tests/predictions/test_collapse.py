"""When a model has collapsed, by its accuracy beside chance and beside the original."""

import pytest

from lotus.predictions.collapse import lost_most, near_chance


@pytest.mark.parametrize(
    ("accuracy", "original", "largest", "is_lost"),
    [
        # Of the default experiment: UNSIR and SSD, ViT; UNSIR and SSD of the other seed; SSD, ResNet18.
        (0.584, 0.971, 0.100, True),
        (0.642, 0.980, 0.100, True),
        (0.756, 0.980, 0.100, False),
        (0.722, 0.971, 0.100, False),
        (0.636, 0.996, 0.100, True),
        # Two classes: chance is half, and 0.70 is less than two thirds of what 0.9 knows above it.
        (0.70, 0.9, 0.5, True),
        (0.80, 0.9, 0.5, False),
        # Better than the original, an original that knows nothing itself, one class alone.
        (0.99, 0.9, 0.5, False),
        (0.10, 0.12, 0.1, False),
        (0.10, 1.0, 1.0, False),
    ],
)
def test_lost_most(accuracy, original, largest, is_lost):
    assert bool(lost_most(accuracy, original, largest)) == is_lost


def test_below_chance_nothing_is_left_and_near_chance_is_lost_too():
    assert "0% of what" in lost_most(0.05, 0.9, 0.1)
    assert near_chance(0.12, 0.1)
    assert lost_most(0.12, 0.9, 0.1)


def test_forgetting_a_class_is_no_collapse():
    """The accuracy is that of images to be kept, so what is forgotten does not count."""
    assert not lost_most(0.98, 0.99, 1 / 9)

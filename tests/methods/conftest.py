"""Tasks so small that what a method does to them can be computed by hand."""

import numpy as np
import pytest


@pytest.fixture
def toy(task_of, image_set, linear, cut):
    """Logits = x·(w0, w1), w = 0, D_r = {(1, class 0)}, D_f = {(1, class 1)}."""
    both = cut(image_set(np.full((2, 1, 1, 1), 255), [1, 0]), 1, 1)
    return lambda **more: task_of(linear([[0.0], [0.0]]), *both, **more)[0]


@pytest.fixture
def apart(task_of, one_hot_images, linear, cut):
    """A forgotten and a retained image that share no weight; the original is right on both."""

    def make(weights, **more):
        both = cut(one_hot_images([0, 1], [0, 1], 2), 1, 1)
        return task_of(linear(weights), *both, **more)[0]

    return make


@pytest.fixture
def one_each(task_of, one_hot_images, linear, cut):
    """`forget` + `retain` images of class 0 that each have a pixel, so a weight, of their own."""

    def make(forget, retain, classes=2, weights=None, **more):
        count = forget + retain
        both = cut(one_hot_images(np.arange(count), [0] * count, count), forget, retain)
        weights = np.zeros((classes, count)) if weights is None else weights
        return task_of(linear(weights), *both, num_classes=classes, **more)

    return make


@pytest.fixture
def accurate(task_of, one_hot_images, linear, cut):
    """A task on which the original has the accuracies (right, of) on D_f and D_v."""

    def labels(right, of):
        return [0] * right + [1] * (of - right)

    def make(forget, val, **more):
        original = linear([[1.0, 0], [0, 1.0]])
        sizes = forget[1], 1, val[1]
        images = one_hot_images(
            np.repeat([0, 1, 0], sizes), [*labels(*forget), 1, *labels(*val)], 2
        )
        return task_of(original, *cut(images, *sizes), **more)

    return make

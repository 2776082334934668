"""CIFAKE from its folders to a store."""

from functools import partial

import numpy as np
import pytest
import raw_files
from stores import TENTH, build, refused

from lotus.data import splits
from lotus.data.sources import cifar10
from lotus.errors import LotusError

pytestmark = pytest.mark.usefixtures("empty_project")

# Layouts


def test_cifake_serves_calibration_only(mirror):
    raw_files.folders(mirror / "cifake", dict.fromkeys(cifar10.SOURCE.classes, 2))
    store = build("cifake", mirror, content="any")
    assert store.source["parts"] == {"test": [0, 20]}
    assert store.labels.tolist() == np.repeat(range(10), 2).tolist()
    assert store.classes == cifar10.SOURCE.classes
    assert (store.mean, store.std) == (cifar10.SOURCE.mean, cifar10.SOURCE.std)
    for use in (partial(splits.halve_held_out, store, 0),
                partial(splits.choose_forget_set, store, TENTH, 0)):  # fmt: skip
        with pytest.raises(LotusError, match="cifake: has no training images"):
            use()


# What readers refuse


def test_cifake_needs_each_class(mirror):
    raw_files.folders(mirror / "cifake", dict.fromkeys(cifar10.SOURCE.classes[:9], 1))
    assert "no image of the class 'truck'" in refused("cifake", mirror, content="any")
    raw_files.folders(mirror / "cifake", {"truck": 1, "tractor": 1})
    assert "'tractor' is not one of the 10 classes" in refused("cifake", mirror, content="any")

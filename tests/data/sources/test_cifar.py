"""CIFAR from its pickled files to a store."""

import os
import pickle
from pathlib import Path

import pytest
import raw_files
from stores import refused

from lotus.data.sources import cifar10

pytestmark = pytest.mark.usefixtures("empty_project")

# What readers refuse


def test_labels_outside_the_classes_and_other_classes_are_refused(mirror):
    folder = raw_files.cifar10(mirror / "cifar-10-batches-py")
    batch = pickle.loads((folder / "data_batch_2").read_bytes())
    batch["labels"][3] = 10
    (folder / "data_batch_2").write_bytes(pickle.dumps(batch))
    found = refused("cifar10", mirror, content="any")
    assert "image 13 has the label 10; labels of 10 classes lie in 0…9" in found
    raw_files.cifar10(mirror / "2" / "cifar-10-batches-py")
    names = [*cifar10.SOURCE.classes[:9], "tractor"]
    (mirror / "2/cifar-10-batches-py/batches.meta").write_bytes(
        pickle.dumps({"label_names": names})
    )
    assert "the files have the classes" in refused("cifar10", mirror / "2", content="any")


# Pickles


class Harm:
    def __reduce__(self):
        return os.system, ("touch harmed",)


@pytest.mark.parametrize("name", ["data_batch_4", "batches.meta"])
@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_pickles_that_name_code_are_not_run(mirror, name, protocol):
    folder = raw_files.cifar10(mirror / "cifar-10-batches-py")
    (folder / name).write_bytes(pickle.dumps({"labels": Harm()}, protocol))
    assert "system" in refused("cifar10", mirror, content="any")
    assert not Path("harmed").exists()


def test_names_from_the_memo_of_a_pickle_are_judged(mirror):
    def text(string):
        return b"\x8c" + bytes([len(string)]) + string.encode()

    # `os system` is put into the memo and taken from there, after harmless strings.
    memo = text("os") + b"\x94" + text("system") + b"\x94" + text("numpy") + text("ndarray")
    harm = b"\x80\x04" + memo + b"h\0h\1\x93" + text("touch harmed") + b"\x85R."
    folder = raw_files.cifar10(mirror / "cifar-10-batches-py")
    (folder / "test_batch").write_bytes(harm)
    assert "the pickle names os system" in refused("cifar10", mirror, content="any")
    assert not Path("harmed").exists()
    pickle.loads(harm)
    assert Path("harmed").exists()


def test_damaged_pickles_are_refused(mirror):
    folder = raw_files.cifar10(mirror / "cifar-10-batches-py")
    path = folder / "data_batch_1"
    path.write_bytes(path.read_bytes()[:-100])
    assert str(folder) in refused("cifar10", mirror, content="any")

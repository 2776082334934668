"""Items of models that should not stand together, and images on two sides."""

import json
from pathlib import Path

import numpy as np
import pytest
from mending import OTHER_TABLE, RUN, TABLE, mended, rerecord, unsound, with_record

from lotus import layout
from lotus.audit import mixtures
from lotus.records.index import read_index


@pytest.mark.parametrize(
    ("path", "edit", "reason"),
    [
        (RUN, lambda run: run["hardware"].update(device_name="Another GPU"), "mixes devices: "),
        (
            RUN,
            lambda run: run["hardware"].update(precision="bf16"),
            "mixes runtimes: default (",
        ),
        (
            RUN,
            lambda run: run["code"].update(step="0" * 16),
            "mixes code versions of lotus.runs.unlearn",
        ),
        (
            "results/records/digits/resnet18/seed13/class-three/corrected/metrics.json",
            lambda metrics: metrics["settings"]["rows"].remove("ssd"),
            "the mean of ssd lacks seed 13",
        ),
    ],
)
def test_items_of_models_that_should_not_stand_together_are_named(project, path, edit, reason):
    assert not list(mixtures.problems(read_index()))
    found = {}
    for named, why in mixtures.problems(with_record(path, edit)):
        found.setdefault(named, []).append(why)
    assert any(reason in why for why in found[TABLE])
    assert OTHER_TABLE not in found


def rerecorded_split(name, edit):
    path = Path(f"results/digits/splits/seed13/{name}.json")

    def write(artifact):
        content = json.loads(artifact.read_text())
        edit(content)
        artifact.write_text(json.dumps(content))

    return path, layout.record_of(path), write


SPLITS = (
    ("held-out", lambda it: it["val"].append(it["test"][0]), "val and test set share 1 image"),
    ("held-out", lambda it: it["val"].append(0), "1 image (first: 0) that are not in the test"),
    ("held-out", lambda it: it["test"].append(it["test"][5]), "test set has 1 image (first: "),
    (
        "instance-10",
        lambda it: it["retain"].extend(it["forget"][:3]),
        "forget and retain set share 3 images",
    ),
    ("instance-10", lambda it: it["retain"].append(1796), "retain set share 1 image"),
    ("instance-10", lambda it: it["retain"].pop(), "are in neither set"),
)


def test_images_on_two_sides_are_named_though_the_record_agrees(project):
    for name, edit, reason in SPLITS:
        path, record, write = rerecorded_split(name, edit)
        with mended(path, record):
            rerecord(path, write)
            assert reason in unsound()[str(path)].reason
    assert not unsound()


def test_test_images_among_those_a_model_was_trained_on_are_named(project):
    path = Path(RUN).with_name("predictions.npz")
    with mended(path, RUN):

        def write(artifact):
            with np.load(artifact) as arrays:
                stored = {name: arrays[name] for name in arrays.files}
            stored["retain.indices"][0] = stored["test.indices"][0]
            np.savez(artifact, **stored)

        rerecord(path, write)
        assert "retain and test set share 1 image" in unsound()[str(path)].reason

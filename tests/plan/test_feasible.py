"""What cannot be run is refused before any job starts."""

import numpy as np
import pytest
from PIL import Image

from lotus.config.origins import Origin
from lotus.config.protocol import CORRECTED
from lotus.errors import LotusError
from lotus.methods.base import configured, registry
from lotus.plan.feasible import is_left_in_train_mode, refuse_nonsense
from lotus.plan.making import make_plan

SMALL = {
    "model": "resnet18",
    "width": 8,
    "max_pool": False,
    "training": {"epochs": 1, "warmup_epochs": 0},
}
OWN = {"cat": (12, 6), "dog": (9, 6)}


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    """Class → (training images, test images) → a folder of them, 8×8 pixels each."""

    def make(classes):
        root = tmp_path_factory.mktemp("own")
        for name, counts in classes.items():
            for part, count in zip(("train", "test"), counts, strict=True):
                (root / part / name).mkdir(parents=True)
                for i in range(count):
                    pixels = np.full((8, 8, 3), i, np.uint8)
                    Image.fromarray(pixels).save(root / part / name / f"{i:02}.png")
        return root

    return make


def refuse(scenario, store, name=None, methods=None, network=SMALL, protocol="corrected", **use):
    name = name or next(iter(scenario.values()))
    content = {
        "seeds": [1],
        "datasets": {"own": {"store": store, **use}},
        "architectures": {"small": network},
        "scenarios": {name: scenario},
        "methods": methods or {"lotus": {"batch_size": 12}},
        "grid": [
            {
                "datasets": ["own"],
                "architectures": ["small"],
                "scenarios": [name],
                "protocols": [protocol],
            }
        ],
    }
    origin = Origin("own.yaml", content)
    refuse_nonsense(make_plan(content, [origin]), [origin])


def own(folder):
    return {"source": "image-folder", "raw": str(folder)}


@pytest.mark.parametrize(
    ("scenario", "name", "told"),
    [
        (
            {"forget_class": "fish"},
            "class-fish",
            "forget_class = 'fish': data set own: there is no class 'fish'",
        ),
        ({"forget_fraction": 0.01}, "instance-1", "leaves 0 forget and 21 retain images of 21"),
        ({"forget_first": 21}, "all-fixed", "leaves 21 forget and 0 retain images of 21"),
        (
            {"forget_first": 22},
            "all-fixed",
            "there are 21 training images, which is fewer than are to be forgotten",
        ),
        (
            {"forget_per_class": 10},
            "10-per-class",
            "class dog has 9 training images, which is fewer than",
        ),
    ],
)
def test_an_empty_or_too_large_forget_set_is_refused(images, scenario, name, told):
    with pytest.raises(LotusError) as found:
        refuse(scenario, own(images(OWN)), name)
    assert f"own.yaml: scenarios.{name}." in str(found.value)
    assert told in str(found.value)


@pytest.mark.parametrize(
    ("classes", "told"),
    [
        ({"cat": (12, 6)}, "at least two"),
        ({"cat": (12, 6), "dog": (9, 1)}, "class dog: one held-out image cannot be halved"),
    ],
)
def test_data_that_nothing_can_be_learnt_from_are_refused(images, classes, told):
    with pytest.raises(LotusError, match=told):
        refuse({"forget_fraction": 0.5}, own(images(classes)), "instance-50")


def test_images_that_are_nowhere_are_refused(tmp_path):
    with pytest.raises(
        LotusError, match=r"own.yaml: datasets.own: raw = '.*absent': there is no such folder"
    ):
        refuse({"forget_fraction": 0.5}, own(tmp_path / "absent"), "instance-50")


def test_what_can_be_run_is_not_refused(images):
    for scenario, name in (
        ({"forget_class": "cat"}, "class-cat"),
        ({"forget_per_class": 8}, "8-per-class"),
        ({"forget_first": 1}, "one-fixed"),
        ({"forget_fraction": 0.12}, "instance-12"),
    ):
        refuse(scenario, own(images(OWN)), name)


def test_a_name_that_two_classes_share_is_refused_and_another_named(images):
    folder = images({"A": (4, 2), "a": (4, 2), "b": (4, 2)})
    with pytest.raises(
        LotusError,
        match=r"this would also be the name for its class 'A'; call the scenario 'class-a-",
    ):
        refuse({"forget_class": "a"}, own(folder), "class-a")
    refuse({"forget_class": "b"}, own(folder), "class-b")


@pytest.mark.parametrize(
    ("scenario", "limit", "told"),
    [
        ({"forget_per_class": 5001}, None, "some class has at most 5000 training images"),
        ({"forget_per_class": 11}, 10, "some class has at most 10 training images"),
        ({"forget_fraction": 0.05}, 10, "a class has at most 10"),
        ({"forget_first": 50_000}, None, "leaves no retain image: there are at most 50000"),
    ],
)
def test_published_sizes_exclude_what_cannot_be(scenario, limit, told):
    names = {
        "forget_per_class": "{}-per-class",
        "forget_fraction": "instance-5",
        "forget_first": "x-fixed",
    }
    ((key, value),) = scenario.items()
    store = {"source": "cifar10", **({} if limit is None else {"limit": limit})}
    with pytest.raises(LotusError, match=told):
        refuse(scenario, store, names[key].format(value))


@pytest.mark.parametrize(
    ("methods", "refused"),
    [
        ({"lotus": {"batch_size": 8}}, False),
        ({"neggrad-plus": {"batch_size": 8}}, True),
        ({"random-labeling": {"batch_size": 8}}, False),
        ({"finetune": {"batch_size": 1}}, True),
    ],
)
def test_batches_that_batchnorm_cannot_take_are_refused(images, methods, refused):
    folder = images(OWN)
    if not refused:
        refuse({"forget_first": 1}, own(folder), "one-fixed", methods)
        return
    with pytest.raises(LotusError, match="which BatchNorm cannot normalise: the last maps are 1×1"):
        refuse({"forget_first": 1}, own(folder), "one-fixed", methods)
    # Larger images have maps of more than one value.
    refuse({"forget_first": 1}, own(folder), "one-fixed", methods, resize=16)


def test_a_class_with_too_few_images_to_be_ranked_is_refused(images):
    folder = images({"cat": (12, 6), "dog": (3, 6)})
    hardest = {"forget_fraction": 0.5, "forget_rule": "hardest"}
    with pytest.raises(LotusError, match="forget_rule = 'hardest': data set own: class dog has 3"):
        refuse(hardest, own(folder), "instance-50-hardest")


def test_training_in_single_images_is_refused(images):
    network = SMALL | {"training": {**SMALL["training"], "batch_size": 1}}
    with pytest.raises(
        LotusError, match=r"training.batch_size = 1: .*the original would be trained"
    ):
        refuse({"forget_first": 3}, own(images(OWN)), "few-fixed", network=network)


def test_evaluation_in_single_images_is_refused(images):
    for method, refused in (("finetune", True), ("lotus", False)):
        given = ({"forget_first": 3}, own(images(OWN)), "few-fixed", {method: {"batch_size": 8}})
        if refused:
            with pytest.raises(LotusError, match="E1 evaluates finetune on single images"):
                refuse(*given, protocol="released")
        else:
            refuse(*given, protocol="released")


@pytest.mark.parametrize(
    ("network", "use", "told"),
    [
        (SMALL, {"crop": 9}, r"crop = 9 is larger than the images \(8×8\)"),
        (
            {"model": "vit", "patch_size": 3},
            {},
            "patch_size = 3: must divide height and width of the images, 8×8",
        ),
        ({"model": "torchvision-vit-b16", "training": {"epochs": 0}}, {}, "images are 3×8×8 here"),
    ],
)
def test_images_that_a_network_cannot_take_are_refused(images, network, use, told):
    with pytest.raises(LotusError, match=told):
        refuse({"forget_first": 3}, own(images(OWN)), "few-fixed", network=network, **use)


@pytest.mark.parametrize("class_forgetting", [False, True])
@pytest.mark.parametrize("name", sorted(registry._own()))
def test_methods_end_in_the_mode_that_is_said_of_them(small_task, name, class_forgetting):
    left = configured.make(name, {}).unlearn(small_task(class_forgetting=class_forgetting))
    assert left.training == is_left_in_train_mode(name, CORRECTED, class_forgetting)

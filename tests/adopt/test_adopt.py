"""Adopting a model: what is written, and one clear error for what does not fit, before anything is."""

from pathlib import Path

import numpy as np
import pytest
import timm
import torch
import yaml
from commands import call
from PIL import Image

from lotus.plan.declared import declared
from lotus.records.files import sha256, write_json

OUT = Path("my-model.yaml")
NETWORK = "timm:test_resnet"
CLASSES = ("cross", "ring", "stripe")


def draw(place, mode="RGB"):
    rng = np.random.default_rng(0)
    for part, count in (("train", 6), ("test", 4)):
        for name in CLASSES:
            folder = place / part / name
            folder.mkdir(parents=True)
            for number in range(count):
                pixels = rng.integers(256, size=(32, 32, 3), dtype=np.uint8)
                Image.fromarray(pixels).convert(mode).save(folder / f"{number}.png")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Photos, and the weights of a network that was never trained."""
    folder = tmp_path_factory.mktemp("adopt")
    draw(folder / "photos")
    torch.manual_seed(0)
    network = timm.create_model("test_resnet", num_classes=len(CLASSES))
    torch.save(network.state_dict(), folder / "mine.pt")
    (folder / "list.txt").write_text("train/ring/1.png\ntrain/cross/2.png\n")
    return folder


@pytest.fixture(autouse=True)
def place(made, tmp_path, monkeypatch):
    for path in made.iterdir():
        (tmp_path / path.name).symlink_to(path)
    monkeypatch.chdir(tmp_path)


def adopt(*options, weights="mine.pt", network=NETWORK, images="photos", forget="list.txt"):
    chosen = ["--forget", forget] if forget else []
    given = ["--weights", weights, "--architecture", network, "--images", images, *chosen]
    return call("adopt", *given, "--device", "cpu", "--out", OUT, *options)


def refused(*options, **others):
    done = adopt(*options, **others)
    assert done.exit_code != 0
    assert not OUT.exists()
    assert "Traceback" not in done.output
    (line,) = [line for line in done.output.splitlines() if line.startswith("Error: ")]
    return line


def written(*options, **others):
    done = adopt(*options, **others)
    assert done.exit_code == 0, done.output
    return done.output, yaml.safe_load(OUT.read_text())


def test_the_configuration_is_accepted_and_names_all_that_was_given():
    _, content = written("--seed", "5", "--name", "shapes")
    plan = declared([OUT], {}).plan
    assert plan.settings.seeds == (5,)
    section = content["architectures"]["shapes"]
    assert (section["model"], section["name"]) == ("timm", "test_resnet")
    assert section["checkpoint"] == {"file": "mine.pt", "sha256": sha256(Path("mine.pt"))}
    # The recipe by which gold is retrained stands there to be looked at.
    assert section["training"].items() >= {"epochs": 150, "lr": 0.1}.items()
    assert content["scenarios"] == {"list-listed": {"forget_list": "list.txt"}}
    assert content["grid"][0]["gold"] is False
    assert [*content["methods"]] == ["lotus", "finetune", "random-labeling"]


def test_a_library_says_how_its_network_wants_images_unless_that_is_given():
    known = timm.get_pretrained_cfg("test_resnet")
    _, content = written()
    store = content["datasets"]["photos"]["store"]
    assert store["mean"] == pytest.approx(known.mean)
    assert store["std"] == pytest.approx(known.std)
    assert store["side"] == known.input_size[-1]
    given = ("--mean", "0.1,0.2,0.3", "--std", "0.5,0.5,0.5", "--size", "32", "--replace")
    _, content = written(*given)
    store = content["datasets"]["photos"]["store"]
    assert (store["mean"], store["side"]) == ([0.1, 0.2, 0.3], 32)


@pytest.mark.parametrize(
    ("options", "name"),
    [
        (("--forget", "list.txt"), "list-listed"),
        (("--forget-glob", "train/ring/*"), "train-ring-6d64c8-listed"),
    ],
)
def test_each_request_has_a_forget_set_of_its_own(options, name):
    _, content = written(*options, forget=None)
    assert [*content["scenarios"]] == content["grid"][0]["scenarios"] == [name]


def test_a_model_that_knows_nothing_of_the_images_is_warned_of():
    said, _ = written()
    assert "of 12 held-out images right" in said
    assert "WARNING: that is near chance" in said
    assert "cross, ring, stripe" in said


def test_methods_and_gold_can_be_chosen():
    _, content = written("--method", "ssd", "--method", "lotus", "--gold")
    assert [*content["methods"]] == ["ssd", "lotus"]
    assert content["grid"][0]["gold"] is True


def test_a_registered_data_set_is_taken_by_its_name():
    torch.manual_seed(0)
    network = timm.create_model("test_resnet", num_classes=10, in_chans=1)
    torch.save(network.state_dict(), "digits.pt")
    Path("ids.txt").write_text("3\n17\n")
    options = ("--size", "32", "--mean", "0.5", "--std", "0.5")
    _, content = written(*options, weights="digits.pt", images="digits", forget="ids.txt")
    assert content["datasets"]["digits"]["crop"] == 32


def put_store(source, dataset):
    folder = Path("store")
    folder.mkdir()
    np.save(folder / "images.npy", np.zeros((4, 8, 8, 1), np.uint8))
    np.save(folder / "labels.npy", np.zeros(4, np.int64))
    write_json(folder / "classes.json", ["zero", "one"])
    parts = {"train": [0, 3], "test": [3, 4]}
    write_json(folder / "source.json", {"parts": parts, "source": source, "dataset": dataset})


def test_a_store_of_a_registered_data_set_is_taken_for_that():
    put_store("digits", "digits")
    network = timm.create_model("test_resnet", num_classes=10, in_chans=1)
    torch.save(network.state_dict(), "digits.pt")
    Path("ids.txt").write_text("3\n")
    options = ("--size", "32", "--mean", "0.5", "--std", "0.5")
    _, content = written(*options, weights="digits.pt", images="store", forget="ids.txt")
    assert [*content["datasets"]] == ["digits"]


def test_a_store_of_own_images_names_what_it_was_built_from():
    put_store("image-folder", "birds")
    assert "name the folder or CSV file that it was built from" in refused(images="store")


def test_a_configuration_is_not_written_over():
    OUT.write_text("mine\n")
    done = adopt()
    assert done.exit_code == 1
    assert "my-model.yaml: is there already" in done.output
    assert OUT.read_text() == "mine\n"


def test_the_forget_set_has_to_be_named_once():
    told = "give one of --forget, --forget-where and --forget-glob"
    assert told in refused(forget=None)
    assert told in refused("--forget-glob", "train/ring/*")


@pytest.mark.parametrize(
    ("others", "told"),
    [
        ({"images": "absent"}, "--images absent: there is no such folder or file"),
        ({"network": "timm:test_resnt"}, "test_resnet"),
        ({"network": "timmm:test_resnet"}, "timm"),
        ({"network": "resnet19"}, "resnet18"),
        ({"network": "absent.py"}, "absent.py"),
        ({"network": "timm:test_vit"}, "weights of another architecture"),
    ],
)
def test_what_is_not_there_or_is_another_network_is_named(others, told):
    assert told in refused(**others)


def test_another_number_of_classes_is_told_by_both_numbers():
    network = timm.create_model("test_resnet", num_classes=7)
    torch.save(network.state_dict(), "seven.pt")
    line = refused(weights="seven.pt")
    assert "the checkpoint has 7 classes, but the images have 3" in line


def test_a_greyscale_checkpoint_does_not_fit_photos():
    network = timm.create_model("test_resnet", num_classes=3, in_chans=1)
    torch.save(network.state_dict(), "grey.pt")
    line = refused(weights="grey.pt")
    assert "1 channel (greyscale), but the images have 3 channels (RGB)" in line


def test_weights_that_are_not_finite_are_refused_by_their_key():
    state = torch.load("mine.pt", weights_only=True)
    key = next(key for key in state if state[key].is_floating_point())
    state[key].view(-1)[0] = torch.nan
    torch.save(state, "broken.pt")
    assert key in refused(weights="broken.pt")


def test_a_pickled_model_is_refused_with_the_line_that_converts_it():
    torch.save(timm.create_model("test_resnet", num_classes=3), "whole.pt")
    line = refused(weights="whole.pt")
    assert "state_dict()" in line
    assert "torch.save" in line


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "list.csv"),
        ("name\ntrain/ring/99.png\n", "99.png"),
        ("name\ntest/ring/1.png\n", "test/ring/1.png"),
    ],
)
def test_a_list_that_names_no_training_images_is_refused(text, told):
    Path("list.csv").write_text(text)
    assert told in refused(forget="list.csv")


def test_a_list_of_all_images_leaves_nothing_to_keep():
    names = [path.relative_to("photos").as_posix() for path in Path("photos/train").rglob("*.png")]
    Path("all.txt").write_text("\n".join(names))
    assert "retain" in refused(forget="all.txt")


@pytest.mark.parametrize(("given", "other"), [("--mean", "--std"), ("--std", "--mean")])
def test_mean_and_deviation_belong_together(given, other):
    said = refused(given, "0.5,0.25,0.5")
    assert f"{given} 0.5,0.25,0.5: give {other} with it, or neither of them" in said


def test_numbers_are_read_one_by_one():
    done = adopt("--mean", "half", "--std", "0.5")
    assert done.exit_code == 2
    assert "accepted: a number for each channel" in " ".join(done.output.split())

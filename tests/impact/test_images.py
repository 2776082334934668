"""What rests on one image: by its place in a store, and by its file."""

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lotus.config.images import StoreOptions
from lotus.data.build import build_store, fetch_raw, verify_store
from lotus.data.splits import load_forget_set, load_held_out
from lotus.errors import LotusError
from lotus.impact.asked import find_start
from lotus.impact.impact import find_impact
from lotus.impact.numbers import images_of
from lotus.metrics.base import registry
from lotus.metrics.base.scoring import score_all
from lotus.predictions.predictions_file import Split
from lotus.records.index import read_index

SPLITS = "results/digits/splits/seed13"


@pytest.fixture
def finished_results(results, monkeypatch):
    monkeypatch.chdir(results.parent)


def of_seed(found, seed, says):
    return {
        (run.record.about.get("scenario", ""), run.record.about["row"])
        for run in found.runs
        if run.record.about["seed"] == seed and run.says == says
    }


@pytest.mark.usefixtures("finished_results")
def test_gold_is_not_made_of_a_forget_image_and_all_others_are():
    at = int(load_forget_set(Path(f"{SPLITS}/instance-10.json")).forget[0])
    found = find_impact(f"data/stores/digits:{at}")
    assert of_seed(found, 13, says=True) == {("instance-10", "gold")}
    made = of_seed(found, 13, says=False)
    assert {("", "original"), ("instance-10", "lotus"), ("class-three", "gold")} <= made
    assert any("forget set of instance-10" in said for said in found.start.said)
    assert "results/digits/forgotten/seed13/instance-10.png" in found.others
    assert not any(path.startswith("results/digits/splits") for path in found.others)


@pytest.mark.usefixtures("finished_results")
def test_of_a_test_image_only_what_is_measured_on_test_images():
    halves = [
        load_held_out(Path(f"results/digits/splits/seed{seed}/held-out.json"))
        for seed in (13, 3407)
    ]
    at = int(np.intersect1d(halves[0].test, halves[1].test)[0])
    found = find_impact(f"digits:{at}")
    assert found.runs
    assert all(run.says for run in found.runs)
    columns = {
        column
        for line in found.lines
        if line.path.endswith("per-seed.csv")
        for column in line.columns
    }
    assert {"accuracy_test", "avg_gap", "rf_jsd", "mia_auc", "mia_released_e6"} <= columns
    assert not columns & {"accuracy_forget", "accuracy_retain", "jsd", "mia"}
    seconds = [line for line in found.lines if line.path.startswith("results/timings")]
    assert seconds == []


@pytest.mark.usefixtures("finished_results")
def test_an_image_that_is_not_there_is_refused():
    with pytest.raises(LotusError, match="the store has no such image; accepted: 0 to "):
        find_impact("data/stores/digits:9999999")


@pytest.fixture
def own_images(tmp_path, monkeypatch):
    """A project with a store of images of one's own, each of another colour."""
    monkeypatch.chdir(tmp_path)
    for number, name in enumerate(
        ("train/ant/a", "train/ant/b", "train/bee/c", "test/ant/d", "test/bee/e")
    ):
        path = Path(f"birds/{name}.png")
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((4, 4, 3), 10 * number, np.uint8)).save(path)
    build_mine()


def build_mine():
    options = StoreOptions(source="image-folder", raw="birds")
    fetch_raw("mine", options, (), Path("data/raw/mine.json"))
    build_store("mine", options, Path("data/raw/mine.json"), Path("data/stores/mine"), None, 1)
    verify_store(
        Path("data/stores/mine"),
        None,
        Path("results/mine/store.json"),
        options.model_dump(mode="json"),
        Path("data/raw/mine.json"),
    )


@pytest.mark.usefixtures("own_images")
def test_a_file_is_found_in_the_store_by_its_place_in_the_folder():
    index = read_index()
    images = np.load("data/stores/mine/images.npy")
    for name in ("train/ant/b", "train/bee/c", "test/bee/e"):
        pixels = np.asarray(Image.open(f"birds/{name}.png"))
        (at,) = np.flatnonzero((images == pixels).all(axis=(1, 2, 3)))
        by_file, by_place = (
            find_start(given, index) for given in (f"birds/{name}.png", f"mine:{at}")
        )
        assert by_file == by_place
    assert find_start("birds", index).title == "raw file birds"


@pytest.mark.usefixtures("own_images")
def test_an_image_is_found_by_its_name_in_the_store():
    index = read_index()
    for at, name in enumerate(("train/ant/a.png", "ant/b.png", "c.png", "data/stores/mine:e.png")):
        given = name if name.startswith("data") else f"mine:{name}"
        assert find_start(given, index) == find_start(f"mine:{at + (at == 3)}", index)
    assert "its name is train/ant/a.png" in find_start("mine:a.png", index).said[0]
    (remark, *_) = find_start("mine:3", index).said
    assert remark == "Class ant; test part of the store; its name is test/ant/d.png."


@pytest.mark.usefixtures("own_images")
def test_names_of_no_image_or_several_are_refused():
    index = read_index()
    told = "mine:x.png: is the name of no image; accepted: the name of one image, such as train/ant/a.png"
    with pytest.raises(LotusError, match=told):
        find_start("mine:x.png", index)
    Image.fromarray(np.zeros((4, 4, 3), np.uint8)).save("birds/train/bee/a.png")
    build_mine()
    told = "mine:a.png: is the name of train/ant/a.png, train/bee/a.png; accepted"
    with pytest.raises(LotusError, match=told):
        find_start("mine:a.png", read_index())


@pytest.mark.usefixtures("own_images")
def test_an_image_that_was_moved_or_changed_since_is_another():
    os.rename("birds/train/bee/c.png", "birds/train/ant/c.png")
    with pytest.raises(LotusError, match="no record names it; accepted: an image, by its file"):
        find_start("birds/train/ant/c.png", read_index())
    # What else was changed plays no part.
    assert find_start("birds/train/ant/a.png", read_index()) == find_start("mine:0", read_index())
    Image.fromarray(np.zeros((4, 4, 3), np.uint8)).save("birds/train/ant/b.png")
    told = (
        "is not the image any more that data/stores/mine was built from; .* as data/stores/mine:1"
    )
    with pytest.raises(LotusError, match=told):
        find_start("birds/train/ant/b.png", read_index())


def said_by(seed, others=frozenset()):
    """Predictions on four splits; of some splits those of another model."""
    labels = np.random.default_rng(0).integers(4, size=180)
    ends = {"forget": (0, 20), "retain": (20, 100), "test": (100, 140), "val": (140, 180)}
    return {
        name: Split(
            np.random.default_rng(seed + 100 * (name in others))
            .normal(size=(end - first, 4))
            .astype(np.float32)
            + np.eye(4, dtype=np.float32)[labels[first:end]],
            labels[first:end],
            np.arange(first, end),
        )
        for name, (first, end) in ends.items()
    }


def joined(said):
    """What an original says: of all training images at once."""
    parts = [said[name] for name in ("forget", "retain")]
    train = Split(
        *(
            np.concatenate([getattr(part, key) for part in parts])
            for key in ("logits", "labels", "indices")
        )
    )
    return {"train": train, "test": said["test"], "val": said["val"]}


@pytest.mark.parametrize("split", ["forget", "retain", "val", "test"])
def test_no_metric_moves_with_images_that_it_does_not_name(split):
    def scored(others):
        models = [said_by(seed, others) for seed in range(3)]
        return score_all(joined(models[0]), models[1], {"lotus": models[2]}, 0)

    before, after = scored(frozenset()), scored(frozenset({split}))
    for row in ("original", "gold", "lotus"):
        moved = {name for name in registry.columns() if before[row][name] != after[row][name]}
        assert moved
        assert all(split in images_of(name) for name in moved), (row, moved)

"""Losses of training images under models that were not trained on them."""

import json

import numpy as np
import pytest
from runs_on_digits import RESNET

from lotus.config.architectures import ARCHITECTURE
from lotus.config.images import Dataset
from lotus.config.scenarios import Scenario
from lotus.data.forget_rules import LOSSES, load_known
from lotus.data.splits import load_forget_set, write_forget_set
from lotus.data.store import open_store
from lotus.errors import LotusError
from lotus.runs import ranking
from lotus.runs.folds import FOLDS


def rank(digits, folder, **training):
    section = {**RESNET, "training": {**RESNET["training"], "epochs": 1, **training}}
    architecture = ARCHITECTURE.validate_python(section)
    out, record = folder / "losses.json", folder / "losses.record.json"
    ranking.rank_images(
        digits / "store", architecture, Dataset(), {"architecture": "small"}, out, record, "cpu", 1
    )
    return out, json.loads(record.read_text())


def test_each_image_is_held_out_once_and_with_a_share_of_each_class(make_store):
    labels = np.repeat(range(3), (12, 20, 4))
    store = make_store(labels, [0, 1, 2])
    found = list(ranking.folds(store))
    assert len(found) == FOLDS
    assert sorted(it for _, unseen in found for it in unseen) == [*range(36)]
    for seen, unseen in found:
        assert sorted([*seen, *unseen]) == [*range(36)]
        assert np.bincount(labels[unseen]).tolist() == [3, 5, 1]


def test_a_class_with_too_few_images_is_named(make_store):
    with pytest.raises(LotusError, match="class Dog has 3 training images, too few to rank them"):
        list(ranking.folds(make_store([0] * 8 + [1] * 3, [0, 1])))


def test_the_loss_is_the_cross_entropy_of_the_label():
    logits, labels = np.array([[0.0, 0.0], [800.0, 0.0]]), np.array([1, 1])
    assert ranking.losses_of(logits, labels).tolist() == pytest.approx([np.log(2), 800])


def test_a_ranking_is_the_same_again_and_forget_sets_are_chosen_by_it(digits, tmp_path):
    (tmp_path / "again").mkdir()
    out, record = rank(digits, tmp_path)
    assert out.read_text() == rank(digits, tmp_path / "again")[0].read_text()
    assert record["kind"] == "image-losses"
    assert record["about"] == {"dataset": "digits", "architecture": "small"}
    assert record["settings"]["folds"] == FOLDS
    store = open_store(digits / "store")
    losses = load_known(out, store, LOSSES)
    means = []
    for rule in ("hardest", "easiest"):
        chosen = tmp_path / f"{rule}.json"
        write_forget_set(
            digits / "store",
            Scenario(forget_fraction=0.1, forget_rule=rule),
            1,
            {"scenario": f"instance-10-{rule}"},
            chosen,
            tmp_path / f"{rule}.record.json",
            known=out,
        )
        means.append(losses.of(load_forget_set(chosen).forget).mean())
        inputs = json.loads((tmp_path / f"{rule}.record.json").read_text())["inputs"]
        assert any(path.endswith("losses.json") for path in inputs)
    assert means[0] > losses.values.mean() > means[1]


def test_models_that_diverge_rank_nothing(digits, tmp_path, monkeypatch):
    monkeypatch.setattr(ranking, "train", lambda *_, **__: None)
    monkeypatch.setattr(
        ranking.inference, "logits", lambda _, images: np.full((len(images), 10), np.nan)
    )
    with pytest.raises(LotusError, match="its loss is not finite"):
        rank(digits, tmp_path)
    assert not [*tmp_path.glob("*.json")]

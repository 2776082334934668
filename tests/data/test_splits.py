"""Splits: what is forgotten and held out, and that split files are checked."""

import json
import unicodedata
from dataclasses import replace

import numpy as np
import pytest

from lotus.config.scenarios import Scenario
from lotus.data import splits
from lotus.errors import LotusError


def interleaved(seed=0, sizes=(40, 23, 9)):
    return np.random.default_rng(seed).permutation(np.repeat(range(len(sizes)), sizes))


def is_partition(store, chosen):
    both = np.concatenate([chosen.forget, chosen.retain])
    return np.array_equal(np.sort(both), store.part("train"))


@pytest.mark.parametrize("fraction", [0.1, 0.25, 0.5, 0.99])
@pytest.mark.parametrize("rule", ["first", "random"])
def test_a_share_of_every_class_is_forgotten(make_store, fraction, rule):
    store = make_store(interleaved(), [0, 1, 2])
    scenario = Scenario(forget_fraction=fraction, forget_rule=rule)
    chosen = splits.choose_forget_set(store, scenario, seed=0)
    assert is_partition(store, chosen)
    for label, size in enumerate((40, 23, 9)):
        images = store.part("train")[store.labels[store.part("train")] == label]
        count = int(fraction * size)
        forgotten = chosen.forget[store.labels[chosen.forget] == label]
        assert len(forgotten) == count
        if rule == "first":
            assert np.array_equal(forgotten, images[:count])
    # Class after class, in data-set order.
    for part in (chosen.forget, chosen.retain):
        assert np.array_equal(part, part[np.lexsort((part, store.labels[part]))])


@pytest.mark.parametrize("rule", ["first", "random"])
def test_as_many_of_every_class_are_forgotten(make_store, rule):
    store = make_store(interleaved(), [0, 1, 2])
    chosen = splits.choose_forget_set(store, Scenario(forget_per_class=5, forget_rule=rule), seed=0)
    assert is_partition(store, chosen)
    assert np.bincount(store.labels[chosen.forget]).tolist() == [5, 5, 5]
    if rule == "first":
        for label in range(3):
            images = store.part("train")[store.labels[store.part("train")] == label]
            assert np.isin(images[:5], chosen.forget).all()


def test_a_class_with_fewer_images_is_forgotten_whole(make_store):
    store = make_store([0] * 9 + [1] * 2 + [2] * 9, [0, 1, 2])
    chosen = splits.choose_forget_set(store, Scenario(forget_per_class=5), seed=0)
    assert np.bincount(store.labels[chosen.forget]).tolist() == [5, 2, 5]


def test_the_first_images_are_forgotten_whatever_their_class(make_store):
    store = make_store(interleaved(), [0, 1, 2])
    chosen = splits.choose_forget_set(store, Scenario(forget_first=17), seed=0)
    assert is_partition(store, chosen)
    assert np.array_equal(np.sort(chosen.forget), store.part("train")[:17])
    assert chosen.digest == splits.choose_forget_set(store, Scenario(forget_first=17), 1).digest


def test_a_validation_part_of_the_publishers_is_kept(make_store):
    store = make_store([0, 1, 2], [0, 1, 2, 0, 1])
    source = {**store.source, "parts": {"train": (0, 3), "val": (3, 6), "test": (6, 8)}}
    for seed in (0, 1):
        held_out = splits.halve_held_out(replace(store, source=source), seed)
        assert held_out.val.tolist() == [3, 4, 5]
        assert held_out.test.tolist() == [6, 7]


def test_only_the_random_rule_depends_on_the_seed(make_store):
    store = make_store(interleaved(), [0, 1, 2])
    digests = {}
    for rule in ("first", "random"):
        scenario = Scenario(forget_fraction=0.5, forget_rule=rule)
        np.random.seed(1)
        chosen = [splits.choose_forget_set(store, scenario, seed) for seed in (0, 0, 1)]
        digests[rule] = [c.digest for c in chosen]
    assert len(set(digests["first"])) == 1
    assert digests["random"][0] == digests["random"][1] != digests["random"][2]


def test_a_whole_class_is_forgotten(make_store):
    store = make_store(interleaved(), [0, 1, 2])
    chosen = splits.choose_forget_set(store, Scenario(forget_class="Ankle boot"), seed=0)
    assert is_partition(store, chosen)
    assert (store.labels[chosen.forget] == 2).all()
    assert (store.labels[chosen.retain] != 2).all()


@pytest.mark.parametrize("name", ["ankel boot", "ankle-boot", "Ankle Boot"])
def test_unknown_class_is_answered_with_the_likely_one(make_store, name):
    store = make_store(interleaved(), [0, 1, 2])
    with pytest.raises(LotusError, match=f"no class '{name}'; did you mean 'Ankle boot'"):
        splits.choose_forget_set(store, Scenario(forget_class=name), seed=0)


@pytest.mark.parametrize(
    ("classes", "forgotten"),
    [
        (("犬", "猫"), "猫"),
        (("C", "C++", "C#"), "C#"),
        (("A", "a"), "a"),
        (("été", "ete"), "e\u0301te\u0301"),
    ],
)
def test_classes_are_told_apart_as_they_are_written(classes, forgotten):
    label = splits.class_label(classes, forgotten)
    assert classes[label] == unicodedata.normalize("NFC", forgotten)


@pytest.mark.parametrize(
    ("train", "scenario"),
    [
        ([0, 1, 2], Scenario(forget_fraction=0.1)),
        ([2, 2, 2], Scenario(forget_class="Ankle boot")),
        ([0, 1, 1], Scenario(forget_class="Ankle boot")),
    ],
)
def test_both_sets_need_an_image(make_store, train, scenario):
    with pytest.raises(LotusError, match=f"{scenario.canonical_name}: leaves"):
        splits.choose_forget_set(make_store(train, [0]), scenario, seed=0)


def test_halves_are_stratified_disjoint_and_seeded(make_store):
    store = make_store([0, 1, 2], interleaved(1, (40, 20, 10)))
    halves = [splits.halve_held_out(store, seed) for seed in (0, 0, 1)]
    for half in halves:
        both = np.concatenate([half.val, half.test])
        assert np.array_equal(np.sort(both), store.part("test"))
        for part in (half.val, half.test):
            assert np.bincount(store.labels[part]).tolist() == [20, 10, 5]
            assert (np.diff(part) > 0).all()
    assert np.array_equal(halves[0].val, halves[1].val)
    assert not np.array_equal(halves[0].val, halves[2].val)


def test_splits_survive_their_files(make_store, tmp_path):
    store = make_store(interleaved(), interleaved(1))
    held_out, path = splits.halve_held_out(store, 0), tmp_path / "split.json"
    splits.save_held_out(path, held_out)
    found = splits.load_held_out(path)
    assert np.array_equal(found.val, held_out.val)
    assert np.array_equal(found.test, held_out.test)
    with pytest.raises(LotusError, match="needs the keys"):
        splits.load_forget_set(path)
    chosen = splits.choose_forget_set(store, Scenario(forget_fraction=0.1), 0)
    splits.save_forget_set(path, chosen)
    again = splits.load_forget_set(path)
    assert (again.rule, again.digest) == (chosen.rule, chosen.digest)
    assert np.array_equal(again.forget, chosen.forget)
    assert np.array_equal(again.retain, chosen.retain)


def test_unusable_splits_are_refused(make_store, tmp_path):
    path = tmp_path / "split.json"
    with pytest.raises(LotusError, match="cannot be read"):
        splits.load_forget_set(path)
    path.write_text('{"val": [1,')
    with pytest.raises(LotusError, match="damaged"):
        splits.load_held_out(path)
    store = make_store(interleaved(), [0])
    splits.save_forget_set(path, splits.choose_forget_set(store, Scenario(forget_fraction=0.5), 0))
    content = json.loads(path.read_text())
    content["forget"][0] = content["retain"][0]
    path.write_text(json.dumps(content))
    with pytest.raises(LotusError, match="do not have the digest"):
        splits.load_forget_set(path)


@pytest.mark.parametrize(
    "val", ['["a"]', "[1.5]", '["1"]', "[true]", "[[1]]", '"1"', "{}", "[1" + "0" * 30 + "]"]
)
def test_indices_that_are_no_integers_are_refused(tmp_path, val):
    path = tmp_path / "split.json"
    path.write_text(f'{{"val": {val}, "test": [1]}}')
    with pytest.raises(LotusError, match="indices must be integers"):
        splits.load_held_out(path)


def test_a_split_that_is_nested_without_end_is_refused(tmp_path):
    path = tmp_path / "split.json"
    path.write_text("[" * 100_000)
    with pytest.raises(LotusError, match="nested deeper"):
        splits.load_held_out(path)


def test_a_class_with_one_held_out_image_cannot_be_halved(make_store):
    with pytest.raises(LotusError, match="one held-out image cannot be halved"):
        splits.halve_held_out(make_store(interleaved(), [0, 0, 1]), 0)


def test_halves_of_an_even_seed_and_the_next_are_the_training_images(make_store):
    store = make_store(interleaved(sizes=(40, 23, 9)), [0, 1, 2])
    one, other, next_one = (splits.draw_half(store, seed) for seed in (6, 7, 8))
    assert np.array_equal(np.sort(np.concatenate([one, other])), store.part("train"))
    assert np.bincount(store.labels[one]).tolist() == [20, 11, 4]
    assert not np.array_equal(one, next_one)
    assert np.array_equal(one, splits.draw_half(store, 6))


def test_a_forget_set_within_a_half_says_what_is_absent(make_store, tmp_path):
    store = make_store(interleaved(), [0, 1, 2])
    chosen, half = (
        splits.choose_forget_set(store, Scenario(forget_fraction=0.25), 0),
        splits.draw_half(store, 6),
    )
    within = splits.within_half(chosen, half)
    assert np.array_equal(np.sort(np.concatenate([within.forget, within.retain])), half)
    assert {*within.forget} == {*chosen.forget} & {*half}
    assert {*within.absent} == {*store.part("train")} - {*half}
    splits.save_forget_set(tmp_path / "half.json", within)
    assert np.array_equal(splits.load_forget_set(tmp_path / "half.json").absent, within.absent)
    splits.save_forget_set(tmp_path / "all.json", chosen)
    assert "absent" not in json.loads((tmp_path / "all.json").read_text())
    with pytest.raises(LotusError, match="leaves 0 forget"):
        splits.within_half(chosen, chosen.retain)

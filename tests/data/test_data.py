"""Batches, splits and stores."""

import hashlib
import json
import os
import subprocess
import sys
import unicodedata
from dataclasses import replace

import numpy as np
import pytest
import torch
import yaml
from hypothesis import given
from hypothesis import strategies as st

from lotus.config.images import Augmentation, Dataset
from lotus.config.scenarios import Scenario
from lotus.data import content as contents
from lotus.data import splits
from lotus.data.augment import augment
from lotus.data.batches import Images, ImageSet, View, deal
from lotus.data.content import Content
from lotus.data.store import dvc_digest, locked_stores, open_store, write_store
from lotus.errors import LotusError

# Batches


@pytest.fixture(scope="session")
def numbered(image_set):
    """Images that show their own position, labelled with it."""
    return lambda count: image_set(np.arange(count).reshape(-1, 1, 1, 1), np.arange(count))


def shows(batch):
    return (batch.images.flatten() * 255).round().long()


@given(count=st.integers(0, 200), size=st.integers(1, 70), seed=st.integers(0, 9))
def test_shuffled_deals_every_image_once_in_nearly_equal_batches(
    numbered, seeded, count, size, seed
):
    batches = list(numbered(count).shuffled(size, seeded(seed)))
    sizes = [len(batch.labels) for batch in batches]
    assert len(batches) == -(-count // size)
    if count:
        assert max(sizes) - min(sizes) <= 1
        assert max(sizes) <= size
    positions = [p for batch in batches for p in batch.positions.tolist()]
    assert sorted(positions) == list(range(count))
    for batch in batches:
        assert torch.equal(shows(batch), batch.positions)
        assert torch.equal(batch.labels, batch.positions)


def test_shuffled_order_depends_on_the_generator(numbered, seeded):
    def order(generator):
        return [p for b in numbered(50).shuffled(8, generator) for p in b.positions.tolist()]

    generator = seeded(0)
    first, second = order(generator), order(generator)
    assert first == order(seeded(0)) != second
    assert first != list(range(50))


@given(count=st.integers(1, 100), size=st.integers(1, 40))
def test_in_order_keeps_the_order(numbered, count, size):
    batches = list(numbered(count).in_order(size))
    assert torch.cat([batch.positions for batch in batches]).tolist() == list(range(count))
    assert torch.cat([shows(batch) for batch in batches]).tolist() == list(range(count))


def test_only_shuffled_batches_are_augmented(noise, seeded):
    images = noise(8, crop_padding=2)
    (plain,), (cropped,) = images.in_order(8), images.shuffled(8, seeded())
    assert torch.equal(plain.images, images.pixels / 255)
    assert not torch.equal(cropped.images, plain.images[cropped.positions])


def test_union_keeps_positions(numbered, cut, seeded):
    first, second = cut(numbered(10), 4, 6)
    union = second + first.relabelled(first.labels + 100)
    assert len(union) == 10
    for batch in union.shuffled(3, seeded()):
        mine = batch.positions < len(second)
        expected = torch.where(mine, batch.positions + 4, batch.positions - 6)
        assert torch.equal(shows(batch), expected)
        assert torch.equal(batch.labels, expected + 100 * ~mine)


@pytest.mark.parametrize(("share", "count"), [(0.3, 6), (0.33, 6), (1.0, 20), (0.001, 1)])
def test_sample_is_a_part_without_replacement(numbered, seeded, share, count):
    part = numbered(20).sample(share, seeded())
    assert len(part) == len(set(part.index.tolist())) == count
    assert torch.equal(part.labels, part.index)


def test_images_are_normalised_and_channels_are_kept(make_store):
    store = make_store([0, 1, 2], [0])
    rng = np.random.default_rng(1)
    pixels = rng.integers(256, size=(4, 5, 3, 2), dtype=np.uint8)
    source = {**store.source, "mean": [0.2, 0.4], "std": [0.5, 2.0]}
    images = Images(replace(store, images=pixels, source=source), Dataset(), torch.device("cpu"))
    (batch,) = images.take(np.array([2, 0])).in_order(9)
    expected = (pixels[[2, 0]] / 255 - [0.2, 0.4]) / [0.5, 2.0]
    np.testing.assert_allclose(batch.images.permute(0, 2, 3, 1), expected, atol=1e-6)
    assert batch.labels.tolist() == [2, 0]


@given(count=st.integers(0, 200), size=st.integers(1, 70), seed=st.integers(0, 9))
def test_deal_keeps_a_partial_batch_if_told(seeded, count, size, seed):
    whole, partial = (deal(count, size, seeded(seed), keep) for keep in (False, True))
    order = [p for positions in partial for p in positions.tolist()]
    assert sorted(order) == list(range(count))
    # The same order, cut elsewhere.
    assert [p for positions in whole for p in positions.tolist()] == order
    full, rest = divmod(count, size)
    assert [len(p) for p in partial] == [size] * full + [rest] * (rest > 0)
    assert len(whole) == len(partial)
    assert not whole or max(map(len, whole)) - min(map(len, whole)) <= 1


def test_shuffled_keeps_a_partial_batch_if_told(numbered, seeded):
    for keep, sizes in ((True, [8, 8, 4]), (False, [7, 7, 6])):
        batches = list(numbered(20).shuffled(8, seeded(), keep))
        assert [len(batch.labels) for batch in batches] == sizes


def test_in_order_with_a_generator_is_augmented_and_keeps_the_order(noise, seeded):
    images = noise(12, crop_padding=2)
    plain, again = ([*images.in_order(5, seeded(seed))] for seed in (0, 0))
    assert [len(batch.labels) for batch in plain] == [5, 5, 2]
    assert all(torch.equal(a.images, b.images) for a, b in zip(plain, again, strict=True))
    assert torch.cat([batch.positions for batch in plain]).tolist() == list(range(12))
    assert torch.equal(torch.cat([batch.labels for batch in plain]), images.labels)
    assert not torch.equal(torch.cat([batch.images for batch in plain]), images.pixels / 255)


def test_frozen_images_have_one_crop_for_good(noise, seeded, monkeypatch):
    monkeypatch.setattr("lotus.data.batches.FROZEN_AT_ONCE", 5)
    images = noise(12, crop_padding=2)
    images = replace(images, mean=images.mean + 0.4, std=images.std * 0.2)
    frozen = images.frozen(seeded())
    (expected,) = [torch.cat([batch.images for batch in images.in_order(5, seeded())])]
    for generator in (None, seeded(1), seeded(2)):
        (batch,) = frozen.in_order(20, generator)
        np.testing.assert_allclose(batch.images, expected, atol=1e-5)
        assert torch.equal(batch.labels, images.labels)
    part = frozen.part(torch.tensor([7, 2]))
    np.testing.assert_allclose(next(part.in_order(2)).images, expected[[7, 2]], atol=1e-5)
    assert not frozen.augmentation.is_random


def test_first_images_of_each_class(image_set):
    labels = [2, 0, 2, 1, 0, 2, 0, 2]
    images = image_set(np.arange(8).reshape(-1, 1, 1, 1), labels)
    for count, expected in ((1, [0, 1, 3]), (2, [0, 1, 2, 3, 4]), (9, list(range(8)))):
        part = images.of_each_class(count)
        assert part.index.tolist() == expected
        assert part.labels.tolist() == [labels[i] for i in expected]


def test_part_by_position_and_by_truth(numbered):
    images = numbered(6)
    assert images.part(torch.tensor([4, 1])).labels.tolist() == [4, 1]
    assert images.part(images.labels > 3).index.tolist() == [4, 5]


def test_valid_range_is_that_of_black_and_white(image_set):
    images = image_set(np.array([0, 255]).reshape(2, 1, 1, 1).repeat(2, axis=1), [0, 0])
    mean = torch.tensor([0.5, 0.2])[None, :, None, None]
    std = torch.tensor([0.25, 2.0])[None, :, None, None]
    images = replace(images, mean=mean, std=std)
    (batch,) = images.in_order(2)
    for found, expected in zip(images.valid_range, batch.images, strict=True):
        np.testing.assert_allclose(found[0], expected, atol=1e-6)


def test_only_the_chosen_images_can_be_taken(make_store):
    store, only = make_store([0, 1, 2, 0, 1], [0, 1]), np.array([5, 1, 3, 1])
    images = Images(store, Dataset(), torch.device("cpu"), only)
    part = images.take(np.array([3, 5, 1]))
    assert part.pixels.shape[0] == 3
    assert part.labels.tolist() == store.labels[[3, 5, 1]].tolist()
    (batch,) = part.in_order(3)
    expected = store.images[[3, 5, 1]].transpose(0, 3, 1, 2) / 255
    np.testing.assert_allclose(batch.images, expected, atol=1e-6)
    for other in ([0], [1, 2], [6], [-1]):
        with pytest.raises(LotusError, match="not loaded"):
            images.take(np.array(other))


def test_images_without_a_choice_can_all_be_taken(make_store):
    store = make_store([0, 1, 2], [0])
    images = Images(store, Dataset(augmentation=Augmentation(crop_padding=1)), torch.device("cpu"))
    part = images.take(np.arange(4))
    assert isinstance(part, ImageSet)
    assert part.augmentation.crop_padding == 1
    with pytest.raises(LotusError, match="not loaded"):
        images.take(np.array([4]))


# 49 · (256 / 49) is below 256 in binary fractions.
@pytest.mark.parametrize(
    ("size", "crop", "expected"),
    [((49, 98), None, (256, 512)), ((98, 49), None, (512, 256)), ((49, 60), 256, (256, 256))],
)
def test_resizing_reaches_its_size(size, crop, expected):
    view = View(resize=256, crop=crop)
    assert view(torch.zeros(1, 1, *size)).shape[2:] == view.shape(*size) == expected


def test_view_comes_before_augmentation(noise, seeded):
    images = replace(noise(4, crop_padding=1), view=View(resize=4))
    (plain,), (augmented,) = images.in_order(4), images.in_order(4, seeded())
    assert plain.images.shape == augmented.images.shape == (4, 2, 4, 4)
    assert torch.equal(augmented.images, augment(plain.images, images.augmentation, seeded()))


# Splits


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


def test_indices_that_are_no_integers_are_refused(tmp_path):
    path = tmp_path / "split.json"
    path.write_text('{"val": ["a"], "test": [1]}')
    with pytest.raises(LotusError, match="indices must be integers"):
        splits.load_held_out(path)


def test_a_class_with_one_held_out_image_cannot_be_halved(make_store):
    with pytest.raises(LotusError, match="one held-out image cannot be halved"):
        splits.halve_held_out(make_store(interleaved(), [0, 0, 1]), 0)


def test_sets_of_two_stores_cannot_be_joined(image_set):
    first, second = (image_set(np.zeros((2, 1, 2, 2)), [0, 1]) for _ in range(2))
    with pytest.raises(ValueError, match="one store"):
        first + second


# Stores

SOURCE = {"dataset": "toy", "mean": [0.5], "std": [0.25]}


def raw(seed=0):
    pixels = np.random.default_rng(seed).integers(256, size=(6, 4, 4, 1), dtype=np.uint8)
    labels = np.array([0, 1, 2, 0, 1, 2])
    return Content(pixels, labels, {"train": (0, 4), "test": (4, 6)}, ("Cat", "Dog", "Émile"))


def write(path, content, locked=None):
    write_store(path, content.images, content, SOURCE, locked)


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "stores" / "toy"
    write(path, raw())
    return path


def test_content_is_the_same_mapped_and_in_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(contents, "BYTES_AT_ONCE", 100)
    images = np.random.default_rng(0).integers(256, size=(50, 3, 4, 2), dtype=np.uint8)
    labels = np.arange(50)
    np.save(tmp_path / "images.npy", images)
    mapped = np.load(tmp_path / "images.npy", mmap_mode="r")
    expected = hashlib.sha256(images.tobytes() + labels.astype("<i8").tobytes()).hexdigest()
    assert contents.digest(images, labels) == contents.digest(mapped, labels) == expected
    # A view of a map does not begin where the map does.
    assert contents.digest(mapped[7:], labels) == contents.digest(images[7:], labels)
    found = contents.channel_statistics(mapped, 40)
    assert found == contents.channel_statistics(images, 40)
    values = images[:40].reshape(-1, 2) / 255
    np.testing.assert_allclose(found, [values.mean(0), values.std(0)], atol=6e-5)


def test_store_survives_its_files(folder):
    store = open_store(folder)
    assert np.array_equal(store.images, raw().images)
    assert np.array_equal(store.labels, raw().labels)
    assert store.classes == ("Cat", "Dog", "Émile")
    assert store.part("train").tolist() == [0, 1, 2, 3]
    assert store.part("test").tolist() == [4, 5]
    assert (store.mean, store.std) == ((0.5,), (0.25,))


def test_same_content_has_the_same_digest_and_other_content_another(folder, tmp_path):
    for seed, agree in ((0, True), (1, False)):
        other = tmp_path / str(seed)
        write(other, raw(seed))
        assert (dvc_digest(other) == dvc_digest(folder)) is agree


@pytest.mark.parametrize("name", ["images.npy", "labels.npy", "classes.json", "source.json"])
def test_store_without_a_file_is_refused(folder, name):
    (folder / name).unlink()
    with pytest.raises(LotusError, match=f"{name} missing"):
        open_store(folder)


@pytest.mark.parametrize("name", ["images.npy", "labels.npy", "classes.json", "source.json"])
def test_store_with_half_a_file_is_refused(folder, name):
    content = (folder / name).read_bytes()
    (folder / name).write_bytes(content[: len(content) // 2])
    with pytest.raises(LotusError, match="damaged image store"):
        open_store(folder)


@pytest.mark.parametrize(
    ("name", "text"),
    [("images.npy", ""), ("labels.npy", ""), ("classes.json", "3"), ("source.json", "{}")],
)
def test_store_with_a_file_of_another_form_is_refused(folder, name, text):
    (folder / name).write_text(text)
    with pytest.raises(LotusError, match="damaged image store"):
        open_store(folder)


@pytest.mark.parametrize(
    ("name", "array", "message"),
    [
        ("images", np.zeros((6, 4, 4, 1)), "must be uint8"),
        ("images", np.zeros((6, 4, 4), np.uint8), "must be uint8"),
        ("labels", np.zeros(6, np.int32), "must be int64"),
        ("labels", np.zeros(5, np.int64), r"must be int64 \[6\]"),
        ("labels", np.full(6, 3), "must lie in 0…2"),
        ("labels", np.full(6, -1), "must lie in 0…2"),
    ],
)
def test_store_of_another_form_is_refused(folder, name, array, message):
    np.save(folder / f"{name}.npy", array)
    with pytest.raises(LotusError, match=message):
        open_store(folder)


def test_store_that_is_not_the_locked_one_leaves_the_earlier(folder):
    earlier = dvc_digest(folder)
    with pytest.raises(LotusError, match=f"data.dvc locks {earlier}"):
        write(folder, raw(1), locked=earlier)
    assert dvc_digest(folder) == earlier
    assert list(folder.parent.iterdir()) == [folder]
    write(folder, raw(), locked=earlier)
    assert dvc_digest(folder) == earlier


def test_digest_is_dvcs(folder, tmp_path):
    # Names whose order differs between texts and folders.
    for name in ("b/1.txt", "b-a.txt", "b.txt", "ä.txt", "B.txt"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(name)
    variables = {**os.environ, "DVC_NO_ANALYTICS": "1"}
    place = folder.relative_to(tmp_path).as_posix()
    for order in (["init", "--no-scm", "-q"], ["add", "-q", place]):
        subprocess.run(
            [sys.executable, "-m", "dvc", *order], cwd=tmp_path, env=variables, check=True
        )
    lock = folder.with_name("toy.dvc")
    assert yaml.safe_load(lock.read_text())["outs"][0]["md5"] == dvc_digest(folder)
    assert locked_stores(lock) == {"toy": dvc_digest(folder)}


def test_lock_that_is_absent_or_not_dvcs(tmp_path):
    lock = tmp_path / "data.dvc"
    assert locked_stores(lock) == {}
    for content in ("outs: [", "stores: []", "- 3"):
        lock.write_text(content)
        with pytest.raises(LotusError, match="not a DVC file"):
            locked_stores(lock)

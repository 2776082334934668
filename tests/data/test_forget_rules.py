"""Forget sets by losses and by look-alikes, on losses and hashes made by hand."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from lotus.config.scenarios import Scenario
from lotus.data import splits
from lotus.data.forget_rules import (
    HASHES,
    LOSSES,
    Known,
    forget_by_rule,
    load_known,
    read_known,
    save_known,
)
from lotus.errors import LotusError

SIZES = (40, 23, 9)
LABELS = np.random.default_rng(0).permutation(np.repeat(range(len(SIZES)), SIZES))


def by_class(labels=LABELS):
    return [np.flatnonzero(labels == label) for label in range(labels.max() + 1)]


def known(values, dtype=np.float64):
    return Known(np.arange(len(values)), np.array(values, dtype))


@given(
    st.lists(st.floats(0, 20), min_size=len(LABELS), max_size=len(LABELS)),
    st.sampled_from(["hardest", "easiest"]),
    st.one_of(st.floats(0.05, 0.9), st.integers(1, 9)),
)
def test_no_image_that_is_kept_is_harder_than_one_of_the_hardest_of_its_class(losses, rule, share):
    key = "forget_per_class" if isinstance(share, int) else "forget_fraction"
    scenario = Scenario(**{key: share, "forget_rule": rule})
    losses = np.array(losses)
    _, forget = forget_by_rule(scenario, by_class(), 0, known(losses))
    assert forget.tolist() == [it for ids in by_class() for it in ids if it in set(forget)]
    sign = 1 if rule == "hardest" else -1
    for ids in by_class():
        gone = np.isin(ids, forget)
        assert gone.sum() == (share if isinstance(share, int) else int(share * len(ids)))
        if gone.any() and not gone.all():
            assert (sign * losses[ids[gone]]).min() >= (sign * losses[ids[~gone]]).max()


def test_of_equal_losses_the_first_are_forgotten_whatever_the_seed():
    for rule in ("hardest", "easiest"):
        scenario = Scenario(forget_fraction=0.25, forget_rule=rule)
        for seed in (0, 1):
            _, forget = forget_by_rule(scenario, by_class(), seed, known(np.zeros(len(LABELS))))
            assert forget.tolist() == [it for ids in by_class() for it in ids[: len(ids) // 4]]


def hashes_of(*clusters):
    """Hashes of images that are alike within a cluster and far from all others (8 bits and more)."""
    codes = [
        sum(0xFF << 8 * byte for byte in range(8) if number >> byte & 1) for number in range(99)
    ]
    return [
        codes[place] ^ (member % 2) for place, size in enumerate(clusters) for member in range(size)
    ]


def test_whole_clusters_are_forgotten_the_largest_first():
    # One class has clusters of 5, 3 and 3 and two images like no other; another one a cluster of 4.
    hashes = hashes_of(5, 3, 3, 1, 1, 4, 3)
    labels = np.array([0] * 13 + [1] * 7)
    scenario = Scenario(forget_fraction=0.4, forget_rule="duplicates")
    # 5 + 2 images: the cluster of 5 fits, that of 4 does not, none of 3 does.
    rule, forget = forget_by_rule(scenario, by_class(labels), 0, known(hashes, np.uint64))
    assert forget.tolist() == [0, 1, 2, 3, 4]
    assert rule.startswith("1 whole cluster of look-alikes of one class")
    scenario = Scenario(forget_fraction=0.6, forget_rule="duplicates")
    # 7 + 4 images: 5 + 4, and nothing more fits.
    _, forget = forget_by_rule(scenario, by_class(labels), 0, known(hashes, np.uint64))
    assert forget.tolist() == [0, 1, 2, 3, 4, 13, 14, 15, 16]


@given(st.lists(st.integers(1, 6), min_size=4, max_size=12), st.floats(0.1, 0.9))
def test_no_cluster_is_split_and_the_share_is_not_exceeded(sizes, share):
    hashes = np.array(hashes_of(*sizes), np.uint64)
    labels = np.zeros(len(hashes), int)
    scenario = Scenario(forget_fraction=share, forget_rule="duplicates", alike_within=2)
    wanted = int(share * len(hashes))
    alike = sum(size for size in sizes if size > 1)
    if alike < wanted:
        with pytest.raises(LotusError, match=f"only {alike} training images look like another"):
            forget_by_rule(scenario, by_class(labels), 0, known(hashes, np.uint64))
        return
    _, forget = forget_by_rule(scenario, by_class(labels), 0, known(hashes, np.uint64))
    ends = np.cumsum(sizes)
    gone = [
        np.isin(np.arange(end - size, end), forget) for size, end in zip(sizes, ends, strict=True)
    ]
    assert all(it.all() or not it.any() for it in gone)
    assert not any(it.any() for it, size in zip(gone, sizes, strict=True) if size == 1)
    assert len(forget) <= wanted
    # What was left out does not fit.
    left = [size for it, size in zip(gone, sizes, strict=True) if size > 1 and not it.any()]
    assert all(len(forget) + size > wanted for size in left)


def test_images_of_two_classes_are_no_cluster():
    # Two images of each class, far apart, each like one of every other class.
    hashes = hashes_of(3, 3)
    scenario = Scenario(forget_fraction=0.5, forget_rule="duplicates")
    with pytest.raises(LotusError, match="only 0 training images look like another of their class"):
        forget_by_rule(scenario, by_class(np.arange(6) % 3), 0, known(hashes, np.uint64))


def test_what_is_known_is_read_as_it_was_written(make_store, tmp_path):
    store = make_store(LABELS, [0, 1, 2])
    losses = np.random.default_rng(1).random(len(LABELS))
    hashes = np.random.default_rng(1).integers(2**64, size=len(LABELS), dtype=np.uint64)
    for what, values in ((LOSSES, losses), (HASHES, hashes)):
        save_known(tmp_path / "known.json", store, what, values)
        found = load_known(tmp_path / "known.json", store, what)
        assert found.indices.tolist() == store.part("train").tolist()
        assert found.values.tolist() == values.tolist()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"losses": [float("nan")] * len(LABELS)}, "losses"),
        ({"losses": [1.0]}, "is of other images"),
        ({"losses": ["x"] * len(LABELS)}, "is not a list of losses"),
        ({"losses": None}, "has no list of losses"),
        ({"indices": [*range(1, len(LABELS) + 1)]}, "is of other images"),
        ({"labels": [0] * len(LABELS)}, "is of other images than the 72 training images"),
    ],
)
def test_losses_that_are_none_of_the_store_are_refused(make_store, tmp_path, change, said):
    store = make_store(LABELS, [0, 1, 2])
    path = tmp_path / "losses.json"
    save_known(path, store, LOSSES, np.ones(len(LABELS)))
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(LotusError, match=said) as caught:
        load_known(path, store, LOSSES)
    assert str(path) in str(caught.value)


def test_a_loss_that_is_not_finite_is_neither_written_nor_read(make_store, tmp_path):
    store = make_store(LABELS, [0, 1, 2])
    losses = np.ones(len(LABELS))
    losses[3] = np.inf
    path = tmp_path / "losses.json"
    with pytest.raises(LotusError, match="image 3: its loss is not finite"):
        save_known(path, store, LOSSES, losses)
    assert not path.exists()
    save_known(path, store, LOSSES, np.ones(len(LABELS)))
    text = path.read_text().replace("1.0", "1e999", 1)
    path.write_text(text)
    with pytest.raises(LotusError, match=r"losses\.json"):
        load_known(path, store, LOSSES)


def test_a_rule_without_what_it_goes_by_is_refused_and_so_is_what_no_rule_reads(
    make_store, tmp_path
):
    store = make_store(LABELS, [0, 1, 2])
    hardest = Scenario(forget_fraction=0.1, forget_rule="hardest")
    with pytest.raises(LotusError, match="forget_rule = hardest needs the losses"):
        splits.choose_forget_set(store, hardest, 0)
    with pytest.raises(LotusError, match="forget_rule = first reads no such file"):
        read_known(tmp_path / "losses.json", store, Scenario(forget_fraction=0.1))
    with pytest.raises(LotusError, match="cannot be read"):
        read_known(tmp_path / "losses.json", store, hardest)


@pytest.mark.parametrize(
    ("section", "said"),
    [
        (
            {"forget_class": "a", "forget_rule": "hardest"},
            "hardest works only with forget_fraction",
        ),
        ({"forget_first": 3, "forget_rule": "duplicates"}, "duplicates works only with"),
        ({"forget_per_class": 3, "forget_rule": "duplicates"}, "only with forget_fraction"),
        ({"forget_fraction": 0.1, "ranked_by": "vit"}, "ranked_by works only with"),
        ({"forget_fraction": 0.1, "alike_within": 2}, "alike_within works only with"),
        (
            {"forget_fraction": 0.1, "forget_rule": "duplicates", "alike_within": 9},
            "less than or equal to 8",
        ),
    ],
)
def test_keys_that_do_not_go_together_are_refused(section, said):
    with pytest.raises(ValidationError, match=said):
        Scenario(**section)


def test_the_name_of_a_scenario_says_its_rule():
    names = {rule: Scenario(forget_fraction=0.1, forget_rule=rule).canonical_name
             for rule in ("first", "random", "hardest", "easiest", "duplicates")}  # fmt: skip
    assert names["first"] == names["random"] == "instance-10"
    assert names["hardest"] == "instance-10-hardest"
    random = Scenario(forget_fraction=0.1, forget_rule="random")
    assert random.is_called("instance-10")
    assert random.is_called("instance-10-random")
    assert not Scenario(forget_fraction=0.1).is_called("instance-10-random")
    few = Scenario(forget_per_class=5, forget_rule="easiest")
    assert few.is_called("birds-5-per-class-easiest")
    assert not few.is_called("birds-5-per-class")
    assert random.depends_on_seed
    assert not few.depends_on_seed

"""Pairs, groups and cleaning are those of comparing all images with all."""

from itertools import combinations, pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pictures import bits

from lotus.data.duplicates import PRIORITY, choose_kept, distance_histogram, find_similar


@st.composite
def hashes_in_parts(draw):
    """Up to 24 hashes within a few bits of two centres, each in one of three parts."""
    centres = [0x0123456789ABCDEF, 0xFEDCBA9876543210]
    member = st.tuples(
        st.sampled_from(centres), st.lists(st.integers(0, 63), max_size=4), st.integers(0, 2)
    )
    members = draw(st.lists(member, max_size=24))
    hashes = []
    for centre, flipped, _ in members:
        for bit in flipped:
            centre ^= 1 << bit
        hashes.append(centre)
    return np.array(hashes, np.uint64), np.array([part for _, _, part in members], np.int64)


def brute_pairs(hashes, distance):
    every = combinations(range(len(hashes)), 2)
    return [(i, j) for i, j in every if bits(hashes[i], hashes[j]) <= distance]


@given(given=hashes_in_parts(), distance=st.integers(0, 4))
def test_pairs_and_groups_are_those_of_comparing_all_with_all(given, distance):
    hashes, part = given
    expected = brute_pairs(hashes, distance)
    similar = find_similar(hashes, distance)
    counts = np.zeros((3, 3), np.int64)
    for i, j in expected:
        counts[part[i], part[j]] += 1
    counts = np.tril(counts) + np.triu(counts, 1).T
    found = similar.count_pairs(part, 3)
    np.testing.assert_array_equal(np.tril(found), counts)
    np.testing.assert_array_equal(found, found.T)

    groups = list(range(len(hashes)))
    for i, j in expected * len(hashes):
        groups[i] = groups[j] = min(groups[i], groups[j])
    numbers = {group: number for number, group in enumerate(dict.fromkeys(groups))}
    assert similar.groups().tolist() == [numbers[group] for group in groups]


@pytest.mark.parametrize("distance", [1, 2, 3, 4])
def test_bands_find_every_close_pair_once(distance):
    rng = np.random.default_rng(distance)
    hashes = rng.integers(2**64, size=40, dtype=np.uint64)
    near = [
        int(value) ^ sum(1 << int(bit) for bit in rng.choice(64, count, replace=False))
        for value in hashes
        for count in range(1, 6)
    ]
    hashes = np.unique(np.array([*hashes.tolist(), *near], np.uint64))
    found = find_similar(hashes, distance).near
    expected = [tuple(sorted(pair)) for pair in brute_pairs(hashes, distance)]
    assert sorted(tuple(sorted(pair)) for pair in found.tolist()) == sorted(expected)


@given(given=hashes_in_parts(), distance=st.integers(0, 4), names=st.permutations(PRIORITY))
def test_cleaning_keeps_one_of_each_group_by_priority(given, distance, names):
    hashes, part = given
    names = names[:3]
    groups = find_similar(hashes, distance).groups()
    kept = choose_kept(groups, part, names)
    assert not brute_pairs(hashes[kept], distance)
    for group in set(groups.tolist()):
        members = np.flatnonzero(groups == group).tolist()
        best = min(members, key=lambda member: (PRIORITY.index(names[part[member]]), member))
        assert [member for member in members if kept[member]] == [best]


def test_held_out_copies_stay_and_forget_goes_before_retain():
    names = ("forget", "retain", "val", "test")
    for low, high in pairwise(["retain", "forget", "val", "test"]):
        part = np.array([names.index(low), names.index(high)])
        assert choose_kept(np.zeros(2, int), part, names).tolist() == [False, True]


def test_many_equal_images_are_counted_not_listed():
    count = 300_000
    hashes = np.zeros(count, np.uint64)
    hashes[-1] = 0b11
    part = np.arange(count) % 2
    similar = find_similar(hashes, 2)
    half = count // 2
    pairs = similar.count_pairs(part, 2)
    assert pairs.tolist() == [
        [half * (half - 1) // 2, half**2],
        [half**2, half * (half - 1) // 2],
    ]
    assert len(similar.near) == 1
    assert not similar.groups().any()


def test_distances_are_counted(monkeypatch):
    rng = np.random.default_rng(0)
    first, second = (rng.integers(2**64, size=n, dtype=np.uint64) for n in (30, 50))
    second[0] = first[0]
    expected = np.bincount([bits(a, b) for a in first for b in second], minlength=65)
    every = distance_histogram(first, second, 1500, rng)
    np.testing.assert_array_equal(every, expected)
    sampled = [
        distance_histogram(first, second, 1400, np.random.default_rng(seed)) for seed in (1, 1, 2)
    ]
    assert [histogram.sum() for histogram in sampled] == [1400] * 3
    np.testing.assert_array_equal(sampled[0], sampled[1])
    assert (sampled[0] != sampled[2]).any()
    assert not sampled[2][expected == 0].any()
    mean = np.arange(65) @ expected / 1500
    assert np.arange(65) @ sampled[2] / 1400 == pytest.approx(mean, abs=0.5)

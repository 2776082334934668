"""Predictions as they should not be: they are named by row and split, and no number is made of them."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from random_predictions import scenario

from lotus.errors import LotusError
from lotus.metrics.base import registry
from lotus.metrics.base.released import (
    mia_released_e6,
)
from lotus.metrics.base.scoring import score_all
from lotus.metrics.membership import attack, auc, tpr_at_fpr
from lotus.metrics.streisand import standing
from lotus.predictions.predictions_file import Split
from lotus.results.correlation import correlate
from lotus.results.intervals import paired


def damaged(name, **parts):
    """The scenario with a split of `other` replaced in part."""
    original, gold, rows = scenario()
    rows["other"][name] = dataclasses.replace(rows["other"][name], **parts)
    return original, gold, rows


def test_damaged_splits_are_named_by_row_and_split():
    split = scenario()[2]["other"]["val"]
    n, classes = split.logits.shape
    for parts, said in (
        ({"logits": split.logits[:, 0]}, "logits are"),
        ({"logits": split.logits[:, :0]}, "logits are"),
        ({"logits": split.logits.astype(str)}, "logits are"),
        ({"labels": split.labels[1:]}, rf"labels are .*accepted: whole numbers \[{n}\]"),
        ({"labels": split.labels.astype(float)}, "labels are float64"),
        ({"labels": split.labels - 1 - split.labels.max()}, r"label -\d+; accepted: 0…"),
        ({"labels": split.labels + classes}, rf"label \d+; accepted: 0…{classes - 1}"),
        ({"indices": split.indices[:, None]}, "indices are"),
        ({"indices": np.full(n, 7)}, "image 7 occurs twice"),
    ):
        with pytest.raises(LotusError, match=f"other: split 'val': {said}"):
            score_all(*damaged("val", **parts), 0)


def test_rows_that_do_not_agree_are_named():
    split = scenario()[2]["other"]["forget"]
    classes = split.logits.shape[1]
    other = (split.labels + 1) % classes
    with pytest.raises(LotusError, match=r"other: split 'forget': image \d+ has label"):
        score_all(*damaged("forget", labels=other), 0)
    wider = np.pad(split.logits, ((0, 0), (0, 1)))
    with pytest.raises(LotusError, match=f"{classes + 1} classes, but original has"):
        score_all(*damaged("forget", logits=wider), 0)


def test_splits_and_images_that_are_absent_are_named():
    original, gold, rows = scenario()
    with pytest.raises(LotusError, match="original: its predictions have no split 'train'"):
        score_all(gold, gold, rows, 0)
    with pytest.raises(LotusError, match="gold: its predictions have no split 'forget'"):
        score_all(original, original, rows, 0)
    few = {**original, "train": original["train"].at(original["train"].indices[:3])}
    with pytest.raises(LotusError, match=r"original: predictions lack some.*which gold has"):
        score_all(few, gold, rows, 0)
    with pytest.raises(LotusError, match="gold or of a method"):
        score_all(original, None, {}, 0)


@given(st.data())
def test_scores_of_any_numbers_are_shares_and_nats_or_none(data):
    """Also of one class, of equal and of huge logits."""
    classes = data.draw(st.integers(1, 3))
    sizes = {name: data.draw(st.integers(1, 4)) for name in ("forget", "retain", "val", "test")}
    ends = np.cumsum([0, *sizes.values()]).tolist()
    values = st.sampled_from([0, 0, 1, -1, 1e-30, 3e38, -3e38])

    def row():
        logits = data.draw(hnp.arrays(np.float32, (ends[-1], classes), elements=values))
        return Split(logits, labels, np.arange(ends[-1]))

    labels = data.draw(hnp.arrays(np.int64, ends[-1], elements=st.integers(0, classes - 1)))
    places = {n: np.arange(*ends[i : i + 2]) for i, n in enumerate(sizes)}
    train = np.concatenate([places["forget"], places["retain"]])
    whole = row()
    original = {n: whole.at(places[n]) for n in ("val", "test")} | {"train": whole.at(train)}
    gold, other = ({n: said.at(p) for n, p in places.items()} for said in (row(), row()))
    shared = [set(labels[places[n]].tolist()) for n in ("forget", "retain", "test")]
    if shared[0] & shared[1] and not shared[0] & shared[2]:
        with pytest.raises(LotusError, match="no class in common"):
            score_all(original, gold, {"other": other}, 0)
        return
    found = score_all(original, gold, {"other": other}, 0)
    for scores in found.values():
        for name in registry.columns():
            assert scores[name] is None or np.isfinite(scores[name]), name
            assert scores[name] is None or name.startswith("ks") or scores[name] >= -1e-9, name


def test_sets_without_a_number_are_named():
    some = np.array([0.1, 0.2])
    for bad in (np.array([]), np.array([np.nan]), np.array([np.inf])):
        for call in (
            lambda bad: attack(some, bad, some, some, 0),
            lambda bad: auc(some, bad),
            lambda bad: tpr_at_fpr(bad, some, 0.01),
            lambda bad: mia_released_e6(some, some, bad),
            lambda bad: standing(bad, some),
        ):
            with pytest.raises(LotusError, match=r"set (is empty|has a value that is not finite)"):
                call(bad)
    with pytest.raises(LotusError, match=r"needs pairs of values, not \[2\] and \[1\]"):
        correlate(some, some[:1])
    with pytest.raises(LotusError, match=r"needs pairs of values, not \[2\] and \[1\]"):
        paired(some, some[:1])
    assert np.isnan(correlate(np.array([1, 2, np.nan]), np.array([1.0, 2, 3])).pearson)

"""How far gold is from gold: further golds dealt as this seed's gold, scored as methods are."""

import numpy as np
import pytest
from random_predictions import HELD_OUT, PARTS, predict, scenario

from lotus.errors import LotusError
from lotus.metrics.base.further_golds import dealt_as, with_floor
from lotus.metrics.base.scoring import score_all
from lotus.predictions.predictions_file import Split

OTHER_HALVES = {"val": np.arange(48, 96, 2), "test": np.arange(49, 96, 2)}
"""The held-out images as another seed halves them."""


def test_a_gold_of_another_seed_is_dealt_by_image():
    gold = predict(1, {**PARTS, **HELD_OUT})
    theirs = predict(5, {**PARTS, "retain": PARTS["retain"][::-1], **OTHER_HALVES})
    dealt, same_halves = dealt_as(theirs, gold, "x"), predict(5, {**PARTS, **HELD_OUT})
    for split, expected in same_halves.items():
        assert (dealt[split].indices == gold[split].indices).all()
        assert (dealt[split].logits == expected.logits).all()
        assert (dealt[split].labels == expected.labels).all()


def test_it_is_scored_as_a_method_and_the_row_is_the_mean():
    original, gold, rows = scenario()
    further = {"a": predict(5, {**PARTS, **OTHER_HALVES}), "b": predict(6, {**PARTS, **HELD_OUT})}
    dealt = {name: dealt_as(said, gold, name) for name, said in further.items()}
    as_methods = {name: predict(seed, {**PARTS, **HELD_OUT}) for name, seed in [("a", 5), ("b", 6)]}
    scores, alone = (score_all(original, gold, {**rows, **of}, 3) for of in (dealt, as_methods))
    assert {name: scores[name] for name in further} == {name: alone[name] for name in further}
    golds = {name: scores.pop(name) for name in further}
    found = with_floor(scores, golds)
    assert list(found) == ["original", "gold", "gold-again", "copy", "other"]
    for column in ("avg_gap", "jsd", "mia", "jsd_released_e4", "avg_gap_released_e6"):
        assert found["gold-again"][column] == pytest.approx(
            (golds["a"][column] + golds["b"][column]) / 2
        )
    assert {row: of for row, of in found.items() if row != "gold-again"} == scores


def test_what_one_lacks_the_mean_lacks_and_a_collapse_is_named():
    original, gold, _ = scenario()
    fallen = predict(5, {**PARTS, **HELD_OUT})
    fallen["forget"].logits[0] = np.nan
    golds = {"a": fallen, "b": predict(6, {**PARTS, **HELD_OUT})}
    scores = score_all(original, gold, golds, 3, {"a": "weights not finite"})
    row = with_floor({"gold": scores["gold"]}, {name: scores[name] for name in golds})["gold-again"]
    assert row["avg_gap"] is None
    assert row["collapsed"] == "a: weights not finite"


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ({"forget": np.arange(11)}, "x: its forget images are not those of gold .1 image of 12"),
        ({"retain": np.arange(13, 49)}, "x: its retain images .*1 image of 36 missing"),
        ({"test": np.arange(72, 95)}, "x: split 'test' of gold: .*lack some"),
    ],
)
def test_a_gold_of_other_images_is_refused(parts, said):
    gold = predict(1, {**PARTS, **HELD_OUT})
    with pytest.raises(LotusError, match=said):
        dealt_as(predict(5, {**PARTS, **HELD_OUT, **parts}), gold, "x")


def test_what_the_attack_saw_is_dealt_as_well():
    gold = predict(1, {**PARTS, **HELD_OUT})
    said = predict(5, {**PARTS, **OTHER_HALVES})
    seen = {f"mia.{name}": Split(of.logits + 1, of.labels, of.indices) for name, of in said.items()}
    dealt = dealt_as({**said, **seen}, gold, "x")
    for name in said:
        assert (dealt[f"mia.{name}"].logits == dealt[name].logits + 1).all()
        assert (dealt[f"mia.{name}"].indices == gold[name].indices).all()

"""Attacks on models with planted memory: who is told, by whom, and who is compared with whom."""

import numpy as np
import pytest
from attacked import LABELS, TRAIN, gold_of, panel_of, parts_of, predictions_of_seeds

from lotus.attacks.base import registry
from lotus.attacks.base.run_attacks import run_attack
from lotus.metrics.membership import auc

SPECS = registry.specs()


@pytest.fixture(scope="module")
def panel():
    return panel_of(predictions_of_seeds())


def auc_of(panel, row, attack):
    return run_attack(SPECS[attack], panel, row).auc


def test_memory_is_told_and_calibration_tells_more(panel):
    plain, calibrated = (auc_of(panel, "original", name) for name in ("loss", "lira-offline"))
    assert calibrated.low > plain.high
    assert calibrated.value > 0.9
    for name in ("lira-offline", "lira-online", "rmia-offline", "rmia-online"):
        original, method, gold = (
            auc_of(panel, row, name) for row in ("original", "method", "gold")
        )
        assert original.low > method.value > 0.6, name
        assert gold.low <= 0.5 <= gold.high, name


def test_gold_by_online_attacks_is_no_half_by_construction(panel):
    found = run_attack(SPECS["lira-online"], panel, "gold")
    assert [of.references for of in found.seeds.values()] == [2, 2, 2]
    assert found.auc.value != pytest.approx(0.5, abs=1e-6)
    assert found.auc.low < found.auc.high


def test_no_model_is_its_own_reference_nor_stands_on_both_sides(panel):
    images = panel.forget(1)
    assert len(panel.without(images, [1]).logits) == 2
    mine = panel.models["gold", 1].answers(images)
    assert not any(np.array_equal(of, mine) for of in panel.without(images, [1]).logits)
    found = run_attack(SPECS["lira-online"], panel, "method")
    assert [of.references for of in found.seeds.values()] == [4, 4, 4]


def test_a_gold_of_the_same_seed_stands_on_the_other_side():
    predictions = predictions_of_seeds(seeds=(1, 2))
    for seed in (1, 2):
        parts = parts_of(seed, np.arange(60))
        predictions["gold-again-1", seed] = gold_of(seed, parts, 3.0, offset=7)
    panel = panel_of(predictions)
    for row in ("gold", "gold-again-1"):
        found = run_attack(SPECS["lira-online"], panel, row)
        assert [of.references for of in found.seeds.values()] == [3, 3]
    assert run_attack(SPECS["lira-offline"], panel, "method").seeds[1].references == 2


def test_one_seed_has_nothing_to_compare_with():
    panel = panel_of(predictions_of_seeds(seeds=(1,)))
    for name, spec in SPECS.items():
        found = run_attack(spec, panel, "method")
        assert bool(found.seeds) == (not spec.needs), name
        if spec.needs:
            assert "seed" in found.why_not[1]
    two = panel_of(predictions_of_seeds(seeds=(1, 2)))
    assert run_attack(SPECS["lira-online"], two, "method").seeds
    assert "3 seeds" in run_attack(SPECS["lira-online"], two, "gold").why_not[1]


def test_only_models_that_never_saw_an_image_are_out_for_it():
    forget_of = {1: np.arange(0, 60), 2: np.arange(40, 100), 3: np.arange(50, 110)}
    panel = panel_of(predictions_of_seeds(forget_of=forget_of.get))
    found = run_attack(SPECS["lira-offline"], panel, "original").seeds[1]
    # Images 40 to 49 were forgotten by seed 2 too, 50 to 59 by both; the others all golds were trained on.
    assert found.left_out == 40
    assert np.flatnonzero(~np.isnan(found.scores)).tolist() == list(range(40, 60))
    assert found.references == 1
    counts = panel.without(np.arange(60), [1]).counts
    assert counts.tolist() == [0] * 40 + [1] * 10 + [2] * 10
    whole = run_attack(SPECS["lira-offline"], panel, "original")
    # Those that another seed forgot as well: 40 to 59 of the first, 40 to 99 of the others.
    assert whole.images == 60


def test_a_forgotten_class_is_held_against_unseen_images_of_that_class():
    of_class = np.flatnonzero(LABELS[:TRAIN] == 2)
    panel = panel_of(predictions_of_seeds(forget_of=lambda seed: of_class))
    assert panel.forgets_a_class
    assert (panel.models["gold", 1].labels_of(panel.unseen(1)) == 2).all()
    found = run_attack(SPECS["loss"], panel, "original")
    assert found.others == min(len(panel.unseen(seed)) for seed in (1, 2, 3)) < 100
    assert found.tpr is None
    assert found.finest_fpr == pytest.approx(1 / found.others)


def test_the_mean_of_what_images_outdo_is_the_auc(panel):
    found = run_attack(SPECS["lira-offline"], panel, "method").seeds[2]
    (held,) = found.others
    assert found.outdone.mean() == pytest.approx(auc(held.member, held.other)) == found.auc

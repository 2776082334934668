"""`lotus attack-shadows`: what it writes of shadow models with planted memory, and what it refuses."""

import json

import numpy as np
import pytest
from attacked import LABELS, TRAIN, logits_of, predictions_of

from lotus.config.privacy import FIRST_SHADOW
from lotus.errors import LotusError
from lotus.predictions import predictions_file
from lotus.results.attack_scores import load_scores
from lotus.results.attacks import load_attacks, load_klom, read_attacks
from lotus.results.remembered import remembered
from lotus.runs.attacking_shadows import attack_shadows
from lotus.tables.klom import klom as klom_table

CELL = {
    "dataset": "data",
    "architecture": "resnet18",
    "scenario": "instance-10",
    "protocol": "corrected",
}
FORGET = np.arange(50)


def shadows(count=24, left=0.0):
    """(row, seed) → predictions of shadows whose originals know their half, and of what forgot."""
    found = {}
    for number in range(count):
        rng = np.random.default_rng(number // 2)
        order = rng.permutation(TRAIN)
        half = np.sort(order[: TRAIN // 2] if number % 2 == 0 else order[TRAIN // 2 :])
        forget = np.intersect1d(half, FORGET)
        absent = np.setdiff1d(np.arange(TRAIN), half)
        held_out = {"val": np.arange(200, 500), "test": np.arange(500, 800)}
        whole = {"train": np.arange(TRAIN), **held_out}
        parts = {
            "forget": forget,
            "retain": np.setdiff1d(half, forget),
            "absent": absent,
            **held_out,
        }
        seed = FIRST_SHADOW + number
        found["original", seed] = predictions_of(logits_of(seed, 3.0, half), whole)
        unlearned = logits_of(seed + 500, left, forget)
        unlearned[parts["retain"], LABELS[parts["retain"]]] += 3
        found["method", seed] = predictions_of(unlearned, parts)
    return found


def saved(folder, predictions):
    files = {key: folder / f"{key[0]}-{key[1]}.npz" for key in predictions}
    for key, path in files.items():
        predictions_file.save(path, predictions[key])
    return files


def places(folder):
    return folder / "shadows.json", folder / "shadows.npz", folder / "record.json"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shadows")
    predictions = shadows()
    for (row, _), of in predictions.items():
        # One image that the method does not forget.
        if row == "method" and 17 in of["forget"].indices:
            place = np.flatnonzero(of["forget"].indices == 17)[0]
            of["forget"].logits[place, LABELS[17]] += 9
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        attack_shadows(saved(folder, predictions), CELL, *places(folder))
    return folder


def test_doing_nothing_is_told_from_forgetting(made):
    frame = load_attacks([made / "shadows.json"]).set_index("row")
    assert (frame["attack"] == "u-lira").all()
    assert frame.at["original", "auc_low"] > 0.9
    assert frame.at["method", "auc_low"] < 0.5 + 0.1 > frame.at["method", "auc"]
    assert (frame["images"] == len(FORGET)).all()
    assert (frame["reference_models"] == 23).all()
    assert (frame["finest_fpr"] == 1 / (12 * len(FORGET))).all()
    assert frame["tpr_at_1_fpr"].notna().all()


def test_the_image_that_is_still_known_is_named(made):
    scores = load_scores(made / "shadows.npz")
    first = remembered(scores, "method", "u-lira")[0]
    assert (first.image, first.seeds) == (17, 12)


def test_klom_of_doing_nothing_lies_above_what_chance_gives(made):
    found = load_klom([made / "shadows.json"]).set_index("row")
    assert found.at["original", "median"] > found.at["method", "median"]
    assert found.at["original", "high"] > found.at["original", "floor"]
    assert (found["models"] == 12).all()
    numbers, latex = klom_table([made / "shadows.json"])
    assert len(numbers) == 2
    assert "KLoM" in latex


def test_the_record_is_one_of_shadows(made):
    record = json.loads((made / "record.json").read_text())
    assert record["kind"] == "shadow-attacks"
    assert len(record["settings"]["of"]) == len(record["inputs"]) == 48


def test_too_few_shadows_say_so(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    attack_shadows(saved(tmp_path, shadows(2)), CELL, *places(tmp_path))
    found = read_attacks(tmp_path / "shadows.json")["rows"]["method"]["u-lira"]
    assert found == {"auc": None, "why": "2 sound shadows, and at least 4 are needed"}


def test_rows_of_a_shadow_must_have_forgotten_the_same(tmp_path):
    predictions = shadows(4)
    predictions["other", FIRST_SHADOW] = predictions["method", FIRST_SHADOW + 1]
    with pytest.raises(LotusError, match=r"other of seed 1000000 forgot other images than"):
        attack_shadows(saved(tmp_path, predictions), CELL, *places(tmp_path))
    originals = {key: of for key, of in shadows(4).items() if key[0] == "original"}
    with pytest.raises(LotusError, match="need what was unlearned of a shadow"):
        attack_shadows(saved(tmp_path, originals), CELL, *places(tmp_path))


def test_what_it_is_of_is_said_by_the_names_of_a_cell(tmp_path):
    files = saved(tmp_path, shadows(4))
    before = sorted(tmp_path.iterdir())
    with pytest.raises(LotusError, match="--labels: rows: 'x'; accepted: text under dataset, arch"):
        attack_shadows(files, {**CELL, "rows": "x"}, *places(tmp_path))
    with pytest.raises(LotusError, match="--labels: dataset: 3; accepted: text under dataset"):
        attack_shadows(files, {**CELL, "dataset": 3}, *places(tmp_path))
    assert sorted(tmp_path.iterdir()) == before

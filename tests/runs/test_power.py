"""Measures and attacks tried: faked forgettings, the groups that are asked for, and what is found."""

import json

import numpy as np
import pytest
from random_predictions import HELD_OUT, PARTS, predict

from lotus.config.protocol import RELEASED
from lotus.errors import LotusError
from lotus.figures.power import power as drawn
from lotus.metrics.base.probabilities import entropy, softmax
from lotus.predictions import predictions_file
from lotus.predictions.predictions_file import Split
from lotus.results.power import GROUPS, read_power
from lotus.runs.power import GIVEN, looked_up, measure_power, tempered
from lotus.tables.power import power as tabled

LABELS = {"dataset": "data", "architecture": "net", "scenario": "instance-10"}


def model(seed, sure_of_forget=0.0):
    """Right and fairly sure of everything; of forget images as sure as of retain images, or less."""
    said = predict(seed, {**PARTS, **HELD_OUT})
    sure = {"forget": sure_of_forget, "retain": 4.0, "val": 0.0, "test": 0.0}
    return {
        name: Split(
            of.logits + sure[name] * np.eye(3, dtype=np.float32)[of.labels], of.labels, of.indices
        )
        for name, of in said.items()
    }


def test_a_lookup_answers_as_to_an_unseen_image_of_the_class():
    said = model(1, 4.0)
    faked = looked_up(said, 3)
    unseen = said["val"]
    for answer, label in zip(faked["forget"].logits, faked["forget"].labels, strict=True):
        alike = unseen.logits[unseen.labels == label]
        assert (alike == answer).all(axis=1).any()
    assert all(faked[name] is said[name] for name in ("retain", "val", "test"))
    assert (looked_up(said, 3)["forget"].logits == faked["forget"].logits).all()


def test_a_temperature_gives_forget_images_the_entropy_of_unseen_ones():
    said = model(1, 4.0)
    faked = tempered(said)
    means = [entropy(softmax(of.logits)).mean() for of in (faked["forget"], said["val"])]
    assert means[0] == pytest.approx(means[1], abs=1e-4)
    ratios = said["forget"].logits / faked["forget"].logits
    assert ratios == pytest.approx(np.full_like(ratios, ratios[0, 0]), rel=1e-4)
    assert ratios[0, 0] > 1
    assert all(faked[name] is said[name] for name in ("retain", "val", "test"))


COUNTS = {"original": 1, "gold": 1, "without": 3, "calibrating": 19, "fresh": 4, "with": 3}


@pytest.fixture
def given(tmp_path):
    """Predictions of made-up models: golds are unsure of forget images, the others sure."""
    files, seed = [], 0
    for group in GIVEN:
        sure = 0.0 if group in ("gold", "without", "calibrating", "fresh") else 4.0
        for _ in range(COUNTS.get(group, 2)):
            seed += 1
            said = model(seed, sure)
            if group == "original":
                both = [said[name] for name in ("forget", "retain")]
                parts = ("logits", "labels", "indices")
                whole = Split(
                    *(np.concatenate([getattr(of, part) for of in both]) for part in parts)
                )
                said = {"train": whole, "val": said["val"], "test": said["test"]}
            path = tmp_path / f"{group}-{seed}.npz"
            predictions_file.save(path, said)
            files.append((group, path))
    return files


def test_what_is_tried_tells_golds_from_doing_nothing(given, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    out = tmp_path / "power.json"
    measure_power(given, 3, 0.05, LABELS, out, tmp_path / "record.json")
    tried = read_power(out)
    assert {"avg_gap", "jsd", "rf_jsd", "mia", "accuracy_forget", "confidence", "lira-online"} <= {
        *tried.measures()
    }
    counts = {group: len(tried.p["jsd"][group]) for group in GROUPS}
    assert counts == {"fresh": 4, **dict.fromkeys(GROUPS[1:], 2)}
    # A model that is right about what it was to forget is no gold, by any measure of the forget images.
    for measure in ("avg_gap", "accuracy_forget", "confidence", "lira-offline", "lira-online"):
        assert tried.rate(measure, "nothing").value == 1, measure
    # The lookup answers as an unseen image is answered to: attacks on the model's own answers see nothing.
    assert tried.rate("confidence", "lookup").value < 1
    record = json.loads((tmp_path / "record.json").read_text())
    assert record["settings"] == {
        "of": [group for group, _ in given],
        **{"level": 0.05, "protocol": "corrected"},
    }
    assert tried.about == LABELS | {"protocol": "corrected"}
    assert len(drawn([out]).axes) == 1


def values_of(path):
    """Measure → group → what it says of each model."""
    measures = json.loads(path.read_text())["measures"]
    return {name: of["values"] for name, of in measures.items()}


SHADOW_KINDS = ("gold", "nothing", "half", "train_mode")


def shadows(folder, kinds=SHADOW_KINDS, count=40):
    """Predictions of shadows: of a pair, one had what the other had not; golds forgot it for real."""
    files = []
    for kind in kinds:
        for number in range(count):
            mine = np.random.default_rng(number // 2).permutation(12)[number % 2 :: 2]
            said = model(1000 + number, 0.0)
            forget, sure = said["forget"], 0.0 if kind == "gold" else 4.0
            had = np.isin(forget.indices, mine)
            memory = np.eye(3, dtype=np.float32)[forget.labels] * had[:, None]
            logits = forget.logits + np.float32(sure) * memory
            parts = {
                name: Split(logits[of], forget.labels[of], forget.indices[of])
                for name, of in (("forget", had), ("absent", ~had))
            }
            path = folder / f"shadow-{kind}-{number}.npz"
            predictions_file.save(path, {**said, **parts})
            files.append((f"shadow-{kind}", path))
    return files


def test_shadows_try_u_lira_and_sets_of_ten_try_klom(given, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    out = tmp_path / "power.json"
    # Ten models of each kind make a set; for this purpose they may be one model many times.
    files = dict(given)
    more = [(group, files[group]) for group in GROUPS if group in files for _ in range(8)]
    measure_power(
        [*given, *more, *shadows(tmp_path)], 3, 0.05, LABELS, out, tmp_path / "record.json"
    )
    tried, values = read_power(out), values_of(out)
    assert tried.labels["u-lira"] == "U-LiRA (attack), 40 shadows"
    counts = {group: len(numbers) for group, numbers in values["u-lira"].items()}
    of_nothing = dict.fromkeys(("nothing", "half", "lookup", "temperature", "train_mode"), 40)
    assert counts == {"calibrating": 20, "fresh": 20, **of_nothing}
    # What golds had forgotten is not told from what they never had; what others remember is.
    assert np.mean(values["u-lira"]["fresh"]) == pytest.approx(0.5, abs=0.1)
    assert tried.rate("u-lira", "fresh").value <= 0.2
    assert tried.rate("u-lira", "nothing").value == 1
    assert tried.notices("u-lira")
    assert tried.labels["klom"] == "KLoM, sets of 10 models"
    assert {group: len(p) for group, p in tried.p["klom"].items()} == {
        "fresh": 1,
        **dict.fromkeys(of_nothing, 1),
    }
    assert tried.rate("klom", "nothing").value == 1
    assert [*tabled([out])[0]["measure"]][-2:] == ["u-lira", "klom"]


def test_without_models_enough_neither_is_tried(given, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    out = tmp_path / "power.json"
    measure_power(given, 3, 0.05, LABELS, out, tmp_path / "record.json")
    assert not {"u-lira", "klom"} & {*read_power(out).measures()}


def test_shadows_that_all_had_the_same_try_nothing(given, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    out = tmp_path / "power.json"
    same = [(f"shadow-{kind}", dict(given)["fresh"]) for kind in SHADOW_KINDS for _ in range(40)]
    measure_power([*given, *same], 3, 0.05, LABELS, out, tmp_path / "record.json")
    assert "u-lira" not in {*read_power(out).measures()}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            lambda of: of[:-1],
            "'shadow-train_mode' has 39 models, 'shadow-gold' 40; each has one of",
        ),
        (lambda of: of[40:], "'shadow-nothing' has 40 models, 'shadow-gold' 0"),
        (
            lambda of: [it for it in of if int(it[1].stem.split("-")[-1]) < 36],
            "by 36 shadows the level cannot be reached: .* takes 19 models",
        ),
    ],
)
def test_shadows_that_are_given_in_error(given, tmp_path, change, said):
    asked = [*given, *change(shadows(tmp_path))]
    with pytest.raises(LotusError, match=said):
        measure_power(asked, 3, 0.05, LABELS, tmp_path / "x.json", tmp_path / "r.json")
    assert not (tmp_path / "x.json").exists()


def test_under_released_no_shadow_is_in_train_mode(given, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    out = tmp_path / "released.json"
    some = shadows(tmp_path, SHADOW_KINDS[:-1])
    measure_power(
        as_published([*given, *some]), 3, 0.05, LABELS, out, tmp_path / "r.json", RELEASED
    )
    assert values_of(out)["u-lira"]["train_mode"] == []
    assert len(values_of(out)["u-lira"]["nothing"]) == 40


def as_published(files):
    """The same models, asked as the published attack asks; of those in train mode there are none."""
    kept = [(group, path) for group, path in files if group != "train_mode"]
    for group, path in kept:
        if group != "original":
            said = predictions_file.load(path)
            attacked = {f"mia.{name}": said[name] for name in ("forget", "retain", "val", "test")}
            predictions_file.save(path, {**said, **attacked})
    return kept


def test_under_released_measures_are_the_published_ones(given, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    measure_power(given, 3, 0.05, LABELS, tmp_path / "corrected.json", tmp_path / "record.json")
    of = as_published(given)
    out = tmp_path / "released.json"
    measure_power(of, 3, 0.05, LABELS, out, tmp_path / "record.json", RELEASED)
    tried, textbook = read_power(out), read_power(tmp_path / "corrected.json")
    values, exact_values = values_of(out), values_of(tmp_path / "corrected.json")
    assert tried.about["protocol"] == "released"
    assert tried.labels["jsd"] == "JSD, as released"
    assert tried.labels["mia"] == "MIA acc., as released, distance to gold"
    assert tried.labels["mia_auc"] == textbook.labels["mia_auc"]
    # E3 rounds each run's accuracy before it is held against gold's.
    for name in ("accuracy_forget", "accuracy_test"):
        for rounded, exact in zip(values[name]["fresh"], exact_values[name]["fresh"], strict=True):
            assert rounded == pytest.approx(round(rounded, 2), abs=1e-12)
            assert rounded == pytest.approx(exact, abs=0.01)
    assert values["jsd"]["nothing"] != exact_values["jsd"]["nothing"]
    assert values["jsd"]["train_mode"] == []
    assert np.isnan(tried.rate("jsd", "train_mode").value)
    assert tried.rate("avg_gap", "nothing").value == 1
    numbers, latex = tabled([out])
    assert numbers["train_mode"].isna().all()
    assert "& -- " in latex
    assert "–" in {text.get_text() for text in drawn([out]).axes[0].texts}


def test_fakes_answer_the_published_attack_as_everybody_else():
    said = model(1, 4.0)
    asked = said | {f"mia.{name}": said[name] for name in ("forget", "retain", "val", "test")}
    for faked in (looked_up(asked, 3), tempered(asked)):
        assert (faked["mia.forget"].logits == faked["forget"].logits).all()
        assert (faked["forget"].logits != said["forget"].logits).any()
    assert (looked_up(asked, 3)["forget"].logits == looked_up(said, 3)["forget"].logits).all()


@pytest.mark.parametrize(
    ("change", "level", "said"),
    [
        (lambda of: of[1:], 0.05, "needs one model 'original', not 0"),
        (
            lambda of: [*of, ("golds", of[0][1])],
            0.05,
            "group 'golds' is unknown; accepted: original",
        ),
        (lambda of: [it for it in of if it[0] != "half"], 0.05, "needs models of the group 'half'"),
        (
            lambda of: [it for it in of if it[0] != "train_mode"],
            0.05,
            "needs models of the group 'train_mode'",
        ),
        (lambda of: of, 0.01, "0.01 cannot be reached with 19 golds .* at least 99"),
    ],
)
def test_what_is_asked_in_error(given, tmp_path, change, level, said):
    with pytest.raises(LotusError, match=said):
        measure_power(change(given), 3, level, LABELS, tmp_path / "x.json", tmp_path / "r.json")
    assert not (tmp_path / "x.json").exists()

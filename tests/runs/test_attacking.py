"""`lotus attack` and `lotus remembered`: what they write, keep and refuse."""

import json

import numpy as np
import pandas as pd
import pytest
from attacked import LABELS, predictions_of_seeds
from commands import call

from lotus.attacks.base import registry
from lotus.errors import LotusError
from lotus.predictions import predictions_file
from lotus.results.attack_scores import load_scores
from lotus.results.attacks import load_attacks, read_attacks
from lotus.results.remembered import remembered
from lotus.runs.attacking import attack_models, runs_of
from lotus.tables.attacks import attacks as attacks_table

LABELS_OF_CELL = {
    "dataset": "data",
    "architecture": "resnet18",
    "scenario": "instance-10",
    "protocol": "corrected",
}


def saved(folder, predictions, collapsed=()):
    files = {}
    for (row, seed), of in predictions.items():
        files[row, seed] = folder / f"{row}-{seed}.npz"
        predictions_file.save(
            files[row, seed], of, "near chance" if (row, seed) in collapsed else ""
        )
    return files


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return saved(tmp_path_factory.mktemp("predictions"), predictions_of_seeds())


@pytest.fixture(scope="module")
def made(files, tmp_path_factory):
    folder = tmp_path_factory.mktemp("made")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        attack_models(files, LABELS_OF_CELL, *places(folder))
    return folder


def places(folder):
    return folder / "attacks.json", folder / "scores.npz", folder / "record.json"


def test_every_attack_on_every_row_is_in_the_table(made):
    frame = load_attacks([made / "attacks.json"])
    assert [*dict.fromkeys(frame["row"])] == ["original", "gold", "method"]
    assert [*dict.fromkeys(frame["attack"])] == [it for it in registry.specs() if it != "u-lira"]
    assert (frame["seeds"] == 3).all()
    assert (frame["finest_fpr"] <= 0.02).all()
    plain = frame[~frame["attack"].str.contains("lira|rmia")]
    assert (plain["reference_models"] == 0).all()
    # Online attacks have the 60 forget images on the other side, too few for 1 %.
    online = frame[frame["attack"].str.contains("online")]
    assert online["tpr_at_1_fpr"].isna().all()
    assert online["why"].str.contains("60 images .* 1.67% at best").all()
    assert frame.loc[frame["others"] == 300, "tpr_at_1_fpr"].notna().all()
    numbers, latex = attacks_table([made / "attacks.json"])
    assert numbers[[*frame]].astype(frame.dtypes).equals(frame)
    assert "LiRA" in latex


def test_the_record_names_models_and_predictions(made, files):
    record = json.loads((made / "record.json").read_text())
    assert record["settings"]["of"] == [[row, seed] for row, seed in files]
    assert len(record["inputs"]) == len(files)
    assert len(record["outputs"]) == 2
    assert record["about"] == LABELS_OF_CELL


def test_scores_give_the_aucs_and_name_those_who_are_remembered(made):
    scores, found = load_scores(made / "scores.npz"), read_attacks(made / "attacks.json")
    for row, attacks in found["rows"].items():
        for attack, of in attacks.items():
            for seed, auc in of["seeds"].items():
                outdone = scores.arrays[f"{row}/{attack}/{seed}/outdone"]
                assert outdone.mean() == pytest.approx(auc, abs=1e-6)
    first, *others = remembered(scores, "original", "lira-offline")
    assert first.outdone > 0.9
    assert [of.outdone for of in others] == sorted((of.outdone for of in others), reverse=True)
    assert {of.image for of in (first, *others)} == {*range(60)}
    done = call("remembered", str(made / "scores.npz"), "original", "--top", "2")
    head, *lines = done.output.splitlines()
    assert len(lines) == 2
    assert lines[0].split()[0] == f"data/stores/data:{first.image}"
    assert "of 60 forgotten images outdo 95%" in head


def test_a_single_planted_memory_is_named_first(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    predictions = predictions_of_seeds(left=0.0)
    for seed in (1, 2, 3):
        predictions["method", seed]["forget"].logits[17, LABELS[17]] += 8
    attack_models(saved(tmp_path, predictions), LABELS_OF_CELL, *places(tmp_path))
    for attack in ("lira-offline", "rmia-online"):
        assert remembered(load_scores(tmp_path / "scores.npz"), "method", attack)[0].image == 17


def test_collapsed_models_are_left_out_and_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    predictions = predictions_of_seeds()
    predictions["gold", 2]["forget"].logits[0] = np.nan
    files = saved(tmp_path, predictions, {("gold", 2), ("method", 1)})
    attack_models(files, LABELS_OF_CELL, *places(tmp_path))
    found = read_attacks(tmp_path / "attacks.json")
    assert found["collapsed"] == {"gold": {"2": "near chance"}, "method": {"1": "near chance"}}
    assert [*found["rows"]["method"]["lira-offline"]["seeds"]] == ["2", "3"]
    assert found["rows"]["original"]["lira-offline"]["reference_models"] == 1


def test_a_model_that_lost_most_of_what_the_original_knows_is_left_out(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    predictions = predictions_of_seeds()
    retain = predictions["method", 3]["retain"]
    # Half of the images are given another label's answer.
    retain.logits[::2] = np.roll(retain.logits[::2], 1, axis=1)
    attack_models(saved(tmp_path, predictions), LABELS_OF_CELL, *places(tmp_path))
    found = read_attacks(tmp_path / "attacks.json")
    assert [*found["collapsed"]] == ["method"]
    assert "less than two thirds" in found["collapsed"]["method"]["3"]
    assert [*found["rows"]["method"]["loss"]["seeds"]] == ["1", "2"]


def test_one_seed_says_why_there_is_nothing_to_compare_with(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    files = saved(tmp_path, predictions_of_seeds(seeds=(1,)))
    attack_models(files, LABELS_OF_CELL, *places(tmp_path))
    found = read_attacks(tmp_path / "attacks.json")["rows"]["method"]
    assert found["lira-offline"]["why"] == "no gold model of another seed to compare with"
    assert "2 seeds" in found["lira-online"]["why"]
    assert not load_attacks([tmp_path / "attacks.json"])["attack"].str.contains("lira").any()


def test_models_of_one_seed_must_have_been_asked_about_the_same_images(tmp_path):
    predictions = predictions_of_seeds()
    other = predictions_of_seeds(forget_of=lambda seed: np.arange(10, 70))
    predictions["method", 2] = other["method", 2]
    files = saved(tmp_path, predictions)
    with pytest.raises(LotusError, match=r"method-2.npz: the method of seed 2 forgot other images"):
        attack_models(files, LABELS_OF_CELL, *places(tmp_path))
    with pytest.raises(LotusError, match="no model of seed 3 says what was forgotten"):
        some = {key: path for key, path in files.items() if key in (("gold", 1), ("original", 3))}
        attack_models(some, LABELS_OF_CELL, *places(tmp_path))
    with pytest.raises(LotusError, match="need a sound model beside the originals"):
        attack_models({("original", 1): files["original", 1]}, {}, *places(tmp_path))
    assert not (tmp_path / "attacks.json").exists()


def test_a_model_is_given_once_and_by_name(files):
    path = files["gold", 1]
    with pytest.raises(LotusError, match="--of: gold, seed 1, is given twice"):
        runs_of([("gold", 1, path), ("gold", 1, path)])
    with pytest.raises(LotusError, match="--of: a row has no name"):
        runs_of([("", 1, path)])


def test_other_files_are_refused(made, tmp_path):
    with pytest.raises(LotusError, match="is no file of scores"):
        load_scores(made / "attacks.json")
    np.savez(tmp_path / "other.npz", **{"dataset": np.array("d"), "a/b/1/scores": np.arange(3)})
    np.savez(tmp_path / "predictions.npz", indices=np.arange(3))
    with pytest.raises(LotusError, match="by `lotus attack`: it has no entry 'dataset'"):
        load_scores(tmp_path / "predictions.npz")
    with pytest.raises(LotusError, match="a/b/1/scores is int64"):
        load_scores(tmp_path / "other.npz")
    content = json.loads((made / "attacks.json").read_text())
    content["rows"]["gold"]["loss"]["auc"] = 1.5
    (tmp_path / "edited.json").write_text(json.dumps(content))
    with pytest.raises(LotusError, match=r"is not a file of attacks: rows\.gold\.loss"):
        read_attacks(tmp_path / "edited.json")
    scores = load_scores(made / "scores.npz")
    with pytest.raises(LotusError, match=r"row 'lotus': .*accepted: gold, method, original"):
        remembered(scores, "lotus", "loss")
    with pytest.raises(LotusError, match="--attack lira: accepted: confidence"):
        remembered(scores, "gold", "lira")


def test_a_table_of_no_attacks_has_its_columns():
    assert "attack" in load_attacks([]).columns
    assert isinstance(load_attacks([]), pd.DataFrame)

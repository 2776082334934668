"""From predictions to a metrics file: what it says of its images."""

import json
from pathlib import Path

import numpy as np
import pytest

from lotus.errors import LotusError
from lotus.metrics.base.probabilities import entropy_of_logits
from lotus.metrics.base.scoring import of_scenario
from lotus.predictions.predictions_file import Split, load, save
from lotus.results.entropies import load_entropies
from lotus.results.metrics_file import read_metrics
from lotus.runs.evaluation import evaluate_runs
from lotus.runs.objective import objective

COUNTS = {"forget": 10, "retain": 40, "val": 20, "test": 30}
CLASSES = 4


def answers(indices, wrong=0.0, seed=0):
    """Answers about these images of which a share is wrong."""
    labels = np.asarray(indices) % CLASSES
    rng = np.random.default_rng(seed)
    logits = np.eye(CLASSES, dtype=np.float32)[
        (labels + (rng.random(len(labels)) < wrong)) % CLASSES
    ]
    return Split(3 * logits + rng.random(logits.shape, np.float32), labels, np.asarray(indices))


@pytest.fixture
def evaluated(tmp_path, monkeypatch):
    """Row → share of wrong answers about images to be kept; returns what the metrics file says."""
    monkeypatch.chdir(tmp_path)
    starts = dict(zip(COUNTS, np.cumsum([0, *COUNTS.values()]), strict=False))
    splits = {name: starts[name] + np.arange(count) for name, count in COUNTS.items()}

    def evaluate(**wrong):
        files = {}
        for number, (row, share) in enumerate(wrong.items()):
            said = {name: answers(of, share, number) for name, of in splits.items()}
            if row == "original":
                train = answers(np.arange(50), share)
                said = {"train": train, "val": said["val"], "test": said["test"]}
            files[row] = tmp_path / row / "predictions.npz"
            files[row].parent.mkdir()
            save(files[row], said)
        about = {"dataset": "d", "architecture": "a", "scenario": "s", "protocol": "corrected"}
        out = tmp_path / "metrics.json"
        written = out, tmp_path / "record.json"
        evaluate_runs(files, 1, about, *written, entropies=tmp_path / "metrics.npz")
        return out

    return evaluate


def test_a_metrics_file_says_how_many_images_each_split_has(evaluated):
    path = evaluated(original=0.0, gold=0.1, mine=0.1)
    assert read_metrics(path)["images"] == COUNTS
    content = json.loads(path.read_text())
    for images, said in [(3, "images = '3'"), ({"test": 0}, "0 is not a count")]:
        path.write_text(json.dumps({**content, "images": images}))
        with pytest.raises(LotusError, match=said):
            read_metrics(path)


def test_a_model_that_lost_most_of_what_the_original_knows_has_collapsed(evaluated):
    """Far above chance, and of no use beside the original: the attacks' and gaps' means would hide it."""
    rows = read_metrics(evaluated(original=0.0, gold=0.1, worn=0.2, lost=0.5))["rows"]
    assert {row: bool(of["collapsed"]) for row, of in rows.items()} == {
        "original": False,
        "gold": False,
        "worn": False,
        "lost": True,
    }
    assert (
        "of what the original (1.000) knows above chance (0.250) is left"
        in rows["lost"]["collapsed"]
    )
    assert rows["lost"]["avg_gap"] is not None


def test_entropies_stand_beside_the_metrics_but_those_of_models_of_no_use(evaluated, tmp_path):
    evaluated(original=0.0, gold=0.1, lost=0.5)
    found = load_entropies(tmp_path / "metrics.npz")
    assert [*found] == ["original", "gold", "lost"]
    assert found["lost"] == {}
    for row in ("original", "gold"):
        sizes = {name: len(values) for name, values in found[row].items()}
        assert sizes == {name: COUNTS[name] for name in ("forget", "retain", "test")}
    said = load(tmp_path / "gold/predictions.npz")["test"].logits
    assert found["gold"]["test"] == pytest.approx(entropy_of_logits(said), rel=1e-6)
    record = json.loads((tmp_path / "record.json").read_text())
    assert [*record["outputs"]] == ["metrics.json", "metrics.npz"]


def test_metrics_state_the_objective_of_tuning_where_the_images_allow_it(evaluated, tmp_path):
    path = evaluated(original=0.0, mine=0.1)
    stated = read_metrics(path)["objectives"]
    said = {row: load(tmp_path / row / "predictions.npz") for row in ("original", "mine")}
    expected = objective(said["mine"], of_scenario(said["original"], said["mine"]))["objective"]
    assert stated == {"mine": pytest.approx(expected)}
    assert expected > 0
    content = json.loads(path.read_text())
    path.write_text(json.dumps({**content, "objectives": {"mine": "small"}}))
    with pytest.raises(LotusError, match=r"objectives\.mine"):
        read_metrics(path)


@pytest.mark.parametrize("option", ["--entropies", "--record"])
def test_places_of_outputs_are_apart(tmp_path, monkeypatch, option):
    monkeypatch.chdir(tmp_path)
    out = Path("metrics.json")
    given = {"--entropies": Path("metrics.npz"), "--record": Path("record.json"), option: out}
    with pytest.raises(LotusError, match=f"{option}: metrics.json is the output itself"):
        evaluate_runs(
            {"original": out, "gold": out}, 1, {}, out, given["--record"],
            entropies=given["--entropies"],
        )  # fmt: skip

"""From predictions to a metrics file: what it says of its images."""

import json

import numpy as np
import pytest

from lotus.errors import LotusError
from lotus.predictions.predictions_file import Split, save
from lotus.results.metrics import read_metrics
from lotus.runs.evaluation import evaluate_runs

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
        evaluate_runs(files, 1, about, out, tmp_path / "record.json")
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

"""Sentences of the page about what differs."""

import json

import numpy as np
import pytest
from metrics_files import scores

from lotus.page.sentences import differences, sentences
from lotus.results.metrics import load_metrics, summarise


def summaries(frames):
    return {name: summarise(frame) for name, frame in frames.items()}


def test_sentences_without_gold_are_about_rf_jsd(ungauged):
    frames = {name: load_metrics(files[:1]) for name, files in ungauged.items()}
    said = sentences(frames, summaries(frames))
    assert "Corrected: smallest RF-JSD: SCRUB (0.010; doing nothing: 0.040)." in said
    assert "Released: smallest RF-JSD by the published rule: SCRUB (0.10; doing nothing" in said[1]
    assert len(said) == 2
    whole_class = load_metrics(ungauged["corrected"][:1]).assign(rf_jsd=np.nan)
    frames = {"corrected": whole_class}
    said = sentences(frames, summaries(frames))
    assert said == ["Corrected: RF-JSD is defined for no method."]


@pytest.mark.parametrize(
    ("floor", "said"),
    [
        (0.01, "smallest Avg Gap: SCRUB (0.020; doing nothing: 0.150)."),
        (
            0.03,
            "Avg Gap cannot rank the best here: SCRUB (0.020) is no farther from gold than another gold "
            "(doing nothing: 0.150).",
        ),
        (
            0.06,
            "Avg Gap cannot rank the best here: LoTUS (0.050) and SCRUB (0.020) are no farther from gold "
            "than another gold (doing nothing: 0.150).",
        ),
        (
            0.5,
            "Avg Gap cannot rank here: no method is farther from gold than another gold (doing nothing: "
            "0.150).",
        ),
    ],
)
def test_no_method_inside_the_floor_is_called_the_nearest(write_metrics, floor, said):
    path = write_metrics(
        "corrected",
        1,
        lotus=scores(0.9, 1.0, 0.8, 0.7, avg_gap=0.05, jsd=0.1),
        scrub=scores(0.8, 1.0, 0.8, 0.6, avg_gap=0.02, jsd=0.1),
        ssd=scores(0.8, 1.0, 0.8, 0.6, avg_gap=0.4, jsd=0.1),
    )
    content = json.loads(path.read_text())
    again = scores(0.9, 1.0, 0.8, 0.7, avg_gap=floor, jsd=0.01)
    content["golds"] = {"gold-again-1": again}
    content["rows"]["gold-again"] = again
    path.write_text(json.dumps(content))
    frames = {"corrected": load_metrics([path])}
    assert sentences(frames, summaries(frames))[0] == f"Corrected: {said}"


def test_an_original_that_has_collapsed_has_no_number(write_metrics):
    for gold in ({}, {"gold": None}):
        fallen = scores(
            0.3, 0.3, 0.3, 0.6, avg_gap=0.4, jsd=0.1, rf_jsd=0.2, collapsed="near chance"
        )
        lotus = scores(0.9, 1.0, 0.8, 0.7, avg_gap=0.05, jsd=0.1, rf_jsd=0.1)
        files = [write_metrics("corrected", 1, original=fallen, lotus=lotus, **gold)]
        frames = {"corrected": load_metrics(files)}
        said = " ".join(sentences(frames, summaries(frames)))
        assert "doing nothing: unknown, the original has collapsed)." in said
        assert "nan" not in said


def test_a_seed_without_a_sound_model_of_both_is_not_counted_for_either(write_metrics):
    fallen = scores(0.3, 0.3, 0.3, 0.6, avg_gap=0.4, jsd=0.1, collapsed="near chance")
    lotus = scores(0.9, 1.0, 0.8, 0.7, avg_gap=0.05, jsd=0.1)
    first = write_metrics("corrected", 1, lotus=lotus)
    second = write_metrics("corrected", 2, original=fallen, lotus=lotus)
    frames = {"corrected": load_metrics([first, second])}
    said = " ".join(sentences(frames, summaries(frames)))
    assert "smaller than doing nothing in 1 of 1 seed;" in said
    frames = {"corrected": load_metrics([second])}
    said = " ".join(sentences(frames, summaries(frames)))
    assert "LoTUS, corrected: Avg Gap 0.050, no seed has a sound model of it and of doing" in said


def test_sentences_state_what_differs(write_metrics):
    corrected = [
        write_metrics(
            "corrected",
            1,
            lotus=scores(0.9, 1.0, 0.8, 0.7, avg_gap=0.05, jsd=0.1),
            scrub=scores(0.8, 1.0, 0.8, 0.6, avg_gap=0.0, jsd=0.1),
            unsir=scores(0.1, 0.1, 0.1, 0.6, avg_gap=0.4, jsd=0.1, collapsed="near chance"),
        )
    ]
    released = [
        write_metrics(
            "released",
            1,
            lotus=scores(0.9, 0.94, 0.8, 0.6, jsd=0.1),
            scrub=scores(1.0, 1.0, 0.8, 1.0, same_as_original=True),
            unsir=scores(0.9, 0.1, 0.8, 0.7, jsd=0.1),
        )
    ]
    frames = {"corrected": load_metrics(corrected), "released": load_metrics(released)}
    said = " ".join(sentences(frames, summaries(frames)) + differences(frames))
    assert "Corrected: smallest Avg Gap: SCRUB (0.000; doing nothing: 0.150)." in said
    assert "Released: smallest Avg Gap by the published rule: LoTUS (0.0400;" in said
    assert "LoTUS, corrected: Avg Gap 0.050, smaller than doing nothing in 1 of 1 seed" in said
    assert "Released, 1 of 2 methods lose more than 5 points of retain accuracy" in said
    assert "Released, SCRUB equals the original" in said
    assert "Corrected: UNSIR collapsed in 1 of 1 seed (1) and is left out." in said

"""Metrics files of made-up models, with collapsed rows, without gold, under switches."""

import json

import pytest
from scores import row_of_metrics

from lotus.page.sections import MeasuredCell
from lotus.results.experiment import Experiment
from lotus.results.metrics import load_metrics

METHODS = [
    *("lotus", "finetune", "neggrad-plus", "random-labeling", "bad-teacher"),
    *("scrub", "ssd", "unsir", "salun", "salun-lotus"),
]
PLACE = {"dataset": "data", "architecture": "resnet18", "scenario": "instance-10"}


def scores(forget, retain, test, mia, **others):
    """A row with its terms of Avg Gap; `mia` also by the published attack."""
    given = {"accuracy_forget": forget, "accuracy_retain": retain, "accuracy_test": test}
    defaults = {"accuracy_val": test, "mia": mia, "mia_released_e6": mia, "mia_auc": 0.5}
    return row_of_metrics(**{**given, **defaults, **others})


GOLD = scores(0.8, 1.0, 0.8, 0.6)
ORIGINAL = scores(1.0, 1.0, 0.8, 1.0, avg_gap=0.15, jsd=0.2, rf_jsd=0.04, avg_gap_released_e6=0.15)


@pytest.fixture
def write_metrics(tmp_path):
    """Writes a metrics file and returns its path; original and gold (unless None) are added."""

    def write(protocol, seed, files=None, about=None, **rows):
        place = PLACE | {"protocol": protocol, "seed": seed} | (about or {})
        every = {"original": ORIGINAL, "gold": GOLD} | rows
        every = {row: of for row, of in every.items() if of is not None}
        path = tmp_path / protocol / "-".join(place[key] for key in (about or {})) / f"{seed}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({**place, "rows": every, "predictions": files or {}}))
        return path

    return write


@pytest.fixture
def fallen(write_metrics):
    """Three seeds; SalUn has the smallest gaps, and has collapsed in one."""
    why = "retain accuracy 0.100 is near chance"
    return [
        write_metrics(
            "corrected",
            seed,
            lotus=scores(0.9, 1.0, 0.8, 0.7, avg_gap=0.05, jsd=0.1 * seed, rf_jsd=0.02 * seed),
            salun=scores(0.8, 1.0, 0.8, 0.6, avg_gap=0.0, jsd=0.3, rf_jsd=0.1, collapsed=reason),
        )
        for seed, reason in [(1, ""), (2, why), (3, "")]
    ]


ALONE = {"scenario": "instance-50"}
NO_GAP = {"avg_gap": None, "jsd": None, "avg_gap_released_e6": None}


@pytest.fixture
def ungauged(write_metrics):
    """A place without gold, and one with."""
    lotus = scores(0.9, 0.95, 0.8, 0.7, rf_jsd=0.02, rf_jsd_released_e4=2e-5)
    scrub = scores(0.7, 0.95, 0.8, 0.7, rf_jsd=0.01, rf_jsd_released_e4=1e-5)
    alone = {"original": ORIGINAL | NO_GAP, "gold": None, "lotus": lotus, "scrub": scrub}
    return {
        name: [
            write_metrics(name, 1, about=ALONE, **alone),
            write_metrics(
                name, 1, lotus=lotus | {"avg_gap": 0.1, "jsd": 0.2, "jsd_released_e4": 1e-4}
            ),
        ]
        for name in ("corrected", "released")
    }


@pytest.fixture
def ablated(write_metrics):
    """SCRUB under `corrected` and `corrected+m1`, two seeds; the second seed's file comes first."""
    before = {1: (0.10, 0.95), 2: (0.20, 0.90)}
    after = {1: (0.13, 0.94), 2: (0.21, 0.92)}
    return [
        write_metrics(protocol, seed, scrub=scores(0.9, retain, 0.8, 0.7, avg_gap=gap, jsd=0.1))
        for protocol, values in {"corrected+m1": after, "corrected": before}.items()
        for seed, (gap, retain) in reversed(values.items())
    ]


FALLEN = scores(0.1, 0.1, 0.1, 0.5, collapsed="retain accuracy near chance")


def measured_of(files, protocol="corrected"):
    """A cell with the runs that its metrics are of, all in one folder for each seed and row."""
    frame = load_metrics(files)
    runs = {
        str(seed): {row: f"results/{seed}/{row}" for row in part["row"]}
        for seed, part in frame.groupby("seed", sort=False)
    }
    described = PLACE | {"study": "", "protocol": protocol, "measured": protocol, "runs": runs}
    return MeasuredCell(experiment_of(described), described, frame)


def experiment_of(*cells, seeds=(1,)):
    """An experiment of some described cells."""
    settings = {"seeds": list(seeds)}
    return Experiment({"settings": settings, "benchmarks": list(cells), "ablations": []})

"""Attacks on the model of the small project, and what measures notice there, each with its record."""

from pathlib import Path

from tiny import LABELS, ROWS, step
from valid_files import attacks, power

from lotus.config.cells import Benchmark
from lotus.layout import attacks_file, record_of
from lotus.records.files import sha256, write_json
from lotus.results.power import power_file

ATTACKS = attacks_file(Benchmark(**LABELS))
POWER = power_file("corrected")
PREDICTIONS = {row: f"{folder}/predictions.npz" for row, folder in ROWS.items()}


def write_attacks(row="lotus", seed=3, path=PREDICTIONS["lotus"], of=None):
    """Attacks on the model, and their record."""
    named = [{"row": row, "seed": seed, "path": path, "sha256": of or sha256(Path(path))}]
    write_json(ATTACKS, attacks() | {"predictions": named})
    told = {"settings": {"of": [[row, seed]]}, "about": LABELS}
    step(record_of(ATTACKS), "attacks", [path], [ATTACKS], **told)


def write_power(**others):
    """What measures notice, and the record of that."""
    write_json(POWER, power() | {"about": LABELS | others})
    step(record_of(POWER), "power", [PREDICTIONS["gold"]], [POWER], LABELS | others | {"seed": 3})


def edit(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))

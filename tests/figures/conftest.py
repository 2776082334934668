"""Made-up runs of which figures are drawn."""

import json

import pytest
from hand_made import digest_of, write_by_hand
from measured_runs import MIB, PLACE, SEEDS, place_of, values


@pytest.fixture
def record(tmp_path):
    """Writes a run's record and returns its path."""

    def record(
        row,
        seed,
        seconds,
        protocol="corrected",
        memory=(700, 0),
        architecture="resnet18",
        **content,
    ):
        folder = tmp_path / "runs" / architecture / protocol / f"seed{seed}" / row
        folder.mkdir(parents=True, exist_ok=True)
        settings = {"method": row, "hyperparameters": {}, **content.pop("settings", {})}
        said = digest_of(f"{architecture}-{row}-{seed}-{protocol}")
        return write_by_hand(
            folder / "run.json",
            about=place_of(row, seed, protocol, architecture),
            settings=settings,
            outputs={f"{folder}/predictions.npz": said},
            time=seconds,
            memory={"process": memory[0] * MIB, "device": memory[1] * MIB},
            notes={"outcome": "sound", **content},
        )

    return record


@pytest.fixture
def measured(tmp_path, record):
    """Row → its Avg Gap, JSD and seconds, of each seed → metrics files and run records.

    Seeds differ by ±.01 in Avg Gap and JSD, and by ± a tenth of the seconds.
    """

    def measured(
        rows, protocol="corrected", collapsed=(), gold_seconds=10.0, architecture="resnet18"
    ):
        every = {"original": (0.2, 0.3, 50.0), "gold": (None, 0.0, gold_seconds), **rows}
        files = []
        for seed, sign in zip(SEEDS, (-1, 1), strict=True):
            scores, said = {}, {}
            for row, (gap, jsd, seconds) in every.items():
                moved = row in rows
                phase = "unlearn" if moved else "train"
                spent = seconds * (1 + 0.1 * sign * moved)
                run = record(row, seed, {phase: spent}, protocol, architecture=architecture)
                scores[row] = values(
                    None if gap is None else gap + 0.01 * sign * moved,
                    jsd + 0.01 * sign * moved,
                    "near chance" if (row, seed) in collapsed else "",
                )
                path = f"{run.parent}/predictions.npz"
                said[row] = {
                    "path": path,
                    "sha256": digest_of(f"{architecture}-{row}-{seed}-{protocol}"),
                }
                files.append(run)
            metrics = tmp_path / f"{architecture}-{protocol}-{seed}.json"
            place = {**PLACE, "architecture": architecture}
            about = {**place, "protocol": protocol, "seed": seed}
            metrics.write_text(json.dumps({**about, "rows": scores, "predictions": said}))
            files.append(metrics)
        return files

    return measured


@pytest.fixture
def spent(record):
    return [
        record("original", 1, {"train": 20.0}),
        record("gold", 1, {"train": 9.0}, memory=(800, 400)),
        record("gold", 2, {"train": 11.0}, memory=(800, 400)),
        record("salun", 1, {"unlearn": 4.0, "method_prepare": 1.0}, memory=(600, 100)),
        record("salun", 2, {"unlearn": 2.0, "method_prepare": 3.0}, memory=(1000, 300)),
        record("scrub", 1, {"unlearn": 2.0}, "released", weights_of="results/there"),
    ]

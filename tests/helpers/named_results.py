"""Results in which everything has one name."""

import json

from hand_made import digest_of, write_by_hand
from scores import row_of_metrics


def scores(gap, jsd):
    accuracies = {f"accuracy_{part}": 0.8 for part in ("forget", "retain", "test", "val")}
    attack = {"mia": 0.5, "mia_released_e6": 0.5, "mia_auc": 0.5}
    return row_of_metrics(**accuracies, **attack, avg_gap=gap, jsd=jsd, rf_jsd=0.3 - jsd / 2)


def write(folder, name, protocols):
    """Metrics files and run records of two seeds, in which everything has this name."""
    metrics, records = [], []
    for protocol in protocols:
        for seed in (1, 2):
            about = dict.fromkeys(("dataset", "architecture", "scenario", "study"), name)
            about |= {"protocol": protocol, "seed": seed}
            rows, said = {}, {}
            for number, row in enumerate(("original", "gold", name, "lotus")):
                path = folder / protocol / str(seed) / str(number) / "run.json"
                path.parent.mkdir(parents=True)
                epoch = {"temperature": 1.0, "forget_accuracy": 0.5, "gap": 0.1}
                said_by = {"path": f"{path}.npz", "sha256": digest_of(f"{path}.npz")}
                write_by_hand(
                    path,
                    about=about | {"row": row},
                    settings={"method": "lotus", "hyperparameters": {"alpha": 2, "epochs": 2}},
                    outputs={said_by["path"]: said_by["sha256"]},
                    time={"unlearn": 1.0 + number},
                    memory={"process": 2**20, "device": 2**20},
                    notes={"outcome": "sound", "epochs": [epoch, epoch]},
                )
                records.append(path)
                gap = None if row == "gold" else 0.1 + 0.01 * number + 0.001 * seed
                rows[row] = scores(gap, 0.1 * abs(number - 1) + 0.01 * seed)
                said[row] = said_by
            file = folder / f"{protocol}-{seed}.json"
            file.write_text(json.dumps(about | {"rows": rows, "predictions": said}))
            metrics.append(file)
    return metrics, records

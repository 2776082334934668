"""A small project by hand whose numbers are made of what its steps are told, for comparisons."""

import hashlib
import json

from lotus.config.cells import Benchmark
from lotus.diff.compare import compare
from lotus.diff.loading import open_side
from lotus.records import files, record
from lotus.records.files import write_json
from lotus.records.record import write_record
from lotus.records.seal import sealed

CELL = Benchmark("d", "net", "class-a")
SEEDS = (1, 2)
METRICS = ("accuracy_forget", "jsd", "rf_jsd")
ROWS = ("original", "gold", "ours", "theirs")


class Experiment:
    """A small project by hand: every number is made of what its steps are told, and recorded."""

    def __init__(self, folder, monkeypatch):
        self.folder, self.monkeypatch = folder, monkeypatch
        self.data = "images"
        self.forget = "first"
        self.alpha = dict.fromkeys(ROWS, 1.0)
        self.effect = dict.fromkeys(ROWS, 0.0)
        self.code, self.metrics_code = dict.fromkeys(ROWS, "0"), "0"
        self.offset = 0.0
        self.torch = "2.0"
        self.seeds, self.rows = SEEDS, ROWS
        self.unfit = {}

    def write(self):
        self.folder.mkdir(exist_ok=True)
        with self.monkeypatch.context() as patch:
            patch.chdir(self.folder)
            # These are slow, and nothing here rests on them.
            patch.setattr(record, "package_digest", lambda: "0")
            patch.setattr(record, "versions", dict)
            patch.setattr(record, "git_state", lambda: {"commit": "0" * 40, "dirty": False})
            self._step("results/d/store.json", "store", ["data/stores/d/source.json"], self.data)
            for seed in self.seeds:
                self._seed(seed)
        return self

    def _seed(self, seed):
        split = f"results/d/splits/seed{seed}/class-a.json"
        self._step(
            f"results/records/d/splits/seed{seed}/class-a.json",
            "forget-set",
            [split],
            f"{self.data} {self.forget} {seed}",
            ["data/stores/d/source.json"],
            about={"dataset": "d", "seed": seed},
            settings={"rule": self.forget},
            notes={"digest": hashlib.sha256(self.forget.encode()).hexdigest()},
        )
        predictions = {row: self._run(row, seed, split) for row in self.rows}
        path = f"results/d/net/seed{seed}/class-a/corrected/metrics.json"
        rows = {row: self.scores(row, seed) for row in self.rows}
        content = {
            **CELL.labels,
            "seed": seed,
            "rows": rows,
            "predictions": {
                row: {"path": of, "sha256": files.sha256(self.folder / of)}
                for row, of in predictions.items()
            },
        }
        self._step(
            path.replace("results/", "results/records/"),
            "metrics",
            [path],
            json.dumps(content),
            list(predictions.values()),
            about={**CELL.labels, "seed": seed},
            settings={"rows": list(self.rows)},
            modules={"lotus.runs.evaluation": self.metrics_code},
        )

    def _run(self, row, seed, split):
        original = f"results/d/net/seed{seed}/original/corrected"
        folder = (
            original if row == "original" else f"results/d/net/seed{seed}/class-a/corrected/{row}"
        )
        read = ["data/stores/d/source.json"]
        read += [] if row == "original" else [split]
        read += [] if row in ("original", "gold") else [f"{original}/model.safetensors"]
        text = " ".join((self.folder / path).read_text() for path in read)
        # As real runs do; it differs with each repetition, by its times.
        read += [] if row in ("original", "gold") else [f"{original}/run.json"]
        about = {**CELL.labels, "row": row, "seed": seed}
        if row == "original":
            del about["scenario"]
        self._step(
            f"{folder}/run.json",
            row if row in ("original", "gold") else "unlearned",
            [f"{folder}/model.safetensors", f"{folder}/predictions.npz"],
            f"{text} {row} {self.effect[row]}",
            read,
            about=about,
            settings={"hyperparameters": {"alpha": self.alpha[row]}, "protocol": "corrected"},
            modules={"lotus.runs.unlearn": "0", f"lotus.methods.{row}": self.code[row]},
            seconds={"train" if row in ("original", "gold") else "unlearn": 1.0},
        )
        return f"{folder}/predictions.npz"

    def scores(self, row, seed):
        gold = 0.0 if row == "gold" else self.effect["gold"]
        # Of the data a digit that is the same for the same data.
        data = (len(self.data) + len(self.forget)) / 1000
        own = self.effect[row] + self.offset + seed / 100 + data
        return {
            "accuracy_forget": own,
            "jsd": None if row == "gold" else own + gold,
            "rf_jsd": own + self.effect["original"],
            "same_as_original": row == "original",
            "collapsed": self.unfit.get(row, ""),
        }

    def _step(
        self,
        record,
        kind,
        outputs,
        text,
        inputs=(),
        about=None,
        settings=None,
        modules=None,
        **more,
    ):
        for path in outputs:
            (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
            (self.folder / path).write_text(text)
        path = self.folder / record
        write_record(
            path,
            kind=kind,
            modules=["lotus.errors"],
            about=about or {"dataset": "d"},
            settings=settings or {},
            inputs=[self.folder / path for path in inputs],
            outputs=[self.folder / path for path in outputs],
            **more,
        )
        content = json.loads(path.read_text())
        content["code"]["modules"] = modules or {"lotus.data": "0"}
        content["versions"] = {"python": "3.11", "torch": self.torch}
        write_json(path, sealed(content))


def compared(a, b, **options):
    return compare(open_side(str(a.folder)), open_side(str(b.folder)), **options)


def moved(found):
    """(row, metric) → the changes, as (kind, what), that can explain it."""
    named = {change.id: (change.kind, change.what) for change in found.changes}
    return {
        (number.row, number.metric): {named[id_] for id_ in ids} for number, ids in found.numbers
    }


def edit(path, change):
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))

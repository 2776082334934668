"""A small project whose steps are written by hand: a source file, a store, models, metrics and a table."""

from pathlib import Path

from lotus import layout
from lotus.lineage import lookup
from lotus.records.files import write_json
from lotus.records.record import write_record

PLACE = {"dataset": "tiny", "architecture": "resnet18", "scenario": "instance-10"}
SEED = "results/tiny/resnet18/seed1"
TABLE = "results/tables/summary.csv"
ROWS = ("original", "gold", "lotus", "ssd")
METRICS_FILE = f"{SEED}/instance-10/corrected/metrics.json"
SPLIT = "results/tiny/splits/seed1/instance-10.json"
STORE = [f"data/stores/tiny/{name}" for name in ("images.npy", "labels.npy", "source.json")]


def put(name, text):
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    Path(name).write_text(text)


def step(kind, inputs, outputs, about, settings=None, notes=None):
    """Writes outputs that are not there yet, and the record of all."""
    for name in outputs:
        if not Path(name).exists():
            put(name, f"{kind} {name}")
    write_record(
        layout.record_of(Path(outputs[0])),
        kind=kind,
        modules=["lotus.errors"],
        about={"dataset": "tiny", **about},
        settings=settings or {},
        inputs=[Path(name) for name in inputs],
        outputs=[Path(name) for name in outputs],
        notes=notes,
    )


def write_store(file):
    Path("data/raw").mkdir()
    listed = {**file, "path": "data/embedded/tiny.gz"}
    write_json(Path("data/raw/tiny.json"), {"dataset": "tiny", "files": [listed]})
    write_store_record(file)


def write_store_record(*files):
    notes = {"dvc": "d.dir", "source": {"content": "c" * 64, "files": files}}
    step("store", ["data/raw/tiny.json"], STORE, {}, notes=notes)


def folder_of(row):
    scenario = "" if row == "original" else "instance-10/"
    return f"{SEED}/{scenario}{'original/corrected' if row == 'original' else f'corrected/{row}'}"


def write_run(row):
    read = {"original": STORE[2:], "gold": [STORE[2], SPLIT]}
    before = [f"{folder_of('original')}/{name}" for name in ("model.safetensors", "run.json")]
    made = [f"{folder_of(row)}/{name}" for name in ("model.safetensors", "predictions.npz")]
    about = {**PLACE, "row": row, "protocol": "corrected", "seed": 1}
    inputs = read.get(row, [STORE[2], SPLIT, *before])
    step(row if row in read else "unlearned", inputs, made, about, {"alpha": 2})


def tree_of(given, depth=None):
    return lookup.look_up(given, depth).tree

"""A small project with a record of each sort, and what its crate is held against."""

import json
from pathlib import Path

from lotus.records.files import write_json
from lotus.records.index import read_index
from lotus.records.record import write_record
from lotus.records.seal import sealed

RUN = Path("results/tiny/net/seed1/all/corrected+m1/lotus")
ORIGINAL = Path("results/tiny/net/seed1/original/corrected")
STORE = Path("data/stores/tiny")
PAGE = Path("results/report/index.html")
PROJECT = {
    "Snakefile": "rule all:\n",
    "workflow/rules/a.smk": "rule a:\n",
    "config/tiny.yaml": "title: tiny\n",
    "envs/requirements.lock": "numpy==2.0\n",
    "LICENSE": "MIT",
    "CITATION.cff": "title: Tiny\nlicense: MIT\nauthors: [{given-names: A., family-names: B}, {name: C}]\n",
    "data.dvc": f"outs:\n- path: {STORE}\n  md5: 0123.dir\n",
    "data/raw/tiny.json": "{}",
}
LIMIT = 1000


def record(path, kind, inputs, outputs, about=None, settings=None):
    """Writes the outputs (path → text), then the record of the step."""
    for output, text in outputs.items():
        Path(output).parent.mkdir(parents=True, exist_ok=True)
        Path(output).write_text(text)
    write_record(
        Path(path),
        kind=kind,
        modules=["lotus.errors"],
        about=about or {},
        settings=settings or {},
        inputs=[Path(name) for name in inputs],
        outputs=[Path(name) for name in outputs],
    )


def write_project():
    for name, text in PROJECT.items():
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(text)
    about = {"dataset": "tiny", "seed": 1}
    raw, source = "data/raw/tiny.json", STORE / "source.json"
    arrays = {source: "{}", STORE / "images.npy": "pixels"}
    record("results/tiny/store.json", "store", [raw], arrays, {"dataset": "tiny"})
    weights = {ORIGINAL / "model.safetensors": "w", ORIGINAL / "predictions.npz": "p"}
    network = {"architecture": {"model": "net", "width": 8, "bias": None}}
    of_net = {**about, "architecture": "net"}
    record(ORIGINAL / "run.json", "original", [source], weights, of_net, network)
    record(
        RUN / "run.json",
        "unlearned",
        [source, ORIGINAL / "model.safetensors", ORIGINAL / "run.json"],
        {RUN / "model.safetensors": "w", RUN / "predictions.npz": "q"},
        {**about, "row": "lotus"},
        {"method": "lotus", "hyperparameters": {"alpha": 0.5, "flag": True, "milestones": [1, 2]}},
    )
    for seed, text in (("1", "lotus,1\n"), ("2", "lotus,2\n" * LIMIT)):
        record(
            f"results/records/tables/t{seed}.table.json",
            "table",
            [RUN / "predictions.npz"],
            {f"results/tables/t{seed}.csv": text},
            {"table": f"t{seed}"},
        )
    experiment = {"files": ["config/tiny.yaml", "/elsewhere/gone.yaml"], "given": {}}
    record(
        "results/records/experiment.json",
        "experiment",
        [],
        {"results/experiment.json": "{}"},
        {"title": "tiny run"},
        experiment,
    )
    record(
        "results/records/report/index.json",
        "report",
        ["results/experiment.json", "results/tables/t1.csv", RUN / "run.json"],
        {PAGE: "<p>" * LIMIT},
    )
    others = [Path(path) for path in read_index().records]
    record("results/records/ledger.json", "ledger", others, {})


def files_of(metadata):
    return {entity["name"]: entity for entity in metadata.of("File")}


def is_copied(entity):
    return not entity["@id"].startswith("ni:")


def edited(path, **changes):
    """A record with other content and a digest that fits."""
    content = json.loads(Path(path).read_text())
    write_json(Path(path), sealed({**content, **changes}))

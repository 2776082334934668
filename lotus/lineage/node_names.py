"""Nodes of a tree in the reader's words."""

from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

from lotus import layout
from lotus.lineage.tree import MODEL, PREDICTIONS, Node
from lotus.records.reading import Record
from lotus.results.titles import dataset_title, row_title, title_of_run

PARTS_OF_A_RUN = {MODEL: "model", PREDICTIONS: "predictions", layout.RUN_RECORD: "run"}
WITHOUT_RECORD = {
    "raw": "list of raw files",
    "source": "source file",
    "store": "images without a record",
}


def title(node: Node) -> str:
    """Returns a title: `predictions of LoTUS, digits, ResNet18, 10 % forgotten, corrected, seed 13`."""
    record = node.record
    if record is None or not record.kind:
        unknown = PurePosixPath(node.path).is_relative_to(layout.RESULTS)
        return "without a record" if unknown else WITHOUT_RECORD.get(node.stage, "file")
    if record.kind in ("original", "gold", "unlearned"):
        part = PARTS_OF_A_RUN.get(PurePosixPath(node.path).name, "file")
        return f"{part} of {_row_in_words(record.about)}, {benchmark_and_seed(record.about)}"
    return _title_of_record(record)


def _title_of_record(record: Record) -> str:
    """Returns the title of what other steps write."""
    about, where = record.about, benchmark_and_seed(record.about)
    name = about.get("item") or about.get("table") or about.get("figure")
    return {
        "store": f"images of {dataset_title(str(about.get('dataset', '')))}",
        "half": f"a half of the training images of {where}",
        "image-losses": f"losses of held-out training images of {where}",
        "image-hashes": f"perceptual hashes of the training images of {where}",
        "held-out": f"validation and test halves of {where}",
        "forget-set": f"forget and retain set of {where}",
        "forget-sheet": f"pictures of the forget set of {where}",
        "metrics": f"metrics of {where}",
        "shadow-attacks": f"membership attacks on shadow models of {where}",
        "attacks": f"membership attacks on the models of {where}",
        "gradcam": f"Grad-CAM maps of {where}",
        "audit": f"look-alikes among the images of {where}",
        "trials": f"trials of hyper-parameters, {where}",
        "table": f"table {name}",
        "figure": f"figure {name}",
        "report": f"report: {about.get('title', '')}",
        "experiment": f"description of the experiment: {about.get('title', '')}",
        "cache": "what DVC says of the stores",
        "ledger": "ledger of all records",
        "overrides": "chosen hyper-parameters",
    }.get(record.kind, record.kind)


def _row_in_words(about: Mapping[str, Any]) -> str:
    row = str(about.get("row", "a model"))
    return {layout.ORIGINAL: "the original", layout.GOLD: "gold"}.get(row) or row_title(row)


def benchmark_and_seed(about: Mapping[str, Any]) -> str:
    """Benchmark and seed, as far as a record names them."""
    seed = f"seed {about['seed']}" if "seed" in about else ""
    return ", ".join(filter(None, (title_of_run(about), seed)))


def flatten(settings: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested parameters by dotted names, without those that are not set (null, empty)."""
    found: dict[str, Any] = {}
    for key, value in settings.items():
        if isinstance(value, Mapping):
            found |= flatten(value, f"{prefix}{key}.")
        elif value is not None and value not in ("", [], {}):
            found[f"{prefix}{key}"] = value
    return found

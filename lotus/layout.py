"""Where artifacts lie, relative to the project. The rules and the report both ask here."""

from pathlib import Path

from lotus.config.cells import Benchmark

RESULTS = Path("results")
RECORDS = RESULTS / "records"
MEANS = RESULTS / "metrics"
STORES = Path("data/stores")
RAW = Path("data/raw")
LOCK = Path("data.dvc")
MODELS, PREDICTIONS, MADE_OF = Path("models.dvc"), Path("predictions.dvc"), Path("results.dvc")
PUBLISHED = (MODELS, PREDICTIONS, MADE_OF)
"""What DVC holds beside the stores: weights; what models said; what was made of that."""
CACHED = STORES / "dvc.json"
LEDGER = RECORDS / "ledger.json"
ORIGINAL, GOLD = "original", "gold"


def run_folder(cell: Benchmark, seed: int, row: str) -> Path:
    """Folder of a run; the original model is shared by the scenarios of its data set.

    Args:
        cell: with the protocol under which the run itself is filed (`Plan.home`).

    """
    root = _seed_folder(cell, seed)
    if row == ORIGINAL:
        return root / ORIGINAL / cell.protocol
    return root / cell.scenario / cell.protocol / row


def metrics_file(cell: Benchmark, seed: int) -> Path:
    """Metrics of all models of one scenario, protocol, study and seed."""
    name = in_study("metrics", cell.study)
    return _seed_folder(cell, seed) / cell.scenario / cell.protocol / f"{name}.json"


def gradcam_file(cell: Benchmark, seed: int) -> Path:
    """Grad-CAM maps of some models of one scenario, protocol and seed."""
    return _seed_folder(cell, seed) / cell.scenario / cell.protocol / "gradcam.npz"


def in_study(name: str, study: str) -> str:
    """Name of what a study (`''`: none) has for itself: `avg-gap` → `avg-gap-retain-share`."""
    return f"{name}-{study}" if study else name


def _seed_folder(cell: Benchmark, seed: int) -> Path:
    return RESULTS / cell.dataset / cell.architecture / f"seed{seed}"


def split_file(dataset: str, seed: int, name: str) -> Path:
    """`held-out` halves or the forget set of a scenario."""
    return RESULTS / dataset / "splits" / f"seed{seed}" / f"{name}.json"


def audit_file(dataset: str, scenario: str) -> Path:
    """Audit of a data set's images in the parts of a scenario."""
    return RESULTS / dataset / "audit" / f"{scenario}.json"


def store_record(dataset: str) -> Path:
    """Record of a verified store."""
    return RESULTS / dataset / "store.json"


def record_of(artifact: Path) -> Path | None:
    """The record that states how a file was made; None for records and for what no step writes.

    Args:
        artifact: relative to the project.

    """
    if is_record(artifact):
        return None
    if artifact == CACHED:
        return RECORDS / "dvc.json"
    if artifact.is_relative_to(STORES) and len(artifact.parts) == len(STORES.parts) + 2:
        return store_record(artifact.parent.name)
    if not artifact.is_relative_to(RESULTS) or artifact == RESULTS:
        return None
    if artifact.name in _BESIDE:
        return artifact.with_name(_BESIDE[artifact.name])
    place = RECORDS / artifact.relative_to(RESULTS)
    if artifact == RESULTS / "claims.json":
        return RECORDS / "timings" / "claims.table.json"
    if artifact.is_relative_to(MEANS):
        return RECORDS / "metrics" / f"{artifact.parent.name}.json"
    form = _FORMS.get(artifact.suffix, "") if artifact.parts[1] in MADE else ""
    return place.with_name(f"{artifact.stem}{form}.json")


def is_record(path: Path) -> bool:
    """Whether a file, relative to the project, lies where records do."""
    if not path.is_relative_to(RESULTS) or path.suffix != ".json":
        return False
    return (
        path.is_relative_to(RECORDS)
        or path.name in _BESIDE.values()
        or (path.name == "store.json" and len(path.parts) == 3)
        or (path.is_relative_to(RESULTS / "tuning") and len(path.parts) > 3)
    )


MADE = ("figures", "tables", "timings", "paper")
"""Folders of tables and figures."""
_FORMS = dict.fromkeys((".csv", ".tex"), ".table") | dict.fromkeys(
    (".svg", ".pdf", ".png"), ".figure"
)
_BESIDE = {
    "model.safetensors": "run.json",
    "predictions.npz": "run.json",
    "gradcam.npz": "gradcam.json",
}
"""Artifacts whose record lies beside them."""

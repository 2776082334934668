"""Where artifacts lie, relative to the project. The rules and the report both ask here."""

from pathlib import Path

from lotus.settings import Benchmark

RESULTS = Path("results")
STORES = Path("data/stores")
LOCK = Path("data.dvc")
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


def record_of(artifact: Path) -> Path:
    """Record of a table or figure, given without its ending."""
    return RESULTS / "records" / artifact.relative_to(RESULTS).with_name(f"{artifact.name}.json")

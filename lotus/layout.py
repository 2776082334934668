"""Where artifacts lie, relative to the project. The rules and the report both ask here."""

from pathlib import Path

from lotus.settings import Benchmark

RESULTS = Path("results")
STORES = Path("data/stores")
LOCK = Path("data.dvc")
ORIGINAL, GOLD = "original", "gold"


def run_folder(cell: Benchmark, seed: int, row: str) -> Path:
    """Folder of a run; the original model is shared by the scenarios of its data set."""
    root = RESULTS / cell.dataset / cell.architecture / f"seed{seed}"
    return root / ORIGINAL if row == ORIGINAL else root / cell.scenario / row


def metrics_file(cell: Benchmark, seed: int) -> Path:
    """Metrics of all models of one scenario and seed."""
    folder = RESULTS / cell.dataset / cell.architecture / f"seed{seed}" / cell.scenario
    return folder / "metrics.json"


def split_file(dataset: str, seed: int, name: str) -> Path:
    """`held-out` halves or the forget set of a scenario."""
    return RESULTS / dataset / "splits" / f"seed{seed}" / f"{name}.json"


def store_record(dataset: str) -> Path:
    """Record of a verified store."""
    return RESULTS / dataset / "store.json"


def record_of(artifact: Path) -> Path:
    """Record of a table or figure, given without its ending."""
    return RESULTS / "records" / artifact.relative_to(RESULTS).with_name(f"{artifact.name}.json")

"""Where artifacts lie, relative to the project; nobody else spells these paths.

The rules of the workflow ask here too, with wildcards (`"{dataset}"`) in place of names: a path that a step
names and the pattern that Snakemake matches it with are made by one function.
"""

import re
from functools import cache
from pathlib import Path

from lotus.config.cells import Benchmark

RESULTS = Path("results")
RECORDS = RESULTS / "records"
MEANS = RESULTS / "metrics"
MEANS_RECORDS = RECORDS / "metrics"
DATA = Path("data")
STORES = DATA / "stores"
RAW = DATA / "raw"
LOCK = Path("data.dvc")
MODELS, PREDICTIONS, MADE_OF = Path("models.dvc"), Path("predictions.dvc"), Path("results.dvc")
PUBLISHED = (MODELS, PREDICTIONS, MADE_OF)
"""What DVC holds beside the stores: weights; what models said; what was made of that."""
CACHED = STORES / "dvc.json"
LEDGER = RECORDS / "ledger.json"
EXPERIMENT = RESULTS / "experiment.json"
EXPERIMENT_RECORD = RECORDS / EXPERIMENT.name
"""What the experiment consists of, and the record of that."""
POWER = RESULTS / "power" / "power.json"
"""How measures and attacks fare on models whose truth is known."""
CLAIMS = RESULTS / "claims.json"
"""The verdicts on the paper's claims."""
CLAIMS_TABLE = "timings", "claims"
"""Folder and name of the verdicts as a table; some rest on measured seconds."""
PAGE = RESULTS / "report" / "index.html"
LEFT_OUT = RESULTS / "left-out.json"
"""What a small copy of the results is without."""
ATTESTATIONS = RESULTS / "attestations"
"""What `lotus attest` found, a file for each time; a signature has its file's name with `SIGNED` added."""
SIGNED = ".sig"
PAPER = "paper"
"""Folder of the paper's tables beside what was measured."""
OVERRIDES = RESULTS / "tuning" / "overrides.yaml"
"""What tuning chose."""
STATED_CLAIMS = Path("report/claims.yaml")
PAPER_NUMBERS = Path("report/published")
"""Folder of the numbers that the paper printed."""
TEMPLATE = Path("report/page/index.html.j2")
LOGS = Path("logs")
ORIGINAL, GOLD, GOLD_AGAIN = "original", "gold", "gold-again"
REFERENCES = (ORIGINAL, GOLD, GOLD_AGAIN)
"""Rows of tables that are no method: nothing done, retrained, and retrained once more (the floor)."""
HELD_OUT = "held-out"
HALF = "half"
"""A half of the training images."""
STORE_FILES = {
    "images": "images.npy",
    "labels": "labels.npy",
    "classes": "classes.json",
    "source": "source.json",
}
NAMES_FILE = "names.json"
"""What the images of a store are called, where they have names of their own."""
MODEL_FILE, PREDICTIONS_FILE, RUN_RECORD = "model.safetensors", "predictions.npz", "run.json"
RUN_FILES = {"model": MODEL_FILE, "predictions": PREDICTIONS_FILE, "record": RUN_RECORD}
MAPS_FILE = "gradcam.npz"
ENDINGS = {"table": ("csv", "tex"), "figure": ("svg", "pdf", "png")}
"""Files of a table and of a figure, the one that is shown first."""

KEPT_HALF, KEPT_ALL, TRAIN_MODE = "kept-half", "kept-all", "train-mode"
"""Beginnings of rows of models by which measures are tried: retrained with half of the forget set, with all
of it, and the last ones asked with BatchNorm in train mode."""
OF_POWER = rf"({KEPT_HALF}|{KEPT_ALL}|{TRAIN_MODE})-[1-9][0-9]*"
FURTHER_GOLD = rf"{GOLD_AGAIN}-[1-9][0-9]*"
"""Pattern of the rows of golds that `gold_seeds` adds."""

Seed = int | str
"""A seed, or the wildcard in its place."""


def raw_list(dataset: str) -> Path:
    """List of the verified raw files of a data set."""
    return RAW / f"{dataset}.json"


def store_files(dataset: str) -> dict[str, Path]:
    """Files of a store by what they hold."""
    return {name: STORES / dataset / file for name, file in STORE_FILES.items()}


def names_file(dataset: str) -> Path:
    """Names of the images of a store; only stores of named images have it."""
    return STORES / dataset / NAMES_FILE


def run_files(folder: Path) -> dict[str, Path]:
    """Files of a run by what they hold."""
    return {name: folder / file for name, file in RUN_FILES.items()}


def item_files(folder: str, name: str, form: str) -> dict[str, Path]:
    """Files of a table or figure by their endings.

    Args:
        folder: below `results`.
        form: `table` or `figure`.

    """
    return {ending: item_file(folder, name, ending) for ending in ENDINGS[form]}


def item_file(folder: str, name: str, ending: str) -> Path:
    """One file of a table or figure: see `item_files`."""
    return RESULTS / folder / f"{name}.{ending}"


def item_record(folder: str, name: str, form: str) -> Path:
    """Record of a table or figure: see `item_files`."""
    return RECORDS / folder / f"{name}.{form}.json"


def log_of(rule: str, *subject: str) -> Path:
    """Log of a job.

    Args:
        subject: what the job is about, from the widest to the narrowest.

    """
    return (
        LOGS.joinpath(rule, *subject[:-1], f"{subject[-1]}.log")
        if subject
        else LOGS / f"{rule}.log"
    )


@cache
def run_folder(cell: Benchmark, seed: Seed, row: str) -> Path:
    """Folder of a run; the original model is shared by the scenarios of its data set.

    Args:
        cell: with the protocol under which the run itself is filed (`Plan.home`).

    """
    root = _seed_folder(cell, seed)
    if row == ORIGINAL:
        return root / ORIGINAL / cell.protocol
    return root / cell.scenario / cell.protocol / row


def further_gold(number: int) -> str:
    """Row of a gold model that `gold_seeds` adds beside gold; from 1."""
    return f"{GOLD_AGAIN}-{number}"


def gold_of_seed(seed: int) -> str:
    """Name of another seed's gold among the golds that this seed's is held against."""
    return f"{GOLD}-of-{seed}"


def is_further_gold(row: str) -> bool:
    """Whether a run is one of the golds that `gold_seeds` adds."""
    return bool(re.fullmatch(FURTHER_GOLD, row))


def is_of_power(row: str) -> bool:
    """Whether a run is one by which measures are tried, and no gold."""
    return bool(re.fullmatch(OF_POWER, row))


def seed_of_gold(name: str) -> int | None:
    """The seed of a gold that is named so (`gold_of_seed`); None of any other name."""
    found = re.fullmatch(rf"{GOLD}-of-([0-9]+)", name)
    return None if found is None else int(found[1])


def metrics_file(cell: Benchmark, seed: Seed) -> Path:
    """Metrics of all models of one scenario, protocol, study and seed."""
    name = in_study("metrics", cell.study)
    return _seed_folder(cell, seed) / cell.scenario / cell.protocol / f"{name}.json"


def entropies_file(cell: Benchmark, seed: Seed) -> Path:
    """Entropies of what the models of a metrics file said of each image."""
    return metrics_file(cell, seed).with_suffix(".npz")


def attacks_file(cell: Benchmark) -> Path:
    """Returns the file with what membership attacks find in a cell, over its seeds."""
    folder = RESULTS / cell.dataset / cell.architecture / "all-seeds" / cell.scenario
    return folder / cell.protocol / f"{in_study('attacks', cell.study)}.json"


def shadows_file(cell: Benchmark) -> Path:
    """Returns the file with what attacks find by a cell's shadow models: those of halves of the images."""
    return attacks_file(cell).with_name("shadows.json")


def shadow_scores_file(cell: Benchmark) -> Path:
    """The attack's scores of the forget images that each shadow of a cell had."""
    return shadows_file(cell).with_suffix(".npz")


def scores_file(cell: Benchmark) -> Path:
    """The attacks' scores of every forget image of a cell."""
    return attacks_file(cell).with_suffix(".npz")


def gradcam_file(cell: Benchmark, seed: Seed) -> Path:
    """Grad-CAM maps of some models of one scenario, protocol and seed."""
    return _seed_folder(cell, seed) / cell.scenario / cell.protocol / MAPS_FILE


def in_study(name: str, study: str) -> str:
    """Name of what a study (`''`: none) has for itself: `avg-gap` → `avg-gap-retain-share`.

    A wildcard in place of the study stands for the hyphen as well, since there may be no study.
    """
    return f"{name}-{study}" if study and not study.startswith("{") else f"{name}{study}"


@cache
def _seed_folder(cell: Benchmark, seed: Seed) -> Path:
    return RESULTS / cell.dataset / cell.architecture / f"seed{seed}"


@cache
def split_file(dataset: str, seed: Seed, name: str) -> Path:
    """`held-out` halves or the forget set of a scenario."""
    return RESULTS / dataset / "splits" / f"seed{seed}" / f"{name}.json"


def losses_file(dataset: str, architecture: str) -> Path:
    """Losses of training images under models of an architecture that were not trained on them."""
    return RESULTS / dataset / "splits" / "held-out-losses" / f"{architecture}.json"


def hashes_file(dataset: str) -> Path:
    """Perceptual hashes of training images."""
    return RESULTS / dataset / "splits" / "hashes.json"


def sheet_files(dataset: str, seed: Seed, scenario: str) -> dict[str, Path]:
    """The sheet of pictures of a forget set, and the list of what it shows."""
    folder = RESULTS / dataset / "forgotten" / f"seed{seed}"
    return {"sheet": folder / f"{scenario}.png", "listed": folder / f"{scenario}.json"}


def audit_file(dataset: str, scenario: str) -> Path:
    """Audit of a data set's images in the parts of a scenario."""
    return RESULTS / dataset / "audit" / f"{scenario}.json"


def cleaned_file(dataset: str, scenario: str) -> Path:
    """The list of the images that cleaning keeps."""
    return audit_file(dataset, scenario).with_suffix(".csv")


@cache
def store_record(dataset: str) -> Path:
    """Record of a verified store."""
    return RESULTS / dataset / "store.json"


def means_file(cell: Benchmark, row: str) -> Path:
    """Means of a row's metrics over the seeds."""
    return MEANS / cell.name / f"{row}.json"


def means_record(cell: Benchmark) -> Path:
    """Record of a cell's means."""
    return MEANS_RECORDS / f"{cell.name}.json"


def trials_file(cell: Benchmark, seed: Seed, row: str) -> Path:
    """Record of what tuning tried for a row; its protocol is always the corrected one."""
    return OVERRIDES.parent.joinpath(
        cell.dataset, cell.architecture, f"seed{seed}", cell.scenario, f"{row}.json"
    )


def attestations() -> list[Path]:
    """Attestations that lie beside the results."""
    return sorted(ATTESTATIONS.glob("*.json"))


def attestation_files() -> list[Path]:
    """Attestations that lie beside the results, and the signatures of those that are signed."""
    files = attestations()
    return [*files, *(signature_of(path) for path in files if is_signed(path))]


def is_signed(attestation: Path) -> bool:
    """Whether a signature lies beside an attestation; a link, which could lead anywhere, is none."""
    signature = signature_of(attestation)
    return signature.is_file() and not signature.is_symlink()


def signature_of(attestation: Path) -> Path:
    """Where the signature of an attestation lies, if it has one."""
    return attestation.with_name(attestation.name + SIGNED)


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
    if artifact.is_relative_to(ATTESTATIONS):
        return None
    if artifact.name in _BESIDE:
        return artifact.with_name(_BESIDE[artifact.name])
    place = RECORDS / artifact.relative_to(RESULTS)
    if artifact == CLAIMS:
        return item_record(*CLAIMS_TABLE, "table")
    if artifact.is_relative_to(MEANS):
        return MEANS_RECORDS / f"{artifact.parent.name}.json"
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
        or (path.is_relative_to(OVERRIDES.parent) and len(path.parts) > 3)
    )


MADE = ("figures", "tables", "timings", PAPER)
"""Folders of tables and figures."""
_FORMS = {f".{ending}": f".{form}" for form, endings in ENDINGS.items() for ending in endings}
_BESIDE = {
    MODEL_FILE: RUN_RECORD,
    PREDICTIONS_FILE: RUN_RECORD,
    MAPS_FILE: "gradcam.json",
}
"""Artifacts whose record lies beside them."""

"""The checked plan, what jobs are told of it, and what is to exist in the end."""

import json
import os
import sys
from pathlib import Path

from snakemake.logging import logger
from snakemake.settings.types import DeploymentMethod

# This checkout's code, whichever copy is installed.
sys.path.insert(0, str(workflow.basedir))

from lotus import layout, models, warm
from lotus.data import sources
from lotus.data.store import locked_stores
from lotus.errors import LotusError
from lotus.methods import base
from lotus.plan import make_plan
from lotus.provenance import code_digest
from lotus.settings import Benchmark, Origin, read_origin

DEFAULT_CONFIG = "config/fashion-mini.yaml"

# A process with the libraries loaded does the jobs of this machine.
WARM = warm.WarmProcess(Path(workflow.basedir), Path("logs/warm.log"))

# Jobs run this checkout's code, whichever copy is installed: with the interpreter that runs the
# workflow, or with that of a conda environment if the user deploys those.
if DeploymentMethod.CONDA in workflow.deployment_settings.deployment_method:
    FIND_LOTUS = f'export PYTHONPATH="{workflow.basedir}"; lotus() {{{{ python -m lotus.cli "$@"; }}}}; '
else:
    FIND_LOTUS = (
        f'export PATH="{Path(sys.executable).parent}:$PATH"'
        f' PYTHONPATH="{workflow.basedir}${{{{PYTHONPATH:+:$PYTHONPATH}}}}"'
        f' {warm.VARIABLE}="{WARM.address}"; '
    )
shell.prefix(FIND_LOTUS)


onstart:
    WARM.start()


onsuccess:
    WARM.stop()


onerror:
    WARM.stop()


def read_plan():
    """The plan of the configuration given on the command line, else of the default one."""
    files = [str(path) for path in workflow.config_settings.configfiles]
    try:
        if not files:
            # Not a `configfile:` line: that would be merged into every other configuration.
            files = [DEFAULT_CONFIG]
            default = dict(read_origin(Path(DEFAULT_CONFIG)).content)
            default.update(config)
            config.update(default)
        origins = [read_origin(Path(path)) for path in files]
        given = Origin("--config", workflow.config_settings.config)
        return make_plan(config, [*origins, given])
    except LotusError as error:
        logger.error(f"The configuration is not accepted:\n{error}")
        sys.exit(1)


PLAN = read_plan()
SEEDS = PLAN.settings.seeds
CELLS = PLAN.benchmarks
INSTANCE_CELLS = [
    cell
    for cell in CELLS
    if PLAN.settings.scenarios[cell.scenario].forget_class is None
]
LOCKED = locked_stores(layout.LOCK)

# Runtime, not science: which device the models run on.
DEVICE = os.environ.get("LOTUS_DEVICE", "auto")
STORE_FILES = ["images.npy", "labels.npy", "classes.json", "source.json"]
RUN_FILES = ["model.safetensors", "predictions.npz", "run.json"]


wildcard_constraints:
    dataset="|".join(sources.available()),
    architecture="|".join(PLAN.settings.architectures),
    scenario="|".join(PLAN.settings.scenarios),
    seed=r"\d+",
    row="|".join(PLAN.settings.methods),


def uses_gpu():
    """1 where models run on a GPU, so that the profile's `gpu` limit holds."""
    import torch

    wanted = DEVICE.startswith("cuda")
    return int(wanted or (DEVICE == "auto" and torch.cuda.is_available()))


GPU = uses_gpu()
CONDA = f"../../envs/environment-{'cuda' if GPU else 'cpu'}.yaml"


def cell_of(wildcards):
    """Benchmark of a job; the original model belongs to no scenario."""
    return Benchmark(
        wildcards.dataset, wildcards.architecture, wildcards.get("scenario", "")
    )


def step_code(*modules):
    """Digest of the code that a step runs, as a parameter of its jobs."""
    return code_digest(*modules)


def model_code(wildcards):
    """Digest of the code that a training step runs for the job's architecture."""
    architecture = PLAN.settings.architectures[wildcards.architecture]
    return code_digest("lotus.runs", models.module_of(architecture))


def labels_of(wildcards, row):
    """Names of a run for its record."""
    names = {"dataset": wildcards.dataset, "architecture": wildcards.architecture}
    if "scenario" in wildcards.keys():
        names["scenario"] = wildcards.scenario
    names["row"] = row
    names["protocol"] = PLAN.settings.protocol
    return json.dumps(names)


def original_of(wildcards, name):
    """A file of the original model's run."""
    return layout.run_folder(cell_of(wildcards), wildcards.seed, layout.ORIGINAL) / name


def gold_of(wildcards, name):
    """A file of the gold model's run."""
    return layout.run_folder(cell_of(wildcards), wildcards.seed, layout.GOLD) / name


def hyperparameters_of(wildcards):
    """`--set key=value` for each hyper-parameter of the row, defaults included."""
    values = PLAN.hyperparameters(cell_of(wildcards), wildcards.row)
    return [
        part
        for key, value in values.items()
        for part in ("--set", f"{key}={json.dumps(value)}")
    ]


def method_code(wildcards):
    """Digest of the code that this method runs; other methods are not part of it."""
    architecture = PLAN.settings.architectures[wildcards.architecture]
    method = base.module_of(PLAN.method_of(wildcards.row))
    return code_digest("lotus.runs", models.module_of(architecture), method)


def method_predictions(wildcards):
    """Predictions of the methods, in the order of the rows."""
    cell = cell_of(wildcards)
    return [
        layout.run_folder(cell, wildcards.seed, row) / "predictions.npz"
        for row in PLAN.settings.methods
    ]


def run_files(name, cells=CELLS):
    """One file of every run, each once."""
    return list(
        dict.fromkeys(
            str(layout.run_folder(cell, seed, row) / name)
            for cell in cells
            for row in PLAN.rows
            for seed in SEEDS
        )
    )


def metrics_files(cells=CELLS):
    """Metrics files of benchmarks."""
    return [str(layout.metrics_file(cell, seed)) for cell in cells for seed in SEEDS]


def tables():
    """Tables of the experiment: folder and name under `results`, kind, and what it is made of."""
    wanted = {
        ("tables", cell.name): ("benchmark", metrics_files([cell])) for cell in CELLS
    }
    wanted["tables", "summary"] = "summary", metrics_files()
    wanted["tables", "per-seed"] = "per-seed", metrics_files()
    if INSTANCE_CELLS:
        wanted["tables", "correlation"] = "correlation", metrics_files(INSTANCE_CELLS)
    wanted["timings", "times"] = "times", run_files("run.json")
    return wanted


def figures():
    """Figures of the experiment, like `tables`."""
    wanted = {
        ("figures", f"streisand-{cell.name}"): ("streisand", metrics_files([cell]))
        for cell in CELLS
    }
    wanted["figures", "avg-gap"] = "avg-gap", metrics_files()
    if INSTANCE_CELLS:
        wanted["figures", "rf-jsd"] = "rf-jsd", metrics_files(INSTANCE_CELLS)
    wanted["timings", "times"] = "times", run_files("run.json")
    return wanted


TABLES, FIGURES = tables(), figures()


def final_outputs():
    """The final target: every run, table and figure, the report, the locked stores."""
    return [
        "results/report/index.html",
        *(f"results/{folder}/{name}.csv" for folder, name in TABLES),
        *(f"results/{folder}/{name}.svg" for folder, name in FIGURES),
        *(path for name in RUN_FILES for path in run_files(name)),
        *(["data/stores/dvc.json"] if LOCKED else []),
    ]

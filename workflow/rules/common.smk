"""The checked plan, what jobs are told of it, and what is to exist in the end."""

import json
import os
import re
import shlex
import sys
from functools import cache
from pathlib import Path

from snakemake.logging import logger
from snakemake.settings.types import DeploymentMethod
from snakemake.utils import update_config

# This checkout's code, whichever copy is installed; its other files hide no module of Python.
sys.path.insert(0, str(workflow.basedir))
from lotus import surroundings

surroundings.keep_checkout_last()

from lotus import layout, models
from lotus.engine import warm
from lotus.tracking.dvc import refuse_braces
from lotus.plan.steps import other_lock, steps
from lotus.records.ledger import record_files
from lotus.plan.candidates import candidates, tuned_cells, tuned_rows
from lotus.plan.contents import Contents
from lotus.plan.description import part_counts
from lotus.data import sources
from lotus.data.store import locked_stores
from lotus.engine.device import check_name
from lotus.errors import LotusError, choices
from lotus.plan.feasible import refuse_nonsense
from lotus.methods.base import registry
from lotus.tables.exhibits import EXHIBITS, PICTURES
from lotus.page.labels import listed
from lotus.plan.making import make_plan
from lotus.records.code_identity import code_digest
from lotus.records.files import relative, sha256
from lotus.config.cells import Benchmark
from lotus.config.origins import Origin, read_origin, typed

DEFAULT_CONFIG = "config/fashion-mini.yaml"

# Jobs run this checkout's code, whichever copy is installed: with the interpreter that runs the
# workflow, or with that of a conda environment if the user deploys those.
IN_CONDA = DeploymentMethod.CONDA in workflow.deployment_settings.deployment_method
LOTUS = [
    "python" if IN_CONDA else sys.executable,
    "-P",
    str(Path(workflow.basedir) / "workflow/run_lotus.py"),
]


def call_lotus(variables=""):
    """Lets shell lines of jobs begin with `lotus`."""
    line = f'{variables}lotus() {{ {shlex.join(LOTUS)} "$@"; }}; '
    # Snakemake formats it with every job's line.
    shell.prefix(line.replace("{", "{{").replace("}", "}}"))


call_lotus()

# A process with the libraries loaded does the jobs of this machine.
WARM = warm.WarmProcess(LOTUS, Path("logs/warm.log"))


onstart:
    address = None if IN_CONDA else WARM.start()
    if address is not None:
        call_lotus(f"export {warm.VARIABLE}={shlex.quote(str(address))}; ")


onsuccess:
    WARM.stop()


onerror:
    WARM.stop()


# Runtime, not science: which device the models run on.
DEVICE = os.environ.get("LOTUS_DEVICE", "auto")


def stop(mistakes):
    """Ends here, before any job, with a line for each mistake."""
    logger.error("\n".join(f"Error: {mistake}" for mistake in mistakes))
    sys.exit(1)


def read_plan():
    """The plan of the configuration given on the command line, else of the default one; and which it is."""
    files = [str(path) for path in workflow.config_settings.configfiles]
    try:
        refuse_braces(Path.cwd())
        check_name(DEVICE)
        if not files:
            # Not a `configfile:` line: that would be merged into every other configuration.
            files = [DEFAULT_CONFIG]
            default = dict(read_origin(Path(DEFAULT_CONFIG)).content)
            default.update(config)
            config.update(default)
        origins = [read_origin(Path(path)) for path in files]
        given = Origin("--config", typed(workflow.config_settings.config))
        update_config(config, given.content)
        plan = make_plan(config, [*origins, given])
        named = {
            "files": [relative(Path(path)) for path in files],
            "given": given.content,
        }
        return plan, [*origins, given], named
    except LotusError as error:
        stop(str(error).splitlines())


PLAN, ORIGINS, GIVEN = read_plan()
if workflow.is_main_process:
    logger.info(part_counts(PLAN))
CONTENTS = Contents(PLAN)
MEANS = [path for cell in CONTENTS.cells for path in CONTENTS.means(cell)]
STUDIES = list(dict.fromkeys(cell.study for cell in CONTENTS.cells))
LOCKED = locked_stores(layout.LOCK)

STORE_FILES = ["images.npy", "labels.npy", "classes.json", "source.json"]
RUN_FILES = ["model.safetensors", "predictions.npz", "run.json"]


# Locked stores that every clone can build.
CACHED = [dataset for dataset in LOCKED if sources.is_in_repository(dataset)]


def lock_of(wildcards):
    """Digest that a store has to have, as data.dvc says; `any` where it says none."""
    return LOCKED.get(wildcards.dataset, "any")


def one_of(names):
    """Pattern of exactly these names."""
    return "|".join(re.escape(name) for name in names)


wildcard_constraints:
    dataset=one_of([*PLAN.settings.datasets, *LOCKED]),
    architecture=one_of(PLAN.settings.architectures),
    scenario=one_of(PLAN.settings.scenarios),
    seed=r"\d+",
    protocol=r"(corrected|released)[a-z0-9+-]*",
    row=one_of(PLAN.settings.methods),
    # Empty for metrics of no study; without the parentheses that would be no constraint.
    in_study=f"({'|'.join(re.escape(layout.in_study('', study)) for study in STUDIES)})",


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
        wildcards.dataset,
        wildcards.architecture,
        wildcards.get("scenario", ""),
        wildcards.get("protocol", "corrected"),
        wildcards.get("in_study", "").removeprefix("-"),
    )


# Digest of the code that a step runs, as a parameter of its jobs.
step_code = cache(code_digest)


def model_code(wildcards):
    """Digest of the code that a training step runs for the job's architecture."""
    return step_code("lotus.runs.train", architecture_module(wildcards))


def architecture_module(wildcards):
    """Module of the job's architecture."""
    return models.module_of(PLAN.settings.architectures[wildcards.architecture])


def raw_options(dataset):
    """What decides which raw files a data set is made of."""
    return {
        key: value
        for key, value in PLAN.store_of(dataset).items()
        if key in ("source", "raw", "content")
    }


def source_code(dataset):
    """Digest of the code that reads a data set, where its raw files are always at hand.

    A store of downloaded files needs them no more once it is built, so no change of code asks for them:
    its content is known by its digest.
    """
    described = sources.source(PLAN.store_of(dataset)["source"])
    if not described.in_repository:
        return ""
    return step_code("lotus.data.build", sources.module_of(described.name))


MIRRORS = shlex.join(
    part for place in PLAN.settings.data.mirror for part in ("--mirror", place)
)


def labels_of(wildcards, row):
    """Names of a run for its record."""
    names = {"dataset": wildcards.dataset, "architecture": wildcards.architecture}
    if "scenario" in wildcards.keys():
        names["scenario"] = wildcards.scenario
    names["row"] = row
    return json.dumps(names)


def run_of(cell, seed, row):
    """Folder of a row's run, wherever its protocol files it."""
    return layout.run_folder(PLAN.home(cell, row), seed, row)


def original_of(wildcards, name):
    """A file of the original model that methods start from."""
    return run_of(cell_of(wildcards), wildcards.seed, layout.ORIGINAL) / name


def weights_of(wildcards, row):
    """Folder of another run with the same weights, as a list: empty if there is none."""
    cell = cell_of(wildcards)
    # The original model is shared by the scenarios: any of them tells what is planned.
    cells = [cell] if cell.scenario else [c for c in PLAN.cells if same_model(c, cell)]
    homes = (PLAN.weights_home(c.under(cell.protocol), row) for c in cells)
    return [
        layout.run_folder(home, wildcards.seed, row)
        for home in homes
        if home is not None
    ][:1]


def same_model(cell, other):
    """Whether two cells share their original models."""
    return (cell.dataset, cell.architecture) == (other.dataset, other.architecture)


def weights_input(row=None):
    """Input function: files of the run whose weights are taken over."""
    return lambda wildcards: [
        folder / name
        for folder in weights_of(wildcards, row or wildcards.row)
        for name in ("model.safetensors", "run.json")
    ]


def weights_option(row=None):
    """Parameter function: the option that names that run."""
    return lambda wildcards: [
        part
        for folder in weights_of(wildcards, row or wildcards.row)
        for part in ("--weights-of", folder)
    ]


PLUGINS = [part for plugin in PLAN.settings.plugins for part in ("--plugin", plugin)]


def hyperparameters_of(wildcards):
    """`--set key=value` for each hyper-parameter of the row, defaults included."""
    values = PLAN.hyperparameters(cell_of(wildcards), wildcards.row)
    return [
        part
        for key, value in values.items()
        for part in ("--set", f"{key}={json.dumps(value)}")
    ]


def calibration_input(wildcards):
    """Records of the stores that a row reads beside the benchmark's own: one or none."""
    name = PLAN.calibration_of(wildcards.row)
    return [layout.store_record(name)] if name else []


def calibration_option(wildcards):
    """The option that names such a store."""
    name = PLAN.calibration_of(wildcards.row)
    return ["--calibration", layout.STORES / name] if name else []


def method_code(wildcards):
    """Digest of the code that this method runs; other methods are not part of it."""
    method = registry.module_of(PLAN.method_of(wildcards.row))
    return step_code("lotus.runs.unlearn", architecture_module(wildcards), method)


def predictions_of(wildcards):
    """Row → predictions, for the rows of a benchmark."""
    cell = cell_of(wildcards)
    rows = PLAN.run_folders(cell, wildcards.seed)
    return {row: f"{folder}/predictions.npz" for row, folder in rows.items()}


def explained_runs(wildcards):
    """Row → folder of its run, for the models whose Grad-CAM maps are shown."""
    return PLAN.explained_runs(cell_of(wildcards), wildcards.seed)


TABLES = {(made.folder, made.name): made for made in CONTENTS.tables}
FIGURES = {(made.folder, made.name): made for made in CONTENTS.figures}


def listed_as(part, form):
    """Function of wildcards: a part (`category`, …) of how the report of Snakemake lists a table or figure."""
    made_here = {"table": TABLES, "figure": FIGURES}[form]

    def find(wildcards):
        made = made_here[wildcards.folder, wildcards[form]]
        return getattr(listed(made.kind, made.about, form), part)

    return find


PAGE = sorted(path.as_posix() for path in Path("report/page").iterdir())


PUBLISHED = ["report/published/results.csv", "report/published/misprints.csv"]
EXHIBIT_FILES = {
    name: [f"results/paper/{name}.csv", f"results/paper/{name}.tex"]
    for name in EXHIBITS
}


def trials_files():
    """What is tuned: every row with a space, in every benchmark, on every tuning seed."""
    return [
        f"results/tuning/{cell.dataset}/{cell.architecture}/seed{seed}/{cell.scenario}/{row}.json"
        for cell in tuned_cells(PLAN)
        for row in tuned_rows(PLAN, cell)
        for seed in PLAN.settings.tuning.seeds
    ]


def outputs_of(cells):
    """What a part of the grid comes to: its runs and metrics, and the tables and figures of each cell."""
    measured = list(dict.fromkeys(PLAN.measured(cell) for cell in cells))
    return [
        *(path for name in RUN_FILES for path in CONTENTS.run_files(name, measured)),
        *CONTENTS.metrics(measured),
        *(
            f"results/tables/{cell.name}.csv"
            for cell in cells
            if ("tables", cell.name) in TABLES
        ),
        *(
            f"results/{it.folder}/{it.name}.svg"
            for it in CONTENTS.figures
            if is_of(it, cells)
        ),
    ]


def is_of(figure, cells):
    """Whether a figure is of one of these cells."""
    return any(figure.about == cell.labels for cell in cells)


def targets():
    """What can be made alone, by name: parts of the grid, and each item of the paper or of ours.

    Of figures of single cells those that the configuration names for the item, if it names any.
    """
    made = {part: outputs_of(cells) for part, cells in PLAN.parts.items()}
    for name, files in EXHIBIT_FILES.items():
        made |= dict.fromkeys(filter(None, [name, EXHIBITS[name].alias]), files)
    for item, picture in PICTURES.items():
        drawn = [it for it in CONTENTS.figures if it.kind == picture.kind]
        named = [it for it in drawn if is_of(it, PLAN.labelled.get(item, ()))]
        made[item] = [f"results/{it.folder}/{it.name}.svg" for it in named or drawn]
    made["claims"] = ["results/claims.json"]
    return made


def final_outputs():
    """The final target: everything that is recorded, and the ledger of all records."""
    return [*recorded_outputs(), str(layout.LEDGER)]


def records_of_others():
    """Records here, with their digests, that are of no step of this plan: of `tune`, of other experiments.

    The ledger holds them too, and is made anew when they change.
    """
    own = {step.record for step in steps(PLAN)}
    others = [path for path in map(str, record_files()) if path not in own]
    return [f"{path} {sha256(Path(path))}" for path in others]


def recorded_outputs():
    """Every run, table and figure, the report, the locked stores."""
    return [
        "results/report/index.html",
        "results/claims.json",
        *MEANS,
        *(f"results/{folder}/{name}.csv" for folder, name in TABLES),
        *(f"results/{folder}/{name}.svg" for folder, name in FIGURES),
        *(path for files in EXHIBIT_FILES.values() for path in files),
        *(
            path
            for name in RUN_FILES
            for path in CONTENTS.run_files(name, CONTENTS.measured)
        ),
        *([str(layout.CACHED)] if CACHED else []),
    ]


def check_targets():
    """Ends here if this experiment does not have what is asked for, or that part of it cannot be run."""
    if not workflow.is_main_process:
        return
    names = {rule.name for rule in workflow.rules}
    asked = asked_targets()
    unknown = [name for name in asked if name not in names]
    if unknown:
        made = {path for step in steps(PLAN) for path in step.files}
        made |= {*trials_files(), "results/tuning/overrides.yaml"}
        said = [complaint(name, names, made) for name in unknown]
        if any(said):
            stop(filter(None, said))
    cells = [cell for target in asked or ["all"] for cell in cells_of(target)]
    try:
        refuse_nonsense(PLAN, ORIGINS, list(dict.fromkeys(cells)))
    except LotusError as error:
        stop(str(error).splitlines())


def cells_of(target):
    """Benchmarks that a target is about: those of a part or item, or that a path names; else all."""
    items = {of.alias: name for name, of in EXHIBITS.items()}
    item = items.get(target, target)
    if item in PLAN.parts:
        return PLAN.parts[item]
    if item in EXHIBITS:
        return ()
    scenarios = [name for name in PLAN.settings.scenarios if name in target]
    here = [cell for cell in PLAN.cells if cell.dataset in target]
    return [
        cell for cell in here if not scenarios or cell.scenario in scenarios
    ] or PLAN.cells


def asked_targets():
    """Targets of the command line, which Snakemake tells only after this file is read; none: the default."""
    is_command = Path(sys.argv[0]).stem in ("snakemake", "__main__")
    words = {
        word for word in sys.argv[1:] if not word.startswith("-") and not word.isdigit()
    }
    if not is_command or words <= {"all"}:
        return []
    from snakemake.cli import get_argument_parser

    return get_argument_parser().parse_known_args(sys.argv[1:])[0].targets


def complaint(target, names, made):
    """What is wrong with a target, and what there is; '' of what is made, and of files that are no results."""
    path = Path(os.path.relpath(target))
    if len(path.parts) == 1 and not path.exists():
        shown = [name for name in names if "_" not in name]
        return f"{target}: no such target; {choices(target, shown)}"
    if path.parts[0] != "results" or path.as_posix() in made:
        return ""
    for folder in path.parents:
        depth = len(folder.parts)
        inside = {Path(it).parts[depth] for it in made if folder in Path(it).parents}
        if inside:
            break
    what = choices(path.parts[depth], inside)
    return f"{target}: not part of this experiment; in {folder}/: {what}"

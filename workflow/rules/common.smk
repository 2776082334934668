"""The checked plan, what the rules look up of it, and how jobs call `lotus`."""

import json
import os
import re
import sys
from pathlib import Path

from snakemake.logging import logger
from snakemake.settings.types import DeploymentMethod

# This checkout's code, whichever copy is installed; its other files hide no module of Python.
sys.path.insert(0, str(workflow.basedir))
from lotus import surroundings

surroundings.keep_checkout_last()

from lotus import layout
from lotus.config.cells import Benchmark
from lotus.config.origins import typed
from lotus.errors import LotusError
from lotus.page.labels import report_listing
from lotus.plan import jobs
from lotus.plan.contents import check_specs
from lotus.plan.declared import declared
from lotus.plan.feasible import refuse_nonsense
from lotus.plan.project_folder import check_folder
from lotus.plan.steps import Steps
from lotus.plan.targets import Targets, records_of_others
from lotus.tables.registry import PAPER_TABLES
from lotus.tracking.dvc_files import locked_stores


def stop(mistakes):
    """Ends here, before any job, with a line for each mistake."""
    logger.error("\n".join(f"Error: {mistake}" for mistake in mistakes))
    sys.exit(1)


def read(what, *given):
    """What a function returns; a mistake that it finds ends the workflow here."""
    try:
        return what(*given)
    except LotusError as error:
        stop(str(error).splitlines())


def read_configuration():
    """The configuration given on the command line, else the default one."""
    check_folder(sys.argv)
    check_specs()
    # Not a `configfile:` line: that would be merged into every other configuration.
    files = [Path(path) for path in workflow.config_settings.configfiles]
    return declared(files, typed(workflow.config_settings.config))


ON = read(jobs.computing, os.environ, workflow.global_resources["_cores"].value)
# Snakemake's own `runtime` is minutes.
DEVICE, COMPUTING, GPU = ON.device, ON.runtime, min(ON.gpus, 1)
if "gpu" not in workflow.global_resources:
    workflow.register_resource("gpu", ON.at_once)
DECLARED = read(read_configuration)
PLAN = DECLARED.plan
STEPS = Steps(PLAN)
TARGETS = Targets(STEPS)


# The layout's functions with these in place of names give the patterns of the rules.
CELL = Benchmark(
    "{dataset}", "{architecture}", "{scenario}", "{protocol}", "{in_study}"
)
SEED = "{seed}"
OF_MODEL = ("{dataset}", "{architecture}", "seed{seed}")


def one_of(names):
    """Pattern of exactly these names."""
    return "|".join(re.escape(name) for name in names)


wildcard_constraints:
    dataset=one_of([*PLAN.settings.datasets, *locked_stores(layout.LOCK)]),
    architecture=one_of(PLAN.settings.architectures),
    scenario=one_of(PLAN.settings.scenarios),
    seed=r"\d+",
    protocol=r"(corrected|released)[a-z0-9+-]*",
    row=one_of(PLAN.settings.methods),
    # Empty for metrics of no study; without the parentheses that would be no constraint.
    in_study=f"({one_of({layout.in_study('', cell.study) for cell in PLAN.cells})})",


CONDA = f"../../envs/environment-{'cuda' if GPU else 'cpu'}.yaml"
IN_CONDA = DeploymentMethod.CONDA in workflow.deployment_settings.deployment_method
LOTUS = jobs.launcher(Path(workflow.basedir), IN_CONDA)
shell.prefix(jobs.shell_prefix(LOTUS))


def listed_as(part, form):
    """Function of wildcards: a part (`category`, …) of how the report of Snakemake lists a table or figure."""
    made = {"table": STEPS.contents.tables, "figure": STEPS.contents.figures}[form]
    by_place = {(it.folder, it.name): it for it in (*made, *STEPS.contents.on_request)}

    def find(wildcards):
        item = by_place[wildcards.folder, wildcards[form]]
        return getattr(report_listing(item.kind, item.about, form), part)

    return find


def refuse_unknown_targets():
    """Ends here if this experiment does not have what is asked for, or that part of it cannot be run."""
    if not workflow.is_main_process:
        return
    asked = jobs.asked_targets(sys.argv)
    rules = {rule.name: bool(rule.wildcard_names) for rule in workflow.rules}
    mistakes = TARGETS.complaints(asked, rules)
    if mistakes:
        stop(mistakes)
    cells = [cell for target in asked or ["all"] for cell in TARGETS.cells_of(target)]
    read(refuse_nonsense, PLAN, DECLARED.origins, list(dict.fromkeys(cells)))

"""LoTUS, reproduced: from images to a report. `snakemake --cores all` runs the default experiment.

Another experiment: `snakemake --cores all --configfile config/digits.yaml`.
"""

import gc

from snakemake.utils import min_version

min_version("9.20")

# Python looks through everything that it holds, again and again as more is made, for what nobody needs any
# more: hundreds of thousands of objects here, which all are needed, and a fifth of the time of a plan.
gc.set_threshold(100_000, 50, 100)


report: "report/captions/workflow.rst"


include: "workflow/rules/common.smk"
include: "workflow/rules/under_way.smk"
include: "workflow/rules/data.smk"
include: "workflow/rules/splits.smk"
include: "workflow/rules/lookalikes.smk"
include: "workflow/rules/train.smk"
include: "workflow/rules/unlearn.smk"
include: "workflow/rules/explain.smk"
include: "workflow/rules/metrics.smk"
include: "workflow/rules/power.smk"
include: "workflow/rules/tune.smk"
include: "workflow/rules/tables.smk"
include: "workflow/rules/figures.smk"
include: "workflow/rules/claims.smk"
include: "workflow/rules/report.smk"
include: "workflow/rules/publish.smk"


rule all:
    default_target: True
    input:
        TARGETS.final,


for target, files in TARGETS.named.items():

    rule:
        name:
            target
        input:
            files,


# The Snakemake that a cluster's node starts does its jobs itself, and starts no other one for each of them.
if workflow.remote_exec:
    workflow.localrules(*(rule.name for rule in workflow.rules))

refuse_unknown_targets()
load_and_read_ahead()

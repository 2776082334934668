"""LoTUS, reproduced: from images to a report. `snakemake --cores all` runs the default experiment.

Another experiment: `snakemake --cores all --configfile config/digits.yaml`.
"""

from snakemake.utils import min_version

min_version("9.20")


report: "report/captions/workflow.rst"


include: "workflow/rules/common.smk"
include: "workflow/rules/data.smk"
include: "workflow/rules/splits.smk"
include: "workflow/rules/lookalikes.smk"
include: "workflow/rules/train.smk"
include: "workflow/rules/unlearn.smk"
include: "workflow/rules/explain.smk"
include: "workflow/rules/metrics.smk"
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


refuse_unknown_targets()

"""The report: one page with everything, and what it is about."""


rule describe_experiment:
    output:
        description=layout.EXPERIMENT,
        record=layout.EXPERIMENT_RECORD,
    log:
        layout.log_of("describe_experiment"),
    localrule: True
    conda:
        CONDA
    params:
        **STEPS.told("describe_experiment", "config", "made"),
        # Of who runs it, not of the plan; a function, since Snakemake takes braces in a text for wildcards.
        source=lambda wildcards: json.dumps(DECLARED.source),
        code=STEPS.code_of("describe_experiment"),
    shell:
        "lotus --log {log} describe --config {params.config:q} --origins {params.source:q}"
        " --out {output.description} --record {output.record}"


rule write_report:
    input:
        unpack(STEPS.inputs_of("write_report")),
    output:
        page=report(
            layout.PAGE,
            category="Report",
            labels={"Shown": "The whole report on one page"},
            caption="../../report/captions/page.rst",
        ),
        record=layout.record_of(layout.PAGE),
    log:
        layout.log_of("write_report"),
    localrule: True
    conda:
        CONDA
    params:
        **STEPS.told("write_report", "published", "power"),
        code=STEPS.code_of("write_report"),
    shell:
        "lotus --log {log} report --experiment {input.experiment} --published {params.published}"
        " --template {input.template} --out {output.page} --record {output.record}"


# Each record states what its step read; this one states them all, so that none can be edited unseen.
rule seal_records:
    input:
        unpack(STEPS.inputs_of("seal_records")),
    output:
        record=layout.LEDGER,
    log:
        layout.log_of("seal_records"),
    localrule: True
    conda:
        CONDA
    params:
        code=STEPS.code_of("seal_records"),
        others=lambda wildcards: records_of_others(STEPS),
    shell:
        "lotus --log {log} seal --out {output.record}"

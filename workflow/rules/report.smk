"""The report: one page with everything, and what it is about."""


rule describe_experiment:
    output:
        description="results/experiment.json",
        record="results/records/experiment.json",
    log:
        "logs/describe_experiment.log",
    localrule: True
    conda:
        CONDA
    params:
        # Functions, since Snakemake takes braces in a text for wildcards.
        config=lambda wildcards: json.dumps(PLAN.settings.model_dump(mode="json")),
        origins=lambda wildcards: json.dumps(GIVEN),
        # A new table or figure is one more to be described.
        made=lambda wildcards: [
            f"{it.folder}/{it.name}" for it in (*CONTENTS.tables, *CONTENTS.figures)
        ],
        code=step_code("lotus.plan.contents"),
    shell:
        "lotus --log {log} describe --config {params.config:q} --origins {params.origins:q}"
        " --out {output.description} --record {output.record}"


rule write_report:
    input:
        experiment="results/experiment.json",
        tables=[f"results/{folder}/{name}.csv" for folder, name in TABLES],
        figures=[f"results/{folder}/{name}.svg" for folder, name in FIGURES],
        audits=CONTENTS.audits(PLAN.settings.datasets),
        metrics=CONTENTS.metrics(CONTENTS.measured),
        runs=CONTENTS.records(CONTENTS.measured),
        exhibits=[path for files in EXHIBIT_FILES.values() for path in files],
        published=PUBLISHED,
        claims="results/claims.json",
        template="report/page/index.html.j2",
        page=PAGE,
    output:
        page=report(
            "results/report/index.html",
            category="Report",
            labels={"Shown": "The whole report on one page"},
            caption="../../report/captions/page.rst",
        ),
        record="results/records/report/index.json",
    log:
        "logs/write_report.log",
    localrule: True
    conda:
        CONDA
    params:
        published=Path(PUBLISHED[0]).parent,
        code=step_code(*page_modules()),
    shell:
        "lotus --log {log} report --experiment {input.experiment} --published {params.published}"
        " --template {input.template} --out {output.page} --record {output.record}"


# Each record states what its step read; this one states them all, so that none can be edited unseen.
rule seal_records:
    input:
        recorded_outputs(),
    output:
        "results/records/ledger.json",
    log:
        "logs/seal_records.log",
    localrule: True
    conda:
        CONDA
    params:
        code=step_code("lotus.records.ledger"),
        others=lambda wildcards: records_of_others(),
    shell:
        "lotus --log {log} seal --out {output}"

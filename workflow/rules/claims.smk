"""The paper's claims: on its printed numbers, and on what was measured."""


rule judge_claims:
    input:
        claims="report/claims.yaml",
        published=PUBLISHED,
        experiment="results/experiment.json",
        metrics=CONTENTS.metrics(CONTENTS.measured),
        runs=CONTENTS.records(CONTENTS.measured),
        audits=CONTENTS.audits(PLAN.settings.datasets),
    output:
        verdicts="results/claims.json",
        # Some verdicts rest on measured seconds.
        csv=report(
            "results/timings/claims.csv",
            category="The paper's claims",
            labels={"Shown": "Verdicts on all claims"},
            caption="../../report/captions/claims.rst",
        ),
        tex="results/timings/claims.tex",
        record="results/records/timings/claims.table.json",
    log:
        "logs/judge_claims.log",
    localrule: True
    conda:
        CONDA
    params:
        published=Path(PUBLISHED[0]).parent,
        table=subpath(output.csv, strip_suffix=".csv"),
        code=step_code("lotus.claims.verdicts"),
    shell:
        "lotus --log {log} claims --claims {input.claims} --published {params.published}"
        " --experiment {input.experiment} --out {output.verdicts} --table {params.table}"
        " --record {output.record}"

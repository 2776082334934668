"""Tables, each made by the function of its kind; those of the paper beside what was measured."""


rule make_exhibit:
    input:
        lambda wildcards: CONTENTS.item_sources(wildcards.item),
        experiment="results/experiment.json",
        published=PUBLISHED,
    output:
        csv=report(
            "results/paper/{item}.csv",
            category="The paper's tables",
            labels=lambda wildcards: {
                "Shown": PAPER_TABLES.spec(wildcards.item).heading
            },
            caption="../../report/captions/exhibit.rst",
        ),
        tex="results/paper/{item}.tex",
        record="results/records/paper/{item}.table.json",
    log:
        "logs/make_exhibit/{item}.log",
    wildcard_constraints:
        item=one_of(PAPER_TABLES.names),
    localrule: True
    conda:
        CONDA
    params:
        published=Path(PUBLISHED[0]).parent,
        out=subpath(output.csv, strip_suffix=".csv"),
        code=lambda wildcards: step_code(PAPER_TABLES.module_of(wildcards.item)),
    shell:
        "lotus --log {log} exhibit {wildcards.item} --experiment {input.experiment}"
        " --published {params.published} --out {params.out} --record {output.record}"


rule make_table:
    input:
        lambda wildcards: TABLES[wildcards.folder, wildcards.table].sources,
    output:
        csv=report(
            "results/{folder}/{table}.csv",
            category=listed_as("category", "table"),
            subcategory=listed_as("subcategory", "table"),
            labels=listed_as("labels", "table"),
            caption="../../report/captions/table.rst",
        ),
        tex="results/{folder}/{table}.tex",
        record="results/records/{folder}/{table}.table.json",
    log:
        "logs/make_table/{folder}/{table}.log",
    wildcard_constraints:
        folder="tables|timings",
        table=one_of(name for _, name in TABLES),
    localrule: True
    conda:
        CONDA
    params:
        kind=lambda wildcards: TABLES[wildcards.folder, wildcards.table].kind,
        out=subpath(output.csv, strip_suffix=".csv"),
        summary=listed_as("summary", "table"),
        code=lambda wildcards: step_code(
            TABLES[wildcards.folder, wildcards.table].module
        ),
    shell:
        "lotus --log {log} table {params.kind} {input} --out {params.out} --record {output.record}"


# What `dvc metrics show` and `dvc metrics diff` read (dvc.yaml).
rule average_metrics:
    input:
        CONTENTS.metrics(CONTENTS.cells),
    output:
        means=MEANS,
        records=[f"results/records/metrics/{cell.name}.json" for cell in CONTENTS.cells],
    log:
        "logs/average_metrics.log",
    localrule: True
    conda:
        CONDA
    params:
        out=layout.MEANS,
        records=layout.RECORDS / "metrics",
        code=step_code("lotus.results.means"),
    shell:
        "lotus --log {log} means {input} --out {params.out} --records {params.records}"

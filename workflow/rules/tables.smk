"""Tables, each made by the function of its kind; those of the paper beside what was measured."""


rule make_exhibit:
    input:
        unpack(STEPS.inputs_of("make_exhibit")),
    output:
        csv=report(
            layout.item_file(layout.PAPER, "{item}", "csv"),
            category="The paper's tables",
            labels=lambda wildcards: {
                "Shown": PAPER_TABLES.spec(wildcards.item).heading
            },
            caption="../../report/captions/exhibit.rst",
        ),
        tex=layout.item_file(layout.PAPER, "{item}", "tex"),
        record=layout.item_record(layout.PAPER, "{item}", "table"),
    log:
        layout.log_of("make_exhibit", "{item}"),
    wildcard_constraints:
        item=one_of(PAPER_TABLES.names),
    localrule: True
    conda:
        CONDA
    params:
        **STEPS.told("make_exhibit", "published", "out"),
        code=STEPS.code_of("make_exhibit"),
    shell:
        "lotus --log {log} exhibit {wildcards.item} --experiment {input.experiment}"
        " --published {params.published} --out {params.out} --record {output.record}"


rule make_table:
    input:
        unpack(STEPS.inputs_of("make_table")),
    output:
        csv=report(
            layout.item_file("{folder}", "{table}", "csv"),
            category=listed_as("category", "table"),
            subcategory=listed_as("subcategory", "table"),
            labels=listed_as("labels", "table"),
            caption="../../report/captions/table.rst",
        ),
        tex=layout.item_file("{folder}", "{table}", "tex"),
        record=layout.item_record("{folder}", "{table}", "table"),
    log:
        layout.log_of("make_table", "{folder}", "{table}"),
    wildcard_constraints:
        folder="tables|timings",
        table=one_of(
            made.name for made in (*STEPS.contents.tables, *STEPS.contents.on_request)
        ),
    localrule: True
    conda:
        CONDA
    params:
        **STEPS.told("make_table", "kind", "out"),
        summary=listed_as("summary", "table"),
        code=STEPS.code_of("make_table"),
    shell:
        "lotus --log {log} table {params.kind} {input.sources} --out {params.out}"
        " --record {output.record}"


# What `dvc metrics show` and `dvc metrics diff` read (dvc.yaml).
rule average_metrics:
    input:
        unpack(STEPS.inputs_of("average_metrics")),
    output:
        **STEPS.outputs_of("average_metrics"),
    log:
        layout.log_of("average_metrics"),
    localrule: True
    conda:
        CONDA
    params:
        **STEPS.told("average_metrics", "out", "records"),
        code=STEPS.code_of("average_metrics"),
    shell:
        "lotus --log {log} means {input.metrics} --out {params.out} --records {params.records}"

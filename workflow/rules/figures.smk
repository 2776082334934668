"""Figures, each drawn by the function of its kind."""


rule draw_figure:
    input:
        unpack(STEPS.inputs_of("draw_figure")),
    output:
        svg=report(
            layout.item_file("{folder}", "{figure}", "svg"),
            category=listed_as("category", "figure"),
            subcategory=listed_as("subcategory", "figure"),
            labels=listed_as("labels", "figure"),
            caption="../../report/captions/figure.rst",
        ),
        pdf=layout.item_file("{folder}", "{figure}", "pdf"),
        png=layout.item_file("{folder}", "{figure}", "png"),
        record=layout.item_record("{folder}", "{figure}", "figure"),
    log:
        layout.log_of("draw_figure", "{folder}", "{figure}"),
    wildcard_constraints:
        folder="figures|timings",
        figure=one_of(
            made.name for made in (*STEPS.contents.figures, *STEPS.contents.on_request)
        ),
    localrule: True
    conda:
        CONDA
    params:
        **STEPS.told("draw_figure", "kind", "out"),
        summary=listed_as("summary", "figure"),
        code=STEPS.code_of("draw_figure"),
    shell:
        "lotus --log {log} figure {params.kind} {input.sources} --out {params.out}"
        " --record {output.record}"

"""Figures, each drawn by the function of its kind."""


rule draw_figure:
    input:
        lambda wildcards: FIGURES[wildcards.folder, wildcards.figure].sources,
    output:
        svg=report(
            "results/{folder}/{figure}.svg",
            category=listed_as("category", "figure"),
            subcategory=listed_as("subcategory", "figure"),
            labels=listed_as("labels", "figure"),
            caption="../../report/captions/figure.rst",
        ),
        pdf="results/{folder}/{figure}.pdf",
        png="results/{folder}/{figure}.png",
        record="results/records/{folder}/{figure}.figure.json",
    log:
        "logs/draw_figure/{folder}/{figure}.log",
    wildcard_constraints:
        folder="figures|timings",
        figure=one_of(name for _, name in FIGURES),
    localrule: True
    conda:
        CONDA
    params:
        kind=lambda wildcards: FIGURES[wildcards.folder, wildcards.figure].kind,
        out=subpath(output.svg, strip_suffix=".svg"),
        summary=listed_as("summary", "figure"),
        code=lambda wildcards: step_code(
            FIGURES[wildcards.folder, wildcards.figure].module
        ),
    shell:
        "lotus --log {log} figure {params.kind} {input} --out {params.out} --record {output.record}"

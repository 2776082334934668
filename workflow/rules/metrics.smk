"""All metrics of one scenario and seed, from predictions alone."""


rule evaluate:
    input:
        unpack(STEPS.inputs_of("evaluate")),
    output:
        metrics=layout.metrics_file(CELL, SEED),
        record=layout.record_of(layout.metrics_file(CELL, SEED)),
    log:
        layout.log_of("evaluate", *OF_MODEL, "{scenario}", "{protocol}{in_study}"),
    localrule: True
    conda:
        CONDA
    params:
        **STEPS.told("evaluate", "predictions", "labels"),
        code=STEPS.code_of("evaluate"),
    shell:
        "lotus --log {log} evaluate {params.predictions:q} --seed {wildcards.seed}"
        " --labels {params.labels:q} --out {output.metrics} --record {output.record}"

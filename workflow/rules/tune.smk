"""`snakemake tune`: hyper-parameters by one procedure, judged without test images and gold models."""


rule try_candidates:
    input:
        unpack(STEPS.inputs_of("try_candidates")),
    output:
        record=layout.trials_file(CELL, SEED, "{row}"),
    log:
        layout.log_of("try_candidates", *OF_MODEL, "{scenario}", "{row}"),
    conda:
        CONDA
    threads: 1
    resources:
        gpu=GPU,
        device=DEVICE,
        computing=COMPUTING,
    params:
        **STEPS.told("try_candidates", "method", "candidates", "store", "original"),
        **STEPS.told("try_candidates", "labels", "plugins", "network"),
        code=STEPS.code_of("try_candidates"),
    shell:
        "lotus --log {log} tune {params.method} {params.candidates:q} --store {params.store}"
        " --held-out {input.held_out} --forget-set {input.forget_set}"
        " --original {params.original} --seed {wildcards.seed} --device {resources.device}"
        " --runtime {resources.computing}"
        " --labels {params.labels:q} {params.plugins:q} {params.network:q} --out {output.record}"


rule tune:
    input:
        unpack(STEPS.inputs_of("tune")),
    output:
        overrides=layout.OVERRIDES,
        record=layout.record_of(layout.OVERRIDES),
    log:
        layout.log_of("tune"),
    localrule: True
    conda:
        CONDA
    params:
        code=STEPS.code_of("tune"),
    shell:
        "lotus --log {log} choose {input.trials} --out {output.overrides} --record {output.record}"

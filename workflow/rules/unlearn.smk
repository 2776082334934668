"""Every method on every original model."""


rule unlearn:
    input:
        unpack(STEPS.inputs_of("unlearn")),
    output:
        **layout.run_files(layout.run_folder(CELL, SEED, "{row}")),
    log:
        layout.log_of("unlearn", *OF_MODEL, "{scenario}", "{protocol}", "{row}"),
    conda:
        CONDA
    threads: 1
    resources:
        gpu=GPU,
        device=DEVICE,
        computing=COMPUTING,
    params:
        **STEPS.told("unlearn", "method", "hyperparameters", "store", "original"),
        **STEPS.told("unlearn", "out", "labels", "weights", "calibration", "plugins"),
        code=STEPS.code_of("unlearn"),
    shell:
        "lotus --log {log} unlearn {params.method} {params.hyperparameters:q} --store {params.store}"
        " --held-out {input.held_out} --forget-set {input.forget_set}"
        " --original {params.original} --seed {wildcards.seed} --device {resources.device}"
        " --runtime {resources.computing}"
        " --labels {params.labels:q} {params.plugins:q} --protocol {wildcards.protocol}"
        " {params.weights} {params.calibration} --out {params.out}"

"""The models that others start from or are measured against."""


rule pretrain_original:
    input:
        unpack(STEPS.inputs_of("pretrain_original")),
    output:
        **layout.run_files(layout.run_folder(CELL, SEED, layout.ORIGINAL)),
    log:
        layout.log_of("pretrain_original", *OF_MODEL, "{protocol}"),
    conda:
        CONDA
    threads: 1
    resources:
        gpu=GPU,
        device=DEVICE,
        computing=COMPUTING,
    params:
        **STEPS.told("pretrain_original", "store", "out", "labels", "weights"),
        **STEPS.told("pretrain_original", "architecture", "images"),
        code=STEPS.code_of("pretrain_original"),
    shell:
        "lotus --log {log} pretrain --store {params.store} --held-out {input.held_out}"
        " --architecture {params.architecture:q} --images {params.images:q}"
        " --seed {wildcards.seed} --device {resources.device} --runtime {resources.computing}"
        " --labels {params.labels:q}"
        " --protocol {wildcards.protocol} {params.weights} --out {params.out}"


rule retrain_gold:
    input:
        unpack(STEPS.inputs_of("retrain_gold")),
    output:
        **layout.run_files(layout.run_folder(CELL, SEED, layout.GOLD)),
    log:
        layout.log_of("retrain_gold", *OF_MODEL, "{scenario}", "{protocol}"),
    conda:
        CONDA
    threads: 1
    resources:
        gpu=GPU,
        device=DEVICE,
        computing=COMPUTING,
    params:
        **STEPS.told("retrain_gold", "store", "out", "labels", "weights"),
        **STEPS.told("retrain_gold", "architecture", "images"),
        code=STEPS.code_of("retrain_gold"),
    shell:
        "lotus --log {log} retrain --store {params.store} --held-out {input.held_out}"
        " --forget-set {input.forget_set} --architecture {params.architecture:q}"
        " --images {params.images:q} --seed {wildcards.seed}"
        " --device {resources.device} --runtime {resources.computing} --labels {params.labels:q}"
        " --protocol {wildcards.protocol} {params.weights} --out {params.out}"

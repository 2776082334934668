"""The models that others start from or are measured against."""


rule pretrain_original:
    input:
        unpack(STEPS.inputs_of("pretrain_original")),
    output:
        **layout.run_files(layout.run_folder(CELL, SEED, layout.ORIGINAL)),
    log:
        layout.log_of("pretrain_original", *OF_MODEL, "{protocol}"),
    # Most others wait for it: begun last, it would leave all cores but its own without work.
    priority: 2
    conda:
        CONDA
    threads: 1
    resources:
        gpu=GPU,
        device=DEVICE,
        computing=COMPUTING,
    params:
        command=STEPS.command_of("pretrain_original"),
        code=STEPS.code_of("pretrain_original"),
    shell:
        "lotus --log {log} {params.command:q} --device {resources.device}"
        " --runtime {resources.computing}"


rule retrain_gold:
    input:
        unpack(STEPS.inputs_of("retrain_gold")),
    output:
        **layout.run_files(layout.run_folder(CELL, SEED, "{row}")),
    log:
        layout.log_of("retrain_gold", *OF_MODEL, "{scenario}", "{protocol}", "{row}"),
    wildcard_constraints:
        row=f"{layout.GOLD}|{layout.FURTHER_GOLD}|{layout.OF_POWER}",
    # It takes longer than what is left beside it: jobs that take short fill the cores to the end.
    priority: 1
    conda:
        CONDA
    threads: 1
    resources:
        gpu=GPU,
        device=DEVICE,
        computing=COMPUTING,
    params:
        command=STEPS.command_of("retrain_gold"),
        code=STEPS.code_of("retrain_gold"),
    shell:
        "lotus --log {log} {params.command:q} --device {resources.device}"
        " --runtime {resources.computing}"

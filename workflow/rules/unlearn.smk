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
        command=STEPS.command_of("unlearn"),
        code=STEPS.code_of("unlearn"),
    shell:
        # Status 3: the method made no model, and that is recorded in the model's place.
        "lotus --log {log} {params.command:q} --device {resources.device}"
        " --runtime {resources.computing} || [ $? -eq 3 ]"

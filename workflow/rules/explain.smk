"""Where models see the class of forget images: the one step beside the runs that needs models."""


rule explain_forget_set:
    input:
        unpack(STEPS.inputs_of("explain_forget_set")),
    output:
        maps=layout.gradcam_file(CELL, SEED),
        record=layout.record_of(layout.gradcam_file(CELL, SEED)),
    log:
        layout.log_of("explain_forget_set", *OF_MODEL, "{scenario}", "{protocol}"),
    conda:
        CONDA
    threads: 1
    resources:
        gpu=GPU,
        device=DEVICE,
        computing=COMPUTING,
    params:
        **STEPS.told("explain_forget_set", "store", "runs", "labels", "network"),
        code=STEPS.code_of("explain_forget_set"),
    shell:
        "lotus --log {log} gradcam --store {params.store} --forget-set {input.forget_set}"
        " {params.runs:q} --protocol {wildcards.protocol} --device {resources.device}"
        " --runtime {resources.computing}"
        " --labels {params.labels:q} {params.network:q} --out {output.maps}"

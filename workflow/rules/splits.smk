"""Which images are validated, tested, forgotten and kept."""


rule split_held_out:
    input:
        unpack(STEPS.inputs_of("split_held_out")),
    output:
        halves=layout.split_file("{dataset}", SEED, layout.HELD_OUT),
        record=layout.record_of(layout.split_file("{dataset}", SEED, layout.HELD_OUT)),
    log:
        layout.log_of("split_held_out", "{dataset}", "seed{seed}"),
    localrule: True
    conda:
        CONDA
    params:
        **STEPS.told("split_held_out", "store", "apart"),
        code=STEPS.code_of("split_held_out"),
    shell:
        "lotus --log {log} split-held-out --store {params.store} --seed {wildcards.seed}"
        " {params.apart:q} --out {output.halves} --record {output.record}"


# What a shadow is trained on (`privacy`).
rule halve_training:
    input:
        unpack(STEPS.inputs_of("halve_training")),
    output:
        half=layout.split_file("{dataset}", SEED, layout.HALF),
        record=layout.record_of(layout.split_file("{dataset}", SEED, layout.HALF)),
    log:
        layout.log_of("halve_training", "{dataset}", "seed{seed}"),
    localrule: True
    conda:
        CONDA
    params:
        **STEPS.told("halve_training", "store"),
        code=STEPS.code_of("halve_training"),
    shell:
        "lotus --log {log} halve-training --store {params.store} --seed {wildcards.seed}"
        " --out {output.half} --record {output.record}"


# How hard each training image is, for forget sets of the hardest and easiest ones.
rule rank_images:
    input:
        unpack(STEPS.inputs_of("rank_images")),
    output:
        losses=layout.losses_file("{dataset}", "{architecture}"),
        record=layout.record_of(layout.losses_file("{dataset}", "{architecture}")),
    log:
        layout.log_of("rank_images", "{dataset}", "{architecture}"),
    conda:
        CONDA
    threads: 1
    resources:
        gpu=GPU,
        device=DEVICE,
        computing=COMPUTING,
    params:
        **STEPS.told("rank_images", "store", "architecture", "images", "labels"),
        code=STEPS.code_of("rank_images"),
    shell:
        "lotus --log {log} rank-images --store {params.store}"
        " --architecture {params.architecture:q} --images {params.images:q}"
        " --labels {params.labels:q} --device {resources.device}"
        " --runtime {resources.computing} --out {output.losses} --record {output.record}"


# By these clusters of look-alikes are found.
rule hash_images:
    input:
        unpack(STEPS.inputs_of("hash_images")),
    output:
        hashes=layout.hashes_file("{dataset}"),
        record=layout.record_of(layout.hashes_file("{dataset}")),
    log:
        layout.log_of("hash_images", "{dataset}"),
    localrule: True
    conda:
        CONDA
    threads: 4
    params:
        **STEPS.told("hash_images", "store"),
        code=STEPS.code_of("hash_images"),
    shell:
        "lotus --log {log} hash-images --store {params.store} --workers {threads}"
        " --out {output.hashes} --record {output.record}"


rule choose_forget_set:
    input:
        unpack(STEPS.inputs_of("choose_forget_set")),
    output:
        chosen=layout.split_file("{dataset}", SEED, "{scenario}"),
        record=layout.record_of(layout.split_file("{dataset}", SEED, "{scenario}")),
    log:
        layout.log_of("choose_forget_set", "{dataset}", "seed{seed}", "{scenario}"),
    localrule: True
    conda:
        CONDA
    params:
        **STEPS.told(
            "choose_forget_set",
            "store",
            "scenario",
            "labels",
            "half",
            "known",
            "apart",
            "listed",
        ),
        code=STEPS.code_of("choose_forget_set"),
    shell:
        "lotus --log {log} choose-forget-set --store {params.store} --scenario {params.scenario:q}"
        " --seed {wildcards.seed} {params.half:q} {params.known:q} {params.apart:q} --labels {params.labels:q}"
        " --out {output.chosen} --record {output.record}"


rule picture_forget_set:
    input:
        unpack(STEPS.inputs_of("picture_forget_set")),
    output:
        **layout.sheet_files("{dataset}", SEED, "{scenario}"),
        record=layout.record_of(
            layout.sheet_files("{dataset}", SEED, "{scenario}")["sheet"]
        ),
    log:
        layout.log_of("picture_forget_set", "{dataset}", "seed{seed}", "{scenario}"),
    localrule: True
    conda:
        CONDA
    params:
        **STEPS.told("picture_forget_set", "store", "labels"),
        code=STEPS.code_of("picture_forget_set"),
    shell:
        "lotus --log {log} picture-forget-set --store {params.store} --forget-set {input.chosen}"
        " --labels {params.labels:q} --out {output.sheet} --record {output.record}"

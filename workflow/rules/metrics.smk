"""All metrics of one scenario and seed, and attacks over the seeds, from predictions alone."""


rule evaluate:
    input:
        unpack(STEPS.inputs_of("evaluate")),
    output:
        metrics=layout.metrics_file(CELL, SEED),
        entropies=layout.entropies_file(CELL, SEED),
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
        " --labels {params.labels:q} --out {output.metrics}"
        " --entropies {output.entropies} --record {output.record}"


# All seeds of a cell together: the models of the others are what an attack compares with.
rule attack:
    input:
        unpack(STEPS.inputs_of("attack")),
    output:
        attacks=layout.attacks_file(CELL),
        scores=layout.scores_file(CELL),
        record=layout.record_of(layout.attacks_file(CELL)),
    log:
        layout.log_of(
            "attack",
            "{dataset}",
            "{architecture}",
            "{scenario}",
            "{protocol}{in_study}",
        ),
    localrule: True
    conda:
        CONDA
    params:
        **STEPS.told("attack", "predictions", "labels"),
        code=STEPS.code_of("attack"),
    shell:
        "lotus --log {log} attack {params.predictions:q} --labels {params.labels:q}"
        " --out {output.attacks} --scores {output.scores} --record {output.record}"


# Models that `privacy` asks for, each attacked with all others.
rule attack_shadows:
    input:
        unpack(STEPS.inputs_of("attack_shadows")),
    output:
        attacks=layout.shadows_file(CELL),
        scores=layout.shadow_scores_file(CELL),
        record=layout.record_of(layout.shadows_file(CELL)),
    log:
        layout.log_of(
            "attack_shadows", "{dataset}", "{architecture}", "{scenario}", "{protocol}"
        ),
    localrule: True
    conda:
        CONDA
    params:
        **STEPS.told("attack_shadows", "predictions", "labels"),
        code=STEPS.code_of("attack_shadows"),
    shell:
        "lotus --log {log} attack-shadows {params.predictions:q} --labels {params.labels:q}"
        " --out {output.attacks} --scores {output.scores} --record {output.record}"

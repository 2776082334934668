"""`snakemake lookalikes`: which images look alike, within and across the parts of a scenario."""


rule find_lookalikes:
    input:
        unpack(STEPS.inputs_of("find_lookalikes")),
    output:
        audit=layout.audit_file("{dataset}", "{scenario}"),
        cleaned=layout.cleaned_file("{dataset}", "{scenario}"),
        record=layout.record_of(layout.audit_file("{dataset}", "{scenario}")),
    log:
        layout.log_of("find_lookalikes", "{dataset}", "{scenario}"),
    localrule: True
    conda:
        CONDA
    threads: 4
    params:
        **STEPS.told("find_lookalikes", "store", "seed", "labels"),
        code=STEPS.code_of("find_lookalikes"),
    shell:
        "lotus --log {log} duplicates {params.store} --held-out {input.held_out}"
        " --forget-set {input.forget_set} --seed {params.seed} --labels {params.labels:q}"
        " --out {output.audit} --cleaned {output.cleaned} --record {output.record}"
        " --workers {threads}"


rule lookalikes:
    input:
        TARGETS.lookalikes,
    localrule: True

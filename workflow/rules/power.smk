"""`snakemake power`: measures and attacks, tried on models whose truth is known."""


rule measure_power:
    input:
        unpack(STEPS.inputs_of("measure_power")),
    output:
        tried=layout.POWER.with_stem("{power}"),
        record=layout.record_of(layout.POWER.with_stem("{power}")),
    log:
        layout.log_of("measure_power", "{power}"),
    localrule: True
    conda:
        CONDA
    params:
        **STEPS.told("measure_power", "models", "seed", "level", "protocol", "labels"),
        code=STEPS.code_of("measure_power"),
    shell:
        "lotus --log {log} power {params.models:q} --seed {params.seed} --level {params.level}"
        " --protocol {params.protocol} --labels {params.labels:q}"
        " --out {output.tried} --record {output.record}"

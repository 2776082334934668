"""`snakemake publish`: the one job that writes to DVC and git, after everything else."""


rule publish:
    input:
        TARGETS.final,
    log:
        layout.log_of("publish"),
    localrule: True
    conda:
        CONDA
    shell:
        "lotus --log {log} publish && cat {log}"

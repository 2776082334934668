"""`snakemake publish`: the one job that writes to DVC and git, after everything else."""


rule publish:
    input:
        final_outputs(),
    log:
        "logs/publish.log",
    localrule: True
    conda:
        CONDA
    shell:
        "lotus --log {log} publish && cat {log}"

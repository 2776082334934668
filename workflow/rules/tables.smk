"""Tables, each made by the function of its kind."""


rule make_table:
    input:
        lambda wildcards: TABLES[wildcards.folder, wildcards.table][1],
    output:
        csv="results/{folder}/{table}.csv",
        tex="results/{folder}/{table}.tex",
        record="results/records/{folder}/{table}.table.json",
    log:
        "logs/make_table/{folder}/{table}.log",
    wildcard_constraints:
        folder="tables|timings",
    localrule: True
    conda:
        CONDA
    params:
        kind=lambda wildcards: TABLES[wildcards.folder, wildcards.table][0],
        out=subpath(output.csv, strip_suffix=".csv"),
        code=step_code("lotus.paper.tables"),
    shell:
        "lotus --log {log} table {params.kind} {input} --out {params.out} --record {output.record}"

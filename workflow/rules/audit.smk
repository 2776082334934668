"""`snakemake audit`: which images look alike, within and across the parts of a scenario."""


rule audit_duplicates:
    input:
        store="results/{dataset}/store.json",
        held_out=lambda wildcards: layout.split_file(
            wildcards.dataset, PLAN.settings.seeds[0], "held-out"
        ),
        forget_set=lambda wildcards: layout.split_file(
            wildcards.dataset, PLAN.settings.seeds[0], wildcards.scenario
        ),
    output:
        audit="results/{dataset}/audit/{scenario}.json",
        cleaned="results/{dataset}/audit/{scenario}.csv",
        record="results/records/{dataset}/audit/{scenario}.json",
    log:
        "logs/audit_duplicates/{dataset}/{scenario}.log",
    localrule: True
    conda:
        CONDA
    threads: 4
    params:
        store=lambda wildcards: layout.STORES / wildcards.dataset,
        seed=PLAN.settings.seeds[0],
        labels=lambda wildcards: json.dumps(
            {"dataset": wildcards.dataset, "scenario": wildcards.scenario}
        ),
        code=step_code("lotus.data.lookalikes"),
    shell:
        "lotus --log {log} duplicates {params.store} --held-out {input.held_out}"
        " --forget-set {input.forget_set} --seed {params.seed} --labels {params.labels:q}"
        " --out {output.audit} --cleaned {output.cleaned} --record {output.record}"
        " --workers {threads}"


rule audit:
    input:
        CONTENTS.audits(PLAN.settings.datasets),
        [
            f"results/{folder}/{name}.svg"
            for folder, name in FIGURES
            if name.startswith("data-")
        ],
    localrule: True

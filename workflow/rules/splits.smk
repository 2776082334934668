"""Which images are validated, tested, forgotten and kept."""


rule split_held_out:
    input:
        store="results/{dataset}/store.json",
    output:
        halves="results/{dataset}/splits/seed{seed}/held-out.json",
        record="results/records/{dataset}/splits/seed{seed}/held-out.json",
    log:
        "logs/split_held_out/{dataset}/seed{seed}.log",
    localrule: True
    conda:
        CONDA
    params:
        store=lambda wildcards: layout.STORES / wildcards.dataset,
        code=step_code("lotus.data.splits"),
    shell:
        "lotus --log {log} split-held-out --store {params.store} --seed {wildcards.seed}"
        " --out {output.halves} --record {output.record}"


rule choose_forget_set:
    input:
        store="results/{dataset}/store.json",
    output:
        chosen="results/{dataset}/splits/seed{seed}/{scenario}.json",
        record="results/records/{dataset}/splits/seed{seed}/{scenario}.json",
    log:
        "logs/choose_forget_set/{dataset}/seed{seed}/{scenario}.log",
    localrule: True
    conda:
        CONDA
    params:
        store=lambda wildcards: layout.STORES / wildcards.dataset,
        scenario=lambda wildcards: json.dumps(PLAN.scenario(wildcards.scenario)),
        labels=lambda wildcards: json.dumps({"scenario": wildcards.scenario}),
        code=step_code("lotus.data.splits"),
    shell:
        "lotus --log {log} choose-forget-set --store {params.store} --scenario {params.scenario:q}"
        " --seed {wildcards.seed} --labels {params.labels:q} --out {output.chosen}"
        " --record {output.record}"

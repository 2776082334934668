"""The models that others start from or are measured against."""


rule pretrain_original:
    input:
        store="results/{dataset}/store.json",
        held_out="results/{dataset}/splits/seed{seed}/held-out.json",
    output:
        expand(
            "results/{{dataset}}/{{architecture}}/seed{{seed}}/original/{name}",
            name=RUN_FILES,
        ),
    log:
        "logs/pretrain_original/{dataset}/{architecture}/seed{seed}.log",
    conda:
        CONDA
    threads: 1
    resources:
        gpu=GPU,
        device=DEVICE,
    params:
        store=lambda wildcards: layout.STORES / wildcards.dataset,
        out=lambda wildcards, output: Path(output[0]).parent,
        architecture=lambda wildcards: json.dumps(
            PLAN.architecture(wildcards.dataset, wildcards.architecture)
        ),
        augmentation=lambda wildcards: json.dumps(PLAN.augmentation(wildcards.dataset)),
        labels=lambda wildcards: labels_of(wildcards, layout.ORIGINAL),
        code=model_code,
    shell:
        "lotus --log {log} pretrain --store {params.store} --held-out {input.held_out}"
        " --architecture {params.architecture:q} --augmentation {params.augmentation:q}"
        " --seed {wildcards.seed} --device {resources.device} --labels {params.labels:q}"
        " --out {params.out}"


rule retrain_gold:
    input:
        store="results/{dataset}/store.json",
        held_out="results/{dataset}/splits/seed{seed}/held-out.json",
        forget_set="results/{dataset}/splits/seed{seed}/{scenario}.json",
    output:
        expand(
            "results/{{dataset}}/{{architecture}}/seed{{seed}}/{{scenario}}/gold/{name}",
            name=RUN_FILES,
        ),
    log:
        "logs/retrain_gold/{dataset}/{architecture}/seed{seed}/{scenario}.log",
    conda:
        CONDA
    threads: 1
    resources:
        gpu=GPU,
        device=DEVICE,
    params:
        store=lambda wildcards: layout.STORES / wildcards.dataset,
        out=lambda wildcards, output: Path(output[0]).parent,
        architecture=lambda wildcards: json.dumps(
            PLAN.architecture(wildcards.dataset, wildcards.architecture)
        ),
        augmentation=lambda wildcards: json.dumps(PLAN.augmentation(wildcards.dataset)),
        labels=lambda wildcards: labels_of(wildcards, layout.GOLD),
        code=model_code,
    shell:
        "lotus --log {log} retrain --store {params.store} --held-out {input.held_out}"
        " --forget-set {input.forget_set} --architecture {params.architecture:q}"
        " --augmentation {params.augmentation:q} --seed {wildcards.seed}"
        " --device {resources.device} --labels {params.labels:q} --out {params.out}"

"""The models that others start from or are measured against."""


rule pretrain_original:
    input:
        store="results/{dataset}/store.json",
        held_out="results/{dataset}/splits/seed{seed}/held-out.json",
        weights=weights_input(layout.ORIGINAL),
    output:
        expand(
            "results/{{dataset}}/{{architecture}}/seed{{seed}}/original/{{protocol}}/{name}",
            name=RUN_FILES,
        ),
    log:
        "logs/pretrain_original/{dataset}/{architecture}/seed{seed}/{protocol}.log",
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
        images=lambda wildcards: json.dumps(
            PLAN.use_of(wildcards.dataset, wildcards.architecture)
        ),
        labels=lambda wildcards: labels_of(wildcards, layout.ORIGINAL),
        weights=weights_option(layout.ORIGINAL),
        code=model_code,
    shell:
        "lotus --log {log} pretrain --store {params.store} --held-out {input.held_out}"
        " --architecture {params.architecture:q} --images {params.images:q}"
        " --seed {wildcards.seed} --device {resources.device} --labels {params.labels:q}"
        " --protocol {wildcards.protocol} {params.weights} --out {params.out}"


rule retrain_gold:
    input:
        store="results/{dataset}/store.json",
        held_out="results/{dataset}/splits/seed{seed}/held-out.json",
        forget_set="results/{dataset}/splits/seed{seed}/{scenario}.json",
        weights=weights_input(layout.GOLD),
    output:
        expand(
            "results/{{dataset}}/{{architecture}}/seed{{seed}}/{{scenario}}/{{protocol}}/gold/{name}",
            name=RUN_FILES,
        ),
    log:
        "logs/retrain_gold/{dataset}/{architecture}/seed{seed}/{scenario}/{protocol}.log",
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
        images=lambda wildcards: json.dumps(
            PLAN.use_of(wildcards.dataset, wildcards.architecture)
        ),
        labels=lambda wildcards: labels_of(wildcards, layout.GOLD),
        weights=weights_option(layout.GOLD),
        code=model_code,
    shell:
        "lotus --log {log} retrain --store {params.store} --held-out {input.held_out}"
        " --forget-set {input.forget_set} --architecture {params.architecture:q}"
        " --images {params.images:q} --seed {wildcards.seed}"
        " --device {resources.device} --labels {params.labels:q}"
        " --protocol {wildcards.protocol} {params.weights} --out {params.out}"

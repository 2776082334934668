"""`snakemake tune`: hyper-parameters by one procedure, judged without test images and gold models."""


rule try_candidates:
    input:
        store="results/{dataset}/store.json",
        held_out="results/{dataset}/splits/seed{seed}/held-out.json",
        forget_set="results/{dataset}/splits/seed{seed}/{scenario}.json",
        original=expand(
            "results/{{dataset}}/{{architecture}}/seed{{seed}}/original/corrected/{name}",
            name=["model.safetensors", "run.json"],
        ),
    output:
        "results/tuning/{dataset}/{architecture}/seed{seed}/{scenario}/{row}.json",
    log:
        "logs/try_candidates/{dataset}/{architecture}/seed{seed}/{scenario}/{row}.log",
    conda:
        CONDA
    threads: 1
    resources:
        gpu=GPU,
        device=DEVICE,
    params:
        method=lambda wildcards: PLAN.method_of(wildcards.row),
        candidates=lambda wildcards: [
            part
            for given in candidates(PLAN, cell_of(wildcards), wildcards.row)
            for part in ("--candidate", json.dumps(given))
        ],
        store=lambda wildcards: layout.STORES / wildcards.dataset,
        original=lambda wildcards, input: Path(input.original[0]).parent,
        labels=lambda wildcards: labels_of(wildcards, wildcards.row),
        plugins=lambda wildcards: PLUGINS,
        code=lambda wildcards: [step_code("lotus.runs.tuning"), method_code(wildcards)],
    shell:
        "lotus --log {log} tune {params.method} {params.candidates:q} --store {params.store}"
        " --held-out {input.held_out} --forget-set {input.forget_set}"
        " --original {params.original} --seed {wildcards.seed} --device {resources.device}"
        " --labels {params.labels:q} {params.plugins:q} --out {output}"


rule tune:
    input:
        trials_files(),
    output:
        overrides="results/tuning/overrides.yaml",
        record="results/records/tuning/overrides.json",
    log:
        "logs/tune.log",
    localrule: True
    conda:
        CONDA
    params:
        code=step_code("lotus.runs.tuning"),
    shell:
        "lotus --log {log} choose {input} --out {output.overrides} --record {output.record}"

"""Where models see the class of forget images: the one step beside the runs that needs models."""


rule explain_forget_set:
    input:
        store="results/{dataset}/store.json",
        forget_set="results/{dataset}/splits/seed{seed}/{scenario}.json",
        runs=lambda wildcards: [
            f"{folder}/{name}"
            for folder in explained_runs(wildcards).values()
            for name in ("model.safetensors", "run.json")
        ],
    output:
        maps="results/{dataset}/{architecture}/seed{seed}/{scenario}/{protocol}/gradcam.npz",
        record="results/{dataset}/{architecture}/seed{seed}/{scenario}/{protocol}/gradcam.json",
    log:
        "logs/explain_forget_set/{dataset}/{architecture}/seed{seed}/{scenario}/{protocol}.log",
    conda:
        CONDA
    threads: 1
    resources:
        gpu=GPU,
        device=DEVICE,
    params:
        store=lambda wildcards: layout.STORES / wildcards.dataset,
        runs=lambda wildcards: [
            part
            for row, folder in explained_runs(wildcards).items()
            for part in ("--of", row, folder)
        ],
        labels=lambda wildcards: json.dumps(
            {**cell_of(wildcards).labels, "seed": int(wildcards.seed)}
        ),
        code=lambda wildcards: step_code(
            "lotus.runs.gradcam", architecture_module(wildcards)
        ),
    shell:
        "lotus --log {log} gradcam --store {params.store} --forget-set {input.forget_set}"
        " {params.runs:q} --protocol {wildcards.protocol} --device {resources.device}"
        " --labels {params.labels:q} --out {output.maps}"

"""Every method on every original model."""


rule unlearn:
    input:
        store="results/{dataset}/store.json",
        held_out="results/{dataset}/splits/seed{seed}/held-out.json",
        forget_set="results/{dataset}/splits/seed{seed}/{scenario}.json",
        original=lambda wildcards: original_of(wildcards, "model.safetensors"),
        record=lambda wildcards: original_of(wildcards, "run.json"),
        weights=weights_input(),
        calibration=calibration_input,
    output:
        expand(
            "results/{{dataset}}/{{architecture}}/seed{{seed}}/{{scenario}}/{{protocol}}/{{row}}/{name}",
            name=RUN_FILES,
        ),
    log:
        "logs/unlearn/{dataset}/{architecture}/seed{seed}/{scenario}/{protocol}/{row}.log",
    conda:
        CONDA
    threads: 1
    resources:
        gpu=GPU,
        device=DEVICE,
    params:
        method=lambda wildcards: PLAN.method_of(wildcards.row),
        hyperparameters=hyperparameters_of,
        store=lambda wildcards: layout.STORES / wildcards.dataset,
        original=lambda wildcards, input: Path(input.original).parent,
        out=lambda wildcards, output: Path(output[0]).parent,
        labels=lambda wildcards: labels_of(wildcards, wildcards.row),
        weights=weights_option(),
        calibration=calibration_option,
        plugins=lambda wildcards: PLUGINS,
        code=method_code,
    shell:
        "lotus --log {log} unlearn {params.method} {params.hyperparameters:q} --store {params.store}"
        " --held-out {input.held_out} --forget-set {input.forget_set}"
        " --original {params.original} --seed {wildcards.seed} --device {resources.device}"
        " --labels {params.labels:q} {params.plugins:q} --protocol {wildcards.protocol}"
        " {params.weights} {params.calibration} --out {params.out}"

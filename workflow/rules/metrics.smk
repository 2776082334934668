"""All metrics of one scenario and seed, from predictions alone."""


rule evaluate:
    input:
        original=lambda wildcards: original_of(wildcards, "predictions.npz"),
        gold=lambda wildcards: gold_of(wildcards, "predictions.npz"),
        methods=method_predictions,
    output:
        "results/{dataset}/{architecture}/seed{seed}/{scenario}/metrics.json",
    log:
        "logs/evaluate/{dataset}/{architecture}/seed{seed}/{scenario}.log",
    localrule: True
    conda:
        CONDA
    params:
        methods=lambda wildcards, input: [
            part
            for row, path in zip(PLAN.settings.methods, input.methods, strict=True)
            for part in ("--method", row, path)
        ],
        labels=lambda wildcards: json.dumps(
            {
                "dataset": wildcards.dataset,
                "architecture": wildcards.architecture,
                "scenario": wildcards.scenario,
                "protocol": PLAN.settings.protocol,
            }
        ),
        code=step_code("lotus.evaluation"),
    shell:
        "lotus --log {log} evaluate --original {input.original} --gold {input.gold} {params.methods:q}"
        " --seed {wildcards.seed} --labels {params.labels:q} --out {output}"

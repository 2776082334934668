"""All metrics of one scenario and seed, from predictions alone."""


rule evaluate:
    input:
        lambda wildcards: predictions_of(wildcards).values(),
    output:
        metrics="results/{dataset}/{architecture}/seed{seed}/{scenario}/{protocol}/metrics{in_study}.json",
        record="results/records/{dataset}/{architecture}/seed{seed}/{scenario}/{protocol}/metrics{in_study}.json",
    log:
        "logs/evaluate/{dataset}/{architecture}/seed{seed}/{scenario}/{protocol}{in_study}.log",
    localrule: True
    conda:
        CONDA
    params:
        predictions=lambda wildcards: [
            part
            for row, path in predictions_of(wildcards).items()
            for part in ("--of", row, path)
        ],
        labels=lambda wildcards: json.dumps(cell_of(wildcards).labels),
        code=step_code("lotus.runs.evaluation"),
    shell:
        "lotus --log {log} evaluate {params.predictions:q} --seed {wildcards.seed}"
        " --labels {params.labels:q} --out {output.metrics} --record {output.record}"

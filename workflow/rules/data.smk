"""Images: find the publishers' files, build the stores, check them against data.dvc."""


# The mirrors are resources, not parameters: another place of the same files reruns nothing.
rule fetch_data:
    output:
        "data/raw/{dataset}.json",
    log:
        "logs/fetch_data/{dataset}.log",
    localrule: True
    conda:
        CONDA
    resources:
        mirrors=lambda wildcards: MIRRORS,
    params:
        options=lambda wildcards: json.dumps(raw_options(wildcards.dataset)),
        code=lambda wildcards: source_code(wildcards.dataset),
    shell:
        "lotus --log {log} fetch {wildcards.dataset} --options {params.options:q} {resources.mirrors}"
        " --out {output}"


rule build_store:
    input:
        raw="data/raw/{dataset}.json",
    output:
        expand("data/stores/{{dataset}}/{name}", name=STORE_FILES),
    log:
        "logs/build_store/{dataset}.log",
    localrule: True
    conda:
        CONDA
    resources:
        locked=lock_of,
    params:
        folder=lambda wildcards: layout.STORES / wildcards.dataset,
        options=lambda wildcards: json.dumps(PLAN.store_of(wildcards.dataset)),
        # Another lock asks for the images again; one on the store as it is changes nothing.
        other=lambda wildcards: other_lock(wildcards.dataset, LOCKED),
        code=lambda wildcards: source_code(wildcards.dataset),
    shell:
        "lotus --log {log} store {wildcards.dataset} --options {params.options:q} --raw {input.raw}"
        " --locked {resources.locked} --out {params.folder}"


# Everything downstream reads this record, so a store that was changed later stops the run here.
rule verify_store:
    input:
        expand("data/stores/{{dataset}}/{name}", name=STORE_FILES),
        raw="data/raw/{dataset}.json",
    output:
        "results/{dataset}/store.json",
    log:
        "logs/verify_store/{dataset}.log",
    localrule: True
    conda:
        CONDA
    resources:
        locked=lock_of,
    params:
        folder=lambda wildcards: layout.STORES / wildcards.dataset,
        options=lambda wildcards: json.dumps(PLAN.store_of(wildcards.dataset)),
        # Another lock asks for the images again; one on the store as it is changes nothing.
        other=lambda wildcards: other_lock(wildcards.dataset, LOCKED),
        code=step_code("lotus.data.build"),
    shell:
        "lotus --log {log} verify {params.folder} --options {params.options:q} --raw {input.raw}"
        " --locked {resources.locked} --out {output}"


# One job, after all stores are verified: parallel `dvc` calls would collide.
rule cache_stores:
    input:
        expand("results/{dataset}/store.json", dataset=CACHED),
    output:
        status="data/stores/dvc.json",
        record="results/records/dvc.json",
    log:
        "logs/cache_stores.log",
    localrule: True
    conda:
        CONDA
    params:
        stores=[layout.STORES / dataset for dataset in CACHED],
        code=step_code("lotus.tracking.dvc"),
    shell:
        "lotus --log {log} cache-stores {params.stores} --out {output.status} --record {output.record}"

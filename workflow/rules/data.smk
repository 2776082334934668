"""Images: find the publishers' files, build the stores, check them against data.dvc."""


# The mirrors are resources, not parameters: another place of the same files reruns nothing.
rule fetch_data:
    output:
        raw=layout.raw_list("{dataset}"),
    log:
        layout.log_of("fetch_data", "{dataset}"),
    localrule: True
    conda:
        CONDA
    resources:
        **STEPS.told("fetch_data", "mirrors"),
    params:
        **STEPS.told("fetch_data", "options"),
        code=STEPS.code_of("fetch_data"),
    shell:
        "lotus --log {log} fetch {wildcards.dataset} --options {params.options:q} {resources.mirrors}"
        " --out {output.raw}"


# Another lock (`other`) asks for the images again; one on the store as it is (`locked`) changes nothing.
rule build_store:
    input:
        unpack(jobs.raw_files_of_store(STEPS.inputs_of("build_store"), ancient)),
    output:
        **layout.store_files("{dataset}"),
    log:
        layout.log_of("build_store", "{dataset}"),
    localrule: True
    conda:
        CONDA
    resources:
        **STEPS.told("build_store", "locked"),
    params:
        **STEPS.told("build_store", "folder", "options", "other"),
        code=STEPS.code_of("build_store"),
    shell:
        "lotus --log {log} store {wildcards.dataset} --options {params.options:q} --raw {input.raw}"
        " --locked {resources.locked} --out {params.folder}"


# Everything downstream reads this record, so a store that was changed later stops the run here.
rule verify_store:
    input:
        unpack(STEPS.inputs_of("verify_store")),
    output:
        record=layout.store_record("{dataset}"),
    log:
        layout.log_of("verify_store", "{dataset}"),
    localrule: True
    conda:
        CONDA
    resources:
        **STEPS.told("verify_store", "locked"),
    params:
        **STEPS.told("verify_store", "folder", "options", "other"),
        code=STEPS.code_of("verify_store"),
    shell:
        "lotus --log {log} verify {params.folder} --options {params.options:q} --raw {input.raw}"
        " --locked {resources.locked} --out {output.record}"


# One job, after all stores are verified: parallel `dvc` calls would collide.
rule cache_stores:
    input:
        unpack(STEPS.inputs_of("cache_stores")),
    output:
        status=layout.CACHED,
        record=layout.record_of(layout.CACHED),
    log:
        layout.log_of("cache_stores"),
    localrule: True
    conda:
        CONDA
    params:
        **STEPS.told("cache_stores", "stores"),
        code=STEPS.code_of("cache_stores"),
    shell:
        "lotus --log {log} cache-stores {params.stores} --out {output.status} --record {output.record}"

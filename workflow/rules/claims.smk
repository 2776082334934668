"""The paper's claims: on its printed numbers, and on what was measured."""


rule judge_claims:
    input:
        unpack(STEPS.inputs_of("judge_claims")),
    output:
        verdicts=layout.CLAIMS,
        csv=report(
            layout.item_file(*layout.CLAIMS_TABLE, "csv"),
            category="The paper's claims",
            labels={"Shown": "Verdicts on all claims"},
            caption="../../report/captions/claims.rst",
        ),
        tex=layout.item_file(*layout.CLAIMS_TABLE, "tex"),
        record=layout.item_record(*layout.CLAIMS_TABLE, "table"),
    log:
        layout.log_of("judge_claims"),
    localrule: True
    conda:
        CONDA
    params:
        **STEPS.told("judge_claims", "published", "table"),
        code=STEPS.code_of("judge_claims"),
    shell:
        "lotus --log {log} claims --claims {input.claims} --published {params.published}"
        " --experiment {input.experiment} --out {output.verdicts} --table {params.table}"
        " --record {output.record}"

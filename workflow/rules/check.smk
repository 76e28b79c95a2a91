rule claims:
    input:
        records=LBFGS_RECORDS,
        answers=rules.transfer.output.answers,
        minimal_answers=rules.transfer_minimal.output.answers,
        models=rules.table_models.output.csv,
        cross_model=rules.table_cross_model.output.table_csv,
        choices=rules.table_choices.output.csv,
        minimal=rules.table_minimal.output.table_csv,
        minimal_transfer=rules.table_minimal.output.transfer_csv,
    output:
        claims=f"{RESULTS}/claims.json",
        html=report(
            f"{RESULTS}/claims.html",
            caption="../report/claims.rst",
            category="Claims",
            labels={
                "claims": "Adversarial images and their transfer",
                "paper": "4.1, 4.2",
            },
        ),
        metrics=f"{RESULTS}/metrics.json",
    log:
        f"{RESULTS}/logs/claims.log",
    benchmark:
        f"{RESULTS}/benchmarks/claims.tsv"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=5,
    params:
        settings=settings.claims_settings(MODELS, TRAINED),
        code=digest("claims.py"),
    message:
        "Judge the paper's claims, gather the headline numbers"
    script:
        step("claims.py")

rule claims:
    input:
        records=LBFGS_RECORDS,
        answers=rules.transfer.output.answers,
        # Claims of other chapters, judged where their numbers are made.
        chapters=[f"{RESULTS}/claims/training-sets.json"] if COMPARED else [],
        tables=[
            rules.table_models.output.csv,
            rules.table_cross_model.output.table_csv,
            rules.table_choices.output.csv,
            *(path for path in SETS if path.endswith(".csv")),
        ],
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
        code=digest("stats/claims.py"),
    message:
        "Judge the paper's claims, gather the headline numbers"
    script:
        step("stats/claims.py")

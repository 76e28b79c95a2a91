rule claims:
    input:
        claims=CLAIM_FILES,
        tables=METRIC_TABLES,
    output:
        claims=f"{RESULTS}/claims.json",
        html=in_report(
            f"{RESULTS}/claims.html",
            "claims",
            "Adversarial images and their transfer",
            "4.1, 4.2",
            "claims",
        ),
        metrics=f"{RESULTS}/metrics.json",
    log:
        f"{RESULTS}/logs/claims.log",
    benchmark:
        f"{RESULTS}/benchmarks/claims.tsv"
    params:
        code=digest("stats/claims.py"),
    message:
        "Gather the paper's claims and the headline numbers"
    script:
        step("stats/claims.py")


PAPER += rules.claims.output

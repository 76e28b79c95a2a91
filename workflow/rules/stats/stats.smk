# Tables of the run of quick recipes, beside which this run's stand if they are there.
QUICK_TABLES = [f"results/quick/tables/{Path(path).name}" for path in PRINTED_TABLES]
if CFG.run == "quick" or not all(Path(path).is_file() for path in QUICK_TABLES):
    QUICK_TABLES = []


rule table_differences:
    input:
        tables=PRINTED_TABLES,
        records=[
            path
            for _, *network in PRINTED_ATTACKS
            for path in records_of(sheets.FINEST, [network])
        ],
        quick=QUICK_TABLES,
        published=PUBLISHED,
    output:
        **table("differences", "Numbers of the paper beside ours", "Tables 1 to 4"),
        **table("verdict-counts", "Counts of verdicts", "Tables 1 to 4"),
    params:
        settings={"jobs": PRINTED_ATTACKS},
    message:
        "Every number of the paper's Tables 1 to 4 beside ours"
    script:
        step("stats/table_differences.py")


DIFFERENCES = [] if CFG.data.folder else rules.table_differences.output
if DIFFERENCES:
    METRIC_TABLES.append(rules.table_differences.output.verdict_counts)


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
    message:
        "Gather the paper's claims and the headline numbers"
    script:
        step("stats/claims.py")


PAPER += [*DIFFERENCES, *rules.claims.output]

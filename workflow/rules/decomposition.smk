# Transfer between all networks of the sheet that are trained on a split.
PAIRED = sheets.trained(splits.on_splits(ALL_MODELS), CFG.seeds)


rule transfer_pairs:
    input:
        weights=[f"{RESULTS}/models/{m}/{s}.safetensors" for m, s in PAIRED],
        images=[
            f"{RESULTS}/adversarial/{sheets.FINEST}/{m}/{s}.safetensors"
            for m, s in PAIRED
        ],
    output:
        f"{RESULTS}/transfer/pairs.parquet",
    log:
        f"{RESULTS}/logs/transfer_pairs.log",
    benchmark:
        f"{RESULTS}/benchmarks/transfer_pairs.tsv"
    priority: 5
    threads: 1
    resources:
        mem_mb=2000,
        runtime=10,
    params:
        settings=splits.transfer_pairs_settings(CFG, PAIRED),
        code=digest("transfer/transfer_pairs.py"),
    message:
        "Feed longer and longer perturbations to every other network trained on a split"
    script:
        step("transfer/transfer_pairs.py")


rule table_transfer_decomposition:
    input:
        pairs=rules.transfer_pairs.output[0],
        published="data/published.tsv",
    output:
        csv=f"{RESULTS}/tables/transfer-decomposition.csv",
        md=f"{RESULTS}/tables/transfer-decomposition.md",
        tex=f"{RESULTS}/tables/transfer-decomposition.tex",
        html=report(
            f"{RESULTS}/tables/transfer-decomposition.html",
            caption="../report/table-transfer-decomposition.rst",
            category="Beyond the paper",
            labels={"result": "Transfer: data, architecture, seed", "kind": "table"},
        ),
        claims=f"{RESULTS}/claims/transfer-decomposition.json",
        claims_html=report(
            f"{RESULTS}/claims/transfer-decomposition.html",
            caption="../report/claims-transfer-decomposition.rst",
            category="Beyond the paper",
            labels={"result": "Transfer: data, architecture, seed", "kind": "claim"},
        ),
    log:
        f"{RESULTS}/logs/table_transfer_decomposition.log",
    benchmark:
        f"{RESULTS}/benchmarks/table_transfer_decomposition.tsv"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=5,
    params:
        settings=splits.decomposition_settings(CFG, splits.on_splits(ALL_MODELS)),
        code=digest("transfer/table_transfer_decomposition.py"),
    message:
        "How much of transfer is data, architecture, seed"
    script:
        step("transfer/table_transfer_decomposition.py")


rule figure_transfer_decomposition:
    input:
        table=rules.table_transfer_decomposition.output.csv,
        pairs=rules.transfer_pairs.output[0],
    output:
        png=f"{RESULTS}/figures/transfer-decomposition.png",
        svg=report(
            f"{RESULTS}/figures/transfer-decomposition.svg",
            caption="../report/figure-transfer-decomposition.rst",
            category="Beyond the paper",
            labels={"result": "Transfer: data, architecture, seed", "kind": "figure"},
        ),
        pdf=f"{RESULTS}/figures/transfer-decomposition.pdf",
    log:
        f"{RESULTS}/logs/figure_transfer_decomposition.log",
    benchmark:
        f"{RESULTS}/benchmarks/figure_transfer_decomposition.tsv"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=5,
    params:
        settings=splits.decomposition_settings(CFG, splits.on_splits(ALL_MODELS)),
        code=digest("transfer/figure_transfer_decomposition.py"),
    message:
        "Transfer against amplification, by what two networks have in common"
    script:
        step("transfer/figure_transfer_decomposition.py")


DECOMPOSITION = PAIRED and [
    *rules.transfer_pairs.input,
    *(f"{RESULTS}/training/{m}/{s}.json" for m, s in PAIRED),
    *(f"{RESULTS}/adversarial/{sheets.FINEST}/{m}/{s}.parquet" for m, s in PAIRED),
    *rules.transfer_pairs.output,
    *rules.table_transfer_decomposition.output,
    *rules.figure_transfer_decomposition.output,
]

# Tables 3 and 4: networks trained on splits of the training images, attacked on test
# images. Their adversarial images lie beside those that the rule `attack` makes of
# training images for the other networks.
ruleorder: attack_test > attack


PART_WEIGHTS = [f"{RESULTS}/models/{m}/{s}.safetensors" for m, s in ON_SPLITS]
# Networks attacked on test images.
TESTED = [*splits.on_splits(ALL_MODELS)] or ["none"]


rule attack_test:
    input:
        weights=f"{RESULTS}/models/{{model}}/{{seed}}.safetensors",
        test=f"{MNIST}/test.safetensors",
    output:
        images=f"{RESULTS}/adversarial/{sheets.FINEST}/{{model}}/{{seed}}.safetensors",
        records=f"{RESULTS}/adversarial/{sheets.FINEST}/{{model}}/{{seed}}.parquet",
    log:
        f"{RESULTS}/logs/attack_test/{{model}}/{{seed}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/attack_test/{{model}}/{{seed}}.tsv"
    wildcard_constraints:
        model="|".join(map(re.escape, TESTED)),
    threads: 1
    resources:
        mem_mb=2000,
        runtime=20,
    params:
        settings=splits.attack_test_settings(CFG, ATTACKS[sheets.FINEST]),
        code=digest("attack/attack_test.py"),
    message:
        "Attack {wildcards.model}, seed {wildcards.seed}, on test images"
    script:
        step("attack/attack_test.py")


rule errors_on_splits:
    input:
        weights=PART_WEIGHTS,
        train=f"{MNIST}/train.safetensors",
        test=f"{MNIST}/test.safetensors",
        P1=f"{MNIST}/P1.txt",
        P2=f"{MNIST}/P2.txt",
    output:
        f"{RESULTS}/training/on-splits.json",
    log:
        f"{RESULTS}/logs/errors_on_splits.log",
    benchmark:
        f"{RESULTS}/benchmarks/errors_on_splits.tsv"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=5,
    params:
        settings=splits.errors_on_splits_settings(CFG, ON_SPLITS),
        code=digest("transfer/errors_on_splits.py"),
    message:
        "Count errors on P1, P2 and the test images"
    script:
        step("transfer/errors_on_splits.py")


rule transfer_test:
    input:
        weights=PART_WEIGHTS,
        images=[
            f"{RESULTS}/adversarial/{sheets.FINEST}/{m}/{s}.safetensors"
            for m, s in ON_SPLITS
        ],
        test=f"{MNIST}/test.safetensors",
    output:
        f"{RESULTS}/transfer/training-sets.parquet",
    log:
        f"{RESULTS}/logs/transfer_test.log",
    benchmark:
        f"{RESULTS}/benchmarks/transfer_test.tsv"
    priority: 5
    threads: 1
    resources:
        mem_mb=2000,
        runtime=10,
    params:
        settings=splits.transfer_test_settings(CFG, ON_SPLITS),
        code=digest("transfer/transfer_test.py"),
    message:
        "Feed distorted test images to networks trained on different splits"
    script:
        step("transfer/transfer_test.py")


rule table_training_sets:
    input:
        errors=rules.errors_on_splits.output[0],
        records=[
            f"{RESULTS}/adversarial/{sheets.FINEST}/{m}/{s}.parquet"
            for m, s in ON_SPLITS
        ],
        published="data/published.tsv",
    output:
        csv=f"{RESULTS}/tables/training-sets.csv",
        md=f"{RESULTS}/tables/training-sets.md",
        tex=f"{RESULTS}/tables/training-sets.tex",
        html=report(
            f"{RESULTS}/tables/training-sets.html",
            caption="../report/table-training-sets.rst",
            category="Tables",
            labels={"table": "Networks trained on splits", "paper": "Table 3"},
        ),
    log:
        f"{RESULTS}/logs/table_training_sets.log",
    benchmark:
        f"{RESULTS}/benchmarks/table_training_sets.tsv"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=5,
    params:
        settings={"networks": ON_SPLITS},
        code=digest("transfer/table_training_sets.py"),
    message:
        "Table 3: errors and distortions of networks trained on splits"
    script:
        step("transfer/table_training_sets.py")


rule table_cross_training_set:
    input:
        answers=rules.transfer_test.output[0],
        published="data/published.tsv",
    output:
        table_csv=f"{RESULTS}/tables/cross-training-set.csv",
        table_md=f"{RESULTS}/tables/cross-training-set.md",
        table_tex=f"{RESULTS}/tables/cross-training-set.tex",
        table_html=report(
            f"{RESULTS}/tables/cross-training-set.html",
            caption="../report/table-cross-training-set.rst",
            category="Tables",
            labels={"table": "Transfer across training sets", "paper": "Table 4"},
        ),
        controls_csv=f"{RESULTS}/tables/amplification.csv",
        controls_md=f"{RESULTS}/tables/amplification.md",
        controls_tex=f"{RESULTS}/tables/amplification.tex",
        controls_html=report(
            f"{RESULTS}/tables/amplification.html",
            caption="../report/table-amplification.rst",
            category="Tables",
            labels={
                "table": "Amplification read otherwise, controls",
                "paper": "Table 4",
            },
        ),
        claims=f"{RESULTS}/claims/training-sets.json",
    log:
        f"{RESULTS}/logs/table_cross_training_set.log",
    benchmark:
        f"{RESULTS}/benchmarks/table_cross_training_set.tsv"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=5,
    params:
        settings=splits.cross_training_set_settings(CFG, COMPARED),
        code=digest("transfer/table_cross_training_set.py"),
    message:
        "Table 4: transfer across training sets, and its claims"
    script:
        step("transfer/table_cross_training_set.py")


rule figure_cross_training_set:
    input:
        table=rules.table_cross_training_set.output.table_csv,
    output:
        png=f"{RESULTS}/figures/cross-training-set.png",
        svg=report(
            f"{RESULTS}/figures/cross-training-set.svg",
            caption="../report/figure-cross-training-set.rst",
            category="Figures",
            labels={"figure": "Transfer across training sets", "paper": "Table 4"},
        ),
        pdf=f"{RESULTS}/figures/cross-training-set.pdf",
    log:
        f"{RESULTS}/logs/figure_cross_training_set.log",
    benchmark:
        f"{RESULTS}/benchmarks/figure_cross_training_set.tsv"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=5,
    params:
        code=digest("transfer/figure_cross_training_set.py"),
    message:
        "Table 4 as a map of error rates"
    script:
        step("transfer/figure_cross_training_set.py")

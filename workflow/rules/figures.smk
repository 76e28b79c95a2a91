# The networks of the paper's Figure 7, or others where the sheet lacks them.
SHOWN = [m for m in ("FC10-1e-4", "FC200-200-10") if m in MODELS] or list(MODELS)[:2]
SHOWN_SEEDS = [(m, sheets.seeds_of(MODELS[m], CFG.seeds)[0]) for m in SHOWN]


rule figure_examples:
    input:
        weights=[f"{RESULTS}/models/{m}/{s}.safetensors" for m, s in SHOWN_SEEDS],
        images=[
            f"{RESULTS}/adversarial/lbfgs/{m}/{s}.safetensors" for m, s in SHOWN_SEEDS
        ],
    output:
        png=f"{RESULTS}/figures/examples.png",
        svg=report(
            f"{RESULTS}/figures/examples.svg",
            caption="../report/figure-examples.rst",
            category="Figures",
            labels={"figure": "Adversarial and noisy digits", "paper": "Figure 7"},
        ),
        pdf=f"{RESULTS}/figures/examples.pdf",
    log:
        f"{RESULTS}/logs/figure_examples.log",
    benchmark:
        f"{RESULTS}/benchmarks/figure_examples.tsv"
    priority: 5
    threads: 1
    resources:
        mem_mb=2000,
        runtime=5,
    params:
        settings={
            "networks": SHOWN,
            "deviation": 1.0,
            "seed": CFG.seeds[0],
            "threads": CFG.attack.threads,
        },
        code=digest("attack/figure_examples.py"),
    message:
        "Figure 7: digits before and after the attack, and with noise"
    script:
        step("attack/figure_examples.py")


rule figure_cross_model:
    input:
        table=rules.table_cross_model.output.table_csv,
    output:
        png=f"{RESULTS}/figures/cross-model.png",
        svg=report(
            f"{RESULTS}/figures/cross-model.svg",
            caption="../report/figure-cross-model.rst",
            category="Figures",
            labels={"figure": "Transfer between networks", "paper": "Table 2"},
        ),
        pdf=f"{RESULTS}/figures/cross-model.pdf",
    log:
        f"{RESULTS}/logs/figure_cross_model.log",
    benchmark:
        f"{RESULTS}/benchmarks/figure_cross_model.tsv"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=5,
    params:
        code=digest("transfer/figure_cross_model.py"),
    message:
        "Table 2 as a map of error rates"
    script:
        step("transfer/figure_cross_model.py")


rule figure_distortions:
    input:
        records=LBFGS_RECORDS,
        table=rules.table_models.output.csv,
    output:
        png=f"{RESULTS}/figures/distortions.png",
        svg=report(
            f"{RESULTS}/figures/distortions.svg",
            caption="../report/figure-distortions.rst",
            category="Figures",
            labels={"figure": "Distribution of distortions", "paper": "Table 1"},
        ),
        pdf=f"{RESULTS}/figures/distortions.pdf",
    log:
        f"{RESULTS}/logs/figure_distortions.log",
    benchmark:
        f"{RESULTS}/benchmarks/figure_distortions.tsv"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=5,
    params:
        settings={"networks": TRAINED, "seeds": list(CFG.seeds)},
        code=digest("attack/figure_distortions.py"),
    message:
        "How the smallest distortions are spread over images"
    script:
        step("attack/figure_distortions.py")

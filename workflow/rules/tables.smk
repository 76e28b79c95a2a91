LBFGS_RECORDS = [f"{RESULTS}/adversarial/lbfgs/{m}/{s}.parquet" for m, s in TRAINED]


rule table_models:
    input:
        errors=[f"{RESULTS}/training/{m}/{s}.json" for m, s in TRAINED],
        records=LBFGS_RECORDS,
        published="data/published.tsv",
    output:
        csv=f"{RESULTS}/tables/models.csv",
        md=f"{RESULTS}/tables/models.md",
        tex=f"{RESULTS}/tables/models.tex",
        html=report(
            f"{RESULTS}/tables/models.html",
            caption="../report/table-models.rst",
            category="Tables",
            labels={"table": "Networks: errors and distortion", "paper": "Table 1"},
        ),
    log:
        f"{RESULTS}/logs/table_models.log",
    benchmark:
        f"{RESULTS}/benchmarks/table_models.tsv"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=5,
    params:
        settings={"networks": TRAINED},
        code=digest("attack/table_models.py"),
    message:
        "Table 1: errors and distortions of the networks"
    script:
        step("attack/table_models.py")


rule table_cross_model:
    input:
        answers=rules.transfer.output.answers,
        published="data/published.tsv",
    output:
        table_csv=f"{RESULTS}/tables/cross-model.csv",
        table_md=f"{RESULTS}/tables/cross-model.md",
        table_tex=f"{RESULTS}/tables/cross-model.tex",
        table_html=report(
            f"{RESULTS}/tables/cross-model.html",
            caption="../report/table-cross-model.rst",
            category="Tables",
            labels={"table": "Transfer between networks", "paper": "Table 2"},
        ),
        sample_csv=f"{RESULTS}/tables/cross-model-sample.csv",
        sample_md=f"{RESULTS}/tables/cross-model-sample.md",
        sample_tex=f"{RESULTS}/tables/cross-model-sample.tex",
        sample_html=report(
            f"{RESULTS}/tables/cross-model-sample.html",
            caption="../report/table-cross-model-sample.rst",
            category="Tables",
            labels={"table": "Transfer, on 256 images a seed", "paper": "Table 2"},
        ),
        controls_csv=f"{RESULTS}/tables/controls.csv",
        controls_md=f"{RESULTS}/tables/controls.md",
        controls_tex=f"{RESULTS}/tables/controls.tex",
        controls_html=report(
            f"{RESULTS}/tables/controls.html",
            caption="../report/table-controls.rst",
            category="Tables",
            labels={
                "table": "Controls: clean images, matched noise",
                "paper": "Table 2",
            },
        ),
    log:
        f"{RESULTS}/logs/table_cross_model.log",
    benchmark:
        f"{RESULTS}/benchmarks/table_cross_model.tsv"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=5,
    params:
        settings=settings.cross_model_settings(CFG, [*MODELS, *CONVOLUTIONAL]),
        code=digest("transfer/table_cross_model.py"),
    message:
        "Table 2: transfer between networks, on all images and on the paper's sample"
    script:
        step("transfer/table_cross_model.py")


rule table_choices:
    input:
        records=[f"{RESULTS}/adversarial/{a}/{m}/{s}.parquet" for a, m, s in ATTACKED],
        published="data/published.tsv",
    output:
        csv=f"{RESULTS}/tables/choices.csv",
        md=f"{RESULTS}/tables/choices.md",
        tex=f"{RESULTS}/tables/choices.tex",
        html=report(
            f"{RESULTS}/tables/choices.html",
            caption="../report/table-choices.rst",
            category="Tables",
            labels={
                "table": "What open choices do to the distortion",
                "paper": "Table 1",
            },
        ),
    log:
        f"{RESULTS}/logs/table_choices.log",
    benchmark:
        f"{RESULTS}/benchmarks/table_choices.tsv"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=5,
    params:
        settings=settings.choices_settings(CFG, ATTACKED),
        code=digest("attack/table_choices.py"),
    message:
        "What the paper's open choices do to the mean distortion"
    script:
        step("attack/table_choices.py")

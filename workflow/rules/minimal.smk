# Beyond the paper: the shortest perturbations, on the images and targets of its method.
MINIMAL_STARTS = 8
MINIMAL_RECORDS = [f"{RESULTS}/adversarial/minimal/{m}/{s}.parquet" for m, s in TRAINED]


rule attack_minimal:
    input:
        weights=f"{RESULTS}/models/{{model}}/{{seed}}.safetensors",
        images=f"{RESULTS}/adversarial/lbfgs/{{model}}/{{seed}}.safetensors",
    output:
        images=f"{RESULTS}/adversarial/minimal/{{model}}/{{seed}}.safetensors",
        records=f"{RESULTS}/adversarial/minimal/{{model}}/{{seed}}.parquet",
    log:
        f"{RESULTS}/logs/attack_minimal/{{model}}/{{seed}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/attack_minimal/{{model}}/{{seed}}.tsv"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=10,
    params:
        settings={
            "starts": MINIMAL_STARTS,
            "seed": 0,
            "threads": CFG.attack.threads,
        },
        code=digest("attack/attack_minimal.py"),
    message:
        "Shortest perturbations for {wildcards.model}, seed {wildcards.seed}"
    script:
        step("attack/attack_minimal.py")


use rule transfer as transfer_minimal with:
    input:
        weights=rules.transfer.input.weights,
        images=[
            f"{RESULTS}/adversarial/minimal/{m}/{s}.safetensors" for m, s in TRAINED
        ],
    output:
        answers=f"{RESULTS}/transfer/minimal.parquet",
    log:
        f"{RESULTS}/logs/transfer_minimal.log",
    benchmark:
        f"{RESULTS}/benchmarks/transfer_minimal.tsv"
    params:
        settings={**settings.transfer_settings(CFG, TRAINED), "deviations": []},
        code=digest("transfer/transfer.py"),
    message:
        "Feed every network's shortest adversarial images to every network"


rule table_minimal:
    input:
        minimal_records=MINIMAL_RECORDS,
        lbfgs_records=[
            f"{RESULTS}/adversarial/lbfgs/{m}/{s}.parquet" for m, s in TRAINED
        ],
        minimal_answers=rules.transfer_minimal.output.answers,
        lbfgs_answers=rules.transfer.output.answers,
        published="data/published.tsv",
    output:
        table_csv=f"{RESULTS}/tables/minimal.csv",
        table_md=f"{RESULTS}/tables/minimal.md",
        table_tex=f"{RESULTS}/tables/minimal.tex",
        table_html=report(
            f"{RESULTS}/tables/minimal.html",
            caption="../report/table-minimal.rst",
            category="Beyond the paper",
            labels={"result": "Shortest perturbations", "kind": "table"},
        ),
        transfer_csv=f"{RESULTS}/tables/minimal-transfer.csv",
        transfer_md=f"{RESULTS}/tables/minimal-transfer.md",
        transfer_tex=f"{RESULTS}/tables/minimal-transfer.tex",
        transfer_html=report(
            f"{RESULTS}/tables/minimal-transfer.html",
            caption="../report/table-minimal-transfer.rst",
            category="Beyond the paper",
            labels={"result": "Shortest perturbations: transfer", "kind": "table"},
        ),
        claims=f"{RESULTS}/claims/minimal.json",
        claims_html=report(
            f"{RESULTS}/claims/minimal.html",
            caption="../report/claims-minimal.rst",
            category="Beyond the paper",
            labels={"result": "Shortest perturbations: transfer", "kind": "claim"},
        ),
    log:
        f"{RESULTS}/logs/table_minimal.log",
    benchmark:
        f"{RESULTS}/benchmarks/table_minimal.tsv"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=5,
    params:
        settings={"networks": TRAINED, "transfer": list(MODELS)},
        code=digest("transfer/table_minimal.py"),
    message:
        "The shortest perturbations beside the paper's"
    script:
        step("transfer/table_minimal.py")


MINIMAL = [
    *(f"{RESULTS}/adversarial/minimal/{m}/{s}.safetensors" for m, s in TRAINED),
    *MINIMAL_RECORDS,
    *rules.transfer_minimal.output,
    *rules.table_minimal.output,
]

# Ways to regularise a 100-100-10 network, some of them with adversarial pools. Rules of
# their own: a change of the attack or of the pools trains none of the others again.
VARIANT_OF = variants.chosen(VARIANTS)
VARIANT_SEEDS = CFG.seeds[: CFG.adversarial_training.seeds]
COMPARED_VARIANTS = [variants.BASELINE, *VARIANT_OF]
VARIANT_TABLE = [(name, seed) for name in COMPARED_VARIANTS for seed in VARIANT_SEEDS]


rule train_variant:
    input:
        train=f"{MNIST}/train.safetensors",
        test=f"{MNIST}/test.safetensors",
    output:
        weights=f"{RESULTS}/models/{{variant}}/{{seed}}.safetensors",
        errors=f"{RESULTS}/training/{{variant}}/{{seed}}.json",
    log:
        f"{RESULTS}/logs/train_variant/{{variant}}/{{seed}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/train_variant/{{variant}}/{{seed}}.tsv"
    wildcard_constraints:
        variant="|".join(map(re.escape, VARIANT_OF)) or "none",
    priority: 10
    threads: 1
    resources:
        mem_mb=2000,
        runtime=15,
    params:
        settings=lambda wildcards: variants.variant_settings(
            CFG, VARIANT_OF[wildcards.variant]
        ),
        code=digest("adversarial_training/train_variant.py"),
    message:
        "Train {wildcards.variant}, seed {wildcards.seed}"
    script:
        step("adversarial_training/train_variant.py")


rule attack_variants:
    input:
        weights=[
            f"{RESULTS}/models/{m}/{{seed}}.safetensors" for m in COMPARED_VARIANTS
        ],
        test=f"{MNIST}/test.safetensors",
    output:
        images=[
            f"{RESULTS}/adversarial/lbfgs-test/{m}/{{seed}}.safetensors"
            for m in COMPARED_VARIANTS
        ],
        records=[
            f"{RESULTS}/adversarial/lbfgs-test/{m}/{{seed}}.parquet"
            for m in COMPARED_VARIANTS
        ],
        answers=f"{RESULTS}/transfer/variants/{{seed}}.parquet",
    log:
        f"{RESULTS}/logs/attack_variants/{{seed}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/attack_variants/{{seed}}.tsv"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=20,
    params:
        settings={
            "networks": COMPARED_VARIANTS,
            **variants.attack_variants_settings(CFG, ATTACKS[sheets.FINEST]),
        },
        code=digest("attack/attack_variants.py"),
    message:
        "Attack all ways to regularise, seed {wildcards.seed}"
    script:
        step("attack/attack_variants.py")


rule table_adversarial_training:
    input:
        errors=[f"{RESULTS}/training/{m}/{s}.json" for m, s in VARIANT_TABLE],
        answers=[f"{RESULTS}/transfer/variants/{s}.parquet" for s in VARIANT_SEEDS],
        published="data/published.tsv",
    output:
        csv=f"{RESULTS}/tables/adversarial-training.csv",
        md=f"{RESULTS}/tables/adversarial-training.md",
        tex=f"{RESULTS}/tables/adversarial-training.tex",
        html=report(
            f"{RESULTS}/tables/adversarial-training.html",
            caption="../report/table-adversarial-training.rst",
            category="Beyond the paper",
            labels={"result": "Adversarial training", "kind": "table"},
        ),
        claims=f"{RESULTS}/claims/adversarial-training.json",
        claims_html=report(
            f"{RESULTS}/claims/adversarial-training.html",
            caption="../report/claims-adversarial-training.rst",
            category="Beyond the paper",
            labels={"result": "Adversarial training", "kind": "claims"},
        ),
    log:
        f"{RESULTS}/logs/table_adversarial_training.log",
    benchmark:
        f"{RESULTS}/benchmarks/table_adversarial_training.tsv"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=5,
    params:
        settings={"networks": VARIANT_TABLE, "prefix": variants.PREFIX},
        code=digest("adversarial_training/table_adversarial_training.py"),
    message:
        "Error, distortion and transfer of every way to regularise, and the claims"
    script:
        step("adversarial_training/table_adversarial_training.py")


rule tune_variant:
    input:
        train=f"{MNIST}/train.safetensors",
    output:
        f"{RESULTS}/tuning/{{setting}}/{{seed}}.json",
    log:
        f"{RESULTS}/logs/tune_variant/{{setting}}/{{seed}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/tune_variant/{{setting}}/{{seed}}.tsv"
    wildcard_constraints:
        setting="|".join(map(re.escape, VARIANTS)) or "none",
    threads: 1
    resources:
        mem_mb=2000,
        runtime=15,
    params:
        settings=lambda wildcards: variants.tuning_settings(
            CFG, VARIANTS[wildcards.setting]
        ),
        code=digest("adversarial_training/tune_variant.py"),
    message:
        "Try {wildcards.setting} on images held out of training"
    script:
        step("adversarial_training/tune_variant.py")


rule table_tuning:
    input:
        errors=[f"{RESULTS}/tuning/{name}/{VARIANT_SEEDS[0]}.json" for name in VARIANTS],
        published="data/published.tsv",
    output:
        csv=f"{RESULTS}/tables/tuning.csv",
        md=f"{RESULTS}/tables/tuning.md",
        tex=f"{RESULTS}/tables/tuning.tex",
        html=report(
            f"{RESULTS}/tables/tuning.html",
            caption="../report/table-tuning.rst",
            category="Beyond the paper",
            labels={"result": "Adversarial training", "kind": "settings tried"},
        ),
    log:
        f"{RESULTS}/logs/table_tuning.log",
    benchmark:
        f"{RESULTS}/benchmarks/table_tuning.tsv"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=5,
    params:
        settings={"names": list(VARIANTS)},
        code=digest("adversarial_training/table_tuning.py"),
    message:
        "Errors of all settings tried, on held-out images"
    script:
        step("adversarial_training/table_tuning.py")


# Not part of `everything`: what it found is in the sheet.
rule tuning:
    input:
        rules.table_tuning.input.errors,
        rules.table_tuning.output,


ADVERSARIAL_TRAINING = (
    []
    if variants.BASELINE not in MODELS
    else [
        *(
            f"{RESULTS}/models/{m}/{s}.safetensors"
            for m in VARIANT_OF
            for s in VARIANT_SEEDS
        ),
        *(
            f"{RESULTS}/adversarial/lbfgs-test/{m}/{s}.{kind}"
            for m, s in VARIANT_TABLE
            for kind in ("safetensors", "parquet")
        ),
        *rules.table_adversarial_training.input,
        *rules.table_adversarial_training.output,
    ]
)

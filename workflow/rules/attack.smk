def finest_of(wildcards):
    """Records of the fine search, which the coarser ones start from."""
    if ATTACKS[wildcards.attack].search == "refine":
        return []
    model, seed = wildcards.model, wildcards.seed
    return f"{RESULTS}/adversarial/{sheets.FINEST}/{model}/{seed}.parquet"


def attack_settings(wildcards):
    row, model = ATTACKS[wildcards.attack], wildcards.model
    if model in CONVOLUTIONAL:
        return convolutions.attack_settings(CFG, row, CONVOLUTIONAL[model])
    return settings.attack_settings(CFG, row)


rule attack:
    input:
        weights=f"{RESULTS}/models/{{model}}/{{seed}}.safetensors",
        train=f"{MNIST}/train.safetensors",
        finest=finest_of,
    output:
        images=f"{RESULTS}/adversarial/{{attack}}/{{model}}/{{seed}}.safetensors",
        records=f"{RESULTS}/adversarial/{{attack}}/{{model}}/{{seed}}.parquet",
    log:
        f"{RESULTS}/logs/attack/{{attack}}/{{model}}/{{seed}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/attack/{{attack}}/{{model}}/{{seed}}.tsv"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=20,
    params:
        settings=attack_settings,
        code=digest("attack/attack.py"),
    message:
        "Attack {wildcards.model}, seed {wildcards.seed}: {wildcards.attack}"
    script:
        step("attack/attack.py")

def attacked_natural(model, kind):
    stem = f"{RESULTS}/adversarial/lbfgs-{kind}/{model}"
    return [f"{stem}/{seed}.safetensors" for seed in CFG.seeds]


def attacked_images(wildcards):
    return natural_images(wildcards.model)


def natural_settings(wildcards):
    """What the attack on natural images takes; the seeds share the images."""
    wanted = {"images", "starts", "tolerance", "iterations"}
    return {
        **CFG.natural.model_dump(mode="json", include=wanted),
        "target": TARGETS[wildcards.kind].get(data_of(wildcards.model)),
        "part": CFG.seeds.index(int(wildcards.seed)),
        "parts": len(CFG.seeds),
        "seed": CFG.seeds[0],
        "threads": CFG.attack.threads,
    }


def alike_sources(wildcards):
    return [
        (kind, model, part)
        for model in ALIKE[wildcards.data]
        for kind in TARGETS
        for part in range(len(CFG.seeds))
    ]


def alike_weights(wildcards):
    return [f"{RESULTS}/models/{m}/0.safetensors" for m in ALIKE[wildcards.data]]


def alike_images(wildcards):
    sources = alike_sources(wildcards)
    return [attacked_natural(m, kind)[part] for kind, m, part in sources]


def transfer_natural_settings(wildcards):
    return {
        "networks": ALIKE[wildcards.data],
        "sources": alike_sources(wildcards),
        "amplify": list(CFG.natural.amplify),
        "threads": CFG.attack.threads,
    }


rule attack_natural:
    input:
        weights=f"{RESULTS}/models/{{model}}/0.safetensors",
        images=attacked_images,
    output:
        images=f"{RESULTS}/adversarial/lbfgs-{{kind}}/{{model}}/{{seed}}.safetensors",
        records=f"{RESULTS}/adversarial/lbfgs-{{kind}}/{{model}}/{{seed}}.parquet",
    log:
        f"{RESULTS}/logs/attack_natural/{{kind}}/{{model}}/{{seed}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/attack_natural/{{kind}}/{{model}}/{{seed}}.tsv"
    wildcard_constraints:
        kind="|".join(TARGETS),
    threads: 1
    resources:
        mem_mb=4000,
        runtime=60,
    params:
        settings=natural_settings,
        code=digest("natural/attack_natural.py"),
    message:
        "Attack {wildcards.model}, part {wildcards.seed}: {wildcards.kind} target"
    script:
        step("natural/attack_natural.py")


rule transfer_natural:
    input:
        weights=alike_weights,
        images=alike_images,
    output:
        f"{RESULTS}/transfer/{{data}}.parquet",
    log:
        f"{RESULTS}/logs/transfer_natural/{{data}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/transfer_natural/{{data}}.tsv"
    wildcard_constraints:
        data="|".join(map(re.escape, ALIKE)),
    threads: 1
    resources:
        mem_mb=3000,
        runtime=30,
    params:
        settings=transfer_natural_settings,
        code=digest("natural/transfer_natural.py"),
    message:
        "Round, lengthen and feed on what was made of {wildcards.data}"
    script:
        step("natural/transfer_natural.py")

def natural_images(kind, model):
    """Adversarial images of a network; the seeds share the images attacked."""
    return images_of(f"lbfgs-{kind}", [(model, seed) for seed in CFG.seeds])


def natural_settings(wildcards):
    """Which of the images, towards which class, and the search."""
    search = {"images", "starts", "tolerance", "iterations"}
    fixed = wildcards.kind == "fixed"
    return {
        **CFG.natural.model_dump(mode="json", include=search),
        "target": FIXED_TARGETS.get(data_of(wildcards.model)) if fixed else None,
        "share": CFG.seeds.index(int(wildcards.seed)),
        "shares": len(CFG.seeds),
        "seed": CFG.seeds[0],
        "threads": CFG.attack.threads,
    }


def alike_weights(wildcards):
    return weights_of((model, 0) for model in ALIKE[wildcards.data])


def alike_images(wildcards):
    models = ALIKE[wildcards.data]
    return [path for m in models for kind in KINDS for path in natural_images(kind, m)]


def transfer_natural_settings(wildcards):
    networks = ALIKE[wildcards.data]
    shares = range(len(CFG.seeds))
    return {
        "networks": networks,
        "sources": [(kind, m, s) for m in networks for kind in KINDS for s in shares],
        "amplify": list(CFG.natural.amplify),
        "threads": CFG.attack.threads,
    }


rule attack_natural:
    input:
        weights=f"{RESULTS}/models/{{model}}/0.safetensors",
        images=lambda wildcards: held_out_images(wildcards.model),
    output:
        images=f"{RESULTS}/adversarial/lbfgs-{{kind}}/{{model}}/{{seed}}.safetensors",
        records=f"{RESULTS}/adversarial/lbfgs-{{kind}}/{{model}}/{{seed}}.parquet",
    wildcard_constraints:
        kind=any_of(KINDS),
    resources:
        mem_mb=4000,
        runtime=60,
    params:
        settings=natural_settings,
    message:
        "Attack {wildcards.model}, share {wildcards.seed}: {wildcards.kind} target"
    script:
        step("natural/attack_natural.py")


rule transfer_natural:
    input:
        weights=alike_weights,
        images=alike_images,
    output:
        predictions=f"{RESULTS}/transfer/{{data}}.parquet",
    wildcard_constraints:
        data=any_of(ALIKE),
    resources:
        mem_mb=3000,
        runtime=30,
    params:
        settings=transfer_natural_settings,
    message:
        "Round and lengthen adversarial images of {wildcards.data}, and feed them on"
    script:
        step("natural/transfer_natural.py")

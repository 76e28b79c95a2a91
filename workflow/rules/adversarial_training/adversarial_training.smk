from intriguing.workflow import variants

# Variants of training a 100-100-10 network, some of them with adversarial pools. Rules
# of their own: a change of the attack or of the pools trains no other network again.
SETTINGS = checked(variants.read_variants, CFG.variants)
VARIANTS = variants.chosen(SETTINGS)
VARIANT_SEEDS = CFG.seeds[: CFG.adversarial_training.seeds]
COMPARED_VARIANTS = [variants.BASELINE, *VARIANTS]
VARIANT_NETWORKS = [
    (name, seed) for name in COMPARED_VARIANTS for seed in VARIANT_SEEDS
]


def fit_settings(name, row):
    """The variant, the recipe of Adam and the hidden units."""
    how = {"decay", "dropout", "lengths", "weight", "renewed"}
    return {
        "name": name,
        "variant": row.model_dump(mode="json", include=how),
        "recipe": row.model_dump(include={"learning_rate", "epochs", "batch"}),
        "hidden": list(variants.HIDDEN),
        "threads": CFG.train.threads,
    }


def variant_settings(wildcards):
    return fit_settings(wildcards.variant, VARIANTS[wildcards.variant])


def tuning_settings(wildcards):
    settings = fit_settings(wildcards.setting, SETTINGS[wildcards.setting])
    return {**settings, "held_out": CFG.adversarial_training.held_out}


rule train_variant:
    input:
        train=f"{MNIST}/train.safetensors",
        test=f"{MNIST}/test.safetensors",
    output:
        weights=f"{RESULTS}/models/{{variant}}/{{seed}}.safetensors",
        errors=f"{RESULTS}/training/{{variant}}/{{seed}}.json",
    wildcard_constraints:
        variant=any_of(VARIANTS),
    priority: 10
    params:
        settings=variant_settings,
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
        predictions=f"{RESULTS}/transfer/variants/{{seed}}.parquet",
    resources:
        runtime=20,
    params:
        settings={
            "networks": COMPARED_VARIANTS,
            "row": ATTACKS[sheets.FINEST].model_dump(
                include={"method", "norm", "target"}
            ),
            "images": CFG.training_sets.images,
            "amplified": CFG.training_sets.amplified,
            **CFG.attack.model_dump(mode="json", include=SEARCH),
        },
    message:
        "Attack all variants, seed {wildcards.seed}"
    script:
        step("adversarial_training/attack_variants.py")


rule table_adversarial_training:
    input:
        errors=errors_of(VARIANT_NETWORKS),
        predictions=[f"{RESULTS}/transfer/variants/{s}.parquet" for s in VARIANT_SEEDS],
        published=PUBLISHED,
    output:
        **table("adversarial-training", "Adversarial training"),
        **claims_page("adversarial-training", "Adversarial training"),
    params:
        settings={"networks": VARIANT_NETWORKS, "prefix": variants.PREFIX},
    message:
        "Error, distortion and transfer of every variant, and the claims"
    script:
        step("adversarial_training/table_adversarial_training.py")


rule tune_variant:
    input:
        train=f"{MNIST}/train.safetensors",
    output:
        errors=f"{RESULTS}/tuning/{{setting}}/{{seed}}.json",
    wildcard_constraints:
        setting=any_of(SETTINGS),
    params:
        settings=tuning_settings,
    message:
        "Try {wildcards.setting} on images held out of training"
    script:
        step("adversarial_training/train_variant.py")


rule table_tuning:
    input:
        errors=[f"{RESULTS}/tuning/{name}/{VARIANT_SEEDS[0]}.json" for name in SETTINGS],
    output:
        **table("tuning", "Adversarial training: settings tried"),
    params:
        settings={"names": list(SETTINGS)},
    message:
        "Errors of all settings tried, on held-out images"
    script:
        step("adversarial_training/table_tuning.py")


# Not part of `everything`: what it found is in the sheet.
rule tuning:
    input:
        rules.table_tuning.input.errors,
        rules.table_tuning.output,


if variants.BASELINE in MODELS:
    EVERYTHING += weights_of(VARIANT_NETWORKS) + errors_of(VARIANT_NETWORKS)
    EVERYTHING += images_of("lbfgs-test", VARIANT_NETWORKS)
    EVERYTHING += records_of("lbfgs-test", VARIANT_NETWORKS)
    EVERYTHING += [*rules.table_adversarial_training.input.predictions]
    EVERYTHING += [*rules.table_adversarial_training.output]

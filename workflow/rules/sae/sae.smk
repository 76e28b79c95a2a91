# Sparse codes of hidden layers, and adversarial perturbations through them: sigmoid
# and ReLU units, and where they are stored, networks trained on adversarial images.
TRAINED_ON_ADVERSARIAL = "FC100-100-10-input-pool"
CODED = ["FC100-100-10"] if "FC100-100-10" in MODELS else []
CODED = [*CODED, RECTIFIED]
if TRAINED_ON_ADVERSARIAL in globals().get("VARIANTS", ()):
    CODED.append(TRAINED_ON_ADVERSARIAL)
CODE_SETTINGS = CFG.sae.model_dump(include={"width", "k", "epochs"})


def seeds_of_coded(model):
    """Seeds of a network; two at least, as perturbations of another are a control."""
    adversarial = model == TRAINED_ON_ADVERSARIAL
    seeds = list(VARIANT_SEEDS if adversarial else CFG.seeds)
    return seeds if len(seeds) > 1 else []


# Each network is paired with the one of the next seed.
NEXT_SEED = {
    model: dict(zip(seeds, [*seeds[1:], *seeds[:1]]))
    for model in CODED
    if (seeds := seeds_of_coded(model))
}
SWEPT_SEEDS = list(CFG.seeds[:3])
CODED_NETWORKS = [(model, seed) for model, pairs in NEXT_SEED.items() for seed in pairs]


def measured_codes(kind):
    return [f"{RESULTS}/sae/{kind}/{m}/{s}.parquet" for m, s in CODED_NETWORKS]


def coded_weights(wildcards):
    name, seed = wildcards.network, int(wildcards.seed)
    return weights_of([(name, seed), (name, NEXT_SEED[name][seed])])


def code_settings(wildcards):
    pairs = NEXT_SEED[wildcards.network].items()
    return {
        "images": CFG.sae.images,
        "code": CODE_SETTINGS,
        "other": {str(seed): other for seed, other in pairs},
        "threads": CFG.train.threads,
    }


rule measure_codes:
    input:
        weights=coded_weights,
        train=f"{MNIST}/train.safetensors",
        test=f"{MNIST}/test.safetensors",
    output:
        qualities=f"{RESULTS}/sae/qualities/{{network}}/{{seed}}.parquet",
        changes=f"{RESULTS}/sae/changes/{{network}}/{{seed}}.parquet",
    wildcard_constraints:
        network=any_of(NEXT_SEED),
    params:
        settings=code_settings,
    message:
        "Sparse codes of {wildcards.network}, seed {wildcards.seed}"
    script:
        step("sae/measure_codes.py")


rule table_sae:
    input:
        qualities=measured_codes("qualities"),
        changes=measured_codes("changes"),
    output:
        **table("sae", "Sparse codes of hidden layers"),
        **table("sae-perturbations", "Perturbations through sparse codes"),
    message:
        "Sparse codes, and what perturbations do to them"
    script:
        step("sae/table_sae.py")


rule sweep_codes:
    input:
        weights=weights_of([(CODED[0], seed) for seed in SWEPT_SEEDS]),
        train=f"{MNIST}/train.safetensors",
        test=f"{MNIST}/test.safetensors",
    output:
        **table("sae-settings", "Sparse codes by sparsity and dictionary"),
    params:
        settings={
            "code": CODE_SETTINGS,
            "sparsities": [5, 10, 20, 40, 80],
            "widths": [1, 2, 4, 8],
            "seeds": SWEPT_SEEDS,
            "threads": CFG.train.threads,
        },
    message:
        "Sparse codes of {CODED[0]} by sparsity and dictionary"
    script:
        step("sae/sweep_codes.py")


rule figure_sae:
    input:
        weights=weights_of([(CODED[0], CFG.seeds[0])]),
        train=f"{MNIST}/train.safetensors",
        test=f"{MNIST}/test.safetensors",
    output:
        **figure("sae", "A perturbation through a sparse code"),
    params:
        settings={
            "code": CODE_SETTINGS,
            "candidates": 16,
            "seed": CFG.seeds[0],
            "threads": CFG.train.threads,
        },
    message:
        "One perturbation through a sparse code"
    script:
        step("sae/figure_sae.py")


if NEXT_SEED and not PRETRAINED:
    EVERYTHING += [*measured_codes("qualities"), *measured_codes("changes")]
    EVERYTHING += [*rules.table_sae.output, *rules.figure_sae.output]
    EVERYTHING += [*rules.sweep_codes.output]


include: "superposition.smk"

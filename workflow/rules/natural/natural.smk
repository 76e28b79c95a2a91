# Natural images, where the config names pretrained networks. Figure 5 has two kinds of
# targets: one class for all images, or one drawn for each. The fixed class is ostrich
# of ImageNet's classes, bird of CIFAR-10's.
FIXED_TARGETS = {"photographs": 9, "cifar10": 2}
KINDS = ("fixed", "random")
NATURAL_NETWORKS = [*PRETRAINED, *(m for m in CONVOLUTIONAL if data_of(m) != "mnist")]
# Networks that know the same classes, by the data set of their images.
ALIKE = {"photographs": list(PRETRAINED)}
ALIKE |= {data: [m for m in CONVOLUTIONAL if data_of(m) == data] for data in OTHER_DATA}


rule photographs:
    output:
        f"{RESULTS}/data/photographs/all.safetensors",
    params:
        settings={"size": convolutions.shape_of("photographs")[1]},
    message:
        "Read the ImageNet photographs"
    script:
        step("natural/photographs.py")


def pretrained_settings(wildcards):
    return {"name": PRETRAINED[wildcards.model], "threads": CFG.train.threads}


rule pretrained:
    input:
        images=f"{RESULTS}/data/photographs/all.safetensors",
    output:
        weights=f"{RESULTS}/models/{{model}}/0.safetensors",
        errors=f"{RESULTS}/training/{{model}}/0.json",
    wildcard_constraints:
        model=any_of(PRETRAINED),
    resources:
        mem_mb=3000,
        runtime=30,
    params:
        settings=pretrained_settings,
    message:
        "Fetch {wildcards.model}, and count the photographs that it misclassifies"
    script:
        step("natural/pretrained.py")


include: "attack.smk"


rule table_natural:
    input:
        counts=errors_of((model, 0) for model in NATURAL_NETWORKS),
        predictions=[f"{RESULTS}/transfer/{data}.parquet" for data in ALIKE],
        known="data/natural.tsv",
    output:
        **table("natural", "Natural images", "Figure 5"),
        **table("natural-transfer", "Transfer of photographs", "Figure 5"),
    params:
        settings={"networks": NATURAL_NETWORKS},
    message:
        "Figure 5 in numbers"
    script:
        step("natural/table_natural.py")


def example_images(wildcards):
    """The first file of each attack on each network."""
    models = ALIKE[wildcards.data]
    return [natural_images(kind, m)[0] for kind in KINDS for m in models]


def triples_settings(wildcards):
    networks = ALIKE[wildcards.data]
    return {
        "networks": networks,
        "attacks": KINDS,
        "data": wildcards.data,
        "rows": 4,
        "width": 3.6 * len(networks),
        "threads": CFG.attack.threads,
    }


rule figure_triples:
    input:
        weights=alike_weights,
        images=example_images,
    output:
        **figure("triples-{data}", "Adversarial images: {data}", "Figure 5", "triples"),
    wildcard_constraints:
        data=any_of(ALIKE),
    resources:
        mem_mb=3000,
    params:
        settings=triples_settings,
    message:
        "Figure 5: {wildcards.data}, difference and adversarial image"
    script:
        step("natural/figure_triples.py")


if PRETRAINED:
    NATURAL += rules.table_natural.output
    NATURAL += [
        f"{RESULTS}/figures/triples-{data}.{form}"
        for data in ALIKE
        for form in FIGURE_FORMS
    ]


rule natural:
    input:
        NATURAL,

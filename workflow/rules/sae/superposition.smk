# Whether adversarial training changes superposition, by the width of the layers.
SUPERPOSITION = [
    f"{RESULTS}/sae/superposition/{width}.parquet" for width in CFG.sae.widths
]


rule superposition:
    input:
        train=f"{MNIST}/train.safetensors",
        test=f"{MNIST}/test.safetensors",
    output:
        f"{RESULTS}/sae/superposition/{{width}}.parquet",
    wildcard_constraints:
        width=r"\d+",
    params:
        settings={
            "radii": CFG.sae.radii,
            "subset": CFG.train.subset,
            "seeds": CFG.seeds,
            "epochs": CFG.sae.epochs,
            "threads": CFG.train.threads,
        },
    message:
        "Superposition in layers of {wildcards.width} units, by adversarial training"
    script:
        step("sae/superposition.py")


rule table_superposition:
    input:
        records=SUPERPOSITION,
    output:
        **table("superposition", "Adversarial training and superposition"),
        **figure("superposition", "Adversarial training and superposition"),
    message:
        "What adversarial training does to superposition"
    script:
        step("sae/table_superposition.py")


if not PRETRAINED:
    EVERYTHING += rules.table_superposition.output

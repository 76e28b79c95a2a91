from intriguing.tables import row_names


rule transfer:
    input:
        weights=weights_of(TRAINED),
        images=images_of(sheets.FINEST, DRAWN),
    output:
        predictions=f"{RESULTS}/transfer/lbfgs.parquet",
    priority: 5
    resources:
        mem_mb=3000,
    params:
        settings={
            "networks": TRAINED,
            "attacked": DRAWN,
            "deviations": list(CFG.noise.deviations),
            "threads": CFG.attack.threads,
        },
    message:
        "Feed every network's adversarial images, and noise, to every network"
    script:
        step("transfer/transfer.py")


def cross_model_settings():
    """Tables by output: title, rows, images of a seed; what the claims are about."""
    noise = [f"noise-{deviation:g}" for deviation in CFG.noise.deviations]
    networks = [*MODELS, *CONVOLUTIONAL]
    matched = [f"{row_names.MATCHED}{model}" for model in networks]
    controls = [row_names.CLEAN, *matched, *(f"{name}-clipped" for name in noise)]
    linear = [row for row in MODELS.values() if row.family == "linear"]
    coded = [name for name, row in MODELS.items() if row.family == "autoencoder"]
    rows, sample = [*networks, *noise], CFG.attack.sample
    return {
        "paper": "cross-model",
        "tables": {
            "cross_model": ("Table 2: transfer", rows, None),
            "cross_model_sample": ("Table 2 on the paper's sample", rows, sample),
            "controls": ("Controls of Table 2", controls, None),
        },
        "claims": {
            "networks": list(MODELS),
            "by_decay": [row.model for row in sorted(linear, key=lambda r: r.decay)],
            "autoencoder": coded[0] if coded else None,
        },
    }


rule table_cross_model:
    input:
        predictions=rules.transfer.output.predictions,
        published=PUBLISHED,
    output:
        **table("cross-model", "Transfer between networks", "Table 2"),
        **table("cross-model-sample", "Transfer, on 256 images a seed", "Table 2"),
        **table("controls", "Controls: clean images, matched noise", "Table 2"),
        claims=f"{RESULTS}/claims/transfer.json",
    params:
        settings=cross_model_settings(),
    message:
        "Table 2: transfer between networks, on all images and on the paper's sample"
    script:
        step("transfer/table_transfer.py")


rule figure_cross_model:
    input:
        table=rules.table_cross_model.output.cross_model,
    output:
        **figure("cross-model", "Transfer between networks", "Table 2"),
    params:
        settings={"title": "Adversarial images across networks (the paper's Table 2)"},
    message:
        "Table 2 as a map of error rates"
    script:
        step("transfer/figure_error_rates.py")


PAPER += [*rules.transfer.output, *rules.table_cross_model.output]
PAPER += rules.figure_cross_model.output
CLAIM_FILES.append(rules.table_cross_model.output.claims)
METRIC_TABLES.append(rules.table_cross_model.output.cross_model)
PRINTED_TABLES.append(rules.table_cross_model.output.cross_model)


include: "coarse.smk"
include: "training_sets.smk"
include: "minimal.smk"
include: "decomposition.smk"
include: "equal_length.smk"
include: "explorer.smk"

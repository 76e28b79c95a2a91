# Tables 3 and 4: networks trained on splits of the training images, attacked on test
# images. The config may name none.
COMPARED = checked(splits.compared, PERCEPTRONS, CFG)
COMPARED_NETWORKS = sheets.trained(COMPARED, CFG.seeds)


def cross_training_set_settings():
    """Tables by output: title, rows, images of a seed; each network's split.

    The order is the paper's: each kind of image, then noise as long.
    """
    noise = [f"noise-{deviation:g}" for deviation in CFG.training_sets.deviations]
    amplified = [f"{row_names.AMPLIFIED}{model}" for model in COMPARED]
    kinds = (row_names.MATCHED, row_names.AMPLIFIED_CLIPPED, row_names.TOGETHER)
    kinds += (row_names.LITERAL, row_names.TIMES)
    changed = [f"{kind}{model}" for kind in kinds for model in COMPARED]
    rows = [*COMPARED, *noise[:1], *amplified, *noise[1:]]
    controls = [row_names.CLEAN, *changed, *(f"{name}-clipped" for name in noise)]
    return {
        "paper": "cross-training-set",
        "tables": {
            "cross_training_set": (
                "Table 4: transfer across training sets",
                rows,
                None,
            ),
            "amplification": ("Controls of Table 4", controls, None),
        },
        "claims": {"splits": {name: row.split for name, row in COMPARED.items()}},
    }


rule errors_on_splits:
    input:
        weights=weights_of(COMPARED_NETWORKS),
        train=f"{MNIST}/train.safetensors",
        test=f"{MNIST}/test.safetensors",
        P1=f"{MNIST}/P1.txt",
        P2=f"{MNIST}/P2.txt",
    output:
        f"{RESULTS}/training/on-splits.json",
    params:
        settings={"networks": COMPARED_NETWORKS, "threads": CFG.attack.threads},
    message:
        "Count errors on P1, P2 and the test images"
    script:
        step("transfer/errors_on_splits.py")


rule transfer_training_sets:
    input:
        weights=weights_of(COMPARED_NETWORKS),
        images=images_of(sheets.FINEST, COMPARED_NETWORKS),
        test=f"{MNIST}/test.safetensors",
    output:
        predictions=f"{RESULTS}/transfer/training-sets.parquet",
    priority: 5
    params:
        settings={
            "networks": COMPARED_NETWORKS,
            "amplified": CFG.training_sets.amplified,
            "deviations": list(CFG.training_sets.deviations),
            "threads": CFG.attack.threads,
        },
    message:
        "Feed distorted test images to networks trained on different splits"
    script:
        step("transfer/transfer_training_sets.py")


rule table_training_sets:
    input:
        errors=rules.errors_on_splits.output[0],
        records=records_of(sheets.FINEST, COMPARED_NETWORKS),
        published=PUBLISHED,
    output:
        **table("training-sets", "Networks trained on splits", "Table 3"),
    params:
        settings={"networks": COMPARED_NETWORKS},
    message:
        "Table 3: errors and distortions of networks trained on splits"
    script:
        step("transfer/table_training_sets.py")


use rule table_cross_model as table_cross_training_set with:
    input:
        predictions=rules.transfer_training_sets.output.predictions,
        published=PUBLISHED,
    output:
        **table("cross-training-set", "Transfer across training sets", "Table 4"),
        **table("amplification", "Amplification read otherwise, controls", "Table 4"),
        claims=f"{RESULTS}/claims/training-sets.json",
    params:
        settings=cross_training_set_settings(),
    message:
        "Table 4: transfer across training sets, and its claims"


use rule figure_cross_model as figure_cross_training_set with:
    input:
        table=rules.table_cross_training_set.output.cross_training_set,
    output:
        **figure("cross-training-set", "Transfer across training sets", "Table 4"),
    params:
        settings={
            "title": "Adversarial images across training sets (the paper's Table 4)"
        },
    message:
        "Table 4 as a map of error rates"


if COMPARED:
    PAPER += weights_of(COMPARED_NETWORKS) + errors_of(COMPARED_NETWORKS)
    PAPER += images_of(sheets.FINEST, COMPARED_NETWORKS)
    PAPER += records_of(sheets.FINEST, COMPARED_NETWORKS)
    PAPER += [*rules.errors_on_splits.output, *rules.transfer_training_sets.output]
    PAPER += [*rules.table_training_sets.output]
    PAPER += [*rules.table_cross_training_set.output]
    PAPER += [*rules.figure_cross_training_set.output]
    CLAIM_FILES.append(rules.table_cross_training_set.output.claims)
    METRIC_TABLES.append(rules.table_training_sets.output.training_sets)
    METRIC_TABLES.append(rules.table_cross_training_set.output.cross_training_set)
    METRIC_TABLES.append(rules.table_cross_training_set.output.amplification)
    PRINTED_TABLES.append(rules.table_training_sets.output.training_sets)
    PRINTED_TABLES.append(rules.table_cross_training_set.output.cross_training_set)
    PRINTED_ATTACKS += [("training-sets", *network) for network in COMPARED_NETWORKS]

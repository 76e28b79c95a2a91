# The networks of Table 2 with all perturbations scaled to the lengths of Table 4's noise.
TABLE_2_NETWORKS = sheets.trained(MODELS, CFG.seeds)


use rule transfer_pairs as transfer_equal_length with:
    input:
        weights=weights_of(TABLE_2_NETWORKS),
        images=images_of(sheets.FINEST, TABLE_2_NETWORKS),
    output:
        pairs=f"{RESULTS}/transfer/equal-length.parquet",
    params:
        settings={
            "networks": TABLE_2_NETWORKS,
            "factors": [1.0],
            "distortions": list(CFG.training_sets.deviations),
            "threads": CFG.attack.threads,
        },
    message:
        "Feed perturbations of one length to every other network of Table 2"


rule table_equal_length:
    input:
        pairs=rules.transfer_equal_length.output.pairs,
    output:
        **table("equal-length", "Transfer at equal lengths"),
        **claims_page("equal-length", "Transfer at equal lengths"),
    params:
        settings={"by_decay": cross_model_settings()["claims"]["by_decay"]},
    message:
        "Transfer between the networks of Table 2 at equal lengths"
    script:
        step("transfer/table_equal_length.py")


EVERYTHING += [*rules.transfer_equal_length.output, *rules.table_equal_length.output]

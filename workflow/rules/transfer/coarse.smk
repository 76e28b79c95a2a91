# Table 2 under another reading of the paper: steps of 10^0.2 in the weight of the distance,
# on images of the paper's number.
COARSE = "lbfgs-grid"
COARSE_NETWORKS = [(job.model, job.seed) for job in READ if job.attack == COARSE]


use rule transfer as transfer_coarse with:
    input:
        weights=weights_of(COARSE_NETWORKS),
        images=images_of(COARSE, COARSE_NETWORKS),
    output:
        predictions=f"{RESULTS}/transfer/{COARSE}.parquet",
    params:
        settings={
            "networks": COARSE_NETWORKS,
            "attacked": COARSE_NETWORKS,
            "deviations": [],
            "threads": CFG.attack.threads,
        },
    message:
        "Feed the images of the coarse search to every network"


use rule table_cross_model as table_cross_model_coarse with:
    input:
        predictions=rules.transfer_coarse.output.predictions,
        published=PUBLISHED,
    output:
        **table("cross-model-coarse", "Transfer, by the coarse search", "Table 2"),
    params:
        settings={
            "paper": "cross-model",
            "tables": {
                "cross_model_coarse": (
                    "Table 2 by the coarse search",
                    [model for model, _ in COARSE_NETWORKS],
                    None,
                ),
            },
        },
    message:
        "Table 2 under the coarse search"


if COARSE_NETWORKS:
    PAPER += [*rules.transfer_coarse.output, *rules.table_cross_model_coarse.output]

# Norms of gradients from the images' moments alone, on the presumption that units or
# layers are independent.
PRESUMED = {
    name: [seed for model, seed in [*TRAINED, *RECTIFIED_NETWORKS] if model == name]
    for name in BOUNDED
    if name == RECTIFIED or MODELS[name].family != "linear"
}


rule presume_norms:
    input:
        weights=lambda w: weights_of([(w.network, s) for s in PRESUMED[w.network]]),
        train=f"{MNIST}/train.safetensors",
        test=f"{MNIST}/test.safetensors",
    output:
        f"{BOUNDS}/heuristics/{{network}}.parquet",
    wildcard_constraints:
        network=any_of(PRESUMED),
    resources:
        mem_mb=4000,
    params:
        settings=lambda w: {
            "seeds": PRESUMED[w.network],
            "subset": CFG.train.subset,
            "draws": CFG.bounds.draws,
            "threads": CFG.attack.threads,
        },
    message:
        "Gradients of {wildcards.network} presumed from moments"
    script:
        step("bounds/presume_norms.py")


rule table_heuristics:
    input:
        records=[f"{BOUNDS}/heuristics/{network}.parquet" for network in PRESUMED],
    output:
        **table("heuristics", "Norms of gradients presumed from moments"),
    message:
        "What the presumption of independence gets right"
    script:
        step("bounds/table_heuristics.py")


EVERYTHING += rules.table_heuristics.output

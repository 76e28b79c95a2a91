SMOOTHNESS = f"{RESULTS}/smoothness"
SMOOTHNESS_PARTS = [f"{SMOOTHNESS}/{i}.parquet" for i in range(CFG.smoothness.parts)]
SMOOTHNESS_DESIGN = {
    key: [
        round(share * CFG.data.train_images) for share in getattr(CFG.smoothness, key)
    ]
    for key in ("images", "extremes")
}
SMOOTHNESS_SETTINGS = CFG.smoothness.model_dump() | SMOOTHNESS_DESIGN


rule smoothness_networks:
    input:
        train=f"{MNIST}/train.safetensors",
        test=f"{MNIST}/test.safetensors",
    output:
        f"{SMOOTHNESS}/{{part}}.parquet",
    log:
        f"{RESULTS}/logs/smoothness_networks/{{part}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/smoothness_networks/{{part}}.tsv"
    wildcard_constraints:
        part=r"\d+",
    resources:
        mem_mb=3000,
    params:
        settings=SMOOTHNESS_SETTINGS | {"threads": CFG.train.threads},
        code=digest("smoothness/measure_networks.py"),
    message:
        "Train and attack the networks of part {wildcards.part} of the sweep"
    script:
        step("smoothness/measure_networks.py")


rule planted_clusters:
    output:
        f"{SMOOTHNESS}/planted.parquet",
    log:
        f"{RESULTS}/logs/planted_clusters.log",
    benchmark:
        f"{RESULTS}/benchmarks/planted_clusters.tsv"
    params:
        settings={"seeds": CFG.smoothness.seeds, "threads": CFG.train.threads},
        code=digest("smoothness/planted_clusters.py"),
    message:
        "Networks trained on orthogonal clusters"
    script:
        step("smoothness/planted_clusters.py")


rule table_smoothness:
    input:
        measured=SMOOTHNESS_PARTS,
        planted=rules.planted_clusters.output[0],
        train=f"{MNIST}/train.safetensors",
        test=f"{MNIST}/test.safetensors",
        published=PUBLISHED,
    output:
        **table("smoothness", "Local smoothness: data, architecture and training"),
    log:
        f"{RESULTS}/logs/table_smoothness.log",
    benchmark:
        f"{RESULTS}/benchmarks/table_smoothness.tsv"
    params:
        settings=SMOOTHNESS_DESIGN
        | {"attacked": CFG.smoothness.attacked, "threads": CFG.train.threads},
        code=digest("smoothness/table_smoothness.py"),
    message:
        "What each factor does to the distances"
    script:
        step("smoothness/table_smoothness.py")


rule figure_smoothness_shares:
    input:
        table=rules.table_smoothness.output.smoothness,
    output:
        **figure("smoothness-shares", "Local smoothness: share of each factor"),
    log:
        f"{RESULTS}/logs/figure_smoothness_shares.log",
    benchmark:
        f"{RESULTS}/benchmarks/figure_smoothness_shares.tsv"
    params:
        code=digest("smoothness/figure_smoothness_shares.py"),
    message:
        "Share of each factor in the differences between networks"
    script:
        step("smoothness/figure_smoothness_shares.py")


rule figure_smoothness_curves:
    input:
        measured=SMOOTHNESS_PARTS,
    output:
        **figure("smoothness-curves", "Local smoothness: one factor at a time"),
    log:
        f"{RESULTS}/logs/figure_smoothness_curves.log",
    benchmark:
        f"{RESULTS}/benchmarks/figure_smoothness_curves.tsv"
    params:
        settings=SMOOTHNESS_DESIGN,
        code=digest("smoothness/figure_smoothness_curves.py"),
    message:
        "Distance along the curve of each factor"
    script:
        step("smoothness/figure_smoothness_curves.py")


EVERYTHING += [*SMOOTHNESS_PARTS, *rules.planted_clusters.output]
EVERYTHING += [*rules.table_smoothness.output, *rules.figure_smoothness_shares.output]
EVERYTHING += rules.figure_smoothness_curves.output

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
    wildcard_constraints:
        part=r"\d+",
    resources:
        mem_mb=3000,
    params:
        settings=SMOOTHNESS_SETTINGS | {"threads": CFG.train.threads},
    message:
        "Train and attack the networks of part {wildcards.part} of the sweep"
    script:
        step("smoothness/measure_networks.py")


rule planted_clusters:
    output:
        f"{SMOOTHNESS}/planted.parquet",
    params:
        settings={"seeds": CFG.smoothness.seeds, "threads": CFG.train.threads},
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
    output:
        **table("smoothness", "Local smoothness: data, architecture and training"),
        **named_figure("smoothness-shares", "Local smoothness: share of each factor"),
        **named_figure("smoothness-curves", "Local smoothness: one factor at a time"),
    params:
        settings=SMOOTHNESS_DESIGN
        | {"attacked": CFG.smoothness.attacked, "threads": CFG.train.threads},
    message:
        "What each factor does to the distances"
    script:
        step("smoothness/table_smoothness.py")


EVERYTHING += [*SMOOTHNESS_PARTS, *rules.planted_clusters.output]
EVERYTHING += rules.table_smoothness.output
